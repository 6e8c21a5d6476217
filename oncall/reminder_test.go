package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestParseRemindBefore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		want  []time.Duration
		err   string
	}{
		{words: []string{"1h", "24h"}, want: []time.Duration{24 * time.Hour, time.Hour}},
		{words: []string{"2d", "30m", "30m"}, want: []time.Duration{48 * time.Hour, 30 * time.Minute}},
		{words: []string{"off"}, want: []time.Duration{}},
		{words: []string{"soon"}, err: "\"soon\" is not a length of time such as `24h`, `30m` or `2d`."},
		{words: []string{"2days"}, err: "\"2days\" is not a length of time such as `24h`, `30m` or `2d`."},
		{words: []string{"15d"}, err: "A reminder can come 1 minute to 14 days before a shift, not 15d."},
		{words: []string{"-1h"}, err: "A reminder can come 1 minute to 14 days before a shift, not -1h."},
		{words: nil, err: "Say up to five lengths of time, such as `24h 1h`, or `off`."},
	} {
		got, err := ParseRemindBefore(c.words)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" || said != c.err {
			t.Errorf("%q: %q (-want +got):\n%s", c.words, said, diff)
		}
	}
}

// A person is reminded of coming on call, not of going on, and of the whole of the shift.
func TestRemindersGoToThoseWhoComeOnCall(t *testing.T) {
	t.Parallel()
	f := guarded()
	monday := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC) // from Ann to Bo
	f.Schedules[0].Overrides = []schedule.Override{{
		ID: 1, Kind: schedule.OverrideAdd, Start: monday.AddDate(0, 0, 2), End: monday.AddDate(0, 0, 3), Users: []UserID{"U0CY"},
	}}
	c, err := schedule.Compile(f.Schedules[0])
	if err != nil {
		t.Fatal(err)
	}
	before := func(UserID) []time.Duration { return RemindBefore }
	due, next := Reminders(c, monday.Add(-25*time.Hour), before)
	if len(due) != 0 || !next.Equal(monday.Add(-24*time.Hour)) {
		t.Errorf("%d due, the next at %s; want 0 and next %s", len(due), next, monday.Add(-24*time.Hour))
	}
	due, next = Reminders(c, monday.Add(-24*time.Hour), before)
	if len(due) != 1 || !next.Equal(monday.Add(-time.Hour)) {
		t.Fatalf("%d due, the next at %s; want 1 and next %s", len(due), next, monday.Add(-time.Hour))
	}
	if n := due[0]; n.To != "U0BO" || !n.Detail.Start.Equal(monday) || !n.Detail.End.Equal(monday.AddDate(0, 0, 7)) {
		t.Errorf(`the reminder is %+v; want one to U0BO from %v to %v`, n, monday, monday.AddDate(0, 0, 7))
	}
	if due, _ = Reminders(c, monday.Add(-time.Hour+16*time.Minute), before); len(due) != 0 {
		t.Errorf("told too late: %+v, want none", due)
	}
	// Cy joins Bo for a day: the reminder is Cy's alone.
	due, _ = Reminders(c, monday.AddDate(0, 0, 1), before)
	if len(due) != 1 || due[0].To != "U0CY" {
		t.Errorf(`due: %+v; want one, to U0CY`, due)
	}
}

// A shift that an edit moves ends when it ends, not where the look ahead does.
func TestMovedShiftsEndWhenTheyEnd(t *testing.T) {
	t.Parallel()
	at := func(day string) time.Time {
		d, err := time.Parse(time.DateTime, day+" 09:00:00")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	made := func(turns ...[]UserID) *schedule.Schedule {
		c, err := schedule.Compile(schedule.Definition{ID: 1, Name: "primary", TimeZone: "UTC", Versions: []schedule.Version{{
			Rotations: []schedule.Rotation{{
				Name: "weekly", StartDate: schedule.Date{Year: 2026, Month: 3, Day: 2}, HandOff: 9 * 60, Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, Turns: turns,
			}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ann, bo, cy := []UserID{"U0ANN"}, []UserID{"U0BO"}, []UserID{"U0CY"}
	now := at("2026-03-02").Add(5 * time.Hour)
	last := map[string]time.Time{}
	for _, n := range ShiftChangeNotices(made(ann, bo), made(ann, cy), now, "1", "", nil) {
		moves := n.Detail.Moves
		last[n.To] = moves[len(moves)-1].End
		for _, m := range moves {
			if m.End.Sub(m.Start) != 7*24*time.Hour || m.Start.Hour() != 9 {
				t.Errorf("%s: %s to %s; want %v from 09:00", n.To, m.Start, m.End, 7*24*time.Hour)
			}
		}
	}
	if want := at("2026-04-27"); !last["U0BO"].Equal(want) || !last["U0CY"].Equal(want) {
		t.Errorf("the last ends %v, want %s", last, want)
	}
	for _, n := range ShiftChangeNotices(made(ann), made(ann, bo), now, "2", "", nil) {
		if end := n.Detail.Moves[len(n.Detail.Moves)-1].End; end.Hour() != 9 || end.IsZero() {
			t.Errorf("%s: the last ends %s; want 09:00", n.To, end)
		}
	}
	for _, n := range ShiftChangeNotices(made(ann, bo), made(ann), now, "3", "", nil) {
		if end := n.Detail.Moves[len(n.Detail.Moves)-1].End; end.Hour() != 9 || end.IsZero() {
			t.Errorf("%s: the last ends %s; want 09:00", n.To, end)
		}
	}
	long := ShiftChangeNotices(made(bo), made(bo, bo), now, "4", "", nil)
	if len(long) != 0 {
		t.Errorf("nothing has changed: %+v, want none", long)
	}
}

package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

func (w *world) stored(name string) schedule.Definition {
	w.t.Helper()
	directory, err := w.Directory(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range directory.Schedules {
		if c.Name() == name {
			s, err := w.Schedule(w.t.Context(), oncall.ByTimer(), c.ID())
			if err != nil {
				w.t.Fatal(err)
			}
			return s
		}
	}
	w.t.Fatalf("there is no schedule %q", name)
	return schedule.Definition{}
}

func (w *world) holds(id oncall.ScheduleID, at time.Time) []oncall.UserID {
	w.t.Helper()
	directory, err := w.Directory(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	c, ok := directory.Schedule(id)
	if !ok {
		w.t.Fatalf("there is no schedule %d", id)
	}
	return c.At(at, "")
}

func isRefused(t *testing.T, err error, want string) {
	t.Helper()
	if refusal, ok := errors.AsType[oncall.Refusal](err); !ok || refusal.Error() != want {
		t.Errorf("got %v, want the refusal %q", err, want)
	}
}

func TestScheduleIsEditedAndRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.stored("primary")
	first := s.Latest()
	edit := schedule.Version{Rotations: slices.Clone(s.Current(start)), CreatedBy: ann, Note: "only Cy"}
	edit.Rotations[0].Turns = [][]oncall.UserID{{cy}}
	now := start.Add(time.Hour)
	edited, err := w.EditSchedule(t.Context(), oncall.ByTimer(), s.ID, edit, first, now)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]oncall.UserID{start: ann, now.Add(-1): ann, now: cy, now.AddDate(0, 0, 7): cy} {
		if got := w.holds(s.ID, at); !slices.Equal(got, []oncall.UserID{want}) {
			t.Errorf("at %s: %v, want %s", at, got, want)
		}
	}
	history := w.stored("primary").Versions
	if len(history) != 2 {
		t.Fatalf("got the history %+v, want two versions", history)
	}
	if h := history[1]; h.CreatedBy != ann || h.Note != "only Cy" || !h.CreatedAt.Equal(now) {
		t.Errorf("got %q by %s at %s, want %q by %s at %s", h.Note, h.CreatedBy, h.CreatedAt, "only Cy", ann, now)
	}
	if got, want := history[1].ID, edited.Latest(); got != want {
		t.Errorf("got version %d, want %d", got, want)
	}

	_, err = w.EditSchedule(t.Context(), oncall.ByTimer(), s.ID, edit, first, now)
	isRefused(t, err, `U0ANN has changed "primary" in the meantime, so nothing was saved. Open it again to see the change.`)
	_, err = w.EditSchedule(t.Context(), oncall.ByTimer(), 999, edit, first, now)
	if !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("a schedule that isn't there: %v, want the error %v", err, oncall.ErrNotFound)
	}

	_, err = w.RestoreVersion(t.Context(), oncall.ByUser(bo), s.ID, first, first, now)
	isRefused(t, err, `U0ANN has changed "primary" in the meantime, so nothing was saved. Open it again to see the change.`)
	later := now.Add(time.Hour)
	if _, err := w.RestoreVersion(t.Context(), oncall.ByUser(bo), s.ID, first, edited.Latest(), later); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]oncall.UserID{start: ann, now: cy, later: ann} {
		if got := w.holds(s.ID, at); !slices.Equal(got, []oncall.UserID{want}) {
			t.Errorf("restored, at %s: %v, want %s", at, got, want)
		}
	}
	history = w.stored("primary").Versions
	if len(history) != 3 || history[2].CreatedBy != bo || history[2].Note != "restored Mon 2 Mar 11:00 UTC" {
		t.Errorf(`the history is %+v; want three, the last by %v with the note "restored Mon 2 Mar 11:00 UTC"`, history, bo)
	}
	_, err = w.RestoreVersion(t.Context(), oncall.ByUser(bo), s.ID, 999, history[2].ID, later)
	isRefused(t, err, `There is no such version of "primary" any more.`)
}

// Turns of less than an hour are refused wherever they come from. One that was stored earlier still works.
func TestTurnsAreAtLeastAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.stored("primary")
	const cron = `Rotation "weekly" hands off more often than once an hour: the shortest turn is an hour.`
	edit := schedule.Version{Rotations: slices.Clone(s.Current(start)), CreatedBy: ann}
	edit.Rotations[0].Period = schedule.Period{Cron: "* * * * *"}
	_, err := w.EditSchedule(t.Context(), oncall.ByTimer(), s.ID, edit, s.Latest(), start)
	isRefused(t, err, cron)
	_, err = w.AddOverride(t.Context(), oncall.ByTimer(), s.ID, schedule.Override{
		Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: start, End: start.AddDate(0, 1, 0), Windows: minuteWindows(),
	}, start)
	isRefused(t, err, "The override changes who is on call more often than once an hour: that is not possible.")
	with := payments()
	half := with.Schedules[0].Rotations[0]
	with.Schedules[0].Rotations[0].Every, half.Every = "hour", "hour"
	half.Name, half.Start = "half", strings.Replace(half.Start, ":00", ":30", 1)
	with.Schedules[0].Rotations = append(with.Schedules[0].Rotations, half)
	if _, err := w.Apply(t.Context(), with, store.ApplyOptions{Write: true}, start); err == nil || !strings.Contains(err.Error(), "at most once an hour is possible") {
		t.Errorf(`apply: %v; want an error containing "at most once an hour is possible"`, err)
	}

	w.exec(`
		INSERT INTO schedule_versions (schedule_id, effective_from, rotations, note, created_by, created_at)
		SELECT schedule_id, $1, jsonb_set(rotations, '{0,period}', '{"cron": "* * * * *"}'), '', '', $1
		FROM schedule_versions WHERE schedule_id = $2`, start, s.ID)
	old := w.stored("primary")
	if got := w.holds(s.ID, start); len(got) == 0 {
		t.Errorf("nobody is on call by what is stored: got %v, want other than 0", len(got))
	}
	other, err := w.EditSchedule(t.Context(), oncall.ByTimer(), s.ID, schedule.Version{Rotations: s.Current(start.Add(-1)), CreatedBy: ann}, old.Latest(), start)
	if err != nil {
		t.Fatalf("mended: %v", err)
	}
	_, err = w.RestoreVersion(t.Context(), oncall.ByUser(ann), s.ID, old.Latest(), other.Latest(), start)
	isRefused(t, err, cron)
}

// minuteWindows are hours that open and close every two minutes.
func minuteWindows() (out []schedule.Window) {
	for m := range 300 {
		out = append(out, schedule.Window{Days: []schedule.Weekday{"mon"}, From: schedule.TimeOfDay(4 * m), To: schedule.TimeOfDay(4*m + 2)})
	}
	return out
}

// Of two concurrent edits, one succeeds, and the other's author gets an error.
func TestOneOfTwoConcurrentEditsSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.stored("primary")
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = w.another().EditSchedule(t.Context(), oncall.ByTimer(), s.ID, schedule.Version{Rotations: s.Current(start), CreatedBy: bo}, s.Latest(), start)
		})
	}
	all.Wait()
	saved := 0
	for _, err := range errs {
		if err == nil {
			saved++
			continue
		}
		isRefused(t, err, `U0BO has changed "primary" in the meantime, so nothing was saved. Open it again to see the change.`)
	}
	if saved != 1 {
		t.Errorf("%d edits were saved, want 1", saved)
	}
}

func TestScheduleIsCreatedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team := w.stored("primary").TeamID
	made, err := w.CreateSchedule(t.Context(), oncall.ByTimer(), schedule.Definition{TeamID: team, Name: "nights", TimeZone: "America/New_York"}, start)
	if err != nil {
		t.Fatal(err)
	}
	got := w.stored("nights")
	if got.ID != made.ID || got.TeamID != team {
		t.Errorf("made %+v; want schedule %v of team %v", got, made.ID, team)
	}
	if got.TimeZone != "America/New_York" || got.Latest() != 0 {
		t.Errorf("made %+v; want it in America/New_York, with no version yet", got)
	}
	_, err = w.CreateSchedule(t.Context(), oncall.ByTimer(), schedule.Definition{TeamID: team, Name: "nights", TimeZone: "UTC"}, start)
	isRefused(t, err, `There is a schedule "nights" already.`)
	_, err = w.CreateSchedule(t.Context(), oncall.ByTimer(), schedule.Definition{TeamID: team, Name: "days", TimeZone: "Berlin"}, start)
	isRefused(t, err, `"Berlin" is not a time zone such as "Europe/Berlin".`)

	if err := w.RemoveSchedule(t.Context(), oncall.ByTimer(), made.ID, start); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Schedule(t.Context(), oncall.ByTimer(), made.ID); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("removed, it is still there: %v, want the error %v", err, oncall.ErrNotFound)
	}
	isRefused(t, w.RemoveSchedule(t.Context(), oncall.ByTimer(), w.stored("primary").ID, start), `Policy "default" pages this schedule, so it can't be removed.`)
}

func TestShiftsByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.stored("primary").ID
	hour := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	add := func(user oncall.UserID, from, to int) error {
		_, err := w.AddShift(t.Context(), oncall.ByUser(ann), id, schedule.ManualShift{Start: hour(from), End: hour(to), Users: []oncall.UserID{user}}, start)
		return err
	}
	for _, err := range []error{add(cy, 1, 5), add(di, 4, 6), w.KeepShiftsApart(t.Context(), oncall.ByTimer(), id, true, start), add(di, 6, 7)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	isRefused(t, add(bo, 2, 3), `U0CY already has a shift in "primary" that overlaps this one, and the schedule doesn't allow that.`)
	isRefused(t, add(bo, 3, 3), `The shift: end is not after start.`)
	if got := w.holds(id, hour(4)); !slices.Equal(got, []oncall.UserID{ann, cy, di}) {
		t.Errorf("beside Ann's week: %v, want %v", got, []oncall.UserID{ann, cy, di})
	}
	// The half that has passed stays. Cutting out the middle leaves two overrides.
	n, err := w.DeleteShifts(t.Context(), oncall.ByUser(ann), id, "", hour(0), hour(3), hour(2))
	if err != nil || n != 1 {
		t.Errorf("cut %d shifts, %v, want 1", n, err)
	}
	if n, err = w.DeleteShifts(t.Context(), oncall.ByUser(ann), id, "secondary", hour(0), hour(9), start); err != nil || n != 0 {
		t.Errorf("cut %d shifts of a role that has none, %v, want 0", n, err)
	}
	if n, err = w.DeleteShifts(t.Context(), oncall.ByUser(ann), id, "", hour(6), hour(7), start); err != nil || n != 1 {
		t.Errorf("cut %d shifts, %v, want 1", n, err)
	}
	for at, want := range map[int][]oncall.UserID{1: {ann, cy}, 2: {ann}, 3: {ann, cy}, 4: {ann, cy, di}, 5: {ann, di}, 6: {ann}} {
		if got := w.holds(id, hour(at)); !slices.Equal(got, want) {
			t.Errorf("after %d hours %v, want %v", at, got, want)
		}
	}
}

// A new member of a rotation must not put somebody else on call at once.
func TestApplyKeepsTheTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.stored("primary").ID
	with := payments()
	turns := &with.Schedules[0].Rotations[0].Turns
	for _, c := range []struct {
		turns []setup.Turn
		after []oncall.UserID // this week and the following ones
	}{
		{[]setup.Turn{{"cy"}, {"ann"}, {"bo"}}, []oncall.UserID{ann, bo, cy}},
		{[]setup.Turn{{"cy"}, {"di"}, {"ann"}, {"bo"}}, []oncall.UserID{ann, bo, cy, di}},
		{[]setup.Turn{{"bo"}, {"ann"}}, []oncall.UserID{ann, bo}},
	} {
		*turns = c.turns
		report, err := w.Apply(t.Context(), with, store.ApplyOptions{Write: true}, start)
		if err != nil || len(report.Changes) != 1 {
			t.Fatalf("%v: %v, %v, want 1 entry", c.turns, report.Changes, err)
		}
		for week, want := range c.after {
			if got := w.holds(id, start.AddDate(0, 0, 7*week)); !slices.Equal(got, []oncall.UserID{want}) {
				t.Errorf("%v: in week %d %v, want %s", c.turns, week, got, want)
			}
		}
		if report, err = w.Apply(t.Context(), with, store.ApplyOptions{Write: true}, start.Add(time.Hour)); err != nil || len(report.Changes) != 0 {
			t.Errorf("%v: applied again, it changes %v, %v, want none", c.turns, report.Changes, err)
		}
	}
	// Only a new start date says that the first turn begins there.
	with.Schedules[0].Rotations[0].Start = "2026-03-02 09:00"
	if _, err := w.Apply(t.Context(), with, store.ApplyOptions{Write: true}, start); err != nil {
		t.Fatal(err)
	}
	if got := w.holds(id, start); !slices.Equal(got, []oncall.UserID{bo}) {
		t.Errorf("with a new start %v, want Bo", got)
	}
}

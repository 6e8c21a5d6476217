package view

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// golden compares a view with its golden file.
func golden(t *testing.T, name string, view any) {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(view); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s has changed; run with -update if it should (-want +got):\n%s", name, diff)
	}
	// Slack ignores acknowledgements of more than 20,480 bytes.
	if compact, err := json.Marshal(view); err != nil || len(compact) > 20_000 {
		t.Errorf("%s has %d bytes, %v; want at most 20000", name, len(compact), err)
	}
}

// weekly returns a schedule with two versions; the second adds Cy a week later.
func weekly() schedule.Definition {
	r := schedule.Rotation{
		Name: "weeks", TimeZone: "Europe/Berlin", Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit},
		StartDate: schedule.Date{Year: 2026, Month: 3, Day: 2}, HandOff: 9 * 60, Turns: [][]oncall.UserID{{ann}, {bo}},
	}
	nights := r
	nights.Name, nights.Role, nights.Priority, nights.TimeZone = "nights", schedule.RoleSecondary, 10, "America/New_York"
	nights.Turns = [][]oncall.UserID{{cy, bo}, {}}
	nights.Windows = []schedule.Window{{Days: []schedule.Weekday{schedule.Monday, schedule.Tuesday}, From: 22 * 60, To: 6 * 60}}
	later := noon.AddDate(0, 0, 7)
	with := r
	with.Turns = [][]oncall.UserID{{ann}, {bo}, {cy}}
	return schedule.Definition{
		ID: 4, TeamID: 1, Name: "payments <days>", TimeZone: "Europe/Berlin",
		Versions: []schedule.Version{
			{ID: 7, Rotations: []schedule.Rotation{r, nights}, CreatedAt: noon.AddDate(0, -1, 0)},
			{ID: 8, EffectiveFrom: &later, Rotations: []schedule.Rotation{with, nights}, CreatedAt: noon, CreatedBy: bo, Note: "changed weeks"},
		},
	}
}

func TestScheduleViews(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := weekly()
	name := func(u oncall.UserID) string { return map[oncall.UserID]string{ann: "Ann", bo: "Bo", cy: "Cy"}[u] }
	meta := EditMeta{Schedule: 4, Seen: 8}
	golden(t, "schedule_overview", ScheduleOverview{
		Meta: meta, Schedule: s, Team: "Payments", Current: s.Current(noon), Planned: s.Planned(noon), Message: "Saved.", Location: berlin,
	}.Draw())
	golden(t, "schedule_history", ScheduleHistory(meta, s, berlin))
	golden(t, "schedule_new", NewScheduleForm([]oncall.Team{{ID: 1, Name: "Payments"}}, "Europe/Berlin"))
	f := RotationForm{Meta: meta, Schedule: s, Rotation: s.Current(noon)[0], Name: name}
	golden(t, "rotation", f.Draw())
	f.Meta.Rotation, f.Rotation = 1, s.Current(noon)[1]
	golden(t, "rotation_special", f.Draw())
}

func TestPreview(t *testing.T) {
	t.Parallel()
	compile := func(change func(s *schedule.Definition, r *schedule.Rotation)) *schedule.Schedule {
		s := weekly()
		s.Versions = s.Versions[:1]
		s.Overrides = []schedule.Override{{ID: 1, Kind: schedule.OverrideSwap, From: bo, To: cy, Start: noon.AddDate(0, 0, 8), End: noon.AddDate(0, 0, 9)}}
		if change != nil {
			change(&s, &s.Versions[0].Rotations[0])
		}
		c, err := schedule.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := compile(nil)
	views := map[string][]slack.Block{}
	for name, change := range map[string]func(s *schedule.Definition, r *schedule.Rotation){
		"nothing":  nil,
		"newcomer": func(_ *schedule.Definition, r *schedule.Rotation) { r.Turns = [][]oncall.UserID{{ann}, {cy}, {bo}} },
		"gap": func(_ *schedule.Definition, r *schedule.Rotation) {
			r.Windows = []schedule.Window{{Days: []schedule.Weekday{schedule.Monday}, From: 9 * 60, To: 17 * 60}}
		},
	} {
		views[name] = SchedulePreview(before, compile(change), noon, noon, time.UTC)
	}
	golden(t, "preview", views)
}

// The largest possible schedule fits into an acknowledgement.
func TestLargestScheduleFits(t *testing.T) {
	t.Parallel()
	s := weekly()
	r := s.Versions[0].Rotations[1]
	r.Name = string(bytes.Repeat([]byte("<"), 200))
	r.Turns = nil
	for range 100 {
		r.Turns = append(r.Turns, []oncall.UserID{ann, bo})
	}
	s.Versions = nil
	for i := range 100 {
		v := schedule.Version{ID: int64(i), CreatedAt: noon.AddDate(0, 0, i), Note: r.Name}
		for range 100 {
			v.Rotations = append(v.Rotations, r)
		}
		s.Versions = append(s.Versions, v)
	}
	small := weekly()
	was, err := schedule.Compile(small)
	if err != nil {
		t.Fatal(err)
	}
	for i := range small.Versions[1].Rotations {
		small.Versions[1].Rotations[i].Turns = r.Turns
	}
	is, err := schedule.Compile(small)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		view slack.ModalViewRequest
		most int
	}{
		"overview": {ScheduleOverview{Schedule: s, Current: s.Versions[0].Rotations, Location: time.UTC}.Draw(), 20_000},
		"rotation": {RotationForm{
			Rotation: r, Preview: SchedulePreview(was, is, noon, noon, time.UTC), Name: func(u oncall.UserID) string { return string(u) },
		}.Draw(), 20_000},
		"history": {ScheduleHistory(EditMeta{}, s, time.UTC), 250_000}, // no part of an acknowledgement
	} {
		data, err := json.Marshal(c.view)
		if err != nil || len(data) > c.most || len(c.view.Blocks.BlockSet) > 100 {
			t.Errorf("%s has %d bytes in %d blocks, %v; want at most %d bytes in 100 blocks", name, len(data), len(c.view.Blocks.BlockSet), err, c.most)
		}
	}
}

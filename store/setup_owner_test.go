package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// slackEdit gives Bo all turns of the schedule, as if edited in Slack.
func slackEdit(w *world, at time.Time) {
	w.t.Helper()
	was := must[schedule.Definition](w.t)(w.Schedule(w.t.Context(), oncall.ByTimer(), 1))
	v := schedule.Version{Rotations: was.Current(at), Note: "changed weekly", CreatedBy: bo}
	v.Rotations[0].Turns = [][]oncall.UserID{{bo}}
	must[schedule.Definition](w.t)(w.EditSchedule(w.t.Context(), oncall.ByTimer(), 1, v, was.Latest(), at))
}

func TestApplyReportsOverwrittenEditsAndMovedHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slackEdit(w, start.Add(time.Hour))
	now := start.Add(2 * time.Hour)
	const change = `change schedule "primary": rotations`
	want := map[string][]string{change: {
		"edited in Slack by bo, Mon 2 Mar 12:00 UTC: changed weekly",
		"ann gains 671 h from 9 Mar to 27 Apr",
		"bo loses 671 h from 9 Mar to 27 Apr",
		"ann in the next 90 days: 0 h, 0 nights, 0 days of weekends → 1007 h, 42 nights, 12 days of weekends",
		"bo in the next 90 days: 2160 h, 90 nights, 26 days of weekends → 1153 h, 48 nights, 14 days of weekends",
	}}
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), payments(), everything, now))
	if d := cmp.Diff(want, report.Details); d != "" {
		t.Errorf("report.Details (-want +got):\n%s", d)
	}
	// Once undone, the edit is no longer reported.
	doc := payments()
	doc.Schedules[0].Rotations[0].Turns = []setup.Turn{{"ann"}}
	report = must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, now))
	if all := strings.Join(report.Details[change], "\n"); strings.Contains(all, "Slack") || !strings.Contains(all, "ann gains") {
		t.Errorf(`%v; want "ann gains", and nothing of Slack`, all)
	}
}

// Applying also undoes edits in Slack that were planned for later.
func TestApplyOverwritesEditsPlannedInSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	was := must[schedule.Definition](t)(w.Schedule(t.Context(), oncall.ByTimer(), 1))
	v := schedule.Version{Rotations: was.Current(start), CreatedBy: bo, EffectiveFrom: new(start.AddDate(0, 0, 7))}
	v.Rotations[0].Turns = [][]oncall.UserID{{cy}}
	must[schedule.Definition](t)(w.EditSchedule(t.Context(), oncall.ByTimer(), 1, v, was.Latest(), start))
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), payments(), everything, start))
	if len(report.Changes) != 1 || !strings.Contains(strings.Join(report.Details[report.Changes[0]], "\n"), "cy loses") {
		t.Errorf("the report is %+v, want one change, which says that cy loses", report)
	}
	if got := w.holds(1, start.AddDate(0, 0, 8)); !cmp.Equal(got, []oncall.UserID{bo}) {
		t.Errorf("on call the week after: %v, want %v", got, []oncall.UserID{bo})
	}
}

// Objects that a team keeps in Slack are added if they are missing, and then left alone.
func TestApplyKeepsSlackFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := payments()
	doc.Teams[0].Owner = oncall.OwnerSlack
	doc.Schedules = append(doc.Schedules, setup.Schedule{Name: "nights", Team: "payments", TimeZone: "UTC"})
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	if d := cmp.Diff([]string{`change team "payments": owner`, `add schedule "nights"`}, report.Changes); d != "" {
		t.Errorf("report.Changes (-want +got):\n%s", d)
	}
	slackEdit(w, start.Add(time.Hour))
	doc.Schedules = doc.Schedules[:1]
	doc.Policies[0].Repeat = 3
	report = must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start.Add(2*time.Hour)))
	if d := cmp.Diff(store.ApplyReport{Changes: []string{`change policy "default": repeat`}, Slacks: []string{`schedule "primary"`}}, report, exceptAfter); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if got := w.holds(1, start.Add(3*time.Hour)); !cmp.Equal(got, []oncall.UserID{bo}) {
		t.Errorf("on call after Slack's edit: %v, want %v", got, []oncall.UserID{bo})
	}
}

// Manual shifts are added with a new schedule, and are edited in Slack from then on.
func TestShiftsOfADocumentComeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := payments()
	doc.Schedules[0].Shifts = []setup.Shift{{Start: "2026-03-03 09:00", End: "2026-03-03 17:00", Users: []string{"cy"}}}
	if report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start)); len(report.Changes) != 0 {
		t.Errorf("a schedule that was there: %q, want none", report.Changes)
	}
	nights := setup.Schedule{Name: "nights", Team: "payments", TimeZone: "Europe/Berlin", Shifts: doc.Schedules[0].Shifts}
	over := setup.Shift{Start: "2026-02-03 09:00", End: "2026-02-03 17:00", Users: []string{"cy"}}
	nights.Shifts = append(nights.Shifts, over)
	doc.Schedules = append(doc.Schedules, nights)
	must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start))
	if n := w.count(`SELECT count(*) FROM manual_shifts`); n != 1 {
		t.Errorf("%d shifts, want 1", n)
	}
	id := oncall.ScheduleID(w.count(`SELECT id FROM schedules WHERE name = 'nights'`))
	must[int](t)(w.DeleteShifts(t.Context(), oncall.ByUser(ann), id, "", start, start.AddDate(0, 1, 0), start))
	if report := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, start)); len(report.Changes) != 0 || w.count(`SELECT count(*) FROM manual_shifts`) != 0 {
		t.Errorf("after somebody has deleted it: changes %q, want none, and no shift entered by hand", report.Changes)
	}
}

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// edit has Cy assign the turns of a schedule.
func (w *world) edit(id oncall.ScheduleID, at time.Time, turns ...oncall.UserID) {
	w.t.Helper()
	was := must[schedule.Definition](w.t)(w.Schedule(w.t.Context(), oncall.ByTimer(), id))
	r := schedule.Rotation{Name: "weekly", Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60}
	for _, u := range turns {
		r.Turns = append(r.Turns, []oncall.UserID{u})
	}
	must[schedule.Definition](w.t)(w.EditSchedule(w.t.Context(), oncall.ByTimer(), id, schedule.Version{Rotations: []schedule.Rotation{r}, CreatedBy: cy}, was.Latest(), at))
}

func (w *world) settle(id oncall.ScheduleID, at time.Time) {
	w.t.Helper()
	if err := w.SettleSchedule(w.t.Context(), id, at); err != nil {
		w.t.Fatal(err)
	}
}

// After three edits of a schedule in a row, people get one notice, about the result.
func TestSettledEditsNotifyOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edit(1, start, ann, di)
	w.edit(1, start.Add(time.Minute), ann, bo, di)
	w.edit(1, start.Add(2*time.Minute), ann, bo, bo)
	w.settle(1, start.Add(2*time.Minute)) // the first timer: it goes on
	wantNotices(t, w)
	if n := w.jobs("settle"); n != 3 {
		t.Errorf("%d timers, want 3", n)
	}
	if due := must[[]oncall.ScheduleID](t)(w.DueSettlements(t.Context(), start.Add(3*time.Minute))); len(due) != 0 {
		t.Errorf("due: %v, want none", due)
	}
	if due := must[[]oncall.ScheduleID](t)(w.DueSettlements(t.Context(), start.Add(4*time.Minute))); len(due) != 1 {
		t.Errorf("due: %v, want 1 entry", due)
	}
	w.settle(1, start.Add(4*time.Minute))
	w.settle(1, start.Add(5*time.Minute))
	w.wantNoticesSorted("shift_moved U0ANN", "shift_moved U0BO")

	// An edit that was undone before people were told is not reported.
	w.forget()
	w.edit(1, start.Add(time.Hour), di)
	w.edit(1, start.Add(time.Hour+time.Minute), ann, bo, bo)
	w.settle(1, start.Add(2*time.Hour))
	wantNotices(t, w)

	// Continuous editing doesn't delay the notices for ever.
	for i := range 8 {
		w.edit(1, start.Add(3*time.Hour+time.Duration(i)*90*time.Second), di)
	}
	w.settle(1, start.Add(3*time.Hour+10*time.Minute+30*time.Second))
	w.wantNoticesSorted("shift_moved U0ANN", "shift_moved U0BO") // Di's shift has begun, which is a hand-off
}

// Nobody is warned about a schedule while it is being edited, and a warning says when the gap was closed.
func TestCoverageWaitsUntilTheEditingHasSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.guard(w.System, start)
	wantNotices(t, w)
	made := must[schedule.Definition](t)(w.CreateSchedule(t.Context(), oncall.ByTimer(), schedule.Definition{TeamID: 1, Name: "nights", TimeZone: "Europe/Berlin"}, start))
	w.exec(`UPDATE policies SET steps = steps || jsonb_build_array(jsonb_build_object('delay', 300, 'targets', jsonb_build_array(jsonb_build_object('schedule', $1::bigint))))`, made.ID)
	office := func(at time.Time, days ...schedule.Weekday) {
		t.Helper()
		was := must[schedule.Definition](t)(w.Schedule(t.Context(), oncall.ByTimer(), made.ID))
		r := schedule.Rotation{Name: "days", Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, Turns: [][]oncall.UserID{{bo}}}
		if len(days) > 0 {
			r.Windows = []schedule.Window{{Days: days}}
		}
		must[schedule.Definition](t)(w.EditSchedule(t.Context(), oncall.ByTimer(), made.ID, schedule.Version{Rotations: []schedule.Rotation{r}, CreatedBy: cy}, was.Latest(), at))
	}
	office(start.Add(time.Minute), "tue")
	w.guard(w.System, start.Add(2*time.Minute))
	wantNotices(t, w)
	w.settle(made.ID, start.Add(3*time.Minute))
	w.guard(w.System, start.Add(3*time.Minute))
	w.wantNoticesSorted("coverage #payments", "shift_moved U0BO")
	facts := w.strings(`SELECT facts -> 'findings' -> 0 ->> 'start' FROM notices WHERE kind = 'coverage'`)[0]
	if begins, err := time.Parse(time.RFC3339, facts); err != nil || begins.Before(start) {
		t.Errorf("it begins at %s, %v, want %s or later", facts, err, start)
	}

	// While the schedule is being mended, the warning stays; then it says that the gap was closed.
	mended := func() int {
		return w.count(`SELECT count(*) FROM notices, jsonb_array_elements(facts -> 'findings') AS f WHERE kind = 'coverage' AND f ? 'mended_at' AND version = 2`)
	}
	office(start.Add(time.Hour))
	w.guard(w.System, start.Add(time.Hour))
	if mended() != 0 || !strings.Contains(w.findings(), "gap/") {
		t.Errorf(`findings: %s; want a gap, and nothing mended`, w.findings())
	}
	w.forgetJobs()
	w.settle(made.ID, start.Add(time.Hour+2*time.Minute))
	w.guard(w.System, start.Add(time.Hour+2*time.Minute))
	if mended() == 0 || w.findings() != "" || w.jobs("tell") == 0 {
		t.Errorf(`%d mended, findings: %s; want something mended, no findings, and somebody told`, mended(), w.findings())
	}
}

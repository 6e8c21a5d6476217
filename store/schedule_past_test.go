package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// plant makes n one-hour overrides, one after another, that ended before the given time. Their kind is
// unknown to us, so anything that reads one fails.
func (w *world) plant(id oncall.ScheduleID, n int, before time.Time) {
	w.t.Helper()
	w.exec(`
		INSERT INTO overrides (schedule_id, kind, role, start_at, end_at, users, from_user, to_user, time_zone,
		                       windows, shifts, allow_gaps, reason, created_by, created_at)
		SELECT $1, 'a mystery', 'primary', $2::timestamptz - n * interval '2 hours', $2::timestamptz - n * interval '2 hours' + interval '1 hour',
		       '{U0CY}', '', '', '', '[]', '[]', false, '', 'U0CY', $2::timestamptz - n * interval '3 hours'
		FROM generate_series($3::int, 1, -1) AS n`, id, before, n)
}

// Long-past overrides are neither loaded by an edit nor kept in the directory, so that neither slows down over
// the years.
func TestPastOverridesAreNotLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.stored("primary")
	rotations := s.Current(start)
	w.plant(s.ID, 20_000, start.AddDate(0, 0, -35))
	w.exec(`
		INSERT INTO manual_shifts (schedule_id, role, start_at, end_at, users, created_by, created_at)
		SELECT $1, 'long ago', $2::timestamptz - n * interval '2 hours', $2::timestamptz - n * interval '1 hour', '{U0CY}', 'U0CY', $2
		FROM generate_series(1, 100) AS n`, s.ID, start.AddDate(0, 0, -100))
	w.exec(`
		INSERT INTO schedule_versions (schedule_id, effective_from, rotations, note, created_by, created_at)
		VALUES ($1, $2, '[{"name": "broken", "turns": [["U0CY"]]}]', '', '', $2)`, s.ID, start.AddDate(-2, 0, 0))
	w.exec(`
		INSERT INTO schedule_versions (schedule_id, effective_from, rotations, note, created_by, created_at)
		SELECT schedule_id, $2, rotations, '', '', $2 FROM schedule_versions WHERE schedule_id = $1 ORDER BY id LIMIT 1`,
		s.ID, start.AddDate(-1, 0, 0))

	made := w.override(s.ID, start.Add(time.Hour), cy)
	w.holdsOnly(s.ID, start, ann)
	w.holdsOnly(s.ID, start.Add(90*time.Minute), cy)
	if _, err := w.EditSchedule(t.Context(), oncall.ByTimer(), s.ID, schedule.Version{Rotations: rotations, CreatedBy: cy}, s.Latest()+2, start); err != nil {
		t.Error(err)
	}
	if _, err := w.CancelOverride(t.Context(), oncall.ByUser(cy), made.ID, start); err != nil {
		t.Error(err)
	}
	shift := schedule.ManualShift{Role: "secondary", Start: start, End: start.Add(time.Hour), Users: []oncall.UserID{di}}
	if _, err := w.AddShift(t.Context(), oncall.ByUser(cy), s.ID, shift, start); err != nil {
		t.Error(err)
	}
	if _, err := w.DeleteShifts(t.Context(), oncall.ByUser(cy), s.ID, "", start, start.Add(time.Hour), start); err != nil {
		t.Error(err)
	}
	if err := w.CheckSchedule(t.Context(), s.ID, start); err != nil {
		t.Error(err)
	}
	w.guard(w.System, start)
	if _, err := w.Apply(t.Context(), payments(), store.ApplyOptions{Write: true}, start); err != nil {
		t.Error(err)
	}
}

func (w *world) override(id oncall.ScheduleID, at time.Time, who oncall.UserID) schedule.Override {
	w.t.Helper()
	o, err := w.AddOverride(w.t.Context(), oncall.ByTimer(), id, schedule.Override{
		Kind: schedule.OverrideCover, Role: schedule.RolePrimary, Start: at, End: at.Add(time.Hour), Users: []oncall.UserID{who}, CreatedBy: who,
	}, at.Add(-time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) holdsOnly(id oncall.ScheduleID, at time.Time, who oncall.UserID) {
	w.t.Helper()
	if got := w.holds(id, at); len(got) != 1 || got[0] != who {
		w.t.Errorf("at %s: %v, want %s", at, got, who)
	}
}

// Questions about the distant past are still answered correctly.
func TestOldShiftsRemainKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.stored("primary")
	then := start.AddDate(-1, 0, 0)
	old := w.override(s.ID, then, cy)
	w.override(s.ID, start, cy)
	dir, err := w.Directory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, known := dir.Override(old.ID); known {
		t.Error("the directory holds an override that was over a year ago, want only recent ones")
	}
	if same, err := w.DirectoryAt(t.Context(), oncall.ByTimer(), dir, start.AddDate(0, 0, -34)); err != nil || same != dir {
		t.Errorf("34 days ago: another directory, %v, want the same", err)
	}
	past, err := w.DirectoryAt(t.Context(), oncall.ByTimer(), dir, then.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := past.Schedule(s.ID)
	if got := c.At(then.Add(time.Minute), schedule.RolePrimary); len(got) != 1 || got[0] != cy {
		t.Errorf("a year ago %v had it; want only %v", got, cy)
	}
	if o, known := past.Override(old.ID); !known || o.CreatedBy != cy {
		t.Errorf("its override is %+v; want it known, and made by %v", o, cy)
	}
}

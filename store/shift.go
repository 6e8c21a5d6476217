package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// AddShift stores a manual shift and returns it with its id. It is refused if it overlaps another shift and the schedule
// doesn't allow that.
func (s *Store) AddShift(
	ctx context.Context, by oncall.Actor, id oncall.ScheduleID, shift schedule.ManualShift, now time.Time,
) (schedule.ManualShift, error) {
	g, err := s.gate(ctx, by)
	if err == nil {
		err = g.onSchedule(access.EditSchedule, id)
	}
	if err != nil {
		return schedule.ManualShift{}, err
	}
	shift.ID = 0
	err = s.changeShifts(ctx, id, shift.Start, scheduleEdit{at: now, by: by.User}, func(tx pgx.Tx, was schedule.Definition) (err error) {
		if err := g.newInSchedule(was, shift.Users, now); err != nil {
			return err
		}
		if err := was.Fits(shift); err != nil {
			return err
		}
		if shift.ID, err = saveShift(ctx, tx, id, shift, by.User, now); err != nil {
			return err
		}
		return recordDuty(ctx, tx, by, now, id, func(of audit.Where) audit.Entry { return of.Shift(shift) })
	})
	if err != nil {
		return schedule.ManualShift{}, wrap(err, "add a shift to schedule %d", id)
	}
	return shift, nil
}

// DeleteShifts cuts a period out of the manual shifts of one role, or of all roles if the role is empty. It returns how
// many shifts were shortened or removed. The past stays unchanged.
func (s *Store) DeleteShifts(
	ctx context.Context, by oncall.Actor, id oncall.ScheduleID, role string, from, to time.Time, now time.Time,
) (int, error) {
	const remove = `DELETE FROM manual_shifts WHERE id = $1`
	const shorten = `UPDATE manual_shifts SET start_at = $2, end_at = $3 WHERE id = $1`
	if err := s.allowed(ctx, by, func(g gate) error { return g.onSchedule(access.EditSchedule, id) }); err != nil {
		return 0, err
	}
	if from.Before(now) {
		from = now
	}
	changed := 0
	var before, after []schedule.ManualShift
	err := s.changeShifts(ctx, id, from, scheduleEdit{at: now, by: by.User}, func(tx pgx.Tx, of schedule.Definition) error {
		for _, shift := range of.Shifts {
			if role != "" && role != shift.RoleName() {
				continue
			}
			left := schedule.CutShifts([]schedule.ManualShift{shift}, from, to)
			if len(left) == 1 && left[0].Start.Equal(shift.Start) && left[0].End.Equal(shift.End) {
				continue
			}
			changed++
			before, after = append(before, shift), append(after, left...)
			if !slices.ContainsFunc(left, func(l schedule.ManualShift) bool { return l.ID == shift.ID }) {
				if _, err := tx.Exec(ctx, remove, shift.ID); err != nil {
					return err
				}
			}
			for _, l := range left {
				var err error
				if l.ID == 0 {
					_, err = saveShift(ctx, tx, id, l, by.User, now)
				} else {
					_, err = tx.Exec(ctx, shorten, l.ID, l.Start, l.End)
				}
				if err != nil {
					return err
				}
			}
		}
		if changed == 0 {
			return nil
		}
		return recordDuty(ctx, tx, by, now, id, func(w audit.Where) audit.Entry { return w.Shifts(before, after) })
	})
	if err != nil {
		return 0, wrap(err, "delete shifts of schedule %d", id)
	}
	return changed, nil
}

// KeepShiftsApart sets whether overlapping shifts of one role are refused from now on.
func (s *Store) KeepShiftsApart(ctx context.Context, by oncall.Actor, id oncall.ScheduleID, apart bool, now time.Time) error {
	const save = `UPDATE schedules SET apart = $2 WHERE id = $1 AND apart <> $2`
	if err := s.allowed(ctx, by, func(g gate) error { return g.onSchedule(access.EditSchedule, id) }); err != nil {
		return err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, id); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, save, id, apart)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := recordDuty(ctx, tx, by, now, id, func(of audit.Where) audit.Entry { return of.Apart(apart) }); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return wrap(err, "save how shifts of schedule %d overlap", id)
	}
	s.cache.drop()
	return nil
}

// changeShifts locks a schedule and changes its shifts. Shifts that ended before an instant are not loaded.
func (s *Store) changeShifts(
	ctx context.Context, id oncall.ScheduleID, since time.Time, edit scheduleEdit, change func(pgx.Tx, schedule.Definition) error,
) error {
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, id); err != nil {
			return err
		}
		found, err := definition(ctx, tx, id, scope{since: since})
		if err != nil {
			return err
		}
		err = s.editSchedules(ctx, tx, edit, []oncall.ScheduleID{id}, func() error { return change(tx, found) })
		if err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err == nil {
		s.cache.drop()
	}
	return err
}

func saveShift(
	ctx context.Context, tx pgx.Tx, id oncall.ScheduleID, m schedule.ManualShift, by oncall.UserID, now time.Time,
) (shift schedule.ShiftID, err error) {
	const insert = `
		INSERT INTO manual_shifts (schedule_id, role, start_at, end_at, users, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id`
	err = tx.QueryRow(ctx, insert, id, m.Role, m.Start, m.End, nonNil(m.Users), by, now).Scan(&shift)
	return shift, err
}

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// AddOverride stores an override of a schedule and returns it with its id.
func (s *Store) AddOverride(ctx context.Context, by oncall.Actor, id oncall.ScheduleID, override schedule.Override, now time.Time) (schedule.Override, error) {
	override.ScheduleID, override.CreatedBy = id, cmp.Or(by.User, override.CreatedBy)
	if err := s.allowed(ctx, by, func(g gate) error { return g.override(override) }); err != nil {
		return schedule.Override{}, err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, id); err != nil {
			return err
		}
		return s.editSchedules(ctx, tx, scheduleEdit{at: now, by: override.CreatedBy}, []oncall.ScheduleID{id}, func() (err error) {
			if override, err = addOverride(ctx, tx, override, now); err != nil {
				return err
			}
			if err := recordDuty(ctx, tx, by, now, id, func(of audit.Where) audit.Entry { return of.Override(override) }); err != nil {
				return err
			}
			return knowTimeOff(ctx, tx, by, by.User, now)
		})
	})
	if err != nil {
		return schedule.Override{}, wrap(err, "add override to schedule %d", id)
	}
	s.cache.drop()
	return override, nil
}

// AddOverrides stores overrides, which may be of several schedules: all of them or none.
func (s *Store) AddOverrides(ctx context.Context, by oncall.Actor, all []schedule.Override, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	var ids []oncall.ScheduleID
	for i := range all {
		all[i].CreatedBy = cmp.Or(by.User, all[i].CreatedBy)
		if err := g.override(all[i]); err != nil {
			return err
		}
		ids = append(ids, all[i].ScheduleID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := lockSchedules(ctx, tx, ids...); err != nil {
			return err
		}
		return s.editSchedules(ctx, tx, scheduleEdit{at: now, by: by.User}, ids, func() error {
			for _, o := range all {
				made, err := addOverride(ctx, tx, o, now)
				if err != nil {
					return err
				}
				if err := recordDuty(ctx, tx, by, now, o.ScheduleID, func(of audit.Where) audit.Entry { return of.Override(made) }); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return wrap(err, "add %d overrides", len(all))
	}
	s.cache.drop()
	return nil
}

// CancelOverride ends an override now, or cancels one that has not begun, and returns the override as it was.
func (s *Store) CancelOverride(
	ctx context.Context, by oncall.Actor, id oncall.OverrideID, now time.Time,
) (schedule.Override, error) {
	return s.changeOverride(ctx, by, id, now, func(tx pgx.Tx, was schedule.Override) (schedule.Override, error) {
		if err := cancelOverrides(ctx, tx, now, id); err != nil {
			return was, err
		}
		return was, recordDuty(ctx, tx, by, now, was.ScheduleID, func(of audit.Where) audit.Entry { return of.OverrideEnded(was) })
	})
}

// SwitchOverride switches OnlyCovered of an override from now on, and returns the override that replaces it. An
// override with OnlyCovered applies only while somebody would be on call without it. The past stays unchanged.
func (s *Store) SwitchOverride(
	ctx context.Context, by oncall.Actor, id oncall.OverrideID, now time.Time,
) (schedule.Override, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return schedule.Override{}, err
	}
	return s.changeOverride(ctx, by, id, now, func(tx pgx.Tx, was schedule.Override) (schedule.Override, error) {
		override := was
		if was.OnlyCovered { // this adds time on call, so having created the override is not permission enough
			if err := g.override(override); err != nil {
				return override, err
			}
		}
		if err := cancelOverrides(ctx, tx, now, id); err != nil {
			return override, err
		}
		override.OnlyCovered = !override.OnlyCovered
		if override.Start.Before(now) {
			override.Start = now
		}
		override, err := addOverride(ctx, tx, override, now)
		if err != nil {
			return override, err
		}
		return override, recordDuty(ctx, tx, by, now, override.ScheduleID, func(of audit.Where) audit.Entry { return of.OverrideChanged(was, override) })
	})
}

// changeOverride calls change with an override that is not over, and returns its results.
func (s *Store) changeOverride(
	ctx context.Context, by oncall.Actor, id oncall.OverrideID, now time.Time,
	change func(pgx.Tx, schedule.Override) (schedule.Override, error),
) (schedule.Override, error) {
	const findSchedule = `SELECT schedule_id FROM overrides WHERE id = $1`
	const load = `
		SELECT id, schedule_id, kind, role, start_at AS "start", end_at AS "end", users, from_user AS "from",
		       to_user AS "to", time_zone, windows, shifts, allow_gaps, only_covered, reason, created_by, created_at,
		       cancelled_at
		FROM overrides
		WHERE id = $1
		FOR UPDATE`
	var override schedule.Override
	g, err := s.gate(ctx, by)
	if err != nil {
		return override, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var in oncall.ScheduleID
		if err := tx.QueryRow(ctx, findSchedule, id).Scan(&in); err != nil {
			return err
		}
		if err := lockSchedules(ctx, tx, in); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, id)
		before, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[schedule.Override])
		if err != nil {
			return err
		}
		if err := g.cancelOverride(before); err != nil {
			return err
		}
		if err := before.Cancellable(now); err != nil {
			return err
		}
		return s.editSchedules(ctx, tx, scheduleEdit{at: now, by: by.User}, []oncall.ScheduleID{in}, func() (err error) {
			override, err = change(tx, before)
			return err
		})
	})
	if err != nil {
		return schedule.Override{}, wrap(err, "change override %d", id)
	}
	s.cache.drop()
	return override, nil
}

// OverridesBy returns a person's own overrides that are not over, sorted by start. Overrides of swaps and cover
// requests are left out, because they are undone by cancelling the swap or request.
func (s *Store) OverridesBy(ctx context.Context, by oncall.Actor, user oncall.UserID, now time.Time) ([]schedule.Override, error) {
	const load = `
		SELECT id, schedule_id, kind, role, start_at AS "start", end_at AS "end", users, from_user AS "from",
		       to_user AS "to", time_zone, windows, shifts, allow_gaps, only_covered, reason, created_by, created_at,
		       cancelled_at
		FROM overrides o
		WHERE created_by = $1 AND end_at > $2 AND cancelled_at IS NULL
		  AND NOT EXISTS (SELECT FROM swaps s WHERE o.id = ANY (s.overrides))
		  AND NOT EXISTS (SELECT FROM covers c WHERE c.takes @> jsonb_build_array(jsonb_build_object('override', o.id)))
		ORDER BY start_at, id
		LIMIT 40`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, load, user, now)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[schedule.Override])
	if err != nil {
		return nil, fmt.Errorf("load the overrides of %s: %w", user, translate(err))
	}
	return found, nil
}

// lockSchedules keeps other transactions from changing schedules until this one ends.
func lockSchedules(ctx context.Context, tx pgx.Tx, ids ...oncall.ScheduleID) error {
	const lock = `SELECT id FROM schedules WHERE id = ANY ($1) AND removed_at IS NULL ORDER BY id FOR UPDATE`
	slices.Sort(ids)
	ids = slices.Compact(ids)
	tag, err := tx.Exec(ctx, lock, ids)
	if err == nil && tag.RowsAffected() < int64(len(ids)) {
		return oncall.ErrNotFound
	}
	return err
}

// addOverride stores an override. The caller has locked its schedule.
func addOverride(ctx context.Context, tx pgx.Tx, override schedule.Override, now time.Time) (schedule.Override, error) {
	const insert = `
		INSERT INTO overrides (schedule_id, kind, role, start_at, end_at, users, from_user, to_user, time_zone,
		                       windows, shifts, allow_gaps, only_covered, reason, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		RETURNING id`
	override.ID, override.CreatedAt, override.CancelledAt = 0, now, nil
	changed, err := definition(ctx, tx, override.ScheduleID, scope{since: now})
	if err != nil {
		return override, err
	}
	if err := override.CheckTurns(); err != nil {
		return override, err
	}
	changed.Overrides = append(changed.Overrides, override)
	if _, err := schedule.Compile(changed); err != nil {
		return override, err
	}
	if err := tx.QueryRow(ctx, insert, override.ScheduleID, override.Kind, override.Role, override.Start, override.End, nonNil(override.Users), override.From, override.To,
		override.TimeZone, nonNil(override.Windows), nonNil(override.Shifts), override.AllowGaps, override.OnlyCovered, override.Reason, override.CreatedBy, now).Scan(&override.ID); err != nil {
		return override, err
	}
	return override, announce(ctx, tx)
}

// cancelOverrides ends overrides now.
func cancelOverrides(ctx context.Context, tx pgx.Tx, now time.Time, ids ...oncall.OverrideID) error {
	const cancel = `UPDATE overrides SET cancelled_at = $2 WHERE id = ANY ($1) AND cancelled_at IS NULL`
	if _, err := tx.Exec(ctx, cancel, ids, now); err != nil {
		return err
	}
	return announce(ctx, tx)
}

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// AddOverride stores an override of a schedule and returns it with its id. What is wrong with it is
// a Refusal.
func (s *Store) AddOverride(ctx context.Context, id oncall.ScheduleID, o oncall.Override, now time.Time) (oncall.Override, error) {
	const live = `SELECT id FROM schedules WHERE id = $1 AND removed_at IS NULL FOR UPDATE`
	const insert = `
		INSERT INTO overrides (schedule_id, kind, role, start_at, end_at, users, from_user, to_user, time_zone,
		                       windows, shifts, allow_gaps, reason, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		RETURNING id`
	o.ID, o.ScheduleID, o.CreatedAt, o.CancelledAt = 0, id, now, nil
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, live, id).Scan(nil); err != nil {
			return err
		}
		all, err := schedules(ctx, tx)
		if err != nil {
			return err
		}
		schedule := all[id]
		schedule.Overrides = append(schedule.Overrides, o)
		if _, err := oncall.Compile(schedule); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, insert, id, o.Kind, o.Role, o.Start, o.End, list(o.Users), o.From, o.To, o.TimeZone,
			list(o.Windows), list(o.Shifts), o.AllowGaps, o.Reason, o.CreatedBy, now).Scan(&o.ID); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return oncall.Override{}, wrap(err, "add override to schedule %d", id)
	}
	s.facts.drop()
	return o, nil
}

// list makes a nil slice an empty one, which is stored as such and not as NULL.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// SetReminders sets how long before a shift a person is reminded. Empty means never, and nil restores the default.
func (s *Store) SetReminders(ctx context.Context, by oncall.Actor, user oncall.UserID, before []time.Duration, now time.Time) error {
	const upsert = `
		INSERT INTO reminder_preferences (user_id, before) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET before = $2`
	const remove = `DELETE FROM reminder_preferences WHERE user_id = $1`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		was, err := chosenReminders(ctx, tx)
		if err != nil {
			return err
		}
		if before == nil {
			_, err = tx.Exec(ctx, remove, user)
		} else {
			seconds := make([]int32, len(before))
			for i, d := range before {
				seconds[i] = int32(d / time.Second)
			}
			_, err = tx.Exec(ctx, upsert, user, seconds)
		}
		if err != nil {
			return err
		}
		if e := audit.Reminders(user, was[user], before); len(e.Changes) > 0 {
			if err := record(ctx, tx, by, now, e); err != nil {
				return err
			}
		}
		return s.checkAllSchedules(ctx, tx, now) // the next reminder may be earlier than planned
	})
	if err != nil {
		return fmt.Errorf("save the reminders of %s: %w", user, err)
	}
	return nil
}

// Reminders returns how long before a shift a person is reminded.
func (s *Store) Reminders(ctx context.Context, by oncall.Actor, user oncall.UserID) ([]time.Duration, error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return nil, err
	}
	var chosen map[oncall.UserID][]time.Duration
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		chosen, err = chosenReminders(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the reminders of %s: %w", user, err)
	}
	if own, set := chosen[user]; set {
		return own, nil
	}
	return oncall.RemindBefore, nil
}

// chosenReminders loads the reminder settings of all people who have changed theirs.
func chosenReminders(ctx context.Context, tx pgx.Tx) (map[oncall.UserID][]time.Duration, error) {
	rows, _ := tx.Query(ctx, `SELECT user_id, before FROM reminder_preferences`)
	chosen := map[oncall.UserID][]time.Duration{}
	var user oncall.UserID
	var seconds []int32
	_, err := pgx.ForEachRow(rows, []any{&user, &seconds}, func() error {
		reminders := make([]time.Duration, len(seconds))
		for i, n := range seconds {
			reminders[i] = time.Duration(n) * time.Second
		}
		chosen[user] = reminders
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load reminders: %w", err)
	}
	return chosen, nil
}

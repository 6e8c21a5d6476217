package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A scheduleEdit says who changes schedules, and when.
type scheduleEdit struct {
	at    time.Time
	by    oncall.UserID
	aware []oncall.UserID // who hears of it by other means
	goes  bool            // others may follow, so that it is told when they have
}

// editSchedules calls do to change schedules that the caller has locked. Afterwards people whose shifts have
// moved are told, and whoever is on call at once is announced after the commit.
func (s *Store) editSchedules(ctx context.Context, tx pgx.Tx, e scheduleEdit, ids []oncall.ScheduleID, do func() error) error {
	of := scope{ids: ids, since: e.at} // nobody is told of what is past
	before, err := schedules(ctx, tx, of)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := schedules(ctx, tx, of)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if now, live := after[id]; live {
			if err := s.followEdit(ctx, tx, e, before[id], now); err != nil {
				return err
			}
		}
	}
	if e.goes {
		return nil // coverage is looked at when it has settled
	}
	return s.enqueue(ctx, tx, e.at, []oncall.Task{{Do: oncall.CheckCoverage{}}})
}

// transaction returns a name that no other transaction ever has.
func transaction(ctx context.Context, tx pgx.Tx) (name string, err error) {
	if err := tx.QueryRow(ctx, `SELECT pg_current_xact_id()::text`).Scan(&name); err != nil {
		return "", fmt.Errorf("name a transaction: %w", err)
	}
	return name, nil
}

// followEdit sees to what follows from one schedule having become another, or a new one.
func (s *Store) followEdit(ctx context.Context, tx pgx.Tx, e scheduleEdit, before, after schedule.Definition) error {
	is, err := schedule.Compile(after)
	if err != nil {
		return err
	}
	switch {
	case before.ID != 0 && e.goes:
		if err := s.editing(ctx, tx, e, after.ID, before.Latest()); err != nil {
			return err
		}
	case before.ID != 0:
		was, err := schedule.Compile(before)
		if err != nil {
			return err
		}
		name, err := transaction(ctx, tx)
		if err != nil {
			return err
		}
		key := fmt.Sprintf("%d/%s", after.ID, name)
		notices := oncall.Moved(was, is, e.at, key, e.by, e.aware)
		if err := inZones(ctx, tx, notices); err != nil {
			return err
		}
		if err := s.saveNotices(ctx, tx, e.at, notices); err != nil {
			return err
		}
	}
	return s.enqueue(ctx, tx, e.at, []oncall.Task{{Do: oncall.CheckSchedule{Schedule: after.ID}}})
}

// tellEditing tells people how the edits of a schedule have changed their shifts.
func (s *Store) tellEditing(ctx context.Context, tx pgx.Tx, edit oncall.ScheduleEditing, is schedule.Definition, now time.Time) error {
	name, err := transaction(ctx, tx)
	if err != nil {
		return err
	}
	notices, err := edit.Told(is, fmt.Sprintf("%d/%s", is.ID, name), now)
	if err != nil {
		return err
	}
	if err := inZones(ctx, tx, notices); err != nil {
		return err
	}
	return s.saveNotices(ctx, tx, now, notices)
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A scheduleEdit says who changes schedules, when, and how to notify people.
type scheduleEdit struct {
	at    time.Time
	by    oncall.UserID
	aware []oncall.UserID // people who are notified in another way
	goes  bool            // more edits may follow; people are notified after the last one
}

// editSchedules calls do to change schedules that the caller has locked. It then notifies the people whose shifts have
// moved, and queues the announcement of people who are on call immediately.
func (s *Store) editSchedules(ctx context.Context, tx pgx.Tx, edit scheduleEdit, ids []oncall.ScheduleID, do func() error) error {
	of := scope{ids: ids, since: edit.at} // changes of the past aren't announced
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
			if err := s.queueAfterEdit(ctx, tx, edit, before[id], now); err != nil {
				return err
			}
		}
	}
	if edit.goes {
		return nil // coverage is checked when the editing has settled
	}
	return s.enqueue(ctx, tx, edit.at, []oncall.Task{{Args: oncall.CheckCoverage{}}})
}

// transaction returns a name that is unique to this transaction.
func transaction(ctx context.Context, tx pgx.Tx) (name string, err error) {
	if err := tx.QueryRow(ctx, `SELECT pg_current_xact_id()::text`).Scan(&name); err != nil {
		return "", fmt.Errorf("name a transaction: %w", err)
	}
	return name, nil
}

// queueAfterEdit queues what a change of a schedule requires: notices, a check, and coverage.
func (s *Store) queueAfterEdit(ctx context.Context, tx pgx.Tx, edit scheduleEdit, before, after schedule.Definition) error {
	is, err := schedule.Compile(after)
	if err != nil {
		return err
	}
	switch {
	case before.ID != 0 && edit.goes:
		if err := s.editing(ctx, tx, edit, after.ID, before.Latest()); err != nil {
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
		notices := oncall.ShiftChangeNotices(was, is, edit.at, key, edit.by, edit.aware)
		if err := inZones(ctx, tx, notices); err != nil {
			return err
		}
		if err := s.saveNotices(ctx, tx, edit.at, notices); err != nil {
			return err
		}
	}
	return s.enqueue(ctx, tx, edit.at, []oncall.Task{{Args: oncall.CheckSchedule{Schedule: after.ID}}})
}

// notifyEditing notifies people of how the edits of a schedule have changed their shifts.
func (s *Store) notifyEditing(ctx context.Context, tx pgx.Tx, edit oncall.ScheduleEditing, is schedule.Definition, now time.Time) error {
	name, err := transaction(ctx, tx)
	if err != nil {
		return err
	}
	notices, err := edit.ShiftNotices(is, fmt.Sprintf("%d/%s", is.ID, name), now)
	if err != nil {
		return err
	}
	if err := inZones(ctx, tx, notices); err != nil {
		return err
	}
	return s.saveNotices(ctx, tx, now, notices)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// editing records that a person is editing a schedule, with the version before the first edit, and queues the job that
// notifies people later.
func (s *Store) editing(ctx context.Context, tx pgx.Tx, edit scheduleEdit, id oncall.ScheduleID, baseline int64) error {
	const upsert = `
		INSERT INTO schedule_edits AS e (schedule_id, baseline, editors, first_at, last_at)
		VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (schedule_id) DO UPDATE
		SET last_at = greatest(e.last_at, $4), editors = ARRAY (SELECT DISTINCT unnest(e.editors || $3::text[]) ORDER BY 1)
		RETURNING schedule_id AS schedule, baseline, editors, first_at AS "first", last_at AS "last"`
	editors := []oncall.UserID{}
	if edit.by != "" {
		editors = append(editors, edit.by)
	}
	rows, _ := tx.Query(ctx, upsert, id, baseline, editors, edit.at)
	now, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.ScheduleEditing])
	if err != nil {
		return fmt.Errorf("note that schedule %d is edited: %w", id, err)
	}
	return s.enqueue(ctx, tx, edit.at, []oncall.Task{{Args: oncall.SettleSchedule{Schedule: id}, At: now.SettledAt()}})
}

// SettleSchedule notifies people of how the edits of a schedule have changed their shifts, and checks coverage. It does
// nothing if that was done already or the editing goes on.
func (s *System) SettleSchedule(ctx context.Context, id oncall.ScheduleID, now time.Time) error {
	const lock = `
		SELECT schedule_id AS schedule, baseline, editors, first_at AS "first", last_at AS "last"
		FROM schedule_edits
		WHERE schedule_id = $1
		FOR UPDATE`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, lock, id)
		edit, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.ScheduleEditing])
		if errors.Is(err, pgx.ErrNoRows) || err == nil && edit.SettledAt().After(now) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM schedule_edits WHERE schedule_id = $1`, id); err != nil {
			return err
		}
		is, err := definition(ctx, tx, id, scope{since: now, history: true})
		if err != nil && !errors.Is(err, oncall.ErrNotFound) {
			return err
		}
		if err == nil {
			if err := s.notifyEditing(ctx, tx, edit, is, now); err != nil {
				return err
			}
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.CheckCoverage{}}})
	})
	if err != nil {
		return fmt.Errorf("settle schedule %d: %w", id, err)
	}
	return nil
}

// DueSettlements lists the schedules whose editing is over but hasn't been announced.
func (s *System) DueSettlements(ctx context.Context, now time.Time) ([]oncall.ScheduleID, error) {
	edits, err := editedSchedules(ctx, s.pool)
	if err != nil {
		return nil, translate(err)
	}
	edits = slices.DeleteFunc(edits, func(e oncall.ScheduleEditing) bool { return e.SettledAt().After(now) })
	return column(edits, func(e oncall.ScheduleEditing) oncall.ScheduleID { return e.Schedule }), nil
}

// editedSchedules loads the schedules that are being edited.
func editedSchedules(ctx context.Context, q querier) ([]oncall.ScheduleEditing, error) {
	const load = `
		SELECT schedule_id AS schedule, baseline, editors, first_at AS "first", last_at AS "last"
		FROM schedule_edits
		ORDER BY schedule_id`
	rows, _ := q.Query(ctx, load)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.ScheduleEditing])
	if err != nil {
		return nil, fmt.Errorf("list the schedules that are edited: %w", err)
	}
	return found, nil
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// RequeuePages queues the pages of open incidents again that wait although no job of theirs does,
// whatever became of it, and returns how many. Those in a bundle wait for the one that leads it; where
// none leads them any more they go by themselves.
func (s *System) RequeuePages(ctx context.Context, now time.Time) (int, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	// Statements of their own: they see what was committed while we waited for the lock.
	const free = `
		UPDATE pages p
		SET bundle = 0, held_until = NULL
		WHERE state = 'waiting' AND bundle <> 0 AND NOT EXISTS (
			SELECT
			FROM pages l
			WHERE l.id = p.bundle AND l.state = 'waiting' AND l.bundle = 0
		)`
	const lost = `
		SELECT p.id, p.user_id, p.method
		FROM incidents i
		JOIN pages p ON p.incident_id = i.id AND p.state = 'waiting'
		WHERE i.status <> 'resolved' AND p.bundle = 0 AND NOT EXISTS (
			SELECT
			FROM river_job j
			WHERE j.queue = $1 AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
			  AND (j.args ->> 'page')::bigint = p.id
		)
		ORDER BY p.id
		LIMIT $2`
	n := 0
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, requeueLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, free); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, lost, QueuePage, upkeepBatch)
		var tasks []oncall.Task
		var p oncall.Page
		if _, err := pgx.ForEachRow(rows, []any{&p.ID, &p.UserID, &p.Method}, func() error {
			tasks = append(tasks, p.Task())
			return nil
		}); err != nil {
			return err
		}
		n = len(tasks)
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return 0, fmt.Errorf("requeue pages: %w", err)
	}
	return n, nil
}

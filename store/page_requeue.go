package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// RequeuePages queues waiting pages of open incidents whose job is gone, and returns how many it
// queued. For a batch without a job it queues one page. Pages in a bundle depend on the bundle's lead
// page; without one, each is queued separately.
func (s *System) RequeuePages(ctx context.Context, now time.Time) (int, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	// These are separate statements, so that they see everything that was committed while we waited for
	// the lock.
	const free = `
		UPDATE pages p
		SET bundle = 0, held_until = NULL
		WHERE state = 'waiting' AND bundle <> 0 AND NOT EXISTS (
			SELECT
			FROM pages l
			WHERE l.id = p.bundle AND l.state = 'waiting' AND l.bundle = 0
		)`
	const lost = `
		WITH queued AS MATERIALIZED (
			SELECT (args ->> 'page')::bigint AS page, coalesce((args ->> 'convoy')::bigint, 0) AS convoy
			FROM river_job
			WHERE queue = $1 AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
		)
		SELECT DISTINCT ON (CASE WHEN p.convoy = 0 THEN p.id ELSE -p.convoy END) p.id, p.user_id, p.method, p.convoy
		FROM incidents i
		JOIN pages p ON p.incident_id = i.id AND p.state = 'waiting'
		WHERE i.status <> 'resolved' AND p.bundle = 0 AND NOT EXISTS (SELECT FROM queued q WHERE q.page = p.id)
		  AND p.convoy NOT IN (SELECT convoy FROM queued WHERE convoy <> 0)
		ORDER BY CASE WHEN p.convoy = 0 THEN p.id ELSE -p.convoy END, p.id
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
		var batch oncall.PageBatchID
		var left []oncall.PageID
		if _, err := pgx.ForEachRow(rows, []any{&p.ID, &p.UserID, &p.Method, &batch}, func() error {
			tasks = append(tasks, p.Task(batch))
			if batch != 0 {
				left = append(left, p.ID)
			}
			return nil
		}); err != nil {
			return err
		}
		if err := leaveBatch(ctx, tx, left); err != nil {
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

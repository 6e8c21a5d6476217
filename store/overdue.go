package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// overdue is how late a timer may be before it counts as lost.
	overdue = 30 * time.Second
	// stuck is how long a job may run: several times what any of them is given.
	stuck = 10 * time.Minute
)

// RequeueOverdue queues the timers of unacknowledged incidents again that are long
// due and not waiting in the queue, whatever became of them, and returns how many.
// A timer that is queued twice fires once: the second is stale.
func (s *Store) RequeueOverdue(ctx context.Context, now time.Time) (int, error) {
	var tasks []oncall.Task
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT id, seq FROM incidents i
			WHERE status = 'triggered' AND next_at < $1 AND NOT EXISTS (
				SELECT FROM river_job j
				WHERE j.state IN ('available', 'retryable') AND j.queue = $2
				AND (j.args ->> 'incident')::bigint = i.id AND (j.args ->> 'seq')::bigint = i.seq)
			ORDER BY next_at LIMIT 1000`,
			now.Add(-overdue), QueueEscalate)
		if err != nil {
			return err
		}
		tasks, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (oncall.Task, error) {
			var timer oncall.Escalate
			err := row.Scan(&timer.Incident, &timer.Seq)
			return oncall.Task{Do: timer}, err
		})
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return 0, fmt.Errorf("requeue overdue timers: %w", err)
	}
	return len(tasks), nil
}

// ReleaseStuck makes jobs available again that have been running for far too long
// although their instance lives, and returns how many: they have ended, but that
// could not be written.
func (s *Store) ReleaseStuck(ctx context.Context, now time.Time) (int, error) {
	const release = `
		UPDATE river_job
		SET state = 'available'
		WHERE state = 'running' AND queue = ANY ($1) AND attempted_at < $2`
	tag, err := s.pool.Exec(ctx, release, urgent, now.Add(-stuck))
	if err != nil {
		return 0, fmt.Errorf("release stuck jobs: %w", translate(err))
	}
	return int(tag.RowsAffected()), nil
}

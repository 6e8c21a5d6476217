package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// timerLostAfter is how late a timer may be before it counts as lost.
const timerLostAfter = 30 * time.Second

// stuck is how long a job of each queue may run: longer than any job's time limit, and longer than a timer is handed
// out ahead of its time. It covers paused processes, which keep their instance name, so that RescueJobs doesn't help.
var stuck = map[string]time.Duration{
	QueueEscalate: timerSoon + 15*time.Second,
	QueuePage:     90 * time.Second,
	QueueDraw:     3 * time.Minute,
	QueueNotice:   3 * time.Minute,
}

// RequeueOverdue queues timers of open incidents again that are overdue and not in the queue, and returns how many.
// If a timer ends up in the queue twice, it fires once, because the second one is stale by then.
func (s *System) RequeueOverdue(ctx context.Context, now time.Time) (int, error) {
	var tasks []oncall.Task
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT id, seq FROM incidents i
			WHERE status <> 'resolved' AND next_at < $1 AND NOT EXISTS (
				SELECT FROM river_job j
				WHERE j.state IN ('available', 'retryable', 'scheduled') AND j.queue = $2
				AND (j.args ->> 'incident')::bigint = i.id AND (j.args ->> 'seq')::bigint = i.seq)
			ORDER BY next_at LIMIT 1000`,
			now.Add(-timerLostAfter), QueueEscalate)
		if err != nil {
			return err
		}
		tasks, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (oncall.Task, error) {
			var timer oncall.IncidentTimer
			err := row.Scan(&timer.Incident, &timer.Seq)
			return oncall.Task{Args: timer}, err
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

// ReleaseStuck makes jobs available again that have been running for far too long although their instance is alive,
// and returns how many. Such jobs have ended, but their end could not be stored.
func (s *System) ReleaseStuck(ctx context.Context, now time.Time) (int, error) {
	const release = `
		UPDATE river_job j
		SET state = 'available'
		FROM unnest($1::text[], $2::timestamptz[]) AS q (name, since)
		WHERE j.state = 'running' AND j.queue = q.name AND j.attempted_at < q.since`
	var queues []string
	var since []time.Time
	for queue, limit := range stuck {
		queues, since = append(queues, queue), append(since, now.Add(-limit))
	}
	tag, err := s.pool.Exec(ctx, release, queues, since)
	if err != nil {
		return 0, fmt.Errorf("release stuck jobs: %w", translate(err))
	}
	return int(tag.RowsAffected()), nil
}

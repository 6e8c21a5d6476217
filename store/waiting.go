package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Waiting says what work is waiting. A process that serves many organisations checks this once a
// second for each, instead of checking for each kind of work separately.
type Waiting struct {
	Running    bool // jobs are being worked, but their instance may have died
	Timers     bool // timers are due within promoteAhead
	Heartbeats bool // there are heartbeats to watch
	Hooks      bool // there are outgoing webhooks
	Bundles    bool // messages about bundles may have to change
	Draws      bool // something needs to be drawn
	Inbox      bool // signals wait in the inbox, or alerts have been held long enough
	Queues     []DueQueue
}

// A DueQueue is a queue with a job that is due, or will be very soon.
type DueQueue struct {
	Queue string
	At    time.Time
}

// waitingAhead is how far ahead Waiting looks for jobs: slightly longer than the time between two
// checks.
const waitingAhead = 1500 * time.Millisecond

// waiting returns what work is waiting.
func waiting(ctx context.Context, conn *pgx.Conn, now time.Time) (Waiting, error) {
	const look = `
		WITH soon AS (
			SELECT queue, min(scheduled_at) AS at
			FROM river_job
			WHERE state = 'available' AND queue = ANY ($2) AND priority IN (1, 2, 3, 4) AND scheduled_at <= $3
			GROUP BY queue
		)
		SELECT EXISTS (SELECT FROM river_job WHERE state = 'running'),
		       EXISTS (SELECT FROM river_job WHERE state IN ('scheduled', 'retryable') AND queue = ANY ($2) AND priority IN (1, 2, 3, 4) AND scheduled_at <= $4),
		       EXISTS (SELECT FROM heartbeats) OR EXISTS (SELECT FROM pings),
		       EXISTS (SELECT FROM hooks WHERE removed_at IS NULL AND stopped_at IS NULL),
		       EXISTS (SELECT FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') AND queue = $5 AND priority IN (1, 2, 3, 4) AND scheduled_at <= $1),
		       EXISTS (SELECT FROM notices WHERE kind = $6 AND created_at > $7),
		       EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM alerts WHERE firing AND held_until <= $1),
		       ARRAY (SELECT queue FROM soon ORDER BY queue), ARRAY (SELECT at FROM soon ORDER BY queue)`
	var w Waiting
	var due []string
	var ats []time.Time
	err := conn.QueryRow(ctx, look, now, allQueues, now.Add(waitingAhead), now.Add(promoteAhead), QueueDraw, oncall.NoticeBundle, now.Add(-bundlesLive)).
		Scan(&w.Running, &w.Timers, &w.Heartbeats, &w.Hooks, &w.Draws, &w.Bundles, &w.Inbox, &due, &ats)
	if err != nil {
		return Waiting{}, fmt.Errorf("look what waits: %w", translate(err))
	}
	for i, queue := range due {
		w.Queues = append(w.Queues, DueQueue{queue, ats[i]})
	}
	return w, nil
}

// WakeQueues makes the workers of all instances check queues now. River notifies them only about new
// jobs, and in a process with many organisations they rarely check without a notification.
func (s *System) WakeQueues(ctx context.Context, queues []string) error {
	const wake = `SELECT pg_notify(current_schema() || '.river_insert', json_build_object('queue', queue)::text) FROM unnest($1::text[]) AS queue`
	if _, err := s.pool.Exec(ctx, wake, queues); err != nil {
		return fmt.Errorf("wake the workers: %w", translate(err))
	}
	return nil
}

// wakeInbox makes Run of a frugal instance fold the waiting signals now, unless another instance is folding.
func (s *System) wakeInbox() {
	select {
	case s.inboxWoken <- struct{}{}:
	default:
	}
}

// WakeDraws makes this instance check now whether anything needs to be drawn.
func (s *System) WakeDraws() { s.signalSaved() }

// Frugal reports whether the System shares a limited number of connections, so it shouldn't check for
// work often.
func (s *System) Frugal() bool { return s.frugal }

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// canaryRetryAfter is how long after one instance claimed to send a canary's signal another one may, if it was not
	// noted as accepted: the first instance may have died. A signal sent twice does no harm.
	canaryRetryAfter = 10 * time.Second
	// failedCanaryKept is how long a canary that failed is kept.
	failedCanaryKept = time.Hour
)

// A Canary is the state of the latest canary.
type Canary struct {
	Number      int64
	StartedAt   *time.Time // nil: there was none yet
	InFlight    bool       // it has not come through yet
	Triggered   bool       // its trigger was accepted
	Cleared     bool       // its end was accepted
	Status      oncall.Status
	Sent        int        // pages
	SentAt      *time.Time // when the last page was sent
	SucceededAt *time.Time // when a canary last came through
	Seconds     float64    // how long that one took until its last page
	LateSince   *time.Time // since when the admins know that canaries don't come through; nil: they do
}

// Progress says how far the canary has come.
func (c Canary) Progress() string {
	switch {
	case c.Number == 0:
		return "was never started"
	case !c.InFlight:
		return "came through the last time"
	case !c.Triggered:
		return "was started, and its signal was not accepted"
	case c.Status == "":
		return "was accepted, and has opened no incident"
	case c.Sent == 0:
		return "has opened an incident, and no page was sent"
	case c.Sent < oncall.CanaryPages:
		return "was paged at once, and not again by the timer"
	case c.Status != oncall.Resolved:
		return "was paged, and its end was not folded"
	}
	return "was over, and that was not noted"
}

// Canary loads the state of the latest canary.
func (s *System) Canary(ctx context.Context) (Canary, error) {
	const load = `
		SELECT c.number, c.planted_at AS started_at, c.flying AS in_flight, c.triggered, c.cleared, coalesce(i.status, '') AS status,
		       (SELECT count(*) FROM pages p WHERE p.incident_id = -c.number AND p.state = 'delivered') AS sent,
		       (SELECT max(p.ended_at) FROM pages p WHERE p.incident_id = -c.number AND p.state = 'delivered') AS sent_at,
		       c.through_at AS succeeded_at, c.seconds, c.late_since
		FROM canary c
		LEFT JOIN incidents i ON i.id = -c.number`
	rows, _ := s.pool.Query(ctx, load)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Canary])
	if err != nil {
		return Canary{}, fmt.Errorf("look at the canary: %w", translate(err))
	}
	return c, nil
}

// StartCanary starts the next canary if one is due, and returns its number; the caller must then send its trigger. 0:
// none is due, or another instance was faster. While an instance of an earlier release runs (older), there are no
// canaries, because that release would show them to people.
func (s *System) StartCanary(ctx context.Context, every time.Duration, now time.Time) (number int64, older bool, err error) {
	// A canary started in the future is from an instance whose clock was wrong.
	const start = `
		UPDATE canary
		SET number = number + 1, planted_at = $1, tried_at = $1, flying = true, triggered = false, cleared = false
		WHERE planted_at IS NULL OR planted_at <= $2 OR planted_at > $3
		RETURNING number`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if older, err = olderInstances(ctx, tx); err != nil || older {
			return err
		}
		rows, _ := tx.Query(ctx, start, now, now.Add(-every), now.Add(time.Minute))
		numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if len(numbers) > 0 {
			number = numbers[0]
		}
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("start the canary: %w", err)
	}
	return number, older, nil
}

// olderInstances reports whether an instance is running that doesn't hold the lock of releases with canaries.
func olderInstances(ctx context.Context, tx pgx.Tx) (older bool, err error) {
	const find = `
		SELECT EXISTS (
			SELECT
			FROM pg_locks l
			JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
			WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = $1 AND NOT EXISTS (
				SELECT
				FROM pg_locks k
				WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 2 AND k.database = l.database
				  AND k.classid::bigint = $2 AND k.objid = l.objid
			)
		)`
	err = tx.QueryRow(ctx, find, instanceLocks, canaryLocks).Scan(&older)
	return older, err
}

// ClaimCanary claims the sending of a canary's signal for the caller.
func (s *System) ClaimCanary(ctx context.Context, number int64, now time.Time) (ours bool, err error) {
	const try = `
		UPDATE canary
		SET tried_at = $2
		WHERE number = $1 AND flying AND (tried_at IS NULL OR tried_at <= $3 OR tried_at > $4)`
	tag, err := s.pool.Exec(ctx, try, number, now, now.Add(-canaryRetryAfter), now.Add(time.Minute))
	if err != nil {
		return false, fmt.Errorf("hand in the canary: %w", translate(err))
	}
	return tag.RowsAffected() > 0, nil
}

// RecordCanarySignal notes that a signal of the canary was accepted.
func (s *System) RecordCanarySignal(ctx context.Context, number int64, what oncall.Action) error {
	const note = `
		UPDATE canary
		SET triggered = triggered OR $2, cleared = cleared OR NOT $2, tried_at = NULL
		WHERE number = $1`
	if _, err := s.pool.Exec(ctx, note, number, what == oncall.Trigger); err != nil {
		return fmt.Errorf("note that the canary was accepted: %w", translate(err))
	}
	return nil
}

// EndCanary notes that the canary has come through, and removes its incident. If the admins were told that canaries
// don't come through, it tells them that they do again.
func (s *System) EndCanary(ctx context.Context, c Canary, now time.Time) error {
	const end = `
		UPDATE canary n
		SET flying = false, through_at = $2, seconds = greatest(extract(epoch FROM $3::timestamptz - n.planted_at), 0), late_since = NULL
		FROM (SELECT number, late_since FROM canary FOR UPDATE) o
		WHERE n.number = $1 AND n.flying
		RETURNING o.late_since`
	const leave = `DELETE FROM incidents WHERE id = -$1::bigint`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, end, c.Number, now, c.SentAt)
		late, err := pgx.CollectRows(rows, pgx.RowTo[*time.Time])
		if err != nil || len(late) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, leave, c.Number); err != nil || late[0] == nil {
			return err
		}
		return s.saveNotices(ctx, tx, now, oncall.CanaryNotices(dir.InstallationAdmins(), *late[0], &now))
	})
	if err != nil {
		return fmt.Errorf("end the canary: %w", err)
	}
	return nil
}

// NotifyCanaryLate tells the admins, once for each outage, that the canary has not come through in time.
func (s *System) NotifyCanaryLate(ctx context.Context, now time.Time) error {
	const note = `UPDATE canary SET late_since = $1 WHERE late_since IS NULL`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, note, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.saveNotices(ctx, tx, now, oncall.CanaryNotices(dir.InstallationAdmins(), now, nil))
	})
	if err != nil {
		return fmt.Errorf("tell that the canary doesn't come through: %w", err)
	}
	return nil
}

// removeCanaries removes old canaries that never came through.
func removeCanaries(ctx context.Context, tx pgx.Tx, now time.Time) error {
	const old = `
		SELECT id FROM incidents WHERE id < 0 AND opened_at < $1 ORDER BY id FOR UPDATE SKIP LOCKED`
	// A trigger of the database refuses to delete open incidents.
	const end = `UPDATE incidents SET status = 'resolved' WHERE id = ANY ($1) AND status <> 'resolved'`
	const leave = `DELETE FROM incidents WHERE id = ANY ($1)`
	rows, _ := tx.Query(ctx, old, now.Add(-failedCanaryKept))
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, sql := range []string{end, leave} {
		if _, err := tx.Exec(ctx, sql, ids); err != nil {
			return err
		}
	}
	return nil
}

// overdueAfter is how long signals, pages and timers may wait before something is wrong.
const overdueAfter = time.Minute

// Overdue names what has been waiting for more than overdueAfter: signals, pages, timers.
func (s *System) Overdue(ctx context.Context, now time.Time) (what []string, err error) {
	// The query names all priorities so that the index can be used up to its column scheduled_at.
	const look = `
		SELECT coalesce((SELECT received_at FROM inbox ORDER BY id LIMIT 1) <= $1, false),
		       EXISTS (
		           SELECT FROM river_job
		           WHERE state = 'available' AND queue = $2 AND priority IN (1, 2, 3, 4) AND scheduled_at <= $1),
		       EXISTS (
		           SELECT FROM river_job
		           WHERE state IN ('available', 'scheduled') AND queue = $3 AND priority IN (1, 2, 3, 4) AND scheduled_at <= $1)`
	var behind [3]bool
	err = s.pool.QueryRow(ctx, look, now.Add(-overdueAfter), QueuePage, QueueEscalate).Scan(&behind[0], &behind[1], &behind[2])
	if err != nil {
		return nil, fmt.Errorf("find queues that are behind: %w", translate(err))
	}
	for i, name := range []string{"signals", "pages", "timers"} {
		if behind[i] {
			what = append(what, name)
		}
	}
	return what, nil
}

// minPulseInterval is the shortest time between two pulses of all instances.
const minPulseInterval = 45 * time.Second

// QueuePulse queues a pulse among the pages, unless one is waiting or was queued within minPulseInterval. It reports whether
// an instance of an earlier release runs, which doesn't know the job so that none is queued, and whether a pulse waits.
func (s *System) QueuePulse(ctx context.Context, now time.Time) (older, waits bool, err error) {
	const look = `
		SELECT EXISTS (SELECT FROM river_job WHERE kind = $1 AND finalized_at IS NULL),
		       EXISTS (SELECT FROM river_job WHERE kind = $1 AND created_at > $2 AND created_at <= $3)`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if older, err = olderInstances(ctx, tx); err != nil || older {
			return err
		}
		if mine, err := aloneFor(ctx, tx, pulseLock); err != nil || !mine {
			return err
		}
		var lately bool
		if err := tx.QueryRow(ctx, look, oncall.SendPulse{}.Kind(), now.Add(-minPulseInterval), now).Scan(&waits, &lately); err != nil || waits || lately {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.SendPulse{}}})
	})
	if err != nil {
		return false, false, fmt.Errorf("queue a pulse: %w", err)
	}
	return older, waits, nil
}

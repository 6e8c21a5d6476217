package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
)

// A WaitingDraw is an incident or a bundle whose messages are out of date. At most one job waits for each,
// because a job draws the current state, however many changes led to it. Releases up to 0.1.0 queued a job for
// every change; such jobs are handled too.
type WaitingDraw struct {
	Job      int64
	Incident oncall.IncidentID // 0: a bundle
	Notice   oncall.NoticeID   // 0: an incident
	Asked    bool              // a person has acted since the last drawing
	Count    bool              // only a count has changed
	Over     bool              // nothing in it is open any more
	Severity oncall.Severity
	Team     string    // key of the team or person that it belongs to
	Backlog  int       `db:"-"` // how many draws wait for the same team; filled in by the board
	Channel  string    // where the incident has yet to be posted; empty: already posted
	Edits    bool      // posted messages are behind
	First    bool      // it is worse than every incident of the team that the channel shows
	Coming   bool      // it began to wait a moment ago, and more signals of its monitor are about to be folded
	Since    time.Time // when it began to wait
}

const (
	// maxWaiting bounds how many draws are loaded at once.
	maxWaiting = 10000
	// maxWaitForMore is how long a message waits, at most, for other signals that its monitor sent together with it.
	maxWaitForMore = 2 * time.Second
)

// WaitingDraws returns the draws that are due, in no particular order.
func (s *System) WaitingDraws(ctx context.Context, now time.Time) ([]WaitingDraw, error) {
	const load = `
		WITH shown AS MATERIALIZED (
			SELECT i.team_id, min(array_position($5::text[], i.severity)) AS worst
			FROM incidents i
			JOIN drawings d ON d.incident_id = i.id
			WHERE i.status <> 'resolved' AND d.ts <> ''
			GROUP BY i.team_id
		)
		SELECT j.id AS job, coalesce(i.id, 0) AS incident, coalesce(n.id, 0) AS notice,
		       coalesce((j.args ->> 'asked')::boolean, false) AS asked,
		       coalesce((j.args ->> 'count')::boolean, false) AS count,
		       CASE WHEN n.id IS NOT NULL THEN coalesce((n.facts ->> 'over')::int, 0) >= coalesce(jsonb_array_length(n.facts -> 'incidents'), 0)
		            ELSE coalesce(i.status = 'resolved', false) END AS over,
		       coalesce(i.severity, '') AS severity, coalesce(n.recipient, i.team_id::text, '') AS team,
		       CASE WHEN i.id IS NOT NULL AND coalesce(d.ts, '') = '' AND (i.merged_into = 0 OR i.resolved_by ? 'user')
		            THEN coalesce(t.channel, '') ELSE '' END AS channel,
		       coalesce(n.id IS NOT NULL OR d.ts <> '' AND d.drawn < i.version
		           OR EXISTS (SELECT FROM drawing_copies c WHERE c.incident_id = i.id
		              AND c.drawn < CASE WHEN i.storm IS NULL THEN i.version ELSE i.stated END), false) AS edits,
		       CASE WHEN i.status <> 'resolved' AND coalesce(d.ts, '') = ''
		            THEN coalesce(array_position($5::text[], i.severity) < (SELECT s.worst FROM shown s WHERE s.team_id = i.team_id), true)
		            ELSE false END AS first,
		       CASE WHEN j.created_at > $4 AND coalesce(d.ts, '') = ''
		            THEN EXISTS (SELECT FROM inbox b WHERE b.integration_id = i.integration_id) ELSE false END AS coming,
		       j.created_at AS since
		FROM river_job j
		LEFT JOIN incidents i ON i.id = (j.args ->> 'incident')::bigint
		LEFT JOIN drawings d ON d.incident_id = i.id
		LEFT JOIN teams t ON t.id = i.team_id
		LEFT JOIN notices n ON n.id = (j.args ->> 'notice')::bigint
		WHERE j.queue = $1 AND j.state IN ('available', 'scheduled', 'retryable') AND j.scheduled_at <= $2
		LIMIT $3`
	rows, _ := s.pool.Query(ctx, load, QueueDraw, now, maxWaiting, now.Add(-maxWaitForMore), oncall.Severities())
	waiting, err := pgx.CollectRows(rows, pgx.RowToStructByName[WaitingDraw])
	if err != nil {
		return nil, fmt.Errorf("list what waits to be drawn: %w", translate(err))
	}
	return waiting, nil
}

// TakeDraw assigns a waiting job to an instance and returns the number of this attempt, or 0 if the job no
// longer waits.
func (s *System) TakeDraw(ctx context.Context, job int64, instance string, now time.Time) (attempt int, err error) {
	const take = `
		UPDATE river_job
		SET state = 'running', attempt = least(attempt + 1, 1000), attempted_at = $3, attempted_by = ARRAY[$2]
		WHERE id = (
			SELECT id FROM river_job WHERE id = $1 AND state IN ('available', 'scheduled', 'retryable') FOR UPDATE SKIP LOCKED
		)
		RETURNING attempt`
	err = s.pool.QueryRow(ctx, take, job, instance, now).Scan(&attempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("take draw job %d: %w", job, translate(err))
	}
	return attempt, nil
}

// PutDrawBack makes a running job wait again until an instant, and returns its lease. If another job already
// waits for the same incident, the two become one. Only failed attempts are counted.
func (s *System) PutDrawBack(ctx context.Context, draw WaitingDraw, at time.Time, failed bool, now time.Time) error {
	const release = `
		UPDATE drawings
		SET lease_job = NULL, lease_until = NULL
		WHERE incident_id = $1 AND lease_job = $2`
	const join = `
		UPDATE river_job
		SET args = args || jsonb_build_object('asked', coalesce((args ->> 'asked')::boolean, false) OR $2,
		                                      'count', coalesce((args ->> 'count')::boolean, false) AND $3)
		WHERE id = (
			SELECT id
			FROM river_job
			WHERE kind = 'draw' AND state IN ('available', 'scheduled', 'retryable') AND (args ->> 'incident')::bigint = $1
			ORDER BY id
			LIMIT 1
			FOR UPDATE
		) AND state IN ('available', 'scheduled', 'retryable')`
	const back = `
		UPDATE river_job
		SET state = CASE WHEN $2::timestamptz > $4::timestamptz THEN 'scheduled' ELSE 'available' END::river_job_state,
		    scheduled_at = $2, attempt = CASE WHEN $3 THEN attempt ELSE greatest(attempt - 1, 0) END
		WHERE id = $1 AND state = 'running'`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if draw.Incident != 0 {
			// A transaction that changes the incident holds its lock and may be about to queue another job.
			if _, err := tx.Exec(ctx, `SELECT FROM incidents WHERE id = $1 FOR SHARE`, draw.Incident); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, release, draw.Incident, draw.Job); err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, join, draw.Incident, draw.Asked, draw.Count)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				return endJob(ctx, tx, draw.Job)
			}
		}
		_, err := tx.Exec(ctx, back, draw.Job, at, failed, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("put draw job %d back: %w", draw.Job, err)
	}
	return nil
}

// DropDraw deletes a job that has nothing left to do.
func (s *System) DropDraw(ctx context.Context, job int64) error {
	if err := endJob(ctx, s.pool, job); err != nil {
		return fmt.Errorf("end draw job %d: %w", job, translate(err))
	}
	return nil
}

// An execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// endJob deletes a job. No record of it is needed, because the drawing itself is recorded.
func endJob(ctx context.Context, q execer, job int64) error {
	_, err := q.Exec(ctx, `DELETE FROM river_job WHERE id = $1 AND state = 'running'`, job)
	return err
}

// EndDraw ends a job's drawing if the incident still has the version that was drawn. Otherwise the job keeps the
// lease, done is false, and the job must draw again. Other jobs that wait for the same incident are ended too.
func (s *System) EndDraw(ctx context.Context, draw WaitingDraw, version int64, now time.Time) (done bool, err error) {
	const lock = `SELECT coalesce(lease_job, 0) FROM drawings WHERE incident_id = $1 FOR UPDATE`
	// Skip locked jobs: they were queued just now and may be about a later version. If the root message is
	// behind because Slack refused the edit, a waiting job may be meant to retry the edit.
	const others = `
		DELETE FROM river_job
		WHERE id IN (
			SELECT id
			FROM river_job
			WHERE kind = 'draw' AND state IN ('available', 'scheduled', 'retryable') AND (args ->> 'incident')::bigint = $1
			  AND scheduled_at <= $2
			  AND NOT EXISTS (
			      SELECT FROM drawings d JOIN incidents i ON i.id = d.incident_id
			      WHERE d.incident_id = $1 AND d.ts <> '' AND d.drawn < i.version)
			FOR UPDATE SKIP LOCKED
		)`
	// A direct message that was sent in the meantime may show an older version.
	const current = `
		SELECT version, EXISTS (SELECT FROM drawing_copies c WHERE c.incident_id = i.id
		                        AND c.drawn < CASE WHEN i.storm IS NULL THEN i.version ELSE i.stated END) AS behind
		FROM incidents i
		WHERE id = $1`
	const release = `UPDATE drawings SET lease_job = NULL, lease_until = NULL WHERE incident_id = $1`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var holder, newest int64
		var behind bool
		if err := tx.QueryRow(ctx, lock, draw.Incident).Scan(&holder); err != nil {
			return err
		}
		if holder != draw.Job {
			return nil
		}
		if _, err := tx.Exec(ctx, others, draw.Incident, now); err != nil {
			return err
		}
		// A separate statement, so that it sees everything that was committed while we waited for the lock,
		// including the changes that the other jobs were queued for.
		if err := tx.QueryRow(ctx, current, draw.Incident).Scan(&newest, &behind); err != nil {
			return err
		}
		if newest != version || behind {
			return errMoved // rolls back, so that the other jobs stay
		}
		done = true
		if _, err := tx.Exec(ctx, release, draw.Incident); err != nil {
			return err
		}
		return endJob(ctx, tx, draw.Job)
	})
	if err != nil && !errors.Is(err, errMoved) {
		return false, fmt.Errorf("end the drawing of incident %d: %w", draw.Incident, err)
	}
	return done && err == nil, nil
}

// errMoved undoes the end of a drawing whose incident has changed meanwhile.
var errMoved = errors.New("it has changed")

// Instances counts the running instances.
func (s *System) Instances(ctx context.Context) (n int, err error) {
	const count = `
		SELECT count(*)
		FROM pg_locks l
		JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = $1
		  AND l.objid::bigint <> ALL (SELECT hashtext(task)::bigint & 4294967295 FROM unnest($2::text[]) AS task)`
	if err := s.pool.QueryRow(ctx, count, instanceLocks, claimedTasks()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the instances: %w", translate(err))
	}
	return n, nil
}

// queueDraws queues drawings and returns the tasks that need a new job. A job that already waits covers the task;
// it stays locked until we commit, so that it can't draw the earlier state and end.
func queueDraws(ctx context.Context, tx pgx.Tx, now time.Time, tasks []oncall.Task) (rest []oncall.Task, err error) {
	const waiting = `
		SELECT id, (args ->> 'incident')::bigint AS incident, scheduled_at AS at,
		       coalesce((args ->> 'asked')::boolean, false) AS asked, coalesce((args ->> 'count')::boolean, false) AS count
		FROM river_job
		WHERE kind = 'draw' AND state IN ('available', 'scheduled', 'retryable') AND (args ->> 'incident')::bigint = ANY ($1)
		ORDER BY id
		FOR UPDATE`
	const take = `
		UPDATE river_job j
		SET args = args || jsonb_build_object('asked', w.asked, 'count', w.count), scheduled_at = w.at,
		    state = CASE WHEN w.at > $5::timestamptz THEN 'scheduled' ELSE 'available' END::river_job_state
		FROM unnest($1::bigint[], $2::timestamptz[], $3::boolean[], $4::boolean[]) AS w (id, at, asked, count)
		WHERE j.id = w.id`
	draws, ids, rest := drawTasks(tasks, now)
	if len(ids) == 0 {
		return rest, nil
	}
	type row struct {
		ID           int64
		Incident     oncall.IncidentID
		At           time.Time
		Asked, Count bool
	}
	rows, _ := tx.Query(ctx, waiting, ids)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("look for draw jobs: %w", err)
	}
	var jobs []int64
	var ats []time.Time
	var asked, counts []bool
	for _, r := range found {
		draw, wanted := draws[r.Incident]
		if !wanted {
			continue // an older job covers it
		}
		delete(draws, r.Incident)
		both := earlierDraw(oncall.Task{Args: oncall.Draw{Asked: r.Asked, Count: r.Count}, At: r.At}, draw)
		d := both.Args.(oncall.Draw)
		if d.Asked != r.Asked || d.Count != r.Count || both.At.Before(r.At) {
			jobs, ats, asked, counts = append(jobs, r.ID), append(ats, both.At), append(asked, d.Asked), append(counts, d.Count)
		}
	}
	if len(jobs) > 0 {
		if _, err := tx.Exec(ctx, take, jobs, ats, asked, counts, now); err != nil {
			return nil, fmt.Errorf("change draw jobs: %w", err)
		}
	}
	for _, id := range ids {
		if t, wanted := draws[id]; wanted {
			rest = append(rest, t)
		}
	}
	return rest, nil
}

// drawTasks separates the drawing tasks, reduced to one for each incident, from all other tasks.
func drawTasks(tasks []oncall.Task, now time.Time) (draws map[oncall.IncidentID]oncall.Task, ids []oncall.IncidentID, rest []oncall.Task) {
	draws = map[oncall.IncidentID]oncall.Task{}
	for _, t := range tasks {
		d, ok := t.Args.(oncall.Draw)
		if !ok {
			rest = append(rest, t)
			continue
		}
		if t.At.IsZero() {
			t.At = now
		}
		if old, twice := draws[d.Incident]; twice {
			t = earlierDraw(old, t)
		} else {
			ids = append(ids, d.Incident)
		}
		draws[d.Incident] = t
	}
	return draws, ids, rest
}

// earlierDraw merges two tasks to draw the same incident; the earlier time wins.
func earlierDraw(a, b oncall.Task) oncall.Task {
	da, db := a.Args.(oncall.Draw), b.Args.(oncall.Draw)
	db.Asked, db.Count = da.Asked || db.Asked, da.Count && db.Count
	b.Args = db
	if a.At.Before(b.At) {
		b.At = a.At
	}
	return b
}

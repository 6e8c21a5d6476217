package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	promoteAhead = 10 * time.Second
	upkeepBatch  = 1000
	// KeepDone is how long done jobs are kept, which keeps the queue's table small. The timeline, not the
	// jobs, tells what happened.
	KeepDone = time.Hour
	// PromoteLimit is how many timers PromoteTimers promotes at most.
	PromoteLimit  = 1000
	keepSeen      = 24 * time.Hour
	keepTombstone = 24 * time.Hour
	keepReplies   = 30 * 24 * time.Hour
	keepCodes     = 7 * 24 * time.Hour // after the incident's end, to tell late answers that it is over
	keepSpools    = 90 * 24 * time.Hour
	keepDiscarded = 7 * 24 * time.Hour
	keepRequests  = 90 * 24 * time.Hour // how long a request's status can be queried
)

// PromoteTimers makes timers that are due within 10 s available to the workers, who wait for the exact time, and
// returns how many. If it returns PromoteLimit, there may be more. Every instance calls it each second, because
// River's own leader may have died.
func (s *System) PromoteTimers(ctx context.Context, now time.Time) (int, error) {
	// Listing all priorities lets PostgreSQL use the index including scheduled_at.
	const promote = `
		UPDATE river_job
		SET state = 'available'
		WHERE id IN (
			SELECT id
			FROM river_job
			WHERE state IN ('scheduled', 'retryable') AND queue = ANY ($1) AND priority IN (1, 2, 3, 4)
			  AND scheduled_at <= $2
			LIMIT $3
			FOR UPDATE SKIP LOCKED
		)`
	tag, err := s.pool.Exec(ctx, promote, allQueues, now.Add(promoteAhead), PromoteLimit)
	if err != nil {
		return 0, fmt.Errorf("promote timers: %w", translate(err))
	}
	return int(tag.RowsAffected()), nil
}

// An Instance is a claim to a name. It lasts as long as one database session.
type Instance struct {
	lost    chan struct{}
	life    context.Context // ends with Release
	release context.CancelFunc
	ended   chan struct{}

	waiting chan Waiting           // of a frugal instance: the latest
	notices chan RiverNotification // of a frugal instance: the latest
}

func newInstance(ctx context.Context) *Instance {
	in := &Instance{lost: make(chan struct{}), ended: make(chan struct{})}
	in.life, in.release = context.WithCancel(context.WithoutCancel(ctx))
	return in
}

// ErrNameTaken means that another process has claimed the name.
var ErrNameTaken = errors.New("another instance has this name")

// ClaimInstance claims a name, so that RescueJobs knows that jobs running under the name are alive. When the claim is
// lost, other instances start these jobs again, so the process must stop them.
func (s *System) ClaimInstance(ctx context.Context, name string) (*Instance, error) {
	conn, err := s.claim(ctx, name, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	in := newInstance(ctx)
	go in.watch(in.life, conn, s.mustLeave)
	return in, nil
}

// claim opens the session that holds a name.
func (s *System) claim(ctx context.Context, name string, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	const claim = `SELECT pg_try_advisory_lock($1, hashtext($2)) AND pg_try_advisory_lock($3, hashtext($2))`
	conn, err := s.connect(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("claim the name %q: %w", name, translate(err))
	}
	var ours bool
	err = conn.QueryRow(ctx, claim, instanceLocks, name, canaryLocks).Scan(&ours)
	if err == nil && !ours {
		err = ErrNameTaken
	}
	if err != nil {
		hangUp(ctx, conn)
		return nil, fmt.Errorf("claim the name %q: %w", name, translate(err))
	}
	return conn, nil
}

// AnswersClaim returns the name to claim for reading the answers by a contact method, which one instance does at a time.
func AnswersClaim(m oncall.Method) string { return "replies by " + string(m) }

// claimedTasks returns the claimable names that stand for a task instead of an instance.
func claimedTasks() (names []string) {
	for _, m := range oncall.ContactMethods() {
		names = append(names, AnswersClaim(m.Method))
	}
	return names
}

// watch returns when the session is over. It notices a server that closes the session at once, and checks every
// second for one that vanished.
func (in *Instance) watch(ctx context.Context, conn *pgx.Conn, mustLeave func(*pgx.Conn) error) {
	defer close(in.ended)
	defer hangUp(ctx, conn)
	for {
		second, cancel := context.WithTimeout(ctx, time.Second)
		_, err := conn.WaitForNotification(second) // none will come; this waits and notices a closed session
		cancel()
		if err != nil && !conn.IsClosed() {
			alive, cancel := context.WithTimeout(ctx, 5*time.Second)
			err = errors.Join(conn.Ping(alive), mustLeave(conn))
			cancel()
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			close(in.lost)
			return
		}
	}
}

// Lost is closed when the claim is lost without Release.
func (in *Instance) Lost() <-chan struct{} { return in.lost }

// Release gives the name back.
func (in *Instance) Release() {
	in.release()
	<-in.ended
}

// keepErrors bounds how many interruptions are stored with a job.
const keepErrors = 10

// RescueJobs makes the jobs of dead instances available again, and returns how many. The interruption doesn't count as
// an attempt. It relies on every instance having claimed its name.
func (s *System) RescueJobs(ctx context.Context, now time.Time) (int, error) {
	const rescue = `
		UPDATE river_job
		SET state = 'available', attempt = greatest(attempt - 1, 0),
		    errors = (array_append(errors, jsonb_build_object(
		        'at', $2::timestamptz, 'attempt', attempt, 'error', 'the instance that ran it is gone', 'trace', ''
		    )))[greatest(1, cardinality(errors) + 2 - $5::int):]
		WHERE id IN (
			SELECT id
			FROM river_job
			WHERE state = 'running' AND queue = ANY ($1) AND NOT EXISTS (
				SELECT
				FROM pg_locks l
				JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
				WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = $3
				  AND l.objid::bigint = hashtext(attempted_by[array_upper(attempted_by, 1)])::bigint & 4294967295
			)
			LIMIT $4
			FOR UPDATE SKIP LOCKED
		)`
	tag, err := s.pool.Exec(ctx, rescue, allQueues, now, instanceLocks, upkeepBatch, keepErrors)
	if err != nil {
		return 0, fmt.Errorf("rescue jobs: %w", translate(err))
	}
	return int(tag.RowsAffected()), nil
}

// Housekeeping deletes expired rows: codes, keys of Slack events, ended jobs and the like.
func (s *System) Housekeeping(ctx context.Context, now time.Time) error {
	const forgetSeen = `DELETE FROM slack_seen WHERE seen_at < $1`
	const tombstones = `
		DELETE FROM alerts a
		WHERE incident_id IS NULL AND cleared_at < $1 AND NOT EXISTS (
			SELECT FROM maintenance_windows m WHERE m.id = a.maintenance_id AND m.over_at IS NULL
		)`
	const replies = `DELETE FROM replies WHERE at < $1`
	const proofs = `DELETE FROM codes WHERE sent_at < $1`
	const probes = `DELETE FROM probes WHERE sent_at < $1`
	const requests = `DELETE FROM opsgenie_requests WHERE made_at < $1`
	const payloads = `DELETE FROM payloads WHERE received_at < $1`
	const sessions = `DELETE FROM web_sessions WHERE expires_at < $1`
	const links = `DELETE FROM web_links WHERE expires_at < $1`
	const spools = `DELETE FROM spools WHERE seen_at < $1`
	const done = `DELETE FROM river_job WHERE state IN ('completed', 'cancelled') AND finalized_at < $1`
	const discarded = `DELETE FROM river_job WHERE state = 'discarded' AND finalized_at < $1`
	const codes = `
		UPDATE pages p
		SET code = 0
		WHERE code <> 0 AND ended_at < $1 AND NOT EXISTS (
			SELECT
			FROM pages m
			JOIN incidents i ON i.id = m.incident_id AND i.status <> 'resolved'
			WHERE m.id = p.id OR m.bundle = p.id AND m.bundle <> 0
		)`
	return s.transact(ctx, func(tx pgx.Tx) error {
		for _, rest := range []struct {
			what, remove string
			keep         time.Duration
		}{
			{"keys of Slack's", forgetSeen, keepSeen},
			{"tombstones", tombstones, keepTombstone},
			{"answers", replies, keepReplies},
			{"codes that prove addresses", proofs, oncall.ProbesCount},
			{"tests and checks", probes, oncall.ProbesCount},
			{"codes of pages", codes, keepCodes},
			{"requests of Opsgenie's API", requests, keepRequests},
			{"payloads", payloads, oncall.PayloadLives},
			{"jobs that are done", done, KeepDone},
			{"jobs that were given up", discarded, keepDiscarded},
			{"marks of spools", spools, keepSpools},
			{"sessions", sessions, 0},
			{"links to sign in", links, 0},
		} {
			if _, err := tx.Exec(ctx, rest.remove, now.Add(-rest.keep)); err != nil {
				return fmt.Errorf("delete old %s: %w", rest.what, err)
			}
		}
		if err := removeCanaries(ctx, tx, now); err != nil {
			return fmt.Errorf("remove canaries: %w", err)
		}
		return nil
	})
}

// QueueDepths returns how many jobs wait for a worker in each queue.
func (s *System) QueueDepths(ctx context.Context) (map[string]int, error) {
	const count = `SELECT queue, count(*) FROM river_job WHERE state = 'available' GROUP BY queue`
	depths := map[string]int{QueueEscalate: 0, QueuePage: 0, QueueDraw: 0, QueueNotice: 0, QueueHousekeeping: 0}
	rows, _ := s.pool.Query(ctx, count)
	var queue string
	var depth int
	_, err := pgx.ForEachRow(rows, []any{&queue, &depth}, func() error {
		depths[queue] = depth
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", translate(err))
	}
	return depths, nil
}

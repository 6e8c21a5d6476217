package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	acceptLimit  = 2 * time.Second // the longest that a caller waits
	arrivalLimit = 64 << 20        // bytes of signals that may be waiting
	commitLimit  = 4 << 20         // bytes of signals in one commit
)

// arrivals holds the signals that wait to be written to the inbox. A caller that finds no committer
// running starts one. The committer commits everything that waits in one transaction, and repeats
// until nothing waits. So batches form automatically under load, and a single signal is not delayed.
type arrivals struct {
	mu      sync.Mutex
	waiting []*arrival
	size    int // bytes

	committing bool // a committer is running
	committers sync.WaitGroup
	failed     atomic.Bool // the last commit failed, and readiness hasn't been checked since

	brake brake // the committer's

	period    *string // the spool's current period, in which signals can be stored; nil: there is no spool
	suspended bool    // the spool isn't empty, and no new signal may overtake it
	commits   int64   // commits begun
}

// An arrival holds the signals of one call of Accept.
type arrival struct {
	integration oncall.IntegrationID
	at          time.Time
	signals     []string
	pings       []bool // for each signal, whether it is a ping
	size        int
	doubt       Doubt // the commit that writes it; zero: it is still waiting
	done        chan error
}

// Accept writes signals to the inbox and returns once they are durable. Otherwise it returns a
// NotStored error, which is ErrUnavailable, after 2 s at the latest. The signals may be stored even if
// the caller got an error; sending them again does no harm. Their payload is stored a moment later.
func (s *System) Accept(ctx context.Context, id oncall.IntegrationID, signals []oncall.Signal, now time.Time, came ...oncall.Payload) error {
	err := s.accept(ctx, id, signals, now)
	if err == nil {
		for _, p := range came {
			s.KeepPayload(ctx, p)
		}
	}
	return err
}

func (s *Store) accept(ctx context.Context, id oncall.IntegrationID, signals []oncall.Signal, now time.Time) error {
	newArrival := &arrival{integration: id, at: now, done: make(chan error, 1)}
	for _, signal := range signals {
		text, err := json.Marshal(signal)
		if err != nil {
			return fmt.Errorf("accept signals: %w", err)
		}
		newArrival.signals, newArrival.pings = append(newArrival.signals, string(text)), append(newArrival.pings, signal.Action == oncall.PingSignal)
		newArrival.size += len(text)
	}
	if len(signals) == 0 {
		return nil
	}
	if err := s.enter(ctx, newArrival); err != nil {
		return fmt.Errorf("accept signals: %w", NotStored{cause: err})
	}
	limited, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	select {
	case err := <-newArrival.done:
		return err
	case <-limited.Done():
		if ctx.Err() != nil { // the caller is gone, which says nothing about the database
			return fmt.Errorf("accept signals: %w: %w", ErrUnavailable, ctx.Err())
		}
		return s.arrivals.abandon(newArrival, limited.Err())
	}
}

// enter queues an arrival and makes sure that a committer runs.
func (s *Store) enter(ctx context.Context, newArrival *arrival) error {
	a := &s.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.suspended:
		return errSuspended
	case a.size > 0 && a.size+newArrival.size > arrivalLimit:
		a.suspend()
		return errors.New("too many are waiting")
	}
	a.waiting = append(a.waiting, newArrival)
	a.size += newArrival.size
	if !a.committing {
		a.committing = true
		a.committers.Go(func() { s.commitArrivals(context.WithoutCancel(ctx)) })
	}
	return nil
}

// next takes the arrivals for the next commit, in order. It returns nil if nothing waits, and then the
// committer must end. Callers that wait while nothing may be stored get an error.
func (a *arrivals) next(limit int) []*arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.suspended {
		a.refuse(errSuspended)
	}
	n, size := 0, 0
	for n < len(a.waiting) && (n == 0 || size+a.waiting[n].size <= limit) {
		size += a.waiting[n].size
		n++
	}
	batch := slices.Clone(a.waiting[:n])
	a.waiting = a.waiting[n:]
	a.size -= size
	a.committing = n > 0
	a.commits++
	for _, one := range batch {
		one.doubt.Commit = a.commits
		if a.period != nil {
			one.doubt.Period = *a.period
		}
	}
	return batch
}

// refuse turns away every waiting caller. The caller of refuse holds the lock of a.
func (a *arrivals) refuse(why error) {
	for _, one := range a.waiting {
		one.done <- NotStored{cause: why}
	}
	a.waiting, a.size = nil, 0
}

func (s *Store) commitArrivals(ctx context.Context) {
	for {
		batch := s.arrivals.next(commitLimit)
		if len(batch) == 0 {
			return
		}
		err := s.commit(ctx, batch)
		s.arrivals.failed.Store(err != nil)
		doubt := batch[0].doubt
		switch {
		case err == nil:
		case errors.Is(err, errFenced):
			doubt = Doubt{}
			fallthrough
		default:
			s.outages.Error().Err(err).Int("requests", len(batch)).Msg("signals not accepted")
			err = fmt.Errorf("accept signals: %w", NotStored{doubt, err})
			s.arrivals.fail()
		}
		for _, one := range batch {
			one.done <- err
		}
		if err == nil {
			s.brake(ctx, batch)
		}
	}
}

// fail turns away the callers that arrived in the meantime, because they would fail in the same way.
// The committer carries on.
func (a *arrivals) fail() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.suspend()
	a.refuse(errors.New("the signals before could not be stored"))
}

// commit writes a batch and wakes the folding instance, all in one statement: one round trip and one commit.
// With a spool, the statement also leaves a mark that tells Replay whether the commit happened, and it does
// nothing if Replay was faster.
func (s *Store) commit(ctx context.Context, batch []*arrival) error {
	const insert = `
		WITH mark AS (
			INSERT INTO spools (id, committed, seen_at)
			SELECT $4::text, $5, ($2::timestamptz[])[1] WHERE $4::text IS NOT NULL
			ON CONFLICT (id) DO UPDATE SET committed = excluded.committed, seen_at = excluded.seen_at
			WHERE spools.fenced < excluded.committed
			RETURNING id
		), arrived AS (
			INSERT INTO inbox (integration_id, received_at, signal)
			SELECT integration_id, received_at, signal::json
			FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $6::boolean[])
			     WITH ORDINALITY AS a (integration_id, received_at, signal, ping, position)
			WHERE NOT ping AND ($4::text IS NULL OR EXISTS (SELECT FROM mark))
			ORDER BY position
		), pinged AS (
			INSERT INTO pings (integration_id, received_at, signal)
			SELECT integration_id, received_at, signal::json
			FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $6::boolean[])
			     WITH ORDINALITY AS a (integration_id, received_at, signal, ping, position)
			WHERE ping AND ($4::text IS NULL OR EXISTS (SELECT FROM mark))
			ORDER BY position
		)
		SELECT pg_notify('watchbill_inbox', '')
		WHERE $4::text IS NULL OR EXISTS (SELECT FROM mark)`
	var rows inboxRows
	for _, one := range batch {
		for i, signal := range one.signals {
			rows.add(one.integration, one.at, signal, one.pings[i])
		}
	}
	var period *string
	if id := batch[0].doubt.Period; id != "" {
		period = &id
	}
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	tag, err := s.intakePool.Exec(ctx, insert, rows.integrations, rows.ats, rows.signals, period, batch[0].doubt.Commit, rows.pings)
	if err == nil && tag.RowsAffected() == 0 {
		return errFenced
	}
	return err
}

// Firing reports which of an integration's alerts fire, or will once the inbox has been folded.
func (s *System) Firing(ctx context.Context, id oncall.IntegrationID, keys []string) (map[string]bool, error) {
	const load = `
		SELECT dedup_key FROM alerts WHERE integration_id = $1 AND dedup_key = ANY ($2) AND firing
		UNION
		SELECT signal->>'dedup_key'
		FROM (SELECT integration_id, signal FROM inbox ORDER BY id DESC LIMIT 5000) AS latest
		WHERE integration_id = $1 AND signal->>'action' = 'trigger' AND signal->>'dedup_key' = ANY ($2)`
	rows, _ := s.pool.Query(ctx, load, id, keys)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for firing alerts: %w", translate(err))
	}
	firing := make(map[string]bool, len(found))
	for _, key := range found {
		firing[key] = true
	}
	return firing, nil
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	acceptLimit  = 2 * time.Second // longer than that nobody waits
	arrivalLimit = 64 << 20        // bytes of signals that may wait
	commitLimit  = 4 << 20         // bytes of signals in one commit
)

// arrivals is where signals wait to be written to the inbox. Whoever finds nobody writing starts
// the committer, which takes everything that waits, commits it at once, and goes on until nobody
// waits. So batches form by themselves under load, and a single signal is not held up.
type arrivals struct {
	mu      sync.Mutex
	waiting []*arrival
	size    int // bytes

	committing bool // there is a committer
	committers sync.WaitGroup
	failed     atomic.Bool // the last commit, and nobody has asked since whether we are ready
}

// An arrival is what one caller of Accept has brought.
type arrival struct {
	integration oncall.IntegrationID
	at          time.Time
	signals     []string
	size        int
	done        chan error
}

// Accept writes signals to the inbox and returns when they are durable; ErrUnavailable otherwise,
// after 2 s at the latest. Signals whose caller was told an error may be there all the same; to
// send them again does no harm.
func (s *System) Accept(ctx context.Context, id oncall.IntegrationID, signals []oncall.Signal, now time.Time) error {
	one := &arrival{integration: id, at: now, done: make(chan error, 1)}
	for _, signal := range signals {
		text, err := json.Marshal(signal)
		if err != nil {
			return fmt.Errorf("accept signals: %w", err)
		}
		one.signals = append(one.signals, string(text))
		one.size += len(text)
	}
	if len(signals) == 0 {
		return nil
	}
	if !s.enter(ctx, one) {
		return fmt.Errorf("accept signals: too many are waiting: %w", ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("accept signals: %w: %w", ErrUnavailable, ctx.Err())
	}
}

// enter queues an arrival and sees to it that somebody commits it; false if too many wait.
func (s *Store) enter(ctx context.Context, one *arrival) bool {
	a := &s.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size > 0 && a.size+one.size > arrivalLimit {
		return false
	}
	a.waiting = append(a.waiting, one)
	a.size += one.size
	if !a.committing {
		a.committing = true
		a.committers.Go(func() { s.commitArrivals(context.WithoutCancel(ctx)) })
	}
	return true
}

// next takes what is to be committed together, in the order of arrival; nil if nobody waits, and
// then the committer must end.
func (a *arrivals) next(limit int) []*arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, size := 0, 0
	for n < len(a.waiting) && (n == 0 || size+a.waiting[n].size <= limit) {
		size += a.waiting[n].size
		n++
	}
	batch := a.waiting[:n:n]
	a.waiting = a.waiting[n:]
	a.size -= size
	a.committing = n > 0
	return batch
}

func (s *Store) commitArrivals(ctx context.Context) {
	for {
		batch := s.arrivals.next(commitLimit)
		if len(batch) == 0 {
			return
		}
		err := s.commit(ctx, batch)
		s.arrivals.failed.Store(err != nil)
		if err != nil {
			s.outages.Error().Err(err).Int("requests", len(batch)).Msg("signals not accepted")
			err = fmt.Errorf("accept signals: %w: %w", ErrUnavailable, err)
			// Those who have come meanwhile must not wait for the same again.
			batch = append(batch, s.arrivals.all()...)
		}
		for _, one := range batch {
			one.done <- err
		}
	}
}

// all takes everything that waits. The committer stays.
func (a *arrivals) all() []*arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting := a.waiting
	a.waiting, a.size = nil, 0
	return waiting
}

// commit writes a batch and wakes who folds, all in one statement: a round trip and a commit.
func (s *Store) commit(ctx context.Context, batch []*arrival) error {
	const insert = `
		WITH arrived AS (
			INSERT INTO inbox (integration_id, received_at, signal)
			SELECT integration_id, received_at, signal::json
			FROM unnest($1::bigint[], $2::timestamptz[], $3::text[])
			     WITH ORDINALITY AS a (integration_id, received_at, signal, position)
			ORDER BY position
		)
		SELECT pg_notify('watchbill_inbox', '')`
	var (
		integrations []oncall.IntegrationID
		ats          []time.Time
		signals      []string
	)
	for _, one := range batch {
		for _, signal := range one.signals {
			integrations, ats, signals = append(integrations, one.integration), append(ats, one.at), append(signals, signal)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	_, err := s.door.Exec(ctx, insert, integrations, ats, signals)
	return err
}

// Firing reports which alerts of an integration fire, or will as soon as the inbox has been folded.
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

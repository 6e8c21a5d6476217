package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	payloadLimit = 2 * time.Second // limit of one write
	payloadPause = time.Second     // between two writes
	payloadBatch = 4 << 20         // bytes in one write
	payloadRoom  = 32 << 20        // bytes that may wait
)

// payloads holds payloads that wait to be written. They are written a moment after their signals, so that no sender
// waits for them. Only the newest of each integration are held, because older ones would be deleted anyway. So a storm
// of thousands of payloads a second costs one write a second.
type payloads struct {
	mu      sync.Mutex
	waiting map[oncall.IntegrationID][]oncall.Payload
	size    int // bytes

	writing bool // a writer is running
	writers sync.WaitGroup
	closed  chan struct{}
	closing sync.Once
}

// KeepPayload queues a request's payload to be stored. If many come, only the newest of the integration are stored. A
// queued payload is lost if the process dies.
func (s *System) KeepPayload(ctx context.Context, p oncall.Payload) {
	q := &s.payloads
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(p)
	if !q.writing && len(q.waiting) > 0 {
		q.writing = true
		q.writers.Go(func() { s.writePayloads(context.WithoutCancel(ctx)) })
	}
}

// add queues a payload. The caller holds the lock of q.
func (ps *payloads) add(payload oncall.Payload) {
	if ps.waiting == nil {
		ps.waiting = map[oncall.IntegrationID][]oncall.Payload{}
	}
	list := ps.waiting[payload.Integration]
	at := len(list)
	for at > 0 && payload.At.Before(list[at-1].At) { // payloads from a spool are older
		at--
	}
	ps.waiting[payload.Integration] = slices.Insert(list, at, payload)
	ps.size += weight(payload)
	if len(ps.waiting[payload.Integration]) > oncall.PayloadsKept {
		ps.drop(payload.Integration)
	}
	for ps.size > payloadRoom {
		most, id := 0, payload.Integration
		for other, list := range ps.waiting {
			if len(list) > most {
				most, id = len(list), other
			}
		}
		ps.drop(id)
	}
}

// drop removes the oldest queued payload of an integration.
func (ps *payloads) drop(id oncall.IntegrationID) {
	list := ps.waiting[id]
	ps.size -= weight(list[0])
	list[0] = oncall.Payload{} // releases its memory
	if ps.waiting[id] = list[1:]; len(list) == 1 {
		delete(ps.waiting, id)
	}
}

// weight estimates the size of a payload in bytes.
func weight(p oncall.Payload) int { return len(p.Body) + len(p.Query) + len(p.Path) + 500 }

// next takes the payloads of the next write. If there are none, the writer must end.
func (ps *payloads) next() (batch []oncall.Payload) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	size := 0
	for id, list := range ps.waiting {
		for len(list) > 0 && size < payloadBatch {
			size += weight(list[0])
			batch = append(batch, list[0])
			list = list[1:]
		}
		if ps.waiting[id] = list; len(list) == 0 {
			delete(ps.waiting, id)
		}
		if size >= payloadBatch {
			break
		}
	}
	ps.size -= size
	ps.writing = len(batch) > 0
	return batch
}

// putBack puts payloads that could not be written back into the queue, before newer ones.
func (ps *payloads) putBack(batch []oncall.Payload) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	later := ps.waiting
	ps.waiting, ps.size = nil, 0
	for _, p := range batch {
		ps.add(p)
	}
	for _, list := range later {
		for _, p := range list {
			ps.add(p)
		}
	}
}

// close writes all queued payloads, if the database is available.
func (ps *payloads) close() {
	ps.closing.Do(func() { close(ps.closed) })
	ps.writers.Wait()
}

// writePayloads writes queued payloads, with pauses, until none are left.
func (s *Store) writePayloads(ctx context.Context) {
	pause := time.NewTimer(payloadPause) // real time on purpose: it limits the load of a storm
	defer pause.Stop()
	for {
		batch := s.payloads.next()
		if len(batch) == 0 {
			return
		}
		err := s.savePayloads(ctx, batch)
		if err != nil && !Malformed(err) {
			s.outages.Warn().Err(err).Int("payloads", len(batch)).Msg("what monitors sent can't be kept yet")
			s.payloads.putBack(batch)
		} else if err != nil {
			s.outages.Error().Err(err).Int("payloads", len(batch)).Msg("the database refuses what monitors sent; it is not kept")
		}
		pause.Reset(payloadPause)
		select {
		case <-pause.C:
		case <-s.payloads.closed:
			if err != nil {
				return // the process is ending
			}
		}
	}
}

// savePayloads writes payloads and deletes older ones of the same integrations. The commit doesn't wait for the disk,
// because losing a payload does no harm: its signal is stored separately.
func (s *Store) savePayloads(ctx context.Context, batch []oncall.Payload) error {
	const insert = `
		INSERT INTO payloads (integration_id, team_id, received_at, method, path, query, headers, body, size, cut,
		                      reader, taken_for, trouble, signals, keys)
		SELECT $1, team_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 FROM integrations WHERE id = $1`
	const prune = `
		DELETE FROM payloads p
		USING unnest($1::bigint[]) AS k (integration_id)
		WHERE p.integration_id = k.integration_id AND (p.received_at, p.id) < (
			SELECT received_at, id FROM payloads
			WHERE integration_id = k.integration_id
			ORDER BY received_at DESC, id DESC
			LIMIT 1 OFFSET $2
		)`
	ctx, cancel := context.WithTimeout(ctx, payloadLimit)
	defer cancel()
	rows := &pgx.Batch{}
	var integrations []oncall.IntegrationID
	for _, p := range batch {
		headers, keys, err := payloadTexts(p)
		if err != nil {
			return err
		}
		rows.Queue(insert, p.Integration, p.At, p.Method, oncall.Storable(p.Path), oncall.Storable(p.Query), headers, p.Body, p.Size, p.Cut,
			p.Reader, p.RecognisedAs, oncall.Storable(p.Trouble), p.Signals, keys)
		integrations = append(integrations, p.Integration)
	}
	slices.Sort(integrations)
	rows.Queue(prune, slices.Compact(integrations), oncall.PayloadsKept-1)
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		return tx.SendBatch(ctx, rows).Close()
	})
	return translate(err)
}

// payloadTexts encodes the parts of a payload that are stored as JSON.
func payloadTexts(payload oncall.Payload) (headers, keys string, err error) {
	clean := func(v any) (string, error) {
		text, err := storableJSON(v)
		return text, wrapAny(err, "keep a payload")
	}
	if payload.Headers == nil {
		payload.Headers = map[string]string{}
	}
	if payload.Keys == nil {
		payload.Keys = []string{}
	}
	if headers, err = clean(payload.Headers); err == nil {
		keys, err = clean(payload.Keys)
	}
	return headers, keys, err
}

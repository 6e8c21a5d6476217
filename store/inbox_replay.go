package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// A SpooledRequest holds the signals of one request that arrived while the database was unavailable,
// as a spool stores them.
type SpooledRequest struct {
	Seq         int64                `json:"-"` // increasing within one spool
	Integration oncall.IntegrationID `json:"integration"`
	At          time.Time            `json:"at"`
	Doubt       Doubt                `json:"doubt,omitzero"`
	Signals     []json.RawMessage    `json:"signals"`
	Came        []oncall.Payload     `json:"came,omitempty"` // the request bodies that contained the signals
}

// A Doubt names a commit that may have stored signals although their caller got an error. The zero Doubt means no
// such commit.
type Doubt struct {
	Period string `json:"period,omitempty"` // a time between two outages of the database
	Commit int64  `json:"commit,omitempty"` // number of the commit within the period
}

// A NotStored error says that signals are not known to be stored.
type NotStored struct {
	Doubt
	cause error
}

func (n NotStored) Error() string { return "the signals were not stored: " + n.cause.Error() }

// Unwrap makes it an ErrUnavailable.
func (n NotStored) Unwrap() []error { return []error{ErrUnavailable, n.cause} }

// NotTried reports whether storing was not even tried, because earlier signals are not stored yet.
func (n NotStored) NotTried() bool { return errors.Is(n.cause, errSuspended) }

var (
	errSuspended = errors.New("earlier ones wait in the spool")
	errFenced    = errors.New("others of the same commit are in the spool already")
)

// Suspend stops storing signals until Resume.
func (s *System) Suspend() {
	s.arrivals.mu.Lock()
	defer s.arrivals.mu.Unlock()
	s.arrivals.suspend()
}

// Suspended reports whether storing signals is suspended.
func (s *System) Suspended() bool {
	s.arrivals.mu.Lock()
	defer s.arrivals.mu.Unlock()
	return s.arrivals.suspended
}

// Resume allows signals to be stored, and tells the store that a spool takes those that can't be.
// After the first signal that can't be stored, Accept rejects all signals until the next Resume, so
// that none overtakes the ones in the spool. Call Resume before Accept, and again whenever the spool
// is empty.
func (s *System) Resume() { s.arrivals.begin() }

// begin starts a new period. While the outcome of a commit is unknown, no other commit follows in the same period,
// so the mark of the latest commit is enough.
func (a *arrivals) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.period, a.suspended = new(rand.Text()), false
}

// suspend does nothing without a spool. The caller holds the lock of a.
func (a *arrivals) suspend() { a.suspended = a.period != nil }

// abandon gives up waiting for an arrival. If it is being written, the outcome is unknown.
func (a *arrivals) abandon(abandoned *arrival, cause error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case err := <-abandoned.done: // finished just now
		return err
	default:
	}
	a.suspend()
	if i := slices.Index(a.waiting, abandoned); i >= 0 {
		a.waiting = slices.Delete(a.waiting, i, i+1)
		a.size -= abandoned.size
	}
	return fmt.Errorf("accept signals: %w", NotStored{abandoned.doubt, cause})
}

// Replay stores the requests of a spool in order, each once: requests known to be stored are skipped.
// If the database refuses the data, Malformed reports true for the error.
func (s *System) Replay(ctx context.Context, spool string, requests []SpooledRequest, now time.Time) error {
	const begin = `
		INSERT INTO spools (id, seen_at) VALUES ($1::text, $2)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
		RETURNING replayed`
	const fence = `
		INSERT INTO spools (id, seen_at, fenced) VALUES ($1::text, $2, $3)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, fenced = greatest(spools.fenced, excluded.fenced)
		RETURNING committed`
	const done = `UPDATE spools SET replayed = $2 WHERE id = $1::text`
	if len(requests) == 0 {
		return nil
	}
	var payloads []oncall.Payload
	err := s.transact(ctx, func(tx pgx.Tx) error {
		payloads = nil
		var replayed int64
		if err := tx.QueryRow(ctx, begin, spool, now).Scan(&replayed); err != nil {
			return err
		}
		committed := map[Doubt]bool{{}: false}
		var rows inboxRows
		for _, r := range requests {
			stored, asked := committed[r.Doubt]
			if !asked {
				var upTo int64
				if err := tx.QueryRow(ctx, fence, r.Doubt.Period, now, r.Doubt.Commit).Scan(&upTo); err != nil {
					return err
				}
				stored = r.Doubt.Commit <= upTo
				committed[r.Doubt] = stored
			}
			if r.Seq > replayed {
				payloads = append(payloads, r.payloads()...)
			}
			if r.Seq <= replayed || stored {
				continue
			}
			for _, signal := range r.Signals {
				rows.add(r.Integration, r.At, string(signal), isPing(signal))
			}
		}
		if err := rows.replay(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, done, spool, max(replayed, requests[len(requests)-1].Seq)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT pg_notify('watchbill_inbox', '')`)
		return err
	})
	if err != nil {
		return fmt.Errorf("replay a spool: %w", err)
	}
	for _, p := range payloads {
		s.KeepPayload(ctx, p)
	}
	return nil
}

// payloads returns the payloads of a request.
func (r SpooledRequest) payloads() []oncall.Payload {
	for i := range r.Came {
		r.Came[i].Integration, r.Came[i].At = r.Integration, r.At
	}
	return r.Came
}

// inboxRows holds rows for the inbox or for the table of pings, as one array for each column.
type inboxRows struct {
	integrations []oncall.IntegrationID
	ats          []time.Time
	signals      []string
	pings        []bool
}

func (r *inboxRows) add(id oncall.IntegrationID, at time.Time, signal string, ping bool) {
	r.integrations, r.ats, r.signals, r.pings = append(r.integrations, id), append(r.ats, at), append(r.signals, signal), append(r.pings, ping)
}

// replay stores the rows and marks them as replayed.
func (r *inboxRows) replay(ctx context.Context, tx pgx.Tx) error {
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal, replayed)
		SELECT integration_id, received_at, signal::json, true
		FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[])
		     WITH ORDINALITY AS a (integration_id, received_at, signal, ping, position)
		WHERE NOT ping
		ORDER BY position`
	const insertPings = `
		INSERT INTO pings (integration_id, received_at, signal)
		SELECT integration_id, received_at, signal::json
		FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[])
		     WITH ORDINALITY AS a (integration_id, received_at, signal, ping, position)
		WHERE ping
		ORDER BY position`
	for _, sql := range []string{insert, insertPings} {
		if _, err := tx.Exec(ctx, sql, r.integrations, r.ats, r.signals, r.pings); err != nil {
			return err
		}
	}
	return nil
}

// isPing reports whether a stored signal is a ping.
func isPing(signal []byte) bool {
	if !bytes.Contains(signal, []byte(`"ping"`)) { // cheaper than parsing
		return false
	}
	var s struct {
		Action oncall.Action `json:"action"`
	}
	return json.Unmarshal(signal, &s) == nil && s.Action == oncall.PingSignal
}

// Spool encodes signals for a spool.
func Spool(id oncall.IntegrationID, signals []oncall.Signal, at time.Time, doubt Doubt) (SpooledRequest, error) {
	r := SpooledRequest{Integration: id, At: at, Doubt: doubt}
	for _, signal := range signals {
		text, err := json.Marshal(signal)
		if err != nil {
			return r, fmt.Errorf("keep signals: %w", err)
		}
		r.Signals = append(r.Signals, text)
	}
	return r, nil
}

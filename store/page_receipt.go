package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// trackClosely is for how long a provider is asked every few seconds what has become of a
	// message; trackSlowly is how often after that, until nobody can answer it any more.
	trackClosely = 10 * time.Minute
	trackSlowly  = time.Minute
	trackLongest = 3 * time.Hour
	// redialAfter is how long a phone is left alone that nobody has picked up.
	redialAfter = 30 * time.Second
)

// The states of an accepted message, as RecordReceipt is told them.
const (
	ReceiptDelivered  = "delivered"
	ReceiptAnswered   = "answered"
	ReceiptUnanswered = "unanswered"
	ReceiptFailed     = "failed"
)

// A Tracked is a message whose fate its provider is to be asked for.
type Tracked struct {
	Page   oncall.PageID
	Method string
	Key    string
	Ref    string
	Due    bool // somebody still needs it: a phone that rings may ring on
}

// A Receipt is what a provider says of a message that it has accepted.
type Receipt struct {
	State string // one of the states above, or another that is of no consequence
	Why   string
	Final bool // asking again tells nothing new
	Dead  bool // nothing will ever reach this address
}

// DueReceipts returns messages whose providers are to be asked, each of them to one caller. Those
// that can be cancelled come as soon as their incident moves on.
func (s *Store) DueReceipts(ctx context.Context, methods, cancellable []string, now time.Time, limit int) ([]Tracked, error) {
	const claim = `
		UPDATE pages
		SET track_at = CASE WHEN ended_at > $4 THEN $5::timestamptz WHEN ended_at > $6 THEN $7 END
		WHERE id IN (
			SELECT p.id
			FROM pages p
			JOIN incidents i ON i.id = p.incident_id
			WHERE p.track_at IS NOT NULL AND p.method = ANY ($1)
			  AND (p.track_at <= $3 OR p.method = ANY ($2) AND i.status <> 'triggered')
			ORDER BY p.track_at
			LIMIT $8
			FOR UPDATE OF p SKIP LOCKED
		)
		RETURNING id AS page, method, key, ref, false AS due`
	const told = `
		SELECT id, incident_id, user_id, key, bundle
		FROM pages
		WHERE id = ANY ($1) OR bundle = ANY ($1) AND bundle <> 0`
	var out []Tracked
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, claim, methods, cancellable, now, now.Add(-trackClosely), now.Add(trackEvery),
			now.Add(-trackLongest), now.Add(trackSlowly), limit)
		if out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Tracked]); err != nil || len(out) == 0 {
			return err
		}
		var leads []oncall.PageID
		for _, t := range out {
			leads = append(leads, t.Page)
		}
		rows, _ = tx.Query(ctx, told, leads)
		var pages []pageRow
		var p pageRow
		if _, err := pgx.ForEachRow(rows, []any{&p.ID, &p.IncidentID, &p.UserID, &p.Key, &p.Bundle}, func() error {
			pages = append(pages, p)
			return nil
		}); err != nil {
			return err
		}
		due, err := dueOf(ctx, tx, pages)
		for i, t := range out {
			out[i].Due = slices.ContainsFunc(pages, func(p pageRow) bool {
				_, is := due[p.ID]
				return is && (p.ID == t.Page || p.Bundle == t.Page)
			})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for messages to follow: %w", err)
	}
	return out, nil
}

// RecordReceipt notes what a provider says of a message that it has accepted. A call that nobody
// picks up is made once more; what has failed brings the next contact method forward.
func (s *Store) RecordReceipt(ctx context.Context, id oncall.PageID, r Receipt, now time.Time) error {
	const note = `
		UPDATE pages
		SET receipt = $2, track_at = CASE WHEN $3 THEN NULL ELSE track_at END
		WHERE id = $1`
	return s.conclude(ctx, id, now, func(e *ending) error {
		lead := e.pages[0]
		if lead.State != PageDelivered {
			return nil
		}
		if _, err := e.tx.Exec(ctx, note, id, r.State, r.Final); err != nil || lead.Receipt == r.State {
			return err
		}
		switch r.State {
		case ReceiptDelivered, ReceiptAnswered:
			e.receipt(r.State)
		case ReceiptUnanswered:
			if lead.Method == oncall.MethodVoice && lead.Redials == 0 {
				e.receipt(r.State)
				return e.redial(ctx)
			}
			return e.failed(ctx, r.Why, r.Dead)
		case ReceiptFailed:
			return e.failed(ctx, r.Why, r.Dead)
		}
		return nil
	})
}

// receipt adds a line to the timelines, for those who look.
func (e *ending) receipt(state string) {
	for _, p := range e.open() {
		c := e.changes[p.IncidentID]
		c.Events = append(c.Events, e.event(p, oncall.EventPageReceipt, state))
	}
}

// redial has the call made once more.
func (e *ending) redial(ctx context.Context) error {
	const again = `
		UPDATE pages
		SET state = 'waiting', ended_at = NULL, due_at = $3, redials = redials + CASE WHEN id = $2 THEN 1 ELSE 0 END,
		    receipt = '', track_at = NULL, sender_job = NULL, doubt_at = NULL
		WHERE id = ANY ($1)`
	first := e.pages[0]
	lead := first.ID
	var ids []oncall.PageID
	for _, p := range e.open() {
		ids = append(ids, p.ID)
	}
	at := e.now.Add(redialAfter)
	if _, err := e.tx.Exec(ctx, again, ids, lead, at); err != nil {
		return err
	}
	return e.store.enqueue(ctx, e.tx, e.now, []oncall.Task{{Do: oncall.SendPage{Page: lead, Lane: first.Lane()}, At: at}})
}

// Untrack forgets to ask for a message any more.
func (s *Store) Untrack(ctx context.Context, id oncall.PageID) error {
	const forget = `UPDATE pages SET track_at = NULL WHERE id = $1`
	if _, err := s.pool.Exec(ctx, forget, id); err != nil {
		return fmt.Errorf("untrack page %d: %w", id, translate(err))
	}
	return nil
}

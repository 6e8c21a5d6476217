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
	// trackClosely is how long a provider is asked for a message's status every few seconds. After that it
	// is asked every trackSlowly, until the message can no longer be answered.
	trackClosely = 10 * time.Minute
	trackSlowly  = time.Minute
	trackLongest = 3 * time.Hour
)

// A TrackedMessage is a sent message whose status is still being checked with its provider.
type TrackedMessage struct {
	Page   oncall.PageID
	Method oncall.Method
	Key    string
	Ref    string
	Due    bool // still needed, so a ringing phone may keep ringing
}

// DueReceipts returns the messages whose status should be checked now. Each message goes to one
// caller. A message that can be cancelled is due as soon as its page is no longer needed.
func (s *System) DueReceipts(ctx context.Context, methods, cancellable []oncall.Method, now time.Time, limit int) ([]TrackedMessage, error) {
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
	const members = `
		SELECT coalesce(nullif(bundle, 0), id), incident_id, user_id, call_seq, asked_version
		FROM pages
		WHERE id = ANY ($1) OR bundle = ANY ($1) AND bundle <> 0`
	var out []TrackedMessage
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, claim, methods, cancellable, now, now.Add(-trackClosely), now.Add(oncall.TrackEvery),
			now.Add(-trackLongest), now.Add(trackSlowly), limit)
		if out, err = pgx.CollectRows(rows, pgx.RowToStructByName[TrackedMessage]); err != nil || len(out) == 0 {
			return err
		}
		rows, _ = tx.Query(ctx, members, column(out, func(t TrackedMessage) oncall.PageID { return t.Page }))
		pages := map[oncall.PageID][]oncall.Page{} // by lead page
		var about []oncall.IncidentID
		var lead oncall.PageID
		var p oncall.Page
		if _, err := pgx.ForEachRow(rows, []any{&lead, &p.IncidentID, &p.UserID, &p.CallSeq, &p.AskedVersion}, func() error {
			pages[lead], about = append(pages[lead], p), append(about, p.IncidentID)
			return nil
		}); err != nil {
			return err
		}
		found, err := incidents(ctx, tx, about)
		if err != nil {
			return err
		}
		byID := map[oncall.IncidentID]oncall.Incident{}
		for _, in := range found {
			byID[in.ID] = in
		}
		for i, t := range out {
			out[i].Due = slices.ContainsFunc(pages[t.Page], func(p oncall.Page) bool { return p.Due(byID[p.IncidentID]) })
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for messages to follow: %w", err)
	}
	return out, nil
}

// Untrack stops asking for the status of a message.
func (s *System) Untrack(ctx context.Context, id oncall.PageID) error {
	const forget = `UPDATE pages SET track_at = NULL WHERE id = $1`
	if _, err := s.pool.Exec(ctx, forget, id); err != nil {
		return fmt.Errorf("untrack page %d: %w", id, translate(err))
	}
	return nil
}

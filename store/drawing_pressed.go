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
	// pressLease keeps the draw job away from a message that the handler of a press is about to redraw.
	pressLease = 3 * time.Second
	// pressJob marks a lease as held by the handler of a press instead of a job. Older releases take it for a
	// finished job and draw at once, which does no harm because they draw the same thing.
	pressJob = -1
)

// A PressedMessage is the up-to-date content of a message in which somebody has pressed a button.
type PressedMessage struct {
	Place   MessageRef
	Picture oncall.Picture // of an incident
	User    oncall.UserID  // recipient of the direct message; empty: a message in a channel
	Why     oncall.Sentence
	Notice  oncall.Notice // set for a notice
	Found   bool          // the message is known; one that was posted just now may not be
	Behind  bool          // the message shows an older state
	held    bool          // the caller holds the lease
}

// Pressed loads the content that a pressed message should show. The id is the incident that the button belongs
// to, or 0. If the message is behind, the caller redraws it: the draw job keeps away until PressedDrawn, or for a
// few seconds.
func (s *Store) Pressed(ctx context.Context, at MessageRef, id oncall.IncidentID, now time.Time) (PressedMessage, error) {
	const incident = `
		SELECT coalesce(c.user_id, '') AS user, coalesce(c.reason, jsonb_build_array(c.why), '[]') AS why,
		       CASE WHEN c.ts IS NULL THEN d.drawn ELSE c.drawn END < i.version AS behind
		FROM incidents i
		JOIN drawings d ON d.incident_id = i.id
		LEFT JOIN drawing_copies c ON c.incident_id = i.id AND c.channel = $2 AND c.ts = $3
		WHERE i.id = $1 AND (c.ts IS NOT NULL OR d.channel = $2 AND d.ts = $3)`
	const lease = `
		UPDATE drawings
		SET lease_job = $2, lease_until = $4
		WHERE incident_id = $1
		  AND (lease_job IS NULL OR lease_until <= $3
		       OR lease_job > 0 AND NOT EXISTS (SELECT FROM river_job WHERE id = lease_job AND finalized_at IS NULL))`
	dir, err := s.directory(ctx)
	if err != nil {
		return PressedMessage{}, err
	}
	m := PressedMessage{Place: at}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if id == 0 {
			return pressedNotice(ctx, tx, &m)
		}
		err := tx.QueryRow(ctx, incident, id, at.Channel, at.TS).Scan(&m.User, &m.Why, &m.Behind)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		m.Found = err == nil
		if err != nil || !m.Behind {
			return err
		}
		tag, err := tx.Exec(ctx, lease, id, pressJob, now, now.Add(pressLease))
		if err != nil {
			return err
		}
		m.held = tag.RowsAffected() > 0
		m.Picture, err = picture(ctx, tx, dir, id)
		return err
	})
	if err != nil {
		return PressedMessage{}, fmt.Errorf("load a pressed message: %w", err)
	}
	return m, nil
}

// pressedNotice loads the notice that the message shows, if it shows one.
func pressedNotice(ctx context.Context, tx pgx.Tx, m *PressedMessage) error {
	const load = `
		SELECT id, key, recipient, kind, about, facts, version, drawn < version
		FROM notices
		WHERE channel = $1 AND ts = $2 AND ts <> ''`
	n := &m.Notice
	err := tx.QueryRow(ctx, load, m.Place.Channel, m.Place.TS).
		Scan(&n.ID, &n.Key, &n.To, &n.Kind, &n.About, &n.Detail, &n.Version, &m.Behind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// PressedDrawn records whether the pressed message of an incident could be redrawn.
func (s *Store) PressedDrawn(ctx context.Context, m PressedMessage, done bool, now time.Time) error {
	const release = `UPDATE drawings SET lease_job = NULL, lease_until = NULL WHERE incident_id = $1 AND lease_job = $2`
	const drawn = `
		WITH root AS (
			UPDATE drawings SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3
		)
		UPDATE drawing_copies SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3`
	// A job was drawing at the same time. If it drew a newer version, ours may have overwritten it.
	const covered = `
		WITH root AS (
			UPDATE drawings SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3 AND drawn > $4
			RETURNING incident_id
		), copy AS (
			UPDATE drawing_copies SET drawn = $4 WHERE incident_id = $1 AND channel = $2 AND ts = $3 AND drawn > $4
			RETURNING incident_id
		)
		SELECT count(*) FROM (SELECT incident_id FROM root UNION ALL SELECT incident_id FROM copy) AS both_of_them`
	in := m.Picture.Incident
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if m.held {
			if done {
				if _, err := tx.Exec(ctx, drawn, in.ID, m.Place.Channel, m.Place.TS, in.Version); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, release, in.ID, pressJob)
			return err
		}
		if !done {
			return nil
		}
		var n int
		if err := tx.QueryRow(ctx, covered, in.ID, m.Place.Channel, m.Place.TS, in.Version).Scan(&n); err != nil || n == 0 {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{in.RedrawFor(oncall.ByUser(m.User))})
	})
	if err != nil {
		return fmt.Errorf("note a pressed message of incident %d: %w", in.ID, err)
	}
	return nil
}

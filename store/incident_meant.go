package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// IncidentAt returns the incident to which a place in Slack belongs: a channel of its own, or the thread of its message or of a
// copy, if TS names one; 0: none. Whether somebody may see that incident is asked when it is used.
func (s *Store) IncidentAt(ctx context.Context, place MessageRef) (oncall.IncidentID, error) {
	const find = `
		SELECT id FROM (
			(SELECT incident_id AS id FROM drawings WHERE channel = $1 AND ts = $2 AND ts <> '' LIMIT 1)
			UNION ALL
			(SELECT incident_id FROM drawing_copies WHERE channel = $1 AND ts = $2 AND ts <> '' LIMIT 1)
			UNION ALL
			(SELECT id FROM incidents WHERE channel ->> 'id' = $1 AND channel ->> 'id' IS NOT NULL ORDER BY id DESC LIMIT 1)
		) found
		LIMIT 1`
	if place.Channel == "" {
		return 0, nil
	}
	rows, _ := s.pool.Query(ctx, find, place.Channel, place.TS)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return 0, fmt.Errorf("find the incident of a channel: %w", translate(err))
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return ids[0], nil
}

// LastResolved returns the incident that the actor resolved last, or had when it was resolved, since an instant, if they may
// still see it.
func (s *Store) LastResolved(ctx context.Context, by oncall.Actor, since time.Time) (id oncall.IncidentID, found bool, err error) {
	const find = `
		SELECT id
		FROM incidents
		WHERE status = 'resolved' AND resolved_at > $2 AND id > 0 AND merged_into = 0
		  AND (resolved_by ->> 'user' = $1 OR acked_by ->> 'user' = $1)
		ORDER BY resolved_at DESC, id DESC
		LIMIT 1`
	g, err := s.gate(ctx, by)
	if err != nil || by.User == "" {
		return 0, false, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, find, by.User, since)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil || len(ids) == 0 {
			return err
		}
		_, refused := g.seen(ctx, tx, ids[0])
		id, found = ids[0], refused == nil
		return nil
	})
	return id, found, wrapAny(err, "find the incident that %s resolved last", by.User)
}

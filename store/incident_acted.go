package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// LastActed returns which of some incidents the actor acted on last, since an instant; 0: on none of them.
func (s *Store) LastActed(ctx context.Context, by oncall.Actor, of []oncall.IncidentID, since time.Time) (id oncall.IncidentID, at time.Time, err error) {
	const find = `
		SELECT i.id, e.at
		FROM unnest($1::bigint[]) AS i (id)
		CROSS JOIN LATERAL (
			SELECT id, at FROM incident_events
			WHERE incident_id = i.id AND actor ->> 'user' = $2 AND at > $3
			ORDER BY id DESC
			LIMIT 1
		) e
		ORDER BY e.id DESC
		LIMIT 1`
	return s.lastOf(ctx, by, find, of, by.User, since)
}

// LastPagedOf returns for which of some incidents the actor was paged last, and when; 0: for none of them.
func (s *Store) LastPagedOf(ctx context.Context, by oncall.Actor, of []oncall.IncidentID) (id oncall.IncidentID, at time.Time, err error) {
	const find = `
		SELECT i.id, p.at
		FROM unnest($1::bigint[]) AS i (id)
		CROSS JOIN LATERAL (
			SELECT id, coalesce(attempted_at, due_at, '0001-01-01T00:00:00Z') AS at FROM pages
			WHERE incident_id = i.id AND user_id = $2
			ORDER BY id DESC
			LIMIT 1
		) p
		ORDER BY p.id DESC
		LIMIT 1`
	return s.lastOf(ctx, by, find, of, by.User)
}

func (s *Store) lastOf(ctx context.Context, by oncall.Actor, find string, of []oncall.IncidentID, args ...any) (id oncall.IncidentID, at time.Time, err error) {
	if len(of) == 0 || by.User == "" {
		return 0, time.Time{}, nil
	}
	err = s.pool.QueryRow(ctx, find, append([]any{of}, args...)...).Scan(&id, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("find what %s was last busy with: %w", by.User, translate(err))
	}
	return id, at, nil
}

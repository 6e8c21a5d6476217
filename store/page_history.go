package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// A PageOutcome is a page with its outcome.
type PageOutcome struct {
	oncall.Page
	State oncall.PageState
	Ended *time.Time // when the outcome became known
}

// maxHistory bounds how many of the latest pages are listed.
const maxHistory = 300

// PageHistory returns the latest pages about an incident, in the order of their creation.
func (s *Store) PageHistory(ctx context.Context, by oncall.Actor, id oncall.IncidentID) ([]PageOutcome, error) {
	const load = `
		SELECT id, incident_id, user_id, method, coalesce(reason, jsonb_build_array(why)) AS why, key, contact,
		       recipient AS "to", call_seq, asked_version, redial_key, coalesce(due_at, '0001-01-01T00:00:00Z') AS at, state, ended_at AS ended
		FROM pages
		WHERE incident_id = $1
		ORDER BY id DESC
		LIMIT $2`
	var out []PageOutcome
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := g.seen(ctx, tx, id); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, id, maxHistory)
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[PageOutcome])
		return err
	})
	if err != nil {
		return nil, wrap(err, "load the pages of incident %d", id)
	}
	slices.Reverse(out)
	return out, nil
}

// lastPaged reads a single index entry, no matter how many pages there are, even for a person who was
// never paged.
const lastPaged = `
	SELECT incident_id
	FROM pages
	WHERE user_id = $1
	ORDER BY incident_id DESC
	LIMIT 1`

// LastPaged returns the newest incident that a person was paged for.
func (s *Store) LastPaged(ctx context.Context, by oncall.Actor, user oncall.UserID) (id oncall.IncidentID, paged bool, err error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return 0, false, err
	}
	rows, _ := s.pool.Query(ctx, lastPaged, user)
	id, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[oncall.IncidentID])
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("find the last incident of %s: %w", user, translate(err))
	}
	return id, true, nil
}

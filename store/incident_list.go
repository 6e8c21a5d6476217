package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// MostListed is how many incidents are listed at once.
const MostListed = 200

// An IncidentFilter narrows a list of incidents. The zero value lists all.
type IncidentFilter struct {
	Statuses   []oncall.Status
	Severities []oncall.Severity
	Team       oncall.TeamID

	Integrations []oncall.IntegrationID // whose signals opened it; 0: a person did
	Since        time.Time              // opened then or later
	Until        time.Time              // opened before; zero: no limit
	Text         string                 // part of the title, in any case
	Before       oncall.IncidentID
	Limit        int // at most MostListed
}

// The incidents of a list, newest first, without the canary's. Open incidents have an index of their own.
const (
	listAllIncidents = `
		SELECT i.id
		FROM incidents i
		WHERE i.id > 0
		  AND (cardinality($1::text[]) = 0 OR i.status = ANY ($1)) AND (cardinality($2::text[]) = 0 OR i.severity = ANY ($2))
		  AND ($3::bigint = 0 OR i.team_id = $3) AND i.opened_at >= $4 AND ($5::timestamptz IS NULL OR i.opened_at < $5)
		  AND ($6 = '' OR strpos(lower(i.title), $6) > 0) AND ($7::bigint = 0 OR i.id < $7)
		  AND (NOT i.team_id = ANY ($8) OR $9 <> '' AND EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $9))
		  AND (cardinality($11::bigint[]) = 0 OR i.integration_id = ANY ($11))
		ORDER BY i.id DESC
		LIMIT $10`
	listOpenIncidents = `
		SELECT i.id
		FROM incidents i
		WHERE i.status <> 'resolved' AND i.id > 0
		  AND (cardinality($1::text[]) = 0 OR i.status = ANY ($1)) AND (cardinality($2::text[]) = 0 OR i.severity = ANY ($2))
		  AND ($3::bigint = 0 OR i.team_id = $3) AND i.opened_at >= $4 AND ($5::timestamptz IS NULL OR i.opened_at < $5)
		  AND ($6 = '' OR strpos(lower(i.title), $6) > 0) AND ($7::bigint = 0 OR i.id < $7)
		  AND (NOT i.team_id = ANY ($8) OR $9 <> '' AND EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $9))
		  AND (cardinality($11::bigint[]) = 0 OR i.integration_id = ANY ($11))
		ORDER BY i.id DESC
		LIMIT $10`
)

// Incidents lists the incidents that the actor may see, newest first. More says whether there are older ones.
func (s *Store) Incidents(ctx context.Context, by oncall.Actor, f IncidentFilter) (found []oncall.Incident, more bool, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, false, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return nil, false, err
	}
	list := listAllIncidents
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, oncall.Resolved) {
		list = listOpenIncidents
	}
	var until *time.Time
	if !f.Until.IsZero() {
		until = &f.Until
	}
	limit, user := min(max(f.Limit, 1), MostListed), by.User
	if by.Via == oncall.ViaChannel {
		user = "" // members of other teams read it
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, list, nonNil(f.Statuses), nonNil(f.Severities), f.Team, f.Since, until,
			strings.ToLower(f.Text), f.Before, nonNil(g.dir.hidden(by)), user, limit+1, nonNil(f.Integrations))
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		more = len(ids) > limit
		found, err = incidents(ctx, tx, ids[:min(len(ids), limit)])
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list incidents: %w", err)
	}
	slices.SortFunc(found, func(a, b oncall.Incident) int { return cmp.Compare(b.ID, a.ID) })
	return found, more, nil
}

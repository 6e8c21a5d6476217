package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// An AlertFilter narrows a list of alerts; the zero value doesn't.
type AlertFilter struct {
	Open, Closed bool // only those that fire and whose incident is open; only the others
	Integration  oncall.IntegrationID
	Team         oncall.TeamID
	ID           oncall.AlertID
	Key          string   // by which its monitor knows it
	Text         string   // in the title, whatever its case
	Labels       []string // each is the value of a label, or "name:value"
	Before       oncall.AlertID
	Limit        int
}

// A ListedAlert is an alert with what has become of its incident.
type ListedAlert struct {
	oncall.Alert
	Status oncall.Status
}

// AlertList lists alerts of incidents that somebody may see, the newest first.
func (s *Store) AlertList(ctx context.Context, by oncall.Actor, filter AlertFilter) ([]ListedAlert, error) {
	const list = `
		SELECT a.id, a.integration_id, a.dedup_key, a.group_key, a.incident_id, a.firing,
		       a.title, a.body, a.link, a.severity, a.labels, a.links, a.details, a.count, a.first_at, a.last_at,
		       coalesce(a.starts_at, '0001-01-01T00:00:00Z') AS starts_at, a.cleared_at, a.late_until, a.misread, a.keyless,
		       a.kept, a.maintenance_id AS maintenance,
		       coalesce(a.expires_at, '0001-01-01T00:00:00Z') AS expires_at, a.route, a.held_until, a.dropped, a.silenced_until, i.status
		FROM alerts a
		JOIN incidents i ON i.id = a.incident_id
		WHERE i.id > 0 AND (NOT $1 OR a.firing AND i.status <> 'resolved') AND (NOT $2 OR NOT a.firing OR i.status = 'resolved')
		  AND ($3::bigint = 0 OR a.integration_id = $3) AND ($4::bigint = 0 OR i.team_id = $4) AND ($5::bigint = 0 OR a.id = $5)
		  AND ($6 = '' OR a.dedup_key = $6) AND ($7 = '' OR strpos(lower(a.title), $7) > 0) AND ($8::bigint = 0 OR a.id < $8)
		  AND NOT EXISTS (
		      SELECT FROM unnest($9::text[]) AS l (wanted)
		      WHERE NOT EXISTS (SELECT FROM jsonb_each_text(a.labels) AS has WHERE l.wanted IN (has.value, has.key || ':' || has.value)))
		  AND (NOT i.team_id = ANY ($10) OR $11 <> '' AND EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $11))
		ORDER BY a.id DESC
		LIMIT $12`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, list, filter.Open, filter.Closed, filter.Integration, filter.Team, filter.ID, filter.Key, strings.ToLower(filter.Text), filter.Before,
		nonNil(filter.Labels), nonNil(g.dir.hidden(by)), by.User, min(max(filter.Limit, 1), MostListed))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[ListedAlert])
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", translate(err))
	}
	return found, nil
}

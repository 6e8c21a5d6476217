package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/watchbill/watchbill/oncall"
)

const upsertAlerts = `
	INSERT INTO alerts (id, integration_id, dedup_key, group_key, incident_id, firing, title, body, link,
	                    severity, labels, links, details, count, first_at, last_at, starts_at, cleared_at, late_until, misread, expires_at,
	                    kept, maintenance_id, route, held_until, dropped, keyless)
	SELECT id, integration_id, dedup_key, group_key, nullif(incident_id, 0), firing, title, body, link,
	       severity, labels, links, details, count, first_at, last_at, nullif(starts_at, '0001-01-01T00:00:00Z'), cleared_at, late_until,
	       ARRAY(SELECT jsonb_array_elements_text(misread)), nullif(expires_at, '0001-01-01T00:00:00Z'), kept, maintenance_id,
	       nullif(route, '')::jsonb, held_until, dropped, keyless
	FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::boolean[], $7::text[], $8::text[], $9::text[],
	            $10::text[], $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::bigint[], $15::timestamptz[], $16::timestamptz[],
	            $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::jsonb[], $21::timestamptz[], $22::boolean[], $23::bigint[],
	            $24::text[], $25::timestamptz[], $26::boolean[], $27::boolean[])
	     WITH ORDINALITY AS a (id, integration_id, dedup_key, group_key, incident_id, firing, title, body, link,
	         severity, labels, links, details, count, first_at, last_at, starts_at, cleared_at, late_until, misread, expires_at,
	         kept, maintenance_id, route, held_until, dropped, keyless, position)
	ORDER BY position
	ON CONFLICT (id) DO UPDATE SET
		group_key = excluded.group_key, incident_id = excluded.incident_id, firing = excluded.firing, title = excluded.title,
		body = excluded.body, link = excluded.link, severity = excluded.severity, labels = excluded.labels, links = excluded.links,
		details = excluded.details, count = excluded.count, last_at = excluded.last_at, starts_at = excluded.starts_at,
		cleared_at = excluded.cleared_at, late_until = excluded.late_until, misread = excluded.misread,
		expires_at = excluded.expires_at, kept = excluded.kept, maintenance_id = excluded.maintenance_id,
		route = excluded.route, held_until = excluded.held_until, dropped = excluded.dropped, keyless = excluded.keyless`

// manyAlerts is the number of new alerts from which on they are written with COPY: that takes two more round trips, but
// a quarter less time for each alert.
const manyAlerts = 50

// copyAlerts inserts new alerts with COPY.
func copyAlerts(ctx context.Context, tx pgx.Tx, alerts []oncall.Alert) error {
	columns := []string{
		"id", "integration_id", "dedup_key", "group_key", "incident_id", "firing", "title", "body", "link", "severity", "labels", "links",
		"details", "count", "first_at", "last_at", "starts_at", "cleared_at", "late_until", "misread", "expires_at", "kept", "maintenance_id",
		"route", "held_until", "dropped", "keyless",
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"alerts"}, columns, pgx.CopyFromSlice(len(alerts), func(i int) ([]any, error) {
		a := alerts[i]
		return []any{
			a.ID, a.IntegrationID, a.DedupKey, a.GroupKey, nullIf(a.IncidentID == 0, a.IncidentID), a.Firing, a.Title, a.Body, a.Link, a.Severity,
			texts(a.Labels), nonNil(a.Links), texts(a.Details), int64(a.Count), a.FirstAt, a.LastAt, nullIf(a.StartsAt.IsZero(), a.StartsAt),
			a.ClearedAt, a.LateUntil, nonNil(a.Misread), nullIf(a.ExpiresAt.IsZero(), a.ExpiresAt), a.Kept, a.Maintenance,
			nullIf(a.Route == nil, routeText(a.Route)), a.HeldUntil, a.Dropped, a.Keyless,
		}, nil
	}))
	return err
}

// nullIf is v, or NULL if null is set.
func nullIf[T any](null bool, v T) any {
	if null {
		return nil
	}
	return v
}

func texts(of map[string]string) map[string]string {
	if of == nil {
		return map[string]string{}
	}
	return of
}

// queueAlerts queues one statement that writes new and changed alerts in the given order, so that an alert clears
// before the next one with its key fires. In a flood, most of the time goes into this statement.
func queueAlerts(b *pgx.Batch, alerts []oncall.Alert) {
	if len(alerts) == 0 {
		return
	}
	type a = oncall.Alert
	b.Queue(upsertAlerts,
		column(alerts, func(a a) oncall.AlertID { return a.ID }),
		column(alerts, func(a a) oncall.IntegrationID { return a.IntegrationID }),
		column(alerts, func(a a) string { return a.DedupKey }),
		column(alerts, func(a a) string { return a.GroupKey }),
		column(alerts, func(a a) oncall.IncidentID { return a.IncidentID }),
		column(alerts, func(a a) bool { return a.Firing }),
		column(alerts, func(a a) string { return a.Title }),
		column(alerts, func(a a) string { return a.Body }),
		column(alerts, func(a a) string { return a.Link }),
		column(alerts, func(a a) oncall.Severity { return a.Severity }),
		column(alerts, func(a a) map[string]string { return texts(a.Labels) }),
		pgtype.FlatArray[[]oncall.Link](column(alerts, func(a a) []oncall.Link { return nonNil(a.Links) })),
		column(alerts, func(a a) map[string]string { return texts(a.Details) }),
		column(alerts, func(a a) int64 { return int64(a.Count) }),
		column(alerts, func(a a) time.Time { return a.FirstAt }),
		column(alerts, func(a a) time.Time { return a.LastAt }),
		column(alerts, func(a a) time.Time { return a.StartsAt }),
		column(alerts, func(a a) *time.Time { return a.ClearedAt }),
		column(alerts, func(a a) *time.Time { return a.LateUntil }),
		pgtype.FlatArray[[]string](column(alerts, func(a a) []string { return nonNil(a.Misread) })),
		column(alerts, func(a a) time.Time { return a.ExpiresAt }),
		column(alerts, func(a a) bool { return a.Kept }),
		column(alerts, func(a a) oncall.MaintenanceID { return a.Maintenance }),
		column(alerts, func(a a) string { return routeText(a.Route) }),
		column(alerts, func(a a) *time.Time { return a.HeldUntil }),
		column(alerts, func(a a) bool { return a.Dropped }),
		column(alerts, func(a a) bool { return a.Keyless }),
	)
}

// routeText returns an alert's route as JSON; "" stands for NULL.
func routeText(r *oncall.AlertRoute) string {
	if r == nil {
		return ""
	}
	text, err := storableJSON(r)
	if err != nil {
		return ""
	}
	return text
}

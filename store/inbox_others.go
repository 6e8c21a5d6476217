package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// findOthers summarizes the firing alerts of large incidents, apart from the alerts that the batch names. Loading
// them all would read thousands of rows for every batch.
func (s *storedState) findOthers(ctx context.Context, tx pgx.Tx, alerts []oncall.AlertID, services []string) error {
	const large = `
		SELECT i.id
		FROM unnest($1::bigint[]) AS i (id)
		WHERE EXISTS (SELECT FROM alerts a WHERE a.incident_id = i.id AND a.firing OFFSET $2)`
	ids := []oncall.IncidentID{}
	for _, in := range s.incidents {
		if in.Storm == nil && in.SignalCount > oncall.MaxFiring { // SignalCount is at least the number of alerts
			ids = append(ids, in.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, large, ids, oncall.MaxFiring)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.findOthersOf(ctx, tx, id, alerts, services); err != nil {
			return err
		}
	}
	return nil
}

// findOthersOf summarizes one large incident. It adds nothing if the batch names all of its alerts.
func (s *storedState) findOthersOf(ctx context.Context, tx pgx.Tx, id oncall.IncidentID, alerts []oncall.AlertID, services []string) error {
	const find = `
		WITH about AS MATERIALIZED (
			SELECT unnest($2::bigint[]) AS id
		)
		SELECT w.id, w.integration_id, w.group_key, w.title, w.body, w.link, w.severity, w.labels, o.count, o.named, o.titled, o.services
		FROM incidents i
		CROSS JOIN LATERAL (
			SELECT a.*
			FROM alerts a
			WHERE a.incident_id = i.id AND a.firing AND NOT EXISTS (SELECT FROM about WHERE about.id = a.id)
			ORDER BY array_position($3::text[], a.severity), (a.integration_id, a.group_key) <> (i.integration_id, i.group_key), a.id
			LIMIT 1
		) w
		CROSS JOIN LATERAL (
			SELECT sum(s.count)::bigint AS count, bool_and(s.named) AS named, bool_and(s.titled) AS titled,
			       coalesce(array_agg(s.service) FILTER (WHERE s.service = ANY ($4)), '{}') AS services
			FROM (
				SELECT coalesce(a.labels ->> 'service', '') AS service, count(*) AS count, bool_and(a.title = w.title) AS titled,
				       bool_and(coalesce(a.labels ->> 'alertname', '') = coalesce(w.labels ->> 'alertname', '')) AS named
				FROM alerts a
				WHERE a.incident_id = i.id AND a.firing AND NOT EXISTS (SELECT FROM about WHERE about.id = a.id)
				GROUP BY 1
			) s
		) o
		WHERE i.id = $1`
	o := oncall.OtherAlerts{Incident: id}
	var named, titled bool
	alert := &o.Worst
	rows, _ := tx.Query(ctx, find, id, alerts, oncall.Severities(), services)
	_, err := pgx.ForEachRow(rows, []any{
		&alert.ID, &alert.IntegrationID, &alert.GroupKey, &alert.Title, &alert.Body, &alert.Link, &alert.Severity, &alert.Labels,
		&o.Count, &named, &titled, &o.Services,
	}, func() error {
		alert.IncidentID, alert.Firing = id, true
		if named {
			o.Named = alert.Labels["alertname"]
		}
		if titled {
			o.Titled = alert.Title
		}
		s.others = append(s.others, o)
		return nil
	})
	return err
}

// withFewAlerts returns the incidents whose alerts can all be loaded: all but storms and the largest.
func (s *storedState) withFewAlerts() []oncall.IncidentID {
	ids := []oncall.IncidentID{}
	for _, in := range s.incidents {
		if in.Storm == nil && !slices.ContainsFunc(s.others, func(o oncall.OtherAlerts) bool { return o.Incident == in.ID }) {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

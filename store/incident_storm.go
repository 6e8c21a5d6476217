package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// splitOff makes an alert of a storm an incident of its own. It adds an entry to the inbox, behind the waiting
// signals, because only the folding instance numbers incidents.
func (s *Store) splitOff(ctx context.Context, id oncall.IncidentID, g gate, act oncall.Act, now time.Time) (oncall.Incident, error) {
	const find = `
		SELECT integration_id, dedup_key
		FROM alerts
		WHERE incident_id = $1 AND firing AND (id = $2 OR $2 = 0 AND (dedup_key = $3 OR title = $3))
		ORDER BY dedup_key <> $3, id
		LIMIT 2`
	const insert = `INSERT INTO inbox (integration_id, received_at, signal) VALUES ($1, $2, $3)`
	var in oncall.Incident
	err := s.transact(ctx, func(tx pgx.Tx) error {
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return oncall.ErrNotFound
		}
		in = found[0]
		if err := g.act(ctx, tx, act, in); err != nil {
			return err
		}
		type row struct {
			IntegrationID oncall.IntegrationID
			DedupKey      string
		}
		rows, _ := tx.Query(ctx, find, id, act.Alert, act.Text)
		alerts, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
		if err != nil {
			return err
		}
		meant := len(alerts)
		if meant > 1 && alerts[0].DedupKey == act.Text { // others have it as their title
			meant = 1
		}
		if err := in.MaySplit(act, meant); err != nil {
			return err
		}
		signal, err := json.Marshal(oncall.Signal{Action: oncall.Split, DedupKey: alerts[0].DedupKey, By: g.by.User})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insert, alerts[0].IntegrationID, now, string(signal)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify('watchbill_inbox', '')`)
		return err
	})
	if err != nil {
		return oncall.Incident{}, wrap(err, "split an alert off incident %d", id)
	}
	return in, nil
}

// WorstAlerts returns the firing alerts of an incident, the worst first, at most limit of them.
func (s *Store) WorstAlerts(ctx context.Context, by oncall.Actor, id oncall.IncidentID, limit int) (out []oncall.Alert, err error) {
	const load = `
		SELECT id, title, severity
		FROM alerts
		WHERE incident_id = $1 AND firing
		ORDER BY array_position($2::text[], severity), id
		LIMIT $3`
	err = s.onSeen(ctx, by, id, func(tx pgx.Tx, _ oncall.Incident) error {
		rows, _ := tx.Query(ctx, load, id, oncall.Severities(), limit)
		out, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
		return err
	})
	if err != nil {
		return nil, wrap(err, "load the worst alerts of incident %d", id)
	}
	return out, nil
}

// MaxListed is how many alerts EachAlert visits at most.
const MaxListed = 50_000

// EachAlert visits an incident's alerts in the order in which they came, with only title, link and labels loaded,
// and returns how many alerts there are in all.
func (s *Store) EachAlert(ctx context.Context, by oncall.Actor, id oncall.IncidentID, each func(oncall.Alert) error) (all int, err error) {
	const count = `SELECT count(*) FROM alerts WHERE incident_id = $1`
	const load = `
		SELECT dedup_key, title, link, severity, labels, firing, count, first_at, last_at, cleared_at
		FROM alerts
		WHERE incident_id = $1
		ORDER BY id
		LIMIT $2`
	err = s.onSeen(ctx, by, id, func(tx pgx.Tx, _ oncall.Incident) error {
		if err := tx.QueryRow(ctx, count, id).Scan(&all); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, id, MaxListed)
		var a oncall.Alert
		into := []any{&a.DedupKey, &a.Title, &a.Link, &a.Severity, &a.Labels, &a.Firing, &a.Count, &a.FirstAt, &a.LastAt, &a.ClearedAt}
		_, err := pgx.ForEachRow(rows, into, func() error {
			one := a
			a.Labels = nil // otherwise the next row's labels would be added to these
			return each(one)
		})
		return err
	})
	if err != nil {
		return 0, wrap(err, "list the alerts of incident %d", id)
	}
	return all, nil
}

// onSeen runs a function on an incident, if the actor may see the incident.
func (s *Store) onSeen(ctx context.Context, by oncall.Actor, id oncall.IncidentID, do func(pgx.Tx, oncall.Incident) error) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	return s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		return do(tx, in)
	})
}

package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// groupsOf returns the group of a signal's alert and the group of its incident. The latter depends on the routes.
func (d *Directory) groupsOf(ctx context.Context, id oncall.IntegrationID, s oncall.Signal) (alert, incident string) {
	in := d.integrations[id]
	r := d.routers[id]
	if r == nil || s.Action != oncall.Trigger && s.Action != oncall.Release {
		group := in.GroupOf(s)
		return group, group
	}
	return in.RoutedGroup(s, r.Route(ctx, s))
}

// routeBy gives a fold the router of its integration, if there is one.
func (d *Directory) routeBy(ctx context.Context, f *oncall.Fold) {
	if r := d.routers[f.Integration.ID]; r != nil {
		f.Route = func(s oncall.Signal) oncall.Routing { return r.Route(ctx, s) }
	}
}

// saveTallies adds to the counts of how often each rule matched, dropped or held an alert.
func saveTallies(ctx context.Context, tx pgx.Tx, batches []integrationBatch) error {
	const add = `
		INSERT INTO route_tallies AS t (team_id, integration_id, rule, matched, dropped, held, passed, shadow, failed, error, last_at)
		VALUES (@team, @integration, @rule, @matched, @dropped, @held, @passed, @shadow, @failed, @error, @at)
		ON CONFLICT (team_id, integration_id, rule) DO UPDATE SET
			matched = t.matched + @matched, dropped = t.dropped + @dropped, held = t.held + @held, passed = t.passed + @passed,
			shadow = t.shadow + @shadow, failed = t.failed + @failed,
			error = CASE WHEN @error = '' THEN t.error ELSE @error END, last_at = greatest(t.last_at, @at)`
	batch := &pgx.Batch{}
	for _, b := range batches {
		for name, t := range b.Tallies {
			batch.Queue(add, pgx.StrictNamedArgs{
				"team": name.Team, "integration": name.Integration, "rule": name.Rule, "matched": t.Matched, "dropped": t.Dropped,
				"held": t.Held, "passed": t.Passed, "shadow": t.Shadow, "failed": t.Failed, "error": oncall.Storable(t.Error), "at": t.At,
			})
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("count what rules do: %w", err)
	}
	return nil
}

// countRoutes counts the rules' decisions on the alerts of a batch, for metrics.
func (w *inboxWorker) countRoutes(b integrationBatch) {
	for name, t := range b.Tallies {
		for what, n := range map[string]int{"matched": t.Matched, "dropped": t.Dropped, "held": t.Held, "passed": t.Passed, "shadow": t.Shadow, "failed": t.Failed} {
			if n > 0 {
				w.store.metrics.routes.WithLabelValues(b.Integration.Name, name.Rule, what).Add(float64(n))
			}
		}
		if t.Failed > 0 {
			w.store.log.Warn().Str("integration", b.Integration.Name).Str("rule", name.Rule).Str("why", t.Error).Int("signals", t.Failed).
				Msg("a rule could not be evaluated, and did not match")
		}
	}
}

const (
	// maxReleased bounds how many held alerts are released in one transaction.
	maxReleased = 200
	// releaseAgain is how long after a release without effect an alert is released again. A release has no
	// effect if, for instance, the integration was muted in the meantime.
	releaseAgain = time.Minute
)

// releaseHeld puts a signal into the inbox for each alert whose hold is over. The fold then applies the rules again, if
// the alert still fires.
func (w *inboxWorker) releaseHeld(ctx context.Context) (released int, err error) {
	const due = `
		SELECT a.id, a.integration_id, a.dedup_key, a.group_key, a.title, a.body, a.link, a.severity, a.labels, a.links, a.details,
		       coalesce(a.starts_at, '0001-01-01T00:00:00Z') AS starts_at, a.route
		FROM alerts a
		JOIN integrations i ON i.id = a.integration_id
		WHERE a.firing AND a.held_until <= $1 AND NOT a.id = ANY ($2)
		  AND (i.muted_at IS NULL OR i.muted_until <= $1)
		ORDER BY a.held_until
		LIMIT $3`
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT integration_id, $2, signal::json
		FROM unnest($1::bigint[], $3::text[]) WITH ORDINALITY AS a (integration_id, signal, position)
		ORDER BY position`
	ctx, cancel := context.WithTimeout(ctx, foldLimit)
	defer cancel()
	now := w.clock()
	for id, at := range w.released {
		if now.Sub(at) >= releaseAgain {
			delete(w.released, id)
		}
	}
	rows, _ := w.conn.Query(ctx, due, now, slices.AppendSeq([]oncall.AlertID{}, maps.Keys(w.released)), maxReleased)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
	if err != nil || len(found) == 0 {
		return 0, wrapAny(err, "look for alerts that were held for long enough")
	}
	var integrations []oncall.IntegrationID
	var signals []string
	for _, a := range found {
		text, err := storableJSON(oncall.ReleaseOf(a))
		if err != nil {
			return 0, fmt.Errorf("release alert %d: %w", a.ID, err)
		}
		integrations, signals = append(integrations, a.IntegrationID), append(signals, text)
	}
	if _, err := w.conn.Exec(ctx, insert, integrations, now, signals); err != nil {
		return 0, fmt.Errorf("release alerts that were held: %w", err)
	}
	if w.released == nil {
		w.released = map[oncall.AlertID]time.Time{}
	}
	for _, a := range found {
		w.released[a.ID] = now
	}
	return len(found), nil
}

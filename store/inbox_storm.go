package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// maxRecent bounds how many of an integration's latest incidents are loaded: twice the highest storm limit that the
// set-up allows.
const maxRecent = 200

// stormFacts holds the facts that decide whether alerts join or begin a storm.
type stormFacts struct {
	recent       map[oncall.IntegrationID][]oncall.RecentIncident
	partlyLoaded []oncall.IncidentID // storms with firing alerts that are not loaded
}

// These are the current storms of some integrations, and their latest incidents.
const (
	stormsOf = `
		SELECT id, integration_id
		FROM incidents
		WHERE integration_id = ANY ($1) AND storm IS NOT NULL AND storm ->> 'over_at' IS NULL`
	latestOf = `
		SELECT i.id, i.integration_id, i.policy_id, i.opened_at, coalesce(d.ts <> '' OR d.tried_at IS NOT NULL, false),
		       i.storm IS NOT NULL, i.ended_at
		FROM unnest($1::bigint[], $2::timestamptz[]) AS k (integration_id, since)
		CROSS JOIN LATERAL (
			SELECT id, integration_id, coalesce(nullif(home_policy, 0), policy_id) AS policy_id, opened_at, storm,
			       CASE WHEN storm IS NOT NULL THEN coalesce((storm ->> 'over_at')::timestamptz, resolved_at) END AS ended_at
			FROM incidents
			WHERE integration_id = k.integration_id
			ORDER BY id DESC
			LIMIT $3
		) i
		LEFT JOIN drawings d ON d.incident_id = i.id
		WHERE i.opened_at > k.since OR i.ended_at > k.since
		ORDER BY i.id`
)

// queueStorms finds the current storms of the integrations whose alerts fire, and their latest incidents. If a
// storm could begin with these signals, the latest incidents are loaded as well, because the storm may absorb them.
func queueStorms(b *pgx.Batch, dir *Directory, entries []entry, groups keyList, out *batchIDs) {
	var integrations []oncall.IntegrationID
	var since []time.Time
	fires := map[oncall.IntegrationID]int{}
	for _, e := range entries {
		if e.signal.Action != oncall.Trigger && e.signal.Action != oncall.Release || dir.integrations[e.IntegrationID].StormLimit <= 0 {
			continue
		}
		if fires[e.IntegrationID]++; fires[e.IntegrationID] == 1 {
			integrations, since = append(integrations, e.IntegrationID), append(since, e.ReceivedAt.Add(-oncall.StormCounts))
		}
	}
	if len(integrations) == 0 {
		return
	}
	var storm oncall.IncidentID
	var integration oncall.IntegrationID
	b.Queue(stormsOf, integrations).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&storm, &integration}, func() error {
			out.incidents = append(out.incidents, storm)
			for i, id := range groups.integrations { // any signal from the integration may be about the storm
				if id == integration {
					out.foundBy[storm] = append(out.foundBy[storm], signalKey{id, groups.keys[i]})
				}
			}
			return nil
		})
		return err
	})
	b.Queue(latestOf, integrations, since, maxRecent).Query(func(rows pgx.Rows) error {
		var r oncall.RecentIncident
		_, err := pgx.ForEachRow(rows, []any{&r.ID, &integration, &r.PolicyID, &r.OpenedAt, &r.Posted, &r.Storm, &r.EndedAt}, func() error {
			out.recent[integration] = append(out.recent[integration], r)
			r.EndedAt = nil // the next row's is another one
			return nil
		})
		for id, recent := range out.recent {
			if len(recent)+fires[id] <= dir.integrations[id].StormLimit {
				continue
			}
			for _, r := range recent[max(0, len(recent)-2*dir.integrations[id].StormLimit):] {
				if !r.Storm {
					out.incidents = append(out.incidents, r.ID)
				}
			}
		}
		return err
	})
}

// findPartlyLoaded finds the storms with firing alerts that are not loaded. A storm has too many
// alerts to load them all.
func (s *storedState) findPartlyLoaded(ctx context.Context, tx pgx.Tx, alerts []oncall.AlertID) error {
	const find = `
		SELECT s.id
		FROM unnest($1::bigint[]) AS s (id)
		WHERE EXISTS (SELECT FROM alerts a WHERE a.incident_id = s.id AND a.firing AND NOT a.id = ANY ($2))`
	storms := []oncall.IncidentID{}
	for _, in := range s.incidents {
		if in.Storm != nil {
			storms = append(storms, in.ID)
		}
	}
	if len(storms) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, find, storms, alerts)
	var err error
	s.partlyLoaded, err = pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	return err
}

// Storms returns the current storms.
func (s *System) Storms(ctx context.Context) (ids []oncall.IncidentID, err error) {
	const going = `SELECT id FROM incidents WHERE storm IS NOT NULL AND storm ->> 'over_at' IS NULL ORDER BY id`
	rows, _ := s.pool.Query(ctx, going)
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID]); err != nil {
		return nil, fmt.Errorf("look for storms: %w", translate(err))
	}
	return ids, nil
}

// EndStorm ends a storm that has calmed down for long enough.
func (s *System) EndStorm(ctx context.Context, id oncall.IncidentID, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	_, _, err = s.decide(ctx, id, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		if _, due := in.EndStorm(oncall.StormTally{}, now); !due {
			return oncall.Change{}, false, nil
		}
		tally, err := stormTally(ctx, tx, id, dir.integrations[in.IntegrationID])
		if err != nil {
			return oncall.Change{}, false, err
		}
		c, due := in.EndStorm(tally, now)
		return c, due, nil
	})
	return err
}

// maxCounted bounds how many of a storm's alerts have their labels counted, latest first.
const maxCounted = 20_000

// stormTally counts the alerts of a storm.
func stormTally(ctx context.Context, q querier, id oncall.IncidentID, in oncall.Integration) (t oncall.StormTally, err error) {
	const bySeverity = `
		SELECT severity AS name, count(*) AS alerts, count(*) FILTER (WHERE firing) AS firing
		FROM alerts
		WHERE incident_id = $1
		GROUP BY severity`
	const byService = `
		SELECT coalesce(nullif(labels ->> 'service', ''), $2) AS name, count(*) AS alerts, count(*) FILTER (WHERE firing) AS firing
		FROM alerts
		WHERE incident_id = $1
		GROUP BY 1
		ORDER BY 2 DESC, 1
		LIMIT $3`
	const byLabel = `
		SELECT l.key || '=' || l.value AS name, count(*) AS alerts, count(*) FILTER (WHERE a.firing) AS firing
		FROM (SELECT labels, firing FROM alerts WHERE incident_id = $1 ORDER BY id DESC LIMIT $3) a
		CROSS JOIN LATERAL jsonb_each_text(a.labels) l
		WHERE l.key NOT IN ('service', 'severity') AND l.value <> ''
		GROUP BY 1
		ORDER BY 2 DESC, 1
		LIMIT $2`
	load := func(into *[]oncall.TallyCount, sql string, args ...any) {
		if err != nil {
			return
		}
		rows, _ := q.Query(ctx, sql, args...)
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.TallyCount])
	}
	load(&t.Severities, bySeverity, id)
	load(&t.Services, byService, id, in.Name, oncall.MaxTally)
	load(&t.Labels, byLabel, id, oncall.MaxTally, maxCounted)
	slices.SortFunc(t.Severities, func(a, b oncall.TallyCount) int {
		if oncall.Severity(a.Name).Worse(oncall.Severity(b.Name)) {
			return -1
		}
		return 1
	})
	for _, n := range t.Severities {
		t.Alerts, t.Firing = t.Alerts+n.Alerts, t.Firing+n.Firing
	}
	return t, err
}

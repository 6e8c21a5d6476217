package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// storedState holds the stored alerts and incidents that a batch of signals affects.
type storedState struct {
	incidents []oncall.Incident         // of all integrations, because a merge may have joined them
	at        map[oncall.IncidentID]int // index of each in incidents
	alerts    map[oncall.IntegrationID][]oncall.Alert
	ended     []oncall.Alert             // cleared alerts of acknowledged incidents, for their services
	shared    map[oncall.IncidentID]bool // incidents that several integrations report on
	stormFacts
	others []oncall.OtherAlerts // of the largest incidents

	// These are numbers for new incidents and alerts. Raising an incident by hand waits until the fold is
	// over.
	lastIncident oncall.IncidentID
	alertIDs     []oncall.AlertID
	fresh        []oncall.AlertID // reserved ids, including the ones already used
	counts       *policyCounts
}

// A keyList holds pairs of integration and key, as two arrays for the database.
type keyList struct {
	integrations []oncall.IntegrationID
	keys         []string
	seen         map[string]bool
}

func (k *keyList) add(id oncall.IntegrationID, key string) {
	pair := fmt.Sprint(id, "/", key)
	if k.seen[pair] {
		return
	}
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	k.seen[pair] = true
	k.integrations, k.keys = append(k.integrations, id), append(k.keys, key)
}

// find looks up the alerts and incidents that the entries refer to, locks the incidents, and loads both. Keys of
// incidents that another transaction has locked are blocked until a later batch.
func (w *inboxWorker) find(ctx context.Context, tx pgx.Tx, dir *Directory, entries []entry) (*storedState, error) {
	created := 0
	for _, e := range entries {
		switch e.signal.Action {
		case oncall.Trigger, oncall.Release, oncall.Clear:
			created++
		case oncall.Reconcile, oncall.AckSignal, oncall.Update, oncall.Split, oncall.PingSignal:
		}
	}
	ids, err := findIDs(ctx, tx, dir, entries, keysOf(entries))
	if err != nil {
		return nil, fmt.Errorf("find alerts: %w", err)
	}
	ids.services = servicesOf(entries)
	return ids.load(ctx, tx, w.blocked, created)
}

// batchKeys holds the keys that a batch of signals names.
type batchKeys struct{ alerts, groups, lists keyList }

func keysOf(entries []entry) (k batchKeys) {
	for _, e := range entries {
		switch s := e.signal; s.Action {
		case oncall.Reconcile:
			k.lists.add(e.IntegrationID, s.GroupKey)
			continue
		case oncall.Trigger, oncall.Release:
			k.groups.add(e.IntegrationID, e.group)
		case oncall.Clear, oncall.AckSignal, oncall.Update, oncall.Split, oncall.PingSignal:
		}
		k.alerts.add(e.IntegrationID, e.signal.DedupKey)
	}
	return k
}

// servicesOf returns the services that signals name.
func servicesOf(entries []entry) []string {
	all := map[string]bool{}
	for _, e := range entries {
		all[e.signal.Labels["service"]] = true
	}
	return sortedKeys(all)
}

// batchIDs holds the ids of the alerts and incidents that a batch of signals affects.
type batchIDs struct {
	alerts    []oncall.AlertID
	incidents []oncall.IncidentID
	foundBy   map[oncall.IncidentID][]signalKey // the keys that led to each incident
	recent    map[oncall.IntegrationID][]oncall.RecentIncident
	services  []string // service labels of the signals; "" stands for a signal without the label
}

// listedAlerts selects the firing alerts of lists.
const listedAlerts = `
	SELECT a.id, coalesce(a.incident_id, 0), k.integration_id, k.key
	FROM unnest($1::bigint[], $2::text[]) AS k (integration_id, key)
	JOIN alerts a ON a.integration_id = k.integration_id AND a.group_key = k.key AND a.firing`

// findIDs finds the latest alert of each key; the latest incident of each group, and the incidents
// that it was merged into (as far as a fold follows merges); the firing alerts of each list; the
// incidents of all these alerts; and the storms that the entries may join.
func findIDs(ctx context.Context, tx pgx.Tx, dir *Directory, entries []entry, keys batchKeys) (*batchIDs, error) {
	const latestAlerts = `
		SELECT a.id, coalesce(a.incident_id, 0), k.integration_id, k.key
		FROM unnest($1::bigint[], $2::text[]) AS k (integration_id, key)
		CROSS JOIN LATERAL (
			SELECT id, incident_id
			FROM alerts
			WHERE integration_id = k.integration_id AND dedup_key = k.key
			ORDER BY id DESC
			LIMIT 1
		) a`
	const latestIncidents = `
		SELECT 0::bigint, i.id, k.integration_id, k.key
		FROM unnest($1::bigint[], $2::text[]) AS k (integration_id, key)
		CROSS JOIN LATERAL (
			WITH RECURSIVE went AS (
				(SELECT id, merged_into, 1 AS hops
				FROM incidents
				WHERE integration_id = k.integration_id AND group_key = k.key
				ORDER BY id DESC
				LIMIT 1)
				UNION ALL
				SELECT n.id, n.merged_into, w.hops + 1
				FROM went w
				JOIN incidents n ON n.id = w.merged_into
				WHERE w.hops < $3
			)
			SELECT id FROM went
		) i`
	out := &batchIDs{
		alerts: []oncall.AlertID{}, incidents: []oncall.IncidentID{}, foundBy: map[oncall.IncidentID][]signalKey{},
		recent: map[oncall.IntegrationID][]oncall.RecentIncident{},
	}
	batch := &pgx.Batch{}
	ask := func(sql string, k keyList, args ...any) {
		if len(k.keys) == 0 {
			return
		}
		batch.Queue(sql, append([]any{k.integrations, k.keys}, args...)...).Query(func(rows pgx.Rows) error {
			var alert oncall.AlertID
			var incident oncall.IncidentID
			var by signalKey
			_, err := pgx.ForEachRow(rows, []any{&alert, &incident, &by.integration, &by.key}, func() error {
				out.foundBy[incident] = append(out.foundBy[incident], by)
				out.alerts, out.incidents = append(out.alerts, alert), append(out.incidents, incident)
				return nil
			})
			return err
		})
	}
	ask(latestAlerts, keys.alerts)
	ask(latestIncidents, keys.groups, oncall.MaxMerges)
	ask(listedAlerts, keys.lists)
	queueStorms(batch, dir, entries, keys.groups, out)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	slices.Sort(out.incidents)
	out.incidents = slices.Compact(out.incidents)
	return out, nil
}

// lock locks the incidents and returns them. The keys of incidents that another transaction has locked are
// blocked.
func (b *batchIDs) lock(ctx context.Context, tx pgx.Tx, blocked blockedKeys) ([]oncall.Incident, error) {
	const lock = `SELECT id FROM incidents WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED`
	const exist = `SELECT id FROM incidents WHERE id = ANY ($1) AND NOT id = ANY ($2)`
	rows, _ := tx.Query(ctx, lock, b.incidents)
	ours, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return nil, err
	}
	if ours == nil {
		ours = []oncall.IncidentID{}
	}
	rows, _ = tx.Query(ctx, exist, b.incidents, ours)
	others, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return nil, err
	}
	for _, id := range others {
		for _, key := range b.foundBy[id] {
			blocked[key] = true
		}
	}
	return incidents(ctx, tx, ours)
}

// load locks the batch's incidents and loads them with all their firing alerts, because these give an incident
// its title and the last one to clear resolves it. For storms and very large incidents, it loads only the alerts
// that the batch names.
func (b *batchIDs) load(ctx context.Context, tx pgx.Tx, blocked blockedKeys, newAlerts int) (*storedState, error) {
	const load = `
		SELECT id, integration_id, dedup_key, group_key, coalesce(incident_id, 0) AS incident_id, firing,
		       title, body, link, severity, labels, links, details, count, first_at, last_at,
		       coalesce(starts_at, '0001-01-01T00:00:00Z') AS starts_at, cleared_at, late_until, misread, keyless,
		       kept, maintenance_id AS maintenance,
		       coalesce(expires_at, '0001-01-01T00:00:00Z') AS expires_at, route, held_until, dropped, silenced_until
		FROM alerts
		WHERE id = ANY ($1) OR (firing AND incident_id = ANY ($2))
		ORDER BY id`
	const ended = `
		SELECT DISTINCT incident_id, integration_id, jsonb_build_object('service', coalesce(labels ->> 'service', '')) AS labels
		FROM alerts
		WHERE incident_id = ANY ($1) AND NOT firing`
	const reserve = `SELECT nextval('alerts_id_seq') FROM generate_series(1, $1::int)`
	locked, err := b.lock(ctx, tx, blocked)
	if err != nil {
		return nil, fmt.Errorf("lock incidents: %w", err)
	}
	s := &storedState{incidents: locked, alerts: map[oncall.IntegrationID][]oncall.Alert{}}
	s.recent = b.recent
	if err := s.findPartlyLoaded(ctx, tx, b.alerts); err != nil {
		return nil, fmt.Errorf("look for alerts of storms: %w", err)
	}
	if err := s.findOthers(ctx, tx, b.alerts, b.services); err != nil {
		return nil, fmt.Errorf("look for alerts of large incidents: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(load, b.alerts, s.withFewAlerts()).Query(func(rows pgx.Rows) error {
		alerts, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Alert])
		for _, a := range alerts {
			s.alerts[a.IntegrationID] = append(s.alerts[a.IntegrationID], a)
		}
		return err
	})
	if acked := s.acknowledged(); len(acked) > 0 {
		batch.Queue(ended, acked).Query(func(rows pgx.Rows) (err error) {
			s.ended, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
			return err
		})
	}
	batch.Queue(lockNumbers, numberLock)
	batch.Queue(lastIncident).QueryRow(func(row pgx.Row) error { return row.Scan(&s.lastIncident) })
	batch.Queue(reserve, newAlerts).Query(func(rows pgx.Rows) (err error) {
		s.alertIDs, err = pgx.CollectRows(rows, pgx.RowTo[oncall.AlertID])
		s.fresh = s.alertIDs
		return err
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	b.blockMoved(s, blocked)
	s.markShared()
	return s, nil
}

// acknowledged returns the incidents whose earlier services matter: when an alert of a new service joins an
// acknowledged incident, its owner is paged. Storms are left out, because they store their services.
func (s *storedState) acknowledged() []oncall.IncidentID {
	var ids []oncall.IncidentID
	for _, in := range s.incidents {
		if in.Storm == nil && in.Status == oncall.Acknowledged {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// markShared marks the incidents that belong to several integrations because of a merge.
func (s *storedState) markShared() {
	integrationOf := make(map[oncall.IncidentID]oncall.IntegrationID, len(s.incidents))
	s.shared, s.at = map[oncall.IncidentID]bool{}, make(map[oncall.IncidentID]int, len(s.incidents))
	for i, in := range s.incidents {
		integrationOf[in.ID], s.at[in.ID] = in.IntegrationID, i
		if in.MergedInto != 0 {
			s.shared[in.MergedInto] = true
		}
	}
	for integration, alerts := range s.alerts {
		for _, a := range alerts {
			if integrationOf[a.IncidentID] != integration {
				s.shared[a.IncidentID] = true
			}
		}
	}
}

// blockMoved blocks incidents that were merged into another one after we found them but before we
// locked them.
func (b *batchIDs) blockMoved(s *storedState, blocked blockedKeys) {
	missing := func(id oncall.IncidentID) bool {
		_, known := slices.BinarySearch(b.incidents, id)
		return id != 0 && !known
	}
	for _, in := range s.incidents {
		if missing(in.MergedInto) {
			for _, key := range b.foundBy[in.ID] {
				blocked[key] = true
			}
		}
	}
	for integration, alerts := range s.alerts {
		for _, a := range alerts {
			if missing(a.IncidentID) {
				blocked[signalKey{integration, a.DedupKey}] = true
				blocked[signalKey{integration, a.GroupKey}] = true
			}
		}
	}
}

// fill gives a fold the alerts and incidents of its integration, and the numbers for new ones.
func (s *storedState) fill(fold *oncall.Fold) {
	fold.LastIncident, fold.AlertIDs, fold.NextCounts = s.lastIncident, s.alertIDs, maps.Clone(s.counts.next)
	fold.AddPartlyLoaded(s.partlyLoaded...)
	fold.AddOthers(s.others...)
	fold.AddRecent(s.recent[fold.Integration.ID]...)
	for i := range s.incidents {
		if in := &s.incidents[i]; in.IntegrationID == fold.Integration.ID || s.shared[in.ID] {
			fold.AddIncidents(*in)
		}
	}
	for _, a := range s.ended {
		if a.IntegrationID == fold.Integration.ID || a.Labels["service"] != "" {
			fold.AddCleared(a)
		}
	}
	for integration, alerts := range s.alerts {
		if integration == fold.Integration.ID {
			fold.AddAlerts(alerts...)
			continue
		}
		for i := range alerts {
			if s.shared[alerts[i].IncidentID] {
				fold.AddElsewhere(alerts[i])
			}
		}
	}
}

// saveAlerts saves folded alerts. A cleared alert is saved before one that fires again under the same key.
func (s *storedState) saveAlerts(ctx context.Context, tx pgx.Tx, alerts []oncall.Alert) error {
	var old, fresh []oncall.Alert
	for _, a := range alerts {
		if _, ok := slices.BinarySearch(s.fresh, a.ID); ok {
			fresh = append(fresh, a)
		} else {
			old = append(old, a)
		}
	}
	if len(fresh) < manyAlerts {
		old, fresh = alerts, nil
	}
	batch := &pgx.Batch{}
	queueAlerts(batch, old)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil || len(fresh) == 0 {
		return err
	}
	return copyAlerts(ctx, tx, fresh)
}

// update applies the changes of one fold, for the folds after it.
func (s *storedState) update(changes []oncall.Change, alerts []oncall.Alert) {
	for i := range changes {
		if at, known := s.at[changes[i].Incident.ID]; known {
			s.incidents[at] = changes[i].Incident
		}
	}
	for _, a := range alerts {
		of := s.alerts[a.IntegrationID]
		if i := slices.IndexFunc(of, func(o oncall.Alert) bool { return o.ID == a.ID }); i >= 0 {
			of[i] = a
		} else {
			s.alerts[a.IntegrationID] = append(of, a)
		}
	}
}

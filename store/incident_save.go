package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// save writes what was decided at now: incidents, events, pages, jobs. The caller holds the locks
// of the incidents that exist already.
func (s *Store) save(ctx context.Context, tx pgx.Tx, now time.Time, changes []oncall.Change) error {
	pages, err := deliveries(ctx, tx, changes, now)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	of := map[oncall.IncidentID]oncall.Severity{}
	for _, c := range changes {
		of[c.Incident.ID] = c.Incident.Severity
		queueIncident(batch, c.Incident)
	}
	var tasks []oncall.Task
	queueEvents(batch, changes)
	ahead := map[oncall.IncidentID]int{}
	teams := map[oncall.TeamID]int{}
	for _, c := range changes {
		ahead[c.Incident.ID] = teams[c.Incident.TeamID]
		teams[c.Incident.TeamID]++
	}
	queuePages(batch, pages, func(id oncall.PageID, p delivery) {
		t := oncall.Task{Do: oncall.SendPage{Page: id, Line: p.Line()}, Severity: of[p.IncidentID], Ahead: ahead[p.IncidentID]}
		if p.look.After(now) {
			t.At = p.look
		}
		tasks = append(tasks, t)
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	for _, c := range changes {
		if err := s.notice(ctx, tx, now, c.Notices); err != nil {
			return err
		}
		if err := s.settle(ctx, tx, now, c.Settled); err != nil {
			return err
		}
		for _, t := range c.Tasks {
			t.Severity, t.Ahead = c.Incident.Severity, ahead[c.Incident.ID]
			tasks = append(tasks, t)
		}
	}
	return s.enqueue(ctx, tx, now, tasks)
}

func queueIncident(b *pgx.Batch, in oncall.Incident) {
	const upsert = `
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link,
		                       severity, status, version, opened_at, signal_count, last_signal_at, flaps,
		                       acked_by, acked_at, resolved_by, resolved_at, seq, round, step, run,
		                       next_at, exhausted, redraw_at, snoozed_until, snoozed_by, acks, ack_asked,
		                       responders, merged_into, links, turn, hops, unassigned, home_policy, called,
		                       pages_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
		        $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
		        $39)
		ON CONFLICT (id) DO UPDATE SET
			title = $6, body = $7, link = $8, severity = $9, status = $10, version = $11,
			signal_count = $13, last_signal_at = $14, flaps = $15, acked_by = $16, acked_at = $17,
			resolved_by = $18, resolved_at = $19, seq = $20, round = $21, step = $22, run = $23,
			next_at = $24, exhausted = $25, redraw_at = $26, policy_id = $3, snoozed_until = $27,
			snoozed_by = $28, acks = $29, ack_asked = $30, responders = $31, merged_into = $32,
			links = $33, turn = $34, hops = $35, unassigned = $36, home_policy = $37, called = $38,
			pages_from = $39`
	b.Queue(upsert, in.ID, in.TeamID, in.PolicyID, in.IntegrationID, in.GroupKey, in.Title, in.Body, in.Link,
		in.Severity, in.Status, in.Version, in.OpenedAt, in.SignalCount, in.LastSignalAt, in.Flaps,
		in.AckedBy, in.AckedAt, in.ResolvedBy, in.ResolvedAt, in.Seq, in.Round, in.Step, in.Run,
		in.NextAt, in.Exhausted, in.RedrawAt, in.SnoozedUntil, in.SnoozedBy, some(in.Acks), in.AckAsked,
		some(in.Responders), in.MergedInto, some(in.Links), in.Turn, in.Hops, in.Unassigned,
		in.HomePolicy, in.Called, in.PagesFrom)
}

// some makes no slice an empty one: the column holds no NULL.
func some[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func queueEvents(b *pgx.Batch, changes []oncall.Change) {
	const insert = `
		INSERT INTO incident_events (incident_id, at, kind, actor, detail)
		SELECT incident_id, at, kind, actor, detail
		FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::jsonb[], $5::jsonb[])
		     WITH ORDINALITY AS e (incident_id, at, kind, actor, detail, position)
		ORDER BY position`
	var (
		ids     []oncall.IncidentID
		ats     []time.Time
		kinds   []oncall.EventKind
		actors  []oncall.Actor
		details []oncall.Detail
	)
	for _, c := range changes {
		for _, e := range c.Events {
			ids, ats, kinds = append(ids, e.IncidentID), append(ats, e.At), append(kinds, e.Kind)
			actors, details = append(actors, e.Actor), append(details, e.Detail)
		}
	}
	if len(ids) > 0 {
		b.Queue(insert, ids, ats, kinds, actors, details)
	}
}

// queueAlert writes an alert, new or not.
func queueAlert(b *pgx.Batch, a oncall.Alert) {
	const upsert = `
		INSERT INTO alerts (id, integration_id, dedup_key, group_key, incident_id, firing, title, body, link,
		                    severity, labels, count, first_at, last_at, starts_at, cleared_at)
		VALUES ($1, $2, $3, $4, nullif($5::bigint, 0), $6, $7, $8, $9, $10, $11, $12, $13, $14,
		        nullif($15::timestamptz, '0001-01-01T00:00:00Z'), $16)
		ON CONFLICT (id) DO UPDATE SET
			group_key = $4, firing = $6, title = $7, body = $8, link = $9, severity = $10, labels = $11,
			count = $12, last_at = $14, starts_at = nullif($15::timestamptz, '0001-01-01T00:00:00Z'),
			cleared_at = $16`
	labels := a.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	b.Queue(upsert, a.ID, a.IntegrationID, a.DedupKey, a.GroupKey, a.IncidentID, a.Firing, a.Title, a.Body, a.Link,
		a.Severity, labels, a.Count, a.FirstAt, a.LastAt, a.StartsAt, a.ClearedAt)
}

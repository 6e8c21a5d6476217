package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// save writes the decisions made at now: incidents, events, pages, jobs. The caller has locked the incidents that
// already exist.
func (s *Store) save(ctx context.Context, tx pgx.Tx, now time.Time, changes []oncall.Change) error {
	batch := &pgx.Batch{}
	ahead := map[oncall.IncidentID]int{} // how many incidents of the same team precede each
	teams := map[oncall.TeamID]int{}
	for _, c := range changes {
		queueIncident(batch, c.Incident)
		ahead[c.Incident.ID] = teams[c.Incident.TeamID]
		teams[c.Incident.TeamID]++
	}
	queueEvents(batch, changes)
	pages, err := newPages(ctx, tx, changes, ahead, now)
	if err != nil {
		return err
	}
	if err := numberBatches(ctx, tx, pages, now); err != nil {
		return fmt.Errorf("number batches of pages: %w", err)
	}
	saved := map[string]oncall.PageID{}
	queuePages(batch, pages, func(id oncall.PageID, key string) { saved[key] = id })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	tasks, err := pageTasks(ctx, tx, pages, saved, now)
	if err != nil {
		return fmt.Errorf("queue pages: %w", err)
	}
	for _, c := range changes {
		if err := s.saveNotices(ctx, tx, now, c.Notices); err != nil {
			return err
		}
		if err := s.closeNotices(ctx, tx, now, c.Closes); err != nil {
			return err
		}
		for _, t := range c.Tasks {
			t.Severity, t.Ahead = c.Incident.Severity, ahead[c.Incident.ID]
			tasks = append(tasks, t)
		}
	}
	if err := s.confirmHandoffs(ctx, tx, oncall.Actors(changes), now); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, now, tasks)
}

func queueIncident(b *pgx.Batch, in oncall.Incident) {
	const upsert = `
		INSERT INTO incidents (id, team_id, policy_id, home_policy, integration_id, group_key, title, body, link, severity,
		                       status, version, opened_at, signal_count, last_signal_at, flaps, acked_by, acked_at,
		                       resolved_by, resolved_at, seq, round, step, run, next_at, exhausted, redraw_at,
		                       snoozed_until, snoozed_by, acks, ack_asked, responders, merged_into, links, turn,
		                       hops, unassigned, called, pages_from, retitled_at, storm, stated, ack_again, flap, woken_at, raised_by,
		                       verdict, helped, channel, updates)
		VALUES (@id, @team, @policy, @home_policy, @integration, @group_key, @title, @body, @link, @severity,
		        @status, @version, @opened_at, @signal_count, @last_signal_at, @flaps, @acked_by, @acked_at,
		        @resolved_by, @resolved_at, @seq, @round, @step, @run, @next_at, @exhausted, @redraw_at,
		        @snoozed_until, @snoozed_by, @acks, @ack_asked, @responders, @merged_into, @links, @turn,
		        @hops, @unassigned, @called, @pages_from, @retitled_at, @storm, @stated, @ack_again, @flap, @woken_at, @raised_by,
		        @verdict, @helped, @channel, @updates)
		ON CONFLICT (id) DO UPDATE SET
			policy_id = @policy, home_policy = @home_policy, title = @title, body = @body, link = @link,
			severity = @severity, status = @status, version = @version, signal_count = @signal_count,
			last_signal_at = @last_signal_at, flaps = @flaps, acked_by = @acked_by, acked_at = @acked_at,
			resolved_by = @resolved_by, resolved_at = @resolved_at, seq = @seq, round = @round, step = @step,
			run = @run, next_at = @next_at, exhausted = @exhausted, redraw_at = @redraw_at,
			snoozed_until = @snoozed_until, snoozed_by = @snoozed_by, acks = @acks, ack_asked = @ack_asked,
			responders = @responders, merged_into = @merged_into, links = @links, turn = @turn, hops = @hops,
			unassigned = @unassigned, called = @called, pages_from = @pages_from, retitled_at = @retitled_at,
			storm = @storm, stated = @stated, ack_again = @ack_again, flap = @flap, woken_at = @woken_at,
			verdict = @verdict, helped = @helped, channel = @channel, updates = @updates`
	b.Queue(upsert, pgx.StrictNamedArgs{
		"id": in.ID, "team": in.TeamID, "policy": in.PolicyID, "home_policy": in.HomePolicy,
		"integration": in.IntegrationID, "group_key": in.GroupKey,
		"title": in.Title, "body": in.Body, "link": in.Link, "severity": in.Severity,
		"status": in.Status, "version": in.Version, "opened_at": in.OpenedAt,
		"signal_count": in.SignalCount, "last_signal_at": in.LastSignalAt, "flaps": in.Flaps,
		"acked_by": in.AckedBy, "acked_at": in.AckedAt, "resolved_by": in.ResolvedBy, "resolved_at": in.ResolvedAt,
		"seq": in.Seq, "round": in.Round, "step": in.Step, "run": in.Run,
		"next_at": in.NextAt, "exhausted": in.Exhausted, "redraw_at": in.RedrawAt,
		"snoozed_until": in.SnoozedUntil, "snoozed_by": in.SnoozedBy,
		"acks": nonNil(in.Acks), "ack_asked": in.AckAsked, "responders": nonNil(in.Responders),
		"merged_into": in.MergedInto, "links": nonNil(in.Links), "turn": in.RoundRobinCount, "hops": in.Hops,
		"unassigned": in.Unassigned, "called": in.Called, "pages_from": in.PagesFrom,
		"retitled_at": in.RetitledAt, "storm": in.Storm, "stated": in.Stated, "ack_again": in.AckAgain, "flap": in.Flap, "woken_at": in.WokenAt,
		"raised_by": in.RaisedBy, "verdict": in.Verdict, "helped": in.Helped, "channel": in.Channel, "updates": in.Updates,
	})
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

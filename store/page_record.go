package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// RecordPage records how an attempt ended, for all pages of its message. From then on, a direct
// message is redrawn like the incident's other messages, and at once if the incident has changed
// meanwhile.
func (s *System) RecordPage(ctx context.Context, id oncall.PageID, r oncall.PageResult, now time.Time) error {
	if r == nil {
		return fmt.Errorf("record page %d: it has no result", id)
	}
	_, sent := r.(oncall.PageAccepted)
	return s.endPage(ctx, id, sent, now, func(f oncall.PageFacts) oncall.PageChange { return f.Record(r, now) })
}

// RecordReceipt records a provider's report about a message that it accepted.
func (s *System) RecordReceipt(ctx context.Context, id oncall.PageID, r oncall.PageReceipt, now time.Time) error {
	arrived := (r.State == oncall.ReceiptDelivered || r.State == oncall.ReceiptAnswered) && r.Remedy == ""
	return s.endPage(ctx, id, arrived, now, func(f oncall.PageFacts) oncall.PageChange { return f.RecordReceipt(r, now) })
}

// endPage locks a message's incidents, recipient and pages, lets decide work out the consequences of
// the outcome, and saves them. If arrived is true, the call's other pages aren't needed and aren't
// loaded.
func (s *Store) endPage(ctx context.Context, id oncall.PageID, arrived bool, now time.Time,
	decide func(oncall.PageFacts) oncall.PageChange,
) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	var changes []oncall.Change
	err = s.transact(ctx, func(tx pgx.Tx) error {
		f, to, err := loadEnd(ctx, tx, id, arrived, dir)
		if err != nil {
			return err
		}
		c := decide(f)
		changes = c.Changes
		if err := s.saveEnd(ctx, tx, f.Lead.Page, to, c, now); err != nil {
			return err
		}
		if c.Disable != "" {
			if err := s.disable(ctx, tx, oncall.ByTimer(), dir, to.Contact, c.Disable, now); err != nil {
				return err
			}
		}
		if c.Named != nil {
			if err := setSender(ctx, tx, to.Contact, *c.Named); err != nil {
				return err
			}
		}
		if len(changes) == 0 {
			return nil
		}
		return s.save(ctx, tx, now, changes)
	})
	if err != nil {
		return fmt.Errorf("record page %d: %w", id, err)
	}
	s.changed(changes)
	return nil
}

// loadEnd loads the facts for endPage, under its locks.
func loadEnd(ctx context.Context, tx pgx.Tx, id oncall.PageID, arrived bool, dir *Directory) (oncall.PageFacts, recipient, error) {
	f := oncall.PageFacts{Incidents: map[oncall.IncidentID]oncall.Incident{}, Watchers: map[oncall.TeamID][]string{}}
	to, about, err := messageOf(ctx, tx, id)
	if err != nil {
		return f, to, err
	}
	b := &pgx.Batch{}
	b.Queue(lockByID, about)
	queueIncidents(b, about, f.Incidents)
	queueLastPage(b, to, &f.Last)
	queueMessage(b, id, &f)
	if !arrived {
		queueSameCall(b, id, &f)
		queueRows(b, stepsByIncident, func(p oncall.StepPage) { f.Step = append(f.Step, p) }, about, oncall.EventPageBlocked)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return f, to, err
	}
	f.Admins = dir.InstallationAdmins()
	for _, in := range f.Incidents {
		f.Watchers[in.TeamID] = dir.Watchers(in.TeamID)
	}
	return f, to, nil
}

// saveEnd saves the consequences of a page's outcome.
func (s *Store) saveEnd(ctx context.Context, tx pgx.Tx, lead oncall.Page, to recipient, c oncall.PageChange, now time.Time) error {
	const forward = `UPDATE pages SET due_at = $2 WHERE id = ANY ($1) AND state = 'waiting' AND due_at > $2`
	const copied = `
		INSERT INTO drawing_copies (incident_id, channel, ts, user_id, reason, drawn)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (incident_id, channel, ts) DO NOTHING`
	const bundled = `
		INSERT INTO notices (key, recipient, kind, about, facts, version, created_at, tried_at, channel, ts, drawn)
		VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $8, 1)
		ON CONFLICT (key) DO UPDATE SET channel = $7, ts = $8`
	b := &pgx.Batch{}
	if len(c.Forward) > 0 {
		b.Queue(forward, c.Forward, now)
	}
	switch n := c.Bundle; {
	case n != nil:
		b.Queue(bundled, n.Key, n.To, n.Kind, n.About, n.Detail, now, c.Copy.Channel, c.Copy.TS)
	case c.Copy != nil:
		b.Queue(copied, lead.IncidentID, c.Copy.Channel, c.Copy.TS, lead.UserID, lead.Why, c.Copy.Version)
	}
	return s.savePages(ctx, tx, b, to, c.PageUpdate, now)
}

// stepsByIncident loads the pages of the latest steps of incidents.
const stepsByIncident = `
	SELECT p.id, p.incident_id, p.state, EXISTS (
		SELECT
		FROM incident_events e
		WHERE e.incident_id = p.incident_id AND e.kind = $2 AND (e.detail ->> 'page')::bigint = p.id
	) AS blocked
	FROM incidents i
	JOIN pages p ON p.incident_id = i.id AND p.call_seq = i.seq
	WHERE i.id = ANY ($1)`

// logNobodyNotified logs, as an error, that nobody is left to page about an incident.
func (s *Store) logNobodyNotified(c oncall.Change) {
	if !c.Incident.ID.Canary() && slices.ContainsFunc(c.Events, oncall.Event.NobodyNotified) {
		s.log.Error().Stringer("incident", c.Incident.ID).Msg("nobody has answered, and nobody could be told")
	}
}

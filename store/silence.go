package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// silencesAtOnce is how many incidents one call of QueueSilences queues at most.
const silencesAtOnce = 500

// QueueSilences queues the incidents whose silences are due for a check.
func (s *System) QueueSilences(ctx context.Context, now time.Time) error {
	const due = `
		SELECT incident_id
		FROM silences
		WHERE ended_at IS NULL AND look_at <= $1
		GROUP BY incident_id
		ORDER BY min(look_at)
		LIMIT $2`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, due, now, silencesAtOnce)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, column(ids, func(id oncall.IncidentID) oncall.Task {
			return oncall.Task{Args: oncall.MatchSilences{Incident: id}}
		}))
	})
	if err != nil {
		return fmt.Errorf("have silences looked at: %w", err)
	}
	return nil
}

// A SilenceOrder lists the steps to take in Alertmanager for an incident's silences.
type SilenceOrder struct {
	oncall.SilencePlan
	Incident oncall.IncidentID
	Names    map[oncall.UserID]string
}

// PlanSilences decides which steps an incident's silences need, and stores the steps before they are taken. So no other
// job takes them too, and after a crash the next job knows which steps may have been taken.
func (s *System) PlanSilences(ctx context.Context, id oncall.IncidentID, asked, now time.Time) (SilenceOrder, error) {
	order := SilenceOrder{Incident: id, Names: map[oncall.UserID]string{}}
	dir, err := s.directory(ctx)
	if err != nil {
		return order, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return oncall.ErrNotFound
		}
		facts := oncall.SilenceFacts{Incident: found[0], Integrations: dir.integrations, Asked: asked, Now: now}
		if facts.Silences, err = silencesOf(ctx, tx, id); err != nil {
			return err
		}
		if facts.Alerts, err = silenceable(ctx, tx, id); err != nil {
			return err
		}
		order.SilencePlan = facts.Plan()
		for i := range order.Steps {
			if err := beginSilence(ctx, tx, &order.Steps[i], now); err != nil {
				return err
			}
			order.Names[order.Steps[i].By] = dir.Name(order.Steps[i].By)
		}
		return nil
	})
	if err != nil {
		return order, wrap(err, "plan the silences of incident %d", id)
	}
	return order, nil
}

func silencesOf(ctx context.Context, tx pgx.Tx, id oncall.IncidentID) ([]oncall.Silence, error) {
	const load = `
		SELECT id, incident_id, alert_id, integration_id, url, dedup_key, labels, cause, by, ends_at, token, remote, remote_ends_at,
		       tried, failed, seen_at, missing_at, look_at
		FROM silences
		WHERE incident_id = $1 AND ended_at IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load, id)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Silence])
}

// silenceable returns an incident's firing alerts, at most one more than may be silenced, and its silenced alerts.
func silenceable(ctx context.Context, tx pgx.Tx, id oncall.IncidentID) ([]oncall.Alert, error) {
	const load = `
		SELECT a.id, a.integration_id, a.dedup_key, a.incident_id, a.firing, a.labels, a.first_at, a.route
		FROM alerts a
		WHERE a.incident_id = $1 AND a.firing
		ORDER BY NOT EXISTS (SELECT FROM silences s WHERE s.alert_id = a.id AND s.ended_at IS NULL), a.id
		LIMIT $2`
	rows, _ := tx.Query(ctx, load, id, oncall.MaxSilences+1)
	return pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
}

// beginSilence stores that a step begins.
func beginSilence(ctx context.Context, tx pgx.Tx, silence *oncall.Silence, now time.Time) error {
	const insert = `
		INSERT INTO silences (incident_id, alert_id, integration_id, url, dedup_key, labels, cause, by, ends_at, token, tried, look_at, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true, $11, $12)
		ON CONFLICT (alert_id) WHERE ended_at IS NULL DO NOTHING
		RETURNING id`
	const begin = `
		UPDATE silences
		SET cause = $2, by = $3, ends_at = $4, tried = tried OR $5, look_at = $6
		WHERE id = $1`
	busy := oncall.SilenceBusyUntil(now)
	if silence.ID != 0 {
		_, err := tx.Exec(ctx, begin, silence.ID, silence.Cause, silence.By, silence.EndsAt, silence.Do == oncall.SilenceMake, busy)
		return err
	}
	silence.Token = rand.Text()
	err := tx.QueryRow(ctx, insert, silence.IncidentID, silence.AlertID, silence.IntegrationID, silence.URL, silence.DedupKey, silence.Labels, silence.Cause, silence.By, silence.EndsAt,
		silence.Token, busy, now).Scan(&silence.ID)
	if err == pgx.ErrNoRows { //nolint:errorlint // Scan doesn't wrap it
		silence.Do = oncall.SilenceKeep // the alert moved just now, and its previous incident has silenced it
		return nil
	}
	return err
}

// RecordSilences stores the outcome of the steps, and adds it to the timeline. An alert that is gone from Alertmanager
// is cleared as if its monitor had said so.
func (s *System) RecordSilences(ctx context.Context, order SilenceOrder, outcomes []oncall.SilenceOutcome, now time.Time) error {
	_, _, err := s.decide(ctx, order.Incident, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		for _, o := range outcomes {
			if o.Do == oncall.SilenceKeep {
				continue
			}
			if err := saveSilence(ctx, tx, o, now); err != nil {
				return oncall.Change{}, false, err
			}
		}
		change, changed := in.RecordSilences(outcomes, order.Unfit, now)
		return change, changed, nil
	})
	return err
}

func saveSilence(ctx context.Context, tx pgx.Tx, o oncall.SilenceOutcome, now time.Time) error {
	const save = `
		UPDATE silences
		SET remote = $2, remote_ends_at = $3, failed = $4, seen_at = $5, missing_at = $6, look_at = $7,
		    ended_at = CASE WHEN $8 THEN $9::timestamptz END
		WHERE id = $1`
	const hush = `UPDATE alerts SET silenced_until = $2 WHERE id = $1`
	after := o.After(now)
	if _, err := tx.Exec(ctx, save, after.ID, after.Remote, after.RemoteEndsAt, after.Failed, after.SeenAt, after.MissingAt,
		after.LookAt, after.Ended, now); err != nil {
		return err
	}
	if !after.Lingers.IsZero() {
		if _, err := tx.Exec(ctx, hush, after.AlertID, after.Lingers); err != nil {
			return err
		}
	}
	if after.Gone {
		return endGone(ctx, tx, after.Silence, now)
	}
	return nil
}

// endGone puts a signal that clears an alert into the inbox, unless one already waits there.
func endGone(ctx context.Context, tx pgx.Tx, s oncall.Silence, now time.Time) error {
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT $1, $2, $3::json
		WHERE NOT EXISTS (SELECT FROM inbox w WHERE w.integration_id = $1 AND w.signal ->> 'dedup_key' = $4)`
	signal, err := json.Marshal(s.GoneSignal())
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, s.IntegrationID, now, string(signal), s.DedupKey); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('watchbill_inbox', '')`)
	return err
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// takenBack lists the events by which a leaver loses an incident.
var takenBack = []oncall.EventKind{oncall.EventUnacknowledged, oncall.EventAckTakenBack}

// IncidentsAckedByLeavers returns the open incidents that somebody who has left Slack has acknowledged, critical ones first.
func (s *System) IncidentsAckedByLeavers(ctx context.Context) ([]oncall.IncidentID, error) {
	const load = `
		SELECT i.id
		FROM incidents i
		WHERE i.status <> 'resolved' AND i.id > 0 AND EXISTS (
			SELECT FROM users u
			WHERE u.deactivated_at IS NOT NULL
			  AND (u.id = ANY (i.acks) OR i.status = 'acknowledged' AND u.id = i.acked_by ->> 'user')
		)
		ORDER BY i.severity = 'critical' DESC, i.id`
	rows, _ := s.pool.Query(ctx, load)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return nil, fmt.Errorf("find what leavers have: %w", translate(err))
	}
	return ids, nil
}

// TakeBackFromLeavers withdraws the acknowledgements of an incident by people who have left Slack. If nobody else has it, it
// pages again.
func (s *System) TakeBackFromLeavers(ctx context.Context, id oncall.IncidentID, now time.Time) error {
	dir, err := s.freshDirectory(ctx)
	if err != nil {
		return err
	}
	_, _, err = s.decide(ctx, id, func(_ pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		change, any := in.TakeBackFromLeavers(dir.Facts(), now)
		return change, any, nil
	})
	return err
}

// leftWork loads a person's open work; an empty id means all leavers. For a leaver, it includes open
// incidents that were taken back from them.
func leftWork(ctx context.Context, tx pgx.Tx, user oncall.UserID) ([]oncall.LeftWork, error) {
	const had = `
		SELECT DISTINCT u.id AS user, i.team_id AS team, i.id, i.title, i.status = 'snoozed' AS snoozed
		FROM incidents i
		CROSS JOIN LATERAL (
			SELECT unnest(i.acks) AS user_id, NULL::timestamptz AS lost_at
			UNION ALL SELECT i.acked_by ->> 'user', NULL WHERE i.status = 'acknowledged'
			UNION ALL SELECT i.snoozed_by ->> 'user', NULL WHERE i.status = 'snoozed'
			UNION ALL
			SELECT jsonb_array_elements_text(e.detail -> 'left'), e.at
			FROM incident_events e
			WHERE e.incident_id = i.id AND e.kind = ANY ($2) AND e.detail ? 'left'
		) AS had
		JOIN users u ON u.id = had.user_id AND (had.lost_at IS NULL OR had.lost_at >= u.deactivated_at)
		WHERE i.status <> 'resolved' AND i.id > 0 AND CASE WHEN $1 = '' THEN u.deactivated_at IS NOT NULL ELSE u.id = $1 END
		ORDER BY i.id`
	const todo = `
		SELECT a.user_id AS user, i.team_id AS team, a.id, a.incident_id AS incident, a.text, a.by, a.due_at
		FROM review_actions a
		JOIN incidents i ON i.id = a.incident_id
		JOIN users u ON u.id = a.user_id
		WHERE a.ask_at IS NOT NULL AND CASE WHEN $1 = '' THEN u.deactivated_at IS NOT NULL ELSE u.id = $1 END
		ORDER BY a.id`
	type whose struct {
		User oncall.UserID
		Team oncall.TeamID
	}
	type incident struct {
		whose
		oncall.LeftIncident
	}
	type action struct {
		whose
		oncall.LeftAction
	}
	var out []oncall.LeftWork
	rows, _ := tx.Query(ctx, had, user, takenBack)
	incidents, err := pgx.CollectRows(rows, pgx.RowToStructByName[incident])
	if err != nil {
		return nil, fmt.Errorf("load the incidents of leavers: %w", err)
	}
	for _, i := range incidents {
		out = append(out, oncall.LeftWork{User: i.User, Team: i.Team, Incidents: []oncall.LeftIncident{i.LeftIncident}})
	}
	rows, _ = tx.Query(ctx, todo, user)
	actions, err := pgx.CollectRows(rows, pgx.RowToStructByName[action])
	if err != nil {
		return nil, fmt.Errorf("load the actions of leavers: %w", err)
	}
	for _, a := range actions {
		out = append(out, oncall.LeftWork{User: a.User, Team: a.Team, Actions: []oncall.LeftAction{a.LeftAction}})
	}
	return out, nil
}

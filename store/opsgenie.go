package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// An OpsgenieRequest is a request to the API that imitates Opsgenie's. The client may later ask for its status.
type OpsgenieRequest struct {
	ID            string // a UUID
	IntegrationID oncall.IntegrationID
	Alias         string // the dedup key of the alert
	Action        string
	MadeAt        time.Time
}

// OpsgenieID returns the id of the alert with a dedup key in the imitated API.
func OpsgenieID(in oncall.IntegrationID, alias string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%s", in, alias))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8 of RFC 9562, for custom schemes
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// KeepOpsgenieRequest stores a request, so that its status can be queried.
func (s *System) KeepOpsgenieRequest(ctx context.Context, r OpsgenieRequest) error {
	const insert = `
		INSERT INTO opsgenie_requests (id, integration_id, alert_id, alias, action, made_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`
	_, err := s.intakePool.Exec(ctx, insert, r.ID, r.IntegrationID, OpsgenieID(r.IntegrationID, r.Alias), r.Alias, r.Action, r.MadeAt)
	if err != nil {
		return fmt.Errorf("note a request: %w", translate(err))
	}
	return nil
}

// OpsgenieState is the status of a request.
type OpsgenieState struct {
	OpsgenieRequest
	AlertID string
	Waits   bool // its signal has not been folded yet
	Found   bool // its alert exists
}

// OpsgenieRequest returns the status of an integration's request, or oncall.ErrNotFound.
func (s *System) OpsgenieRequest(ctx context.Context, in oncall.IntegrationID, id string) (OpsgenieState, error) {
	const load = `
		SELECT r.id::text, r.integration_id, r.alias, r.action, r.made_at, r.alert_id::text,
		       EXISTS (
		           SELECT
		           FROM (SELECT integration_id, signal, received_at FROM inbox ORDER BY id DESC LIMIT 5000) AS w
		           WHERE w.integration_id = r.integration_id AND w.signal->>'dedup_key' = r.alias AND w.received_at <= r.made_at
		       ) AS waits,
		       EXISTS (
		           SELECT FROM alerts a WHERE a.integration_id = r.integration_id AND a.dedup_key = r.alias AND a.incident_id IS NOT NULL
		       ) AS found
		FROM opsgenie_requests r
		WHERE r.integration_id = $1 AND r.id = $2`
	rows, _ := s.pool.Query(ctx, load, in, id)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct {
		ID             string
		IntegrationID  oncall.IntegrationID
		Alias          string
		Action         string
		MadeAt         time.Time
		AlertID        string
		Waits, IsThere bool
	}])
	if err != nil {
		return OpsgenieState{}, wrap(translate(err), "load a request")
	}
	return OpsgenieState{
		OpsgenieRequest: OpsgenieRequest{ID: found.ID, IntegrationID: in, Alias: found.Alias, Action: found.Action, MadeAt: found.MadeAt},
		AlertID:         found.AlertID, Waits: found.Waits, Found: found.IsThere,
	}, nil
}

// OpsgenieAlias returns the dedup key of an integration's alert, given its OpsgenieID or its tiny id, a number. The
// error is oncall.ErrNotFound if there is no such alert.
func (s *System) OpsgenieAlias(ctx context.Context, in oncall.IntegrationID, id string, tiny bool) (string, error) {
	const byID = `
		SELECT alias FROM opsgenie_requests WHERE integration_id = $1 AND alert_id = $2::text::uuid ORDER BY made_at DESC LIMIT 1`
	const byTiny = `SELECT dedup_key FROM alerts WHERE integration_id = $1 AND id = $2`
	var alias string
	var err error
	if tiny {
		n, wrong := strconv.ParseInt(id, 10, 64)
		if wrong != nil {
			return "", oncall.ErrNotFound
		}
		err = s.pool.QueryRow(ctx, byTiny, in, n).Scan(&alias)
	} else {
		err = s.pool.QueryRow(ctx, byID, in, id).Scan(&alias)
	}
	if Malformed(err) { // not a UUID
		err = errors.Join(oncall.ErrNotFound, err)
	}
	return alias, wrapAny(translate(err), "look for an alert")
}

// An OpsgenieAlert holds the fields of an alert that the imitated API returns.
type OpsgenieAlert struct {
	Alert    oncall.Alert
	Incident oncall.IncidentID
	Status   oncall.Status
}

// OpsgenieAlert returns the latest alert of a dedup key with its incident's status, or oncall.ErrNotFound.
func (s *System) OpsgenieAlert(ctx context.Context, in oncall.IntegrationID, alias string) (OpsgenieAlert, error) {
	const find = `
		SELECT a.id, a.incident_id, i.status, a.firing, a.title, a.body, a.severity, a.count, a.first_at, a.last_at, a.details
		FROM alerts a
		JOIN incidents i ON i.id = a.incident_id
		WHERE a.integration_id = $1 AND a.dedup_key = $2
		ORDER BY a.id DESC
		LIMIT 1`
	found := OpsgenieAlert{Alert: oncall.Alert{DedupKey: alias, IntegrationID: in}}
	a := &found.Alert
	err := s.pool.QueryRow(ctx, find, in, alias).Scan(&a.ID, &found.Incident, &found.Status, &a.Firing, &a.Title, &a.Body, &a.Severity,
		&a.Count, &a.FirstAt, &a.LastAt, &a.Details)
	return found, wrapAny(translate(err), "load an alert")
}

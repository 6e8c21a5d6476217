package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// A PayloadFilter narrows a list of payloads.
type PayloadFilter struct {
	Integration oncall.IntegrationID // 0: any
	Team        oncall.TeamID        // of its integrations; 0: any
	ID          oncall.PayloadID     // 0: any
	Most        int                  // at most this many, newest first; 0 or less: the number kept for one integration
	Begin       int                  // only the first bytes of each body; 0: the whole stored body
}

// A KeptPayload is a stored payload with the incidents that it led to.
type KeptPayload struct {
	oncall.Payload
	Name      string              // name of its integration
	Format    oncall.Format       // current format of its integration
	Incidents []oncall.IncidentID // incidents of its alerts that the actor may see
}

// Payloads returns stored payloads of monitors, newest first. The actor must be able to see the integration and the
// team that it belonged to when the payload came. Use intake.Again to parse a payload again.
func (s *Store) Payloads(ctx context.Context, by oncall.Actor, f PayloadFilter) ([]KeptPayload, error) {
	const load = `
		SELECT id, integration_id, received_at, method, path, query, headers,
		       CASE WHEN $5 > 0 THEN substr(body, 1, $5) ELSE body END, size, cut, reader, taken_for, trouble, signals, keys
		FROM payloads
		WHERE integration_id = ANY ($1) AND NOT team_id = ANY ($2) AND (id = $3 OR $3 = 0)
		ORDER BY received_at DESC, id DESC
		LIMIT $4`
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	hidden := append([]oncall.TeamID{}, dir.hidden(by)...) // never NULL
	var integrations []oncall.IntegrationID
	for _, in := range dir.For(by).Integrations {
		if (f.Integration == 0 || in.ID == f.Integration) && (f.Team == 0 || in.TeamID == f.Team) {
			integrations = append(integrations, in.ID)
		}
	}
	if f.Most < 1 {
		f.Most = oncall.PayloadsKept
	}
	var found []KeptPayload
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load, integrations, hidden, f.ID, f.Most, f.Begin)
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (KeptPayload, error) {
			var p KeptPayload
			err := row.Scan(&p.ID, &p.Integration, &p.At, &p.Method, &p.Path, &p.Query, &p.Headers,
				&p.Body, &p.Size, &p.Cut, &p.Reader, &p.RecognisedAs, &p.Trouble, &p.Signals, &p.Keys)
			in := dir.integrations[p.Integration]
			p.Name, p.Format = in.Name, in.Format
			return p, err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		return whereTo(ctx, tx, found, hidden)
	})
	if err != nil {
		return nil, fmt.Errorf("load what monitors sent: %w", err)
	}
	return found, nil
}

// A Tryout is a payload with the routing rules and mapping that apply to it. The rules may name policies that the
// reader may not see.
type Tryout struct {
	KeptPayload
	Setting oncall.OutcomeFacts
	Router  *route.Router // nil: there are no rules
}

// Tryout returns a payload to try rules and mappings on. The error is oncall.ErrNotFound if the payload is not stored
// or the actor may not see it.
func (s *Store) Tryout(ctx context.Context, by oncall.Actor, id oncall.PayloadID) (Tryout, error) {
	found, err := s.Payloads(ctx, by, PayloadFilter{ID: id, Most: 1})
	if err != nil {
		return Tryout{}, err
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return Tryout{}, err
	}
	if id == 0 || len(found) == 0 {
		return Tryout{}, oncall.ErrNotFound
	}
	in := found[0].Integration
	return Tryout{KeptPayload: found[0], Setting: dir.OutcomeFacts(ctx, in), Router: dir.Router(in)}, nil
}

// KeptPayloads returns the stored payloads of an integration, newest first, to try rules on.
func (s *System) KeptPayloads(ctx context.Context, id oncall.IntegrationID) ([]oncall.Payload, error) {
	const load = `
		SELECT id, integration_id, received_at, method, path, query, headers, body, size, cut, reader, taken_for, trouble, signals, keys
		FROM payloads
		WHERE integration_id = $1
		ORDER BY received_at DESC, id DESC
		LIMIT $2`
	var found []oncall.Payload
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, load, id, oncall.PayloadsKept)
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p oncall.Payload, err error) {
			err = row.Scan(&p.ID, &p.Integration, &p.At, &p.Method, &p.Path, &p.Query, &p.Headers, &p.Body, &p.Size, &p.Cut,
				&p.Reader, &p.RecognisedAs, &p.Trouble, &p.Signals, &p.Keys)
			return p, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load what integration %d has sent: %w", id, err)
	}
	return found, nil
}

// whereTo finds the incidents of payloads. For each alert key in a payload, that is the incident of the latest alert
// that had begun when the payload came.
func whereTo(ctx context.Context, tx pgx.Tx, found []KeptPayload, hidden []oncall.TeamID) error {
	const find = `
		SELECT DISTINCT p.id, a.incident_id
		FROM payloads p
		CROSS JOIN LATERAL jsonb_array_elements_text(p.keys) AS k (key)
		CROSS JOIN LATERAL (
			SELECT incident_id
			FROM alerts
			WHERE integration_id = p.integration_id AND dedup_key = k.key AND first_at <= p.received_at
			ORDER BY id DESC
			LIMIT 1
		) a
		JOIN incidents i ON i.id = a.incident_id AND NOT i.team_id = ANY ($2)
		WHERE p.id = ANY ($1)
		ORDER BY p.id, a.incident_id`
	ids := make([]oncall.PayloadID, len(found))
	for i, p := range found {
		ids[i] = p.ID
	}
	var id oncall.PayloadID
	var incident oncall.IncidentID
	rows, _ := tx.Query(ctx, find, ids, hidden)
	_, err := pgx.ForEachRow(rows, []any{&id, &incident}, func() error {
		i := slices.Index(ids, id)
		found[i].Incidents = append(found[i].Incidents, incident)
		return nil
	})
	return err
}

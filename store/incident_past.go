package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// pastOf returns the latest incidents before one that were about the same, the newest first: under its key, of its
// integration and team. Of those that were merged, the incident that took them in tells. Judged are those only of which
// somebody has said what it was, or what helped.
func pastOf(ctx context.Context, q querier, in oncall.Incident, judged bool, limit int) ([]oncall.PastIncident, error) {
	const load = `
		WITH earlier AS ( -- not all of what comes a hundred times a day: every drawing looks
			SELECT id, opened_at, coalesce(resolved_at, opened_at) AS resolved_at, resolved_by, verdict, helped
			FROM incidents
			WHERE integration_id = $1 AND group_key = $2 AND id < $3 AND id > 0 AND team_id = $4 AND status = 'resolved' AND merged_into = 0
			ORDER BY id DESC
			LIMIT 50
		)
		SELECT id, opened_at, resolved_at, resolved_by, verdict, helped
		FROM earlier
		WHERE NOT $5 OR verdict <> '' OR helped <> ''
		ORDER BY id DESC
		LIMIT $6`
	if in.IntegrationID == 0 || in.GroupKey == "" {
		return nil, nil // raised by hand
	}
	rows, _ := q.Query(ctx, load, in.IntegrationID, in.GroupKey, in.ID, in.TeamID, judged, limit)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.PastIncident])
}

// PastIncidents returns the latest incidents before one that were about the same, the newest first.
func (s *Store) PastIncidents(ctx context.Context, by oncall.Actor, id oncall.IncidentID, limit int) (past []oncall.PastIncident, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		past, err = pastOf(ctx, tx, in, false, limit)
		return err
	})
	if err != nil {
		return nil, wrap(err, "load what was before incident %d", id)
	}
	return past, nil
}

package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// A RouteHistory is what is known of one list of routes.
type RouteHistory struct {
	Versions []route.Definition           // the latest first; empty: it never had a rule
	Tallies  map[string]oncall.RouteTally // what each rule has done since it is called so
}

// mostVersions is how many versions of a list are shown.
const mostVersions = 100

// RouteHistory returns what is known of the list of a team or an integration.
func (s *System) RouteHistory(ctx context.Context, owner oncall.RouteOwner) (RouteHistory, error) {
	const versions = `
		SELECT id, coalesce(team_id, 0) AS team_id, coalesce(integration_id, 0) AS integration_id, version, shadow, rules, saved_at, saved_by
		FROM route_lists
		WHERE coalesce(team_id, 0) = $1 AND coalesce(integration_id, 0) = $2
		ORDER BY version DESC
		LIMIT $3`
	const tallies = `
		SELECT rule, matched, dropped, held, passed, shadow, failed, error, last_at
		FROM route_tallies
		WHERE team_id = $1 AND integration_id = $2`
	h := RouteHistory{Tallies: map[string]oncall.RouteTally{}}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, versions, owner.Team, owner.Integration, mostVersions)
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[storedList])
		if err != nil {
			return err
		}
		for _, l := range found {
			h.Versions = append(h.Versions, l.definition())
		}
		rows, _ = tx.Query(ctx, tallies, owner.Team, owner.Integration)
		var rule string
		var t oncall.RouteTally
		_, err = pgx.ForEachRow(rows, []any{&rule, &t.Matched, &t.Dropped, &t.Held, &t.Passed, &t.Shadow, &t.Failed, &t.Error, &t.At}, func() error {
			h.Tallies[rule] = t
			return nil
		})
		return err
	})
	return h, wrapAny(err, "load the history of routes")
}

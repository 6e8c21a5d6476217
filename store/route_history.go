package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// A RouteHistory holds the versions of a list of routes, and the counts of its rules.
type RouteHistory struct {
	Versions []route.Definition           // latest first; empty: there never was a rule
	Tallies  map[string]oncall.RouteTally // by rule name; counted since the rule got that name
}

// maxVersions is how many versions of a list are shown.
const maxVersions = 100

// RouteHistory returns the history of a team's or an integration's list. The error is oncall.ErrNotFound if the owner
// does not exist or the actor may not see it.
func (s *Store) RouteHistory(ctx context.Context, by oncall.Actor, owner oncall.RouteOwner) (RouteHistory, error) {
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
	dir, err := s.directory(ctx)
	if err != nil {
		return h, err
	}
	if !dir.For(by).sees(owner) {
		return h, oncall.ErrNotFound
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, versions, owner.Team, owner.Integration, maxVersions)
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

// RouteLists returns the current lists of the owners that the actor may see, in the given order.
func (s *Store) RouteLists(ctx context.Context, by oncall.Actor, owners []oncall.RouteOwner) ([]route.Definition, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	seen := dir.For(by)
	var found []route.Definition
	for _, owner := range owners {
		if l := dir.lists[owner]; l != nil && seen.sees(owner) {
			found = append(found, l.Definition)
		}
	}
	return found, nil
}

// sees reports whether the directory has the owner of a list.
func (d *Directory) sees(owner oncall.RouteOwner) bool {
	return slices.ContainsFunc(d.Teams, func(t oncall.Team) bool { return t.ID == owner.Team }) ||
		slices.ContainsFunc(d.Integrations, func(in oncall.Integration) bool { return in.ID == owner.Integration })
}

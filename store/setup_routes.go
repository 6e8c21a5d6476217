package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/setup"
)

// applyRoutes saves the lists of the document's teams and integrations, with a new version for each list that changed.
// It must run after applyPolicies, because rules refer to policies.
func (a *applier) applyRoutes(ctx context.Context, doc setup.Setup) error {
	found, err := routeLists(ctx, a.tx)
	if err != nil {
		return err
	}
	for _, t := range doc.Teams {
		if err := a.applyList(ctx, oncall.RouteOwner{Team: a.teams[t.Name]}, fmt.Sprintf("team %q", t.Name), t.Routes, t.ShadowRoutes, found); err != nil {
			return err
		}
	}
	integrations, err := liveIntegrations(ctx, a.tx)
	if err != nil {
		return err
	}
	for _, in := range doc.Integrations {
		i := slices.IndexFunc(integrations, func(s storedIntegration) bool { return s.Name == in.Name })
		if err := a.applyList(ctx, oncall.RouteOwner{Integration: integrations[i].ID}, fmt.Sprintf("integration %q", in.Name), in.Routes, in.ShadowRoutes, found); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) applyList(ctx context.Context, owner oncall.RouteOwner, called string, routes []setup.Route, shadow bool, found []storedList) error {
	const insert = `
		INSERT INTO route_lists (team_id, integration_id, version, shadow, rules, saved_at, saved_by)
		VALUES (nullif($1::bigint, 0), nullif($2::bigint, 0), $3, $4, $5, $6, $7)`
	rules, err := setup.Rules(routes, a.ids())
	if err != nil {
		return oncall.Refuse("Routes of %s: %s.", called, err)
	}
	var was storedList
	if i := slices.IndexFunc(found, func(l storedList) bool { return l.owner() == owner }); i >= 0 {
		was = found[i]
	}
	if was.Shadow == shadow && equal(nonNil(was.Rules), nonNil(rules)) {
		return nil
	}
	next := storedList{TeamID: owner.Team, IntegrationID: owner.Integration, Version: was.Version + 1, Shadow: shadow, Rules: rules, SavedAt: a.now, SavedBy: a.by}
	a.addLine("change routes of %s: version %d, %s", called, next.Version, counted(len(rules), "rule"))
	a.report.Routes = append(a.report.Routes, RouteChange{Owner: owner, Called: called, Before: was.definition(), After: next.definition()})
	_, err = a.tx.Exec(ctx, insert, owner.Team, owner.Integration, next.Version, shadow, nonNil(rules), a.now, a.by)
	if err != nil {
		return fmt.Errorf("save routes of %s: %w", called, err)
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// A RouteChange is a list that a document changes. In a dry run, new owners and policies have the ids that they would
// get.
type RouteChange struct {
	Owner         oncall.RouteOwner
	Called        string
	Before, After route.Definition
}

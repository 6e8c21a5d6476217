package store

import (
	"context"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A RouteTrial is one integration's latest payloads, and how its signals are handled before and after an edit.
type RouteTrial struct {
	Before, After oncall.OutcomeFacts
	Payloads      []oncall.Payload // newest first
}

// TryRoutes returns what is needed to try a list of routes before it is saved: the latest payloads of the integrations
// that it is about, at most that many in all. The error is oncall.ErrNotFound if the actor may not see the owner, and
// else says what is wrong with a rule.
func (s *Store) TryRoutes(ctx context.Context, by oncall.Actor, owner oncall.RouteOwner, routes []setup.Route, shadow bool, most int) ([]RouteTrial, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	filter := PayloadFilter{Integration: owner.Integration, Team: owner.Team, Most: most}
	if owner.Integration != 0 {
		filter.Team = g.dir.integrations[owner.Integration].TeamID
	}
	if !g.dir.For(by).sees(owner) {
		return nil, oncall.ErrNotFound
	}
	if err := g.may(access.See, access.Object{Team: filter.Team}); err != nil {
		return nil, err
	}
	list, err := g.dir.listOf(owner, routes, shadow)
	if err != nil {
		return nil, err
	}
	payloads, err := s.Payloads(ctx, by, filter)
	if err != nil {
		return nil, err
	}
	byIntegration := map[oncall.IntegrationID][]oncall.Payload{}
	var integrations []oncall.IntegrationID
	for _, p := range payloads {
		if len(byIntegration[p.Integration]) == 0 {
			integrations = append(integrations, p.Integration)
		}
		byIntegration[p.Integration] = append(byIntegration[p.Integration], p.Payload)
	}
	var trials []RouteTrial
	for _, id := range integrations {
		trials = append(trials, RouteTrial{Before: g.dir.OutcomeFacts(ctx, id), After: g.dir.factsWith(ctx, id, list), Payloads: byIntegration[id]})
	}
	return trials, nil
}

// listOf compiles a list as it would be saved.
func (d *Directory) listOf(owner oncall.RouteOwner, routes []setup.Route, shadow bool) (*route.List, error) {
	ids := setup.IDs{Policies: map[string]oncall.PolicyID{}}
	for id, p := range d.Policies {
		if !p.Removed {
			ids.Policies[p.Name] = id
		}
	}
	rules, err := setup.Rules(routes, ids)
	if err != nil {
		return nil, err
	}
	return route.Compile(route.Definition{Owner: owner, Shadow: shadow, Rules: rules}), nil
}

// factsWith returns how an integration's signals are handled with a list in the place of its owner's.
func (d *Directory) factsWith(ctx context.Context, id oncall.IntegrationID, l *route.List) oncall.OutcomeFacts {
	in := d.integrations[id]
	g := oncall.OutcomeFacts{Integration: in, Policies: d.Policies}
	lists := map[oncall.RouteOwner]*route.List{}
	for _, owner := range []oncall.RouteOwner{{Integration: id}, {Team: in.TeamID}} {
		lists[owner] = d.lists[owner]
	}
	lists[l.Owner] = l
	if r := d.RouterOf(in, lists); len(r.Lists) > 0 {
		g.Route = func(s oncall.Signal) oncall.Routing { return r.Route(ctx, s) }
	}
	return g
}

package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// A storedList is one version of a list of routes.
type storedList struct {
	ID            int64
	TeamID        oncall.TeamID
	IntegrationID oncall.IntegrationID
	Version       int
	Shadow        bool
	Rules         []route.Rule
	SavedAt       time.Time
	SavedBy       oncall.Actor
}

func (l storedList) owner() oncall.RouteOwner {
	return oncall.RouteOwner{Team: l.TeamID, Integration: l.IntegrationID}
}

func (l storedList) definition() route.Definition {
	return route.Definition{Owner: l.owner(), Version: l.Version, Shadow: l.Shadow, Rules: l.Rules, SavedAt: l.SavedAt, SavedBy: l.SavedBy}
}

// routeLists loads the current lists, including empty ones.
func routeLists(ctx context.Context, q querier) ([]storedList, error) {
	const load = `
		SELECT DISTINCT ON (team_id, integration_id)
		       id, coalesce(team_id, 0) AS team_id, coalesce(integration_id, 0) AS integration_id, version, shadow, rules, saved_at, saved_by
		FROM route_lists
		ORDER BY team_id, integration_id, version DESC`
	rows, _ := q.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[storedList])
}

// compiledLists caches the current lists, so that each version is compiled once.
type compiledLists struct {
	mu    sync.Mutex
	lists map[int64]*route.List
}

// of compiles new lists, and drops the ones that are no longer current.
func (c *compiledLists) of(stored []storedList) map[oncall.RouteOwner]*route.List {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make(map[int64]*route.List, len(stored))
	out := make(map[oncall.RouteOwner]*route.List, len(stored))
	for _, l := range stored {
		if len(l.Rules) == 0 {
			continue
		}
		if kept[l.ID] = c.lists[l.ID]; kept[l.ID] == nil {
			kept[l.ID] = route.Compile(l.definition())
		}
		out[l.owner()] = kept[l.ID]
	}
	c.lists = kept
	return out
}

// loadRoutes loads the lists, and makes a router for each integration that has rules or whose team has rules.
func (d *Directory) loadRoutes(ctx context.Context, tx pgx.Tx, s *Store) error {
	stored, err := routeLists(ctx, tx)
	if err != nil {
		return fmt.Errorf("load routes: %w", err)
	}
	d.lists = s.lists.of(stored)
	d.routers = map[oncall.IntegrationID]*route.Router{}
	for id, in := range d.integrations {
		if r := d.RouterOf(in, d.lists); len(r.Lists) > 0 {
			r.Log = func(rule oncall.RouteName, err error) {
				s.log.Warn().Err(err).Str("rule", rule.Rule).Int64("integration", int64(id)).Msg("a rule was not evaluated")
			}
			d.routers[id] = r
		}
	}
	return nil
}

// RouterOf combines the lists that route the signals of an integration.
func (d *Directory) RouterOf(in oncall.Integration, lists map[oncall.RouteOwner]*route.List) *route.Router {
	r := &route.Router{
		Integration: in, Team: d.teams[in.TeamID].Name,
		Policy: func(id oncall.PolicyID) string { return d.Policies[id].Name },
		Usable: func(id oncall.PolicyID) bool {
			p, known := d.Policies[id]
			return known && !p.Removed
		},
	}
	for _, owner := range []oncall.RouteOwner{{Integration: in.ID}, {Team: in.TeamID}} {
		if l := lists[owner]; l != nil {
			r.Lists = append(r.Lists, l)
		}
	}
	return r
}

// OutcomeFacts returns the facts that decide how an integration's signals are handled, except for maintenance.
func (d *Directory) OutcomeFacts(ctx context.Context, id oncall.IntegrationID) oncall.OutcomeFacts {
	g := oncall.OutcomeFacts{Integration: d.integrations[id], Policies: d.Policies}
	if r := d.routers[id]; r != nil {
		g.Route = func(s oncall.Signal) oncall.Routing { return r.Route(ctx, s) }
	}
	return g
}

// Integration returns an integration, even a removed one.
func (d *Directory) Integration(id oncall.IntegrationID) (oncall.Integration, bool) {
	in, known := d.integrations[id]
	return in, known
}

// Router routes the signals of an integration; nil: all go to its policy.
func (d *Directory) Router(id oncall.IntegrationID) *route.Router { return d.routers[id] }

// Lists returns the current lists of routes that have rules. A directory made by For has none, so that an actor can't
// see them this way.
func (d *Directory) Lists() map[oncall.RouteOwner]*route.List { return d.lists }

// RoutedTo lists the policies to which an integration's signals may go.
func (d *Directory) RoutedTo(id oncall.IntegrationID) []oncall.PolicyID {
	out := []oncall.PolicyID{d.integrations[id].PolicyID}
	if r := d.routers[id]; r != nil {
		for _, l := range r.Lists {
			for _, rule := range l.Rules {
				if rule.Policy != 0 {
					out = append(out, rule.Policy)
				}
			}
		}
	}
	return out
}

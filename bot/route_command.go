package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/store"
)

// routes answers `/oncall routes [team|integration]` with the active rules, and what each has done.
func (b *Bot) routes(ctx context.Context, r request) (view.Drawing, error) {
	words := r.words
	if len(words) > 1 && oneOf(words, 0, "team", "integration", "of", "for") {
		words = words[1:]
	}
	if len(words) == 0 || r.aboutAll() {
		return b.allRoutes(ctx, r)
	}
	window, rest, err := r.maintained(words)
	if err != nil || len(rest) > 0 {
		return view.Drawing{}, r.noRouted(words)
	}
	var lists []view.RouteList
	if window.IntegrationID != 0 {
		l, err := b.routeList(ctx, r, oncall.RouteOwner{Integration: window.IntegrationID})
		if err != nil {
			return view.Drawing{}, err
		}
		lists = append(lists, l)
	}
	l, err := b.routeList(ctx, r, oncall.RouteOwner{Team: window.TeamID})
	if err != nil {
		return view.Drawing{}, err
	}
	return view.Offer(view.Routes(append(lists, l), r.routesEnd(window.IntegrationID), r.location), r.offers(view.OpenRoutes, access.EditSchedule, "", "Rules of", window.TeamID)), nil
}

// noRouted refuses an unknown name, with a guess.
func (r request) noRouted(words []string) error {
	var names []string
	for _, t := range r.directory.Teams {
		names = append(names, t.Name)
	}
	for _, in := range r.directory.Integrations {
		names = append(names, in.Name)
	}
	typed := unescape(strings.Join(words, " "))
	return oncall.Refuse("There is no team and no integration %q%s.%s `/oncall routes` lists whose rules there are.",
		view.Name(typed), r.noneVisible(), view.DidYouMean(view.Name(oncall.Nearest(typed, names)), "%q"))
}

// allRoutes lists the teams and integrations that have rules.
func (b *Bot) allRoutes(ctx context.Context, r request) (view.Drawing, error) {
	var owners []oncall.RouteOwner
	for _, t := range r.directory.Teams {
		owners = append(owners, oncall.RouteOwner{Team: t.ID})
	}
	for _, in := range r.directory.Integrations {
		owners = append(owners, oncall.RouteOwner{Integration: in.ID})
	}
	latest, err := b.store.RouteLists(ctx, r.by(), owners)
	if err != nil {
		return view.Drawing{}, err
	}
	var lists []view.RouteList
	for _, l := range latest {
		lists = append(lists, r.shownRoutes(l.Owner, store.RouteHistory{Versions: []route.Definition{l}}))
	}
	return view.Offer(view.AllRoutes(lists, r.noneVisible(), r.location), r.offers(view.OpenRoutes, access.EditSchedule, "", "Rules of")), nil
}

func (b *Bot) routeList(ctx context.Context, r request, owner oncall.RouteOwner) (view.RouteList, error) {
	h, err := b.store.RouteHistory(ctx, r.by(), owner)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return view.RouteList{}, oncall.Refuse("That is no longer there.")
	case err != nil:
		return view.RouteList{}, err
	}
	return r.shownRoutes(owner, h), nil
}

// shownRoutes converts the active rules for the view.
func (r request) shownRoutes(owner oncall.RouteOwner, h store.RouteHistory) view.RouteList {
	v := view.RouteList{Of: r.routesOf(owner)}
	if len(h.Versions) == 0 {
		return v
	}
	now := h.Versions[0]
	v.Version, v.Shadow, v.SavedAt, v.SavedBy, v.Versions = now.Version, now.Shadow, now.SavedAt, now.SavedBy, len(h.Versions)
	for _, rule := range now.Rules {
		asks := rule.If
		if rule.When != "" {
			asks = append(append([]string{}, asks...), rule.When)
		}
		v.Rules = append(v.Rules, view.RouteRule{
			Name: rule.Name, Asks: asks, Does: rule.Does(r.policyName), Shadow: rule.Shadow || now.Shadow, Tally: h.Tallies[rule.Name],
		})
	}
	return v
}

// routesOf names the owner of rules.
func (r request) routesOf(owner oncall.RouteOwner) string {
	if owner.Integration != 0 {
		return "integration " + r.directory.IntegrationName(owner.Integration)
	}
	t, _ := r.directory.Team(owner.Team)
	return "team " + t.Name
}

// policyName returns a policy's name, if the reader may know it.
func (r request) policyName(id oncall.PolicyID) string {
	if p, seen := r.directory.Policies[id]; seen {
		return p.Name
	}
	return "of a private team"
}

// routesEnd says where alerts go that match no rule.
func (r request) routesEnd(id oncall.IntegrationID) string {
	in, known := r.directory.Integration(id)
	if id == 0 || !known {
		return "the escalation policy of its integration"
	}
	return "the escalation policy " + r.policyName(in.PolicyID)
}

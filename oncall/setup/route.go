package setup

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// A Route is one routing rule. The first in a list that matches decides.
type Route struct {
	Name string   `json:"name,omitempty"`
	If   []string `json:"if,omitempty"`   // conditions in words, which must all hold: "labels.env is staging"
	When string   `json:"when,omitempty"` // the same in CEL

	To       string            `json:"to,omitempty"`       // a policy
	Drop     bool              `json:"drop,omitempty"`     // opens nothing, and is counted
	Severity oncall.Severity   `json:"severity,omitempty"` // overrides the monitor's
	Labels   map[string]string `json:"labels,omitempty"`   // to set
	Hold     string            `json:"hold,omitempty"`     // how long it must last before it pages: "5m"
	Group    *Group            `json:"group,omitempty"`    // overrides the integration's
	Shadow   bool              `json:"shadow,omitempty"`   // evaluated and reported, without effect
}

// Rule converts a route, resolving names.
func (r Route) Rule(ids IDs) (route.Rule, error) {
	out := route.Rule{
		Name: r.Name, If: r.If, When: strings.TrimSpace(r.When), Shadow: r.Shadow, Drop: r.Drop, Severity: r.Severity, Labels: r.Labels,
	}
	if r.To != "" {
		out.Policy = ids.Policies[r.To]
	}
	var err error
	if r.Hold != "" {
		if out.Hold, err = parseSpan("hold", r.Hold, 0, time.Second); err != nil {
			return out, err
		}
	}
	if r.Group != nil {
		if out.Group, err = (Integration{Group: r.Group}).Grouping(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Rules converts a list of routes.
func Rules(routes []Route, ids IDs) (out []route.Rule, err error) {
	for _, r := range routes {
		rule, err := r.Rule(ids)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.Name, err)
		}
		out = append(out, rule)
	}
	return out, nil
}

// routes checks a list, once all policies are known.
func (c *checker) routes(where string, routes []Route, shadow bool) {
	if shadow && len(routes) == 0 {
		c.say("%s: shadow_routes says that its routes change nothing, and it has none", where)
	}
	ids := IDs{Policies: map[string]oncall.PolicyID{}}
	var rules []route.Rule
	for i, r := range routes {
		if r.To != "" {
			c.refer("policy", r.To, "%s, rule %q: to", where, r.Name)
			ids.Policies[r.To] = 1 // any id, since its existence has been checked
		}
		rule, err := r.Rule(ids)
		if err != nil {
			c.say("%s, rule %d %q: %s", where, i+1, r.Name, err)
			return
		}
		rules = append(rules, rule)
	}
	for _, problem := range route.Problems(rules) {
		c.say("%s, %s", where, problem)
	}
}

// mapping checks the integration's mapping.
func (c *checker) mapping(in Integration) {
	if in.Mapping == nil {
		return
	}
	if in.Format != "" && in.Format != oncall.AutoFormat {
		c.say("integration %q: it has a mapping, which reads all that comes; leave out kind", in.Name)
	}
	if _, err := route.CompileMapping(*in.Mapping); err != nil {
		c.say("integration %q: mapping, %s", in.Name, err)
	}
}

// routesOf exports an owner's list.
func (e exporter) routesOf(owner oncall.RouteOwner) (out []Route, shadow bool) {
	d := e.routes[owner]
	for _, r := range d.Rules {
		is := Route{
			Name: r.Name, If: r.If, When: r.When, To: e.policies[r.Policy], Drop: r.Drop, Severity: r.Severity, Labels: r.Labels,
			Group: writeGroup(r.Group), Shadow: r.Shadow,
		}
		if r.Hold > 0 {
			is.Hold = writeSpan(r.Hold)
		}
		if r.Policy != 0 && is.To == "" { // it was removed, so its alerts go to the integration's own
			if is.Severity == "" && is.Labels == nil && is.Hold == "" && is.Group == nil {
				continue
			}
		}
		out = append(out, is)
	}
	return out, d.Shadow && len(out) > 0
}

// WriteRoutes writes a list in the set-up file's form, with policies by name.
func WriteRoutes(d route.Definition, policies map[oncall.PolicyID]string) ([]Route, bool) {
	e := exporter{policies: policies, routes: map[oncall.RouteOwner]route.Definition{d.Owner: d}}
	return e.routesOf(d.Owner)
}

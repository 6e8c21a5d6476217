package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// routes adds a list of routes, each rule separately, and their order.
func (inst installation) routes(t *thing, team oncall.TeamID, routes []setup.Route, shadow bool) {
	var names []string
	for _, r := range routes {
		names = append(names, r.Name)
	}
	t.says.text("routes", strings.Join(names, ", "))
	t.says.flag("routes in shadow", shadow)
	for _, r := range routes {
		t.says.part(fmt.Sprintf("route %q", r.Name), oncall.Say("%s", ruleText(r, inst.policySeen(team, r.To))), ruleText(r, r.To))
	}
}

// policySeen returns a policy's name for the managers of a team.
func (inst installation) policySeen(team oncall.TeamID, name string) string {
	for _, p := range inst.Policies {
		if p.Name == name {
			return inst.seenBy(team, p.TeamID, name)
		}
	}
	return name
}

func ruleText(route setup.Route, to string) string {
	var parts []string
	say := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	for _, c := range route.If {
		say("if", c)
	}
	say("when", route.When)
	say("to", to)
	if route.Drop {
		parts = append(parts, "drop")
	}
	say("severity", string(route.Severity))
	for _, name := range slices.Sorted(maps.Keys(route.Labels)) {
		say("label", name+"="+route.Labels[name])
	}
	say("hold", route.Hold)
	if route.Group != nil {
		say("group by", strings.TrimSuffix(strings.Join(route.Group.By, ", ")+" within "+route.Group.Window, " within "))
	}
	if route.Shadow {
		parts = append(parts, "in shadow")
	}
	return strings.Join(parts, "; ")
}

// mapping adds an integration's mapping.
func mapping(t *thing, m *oncall.Mapping) {
	if m == nil {
		return
	}
	t.says.text("mapping each", m.Each)
	t.says.text("mapping title", m.Title)
	t.says.text("mapping body", m.Body)
	t.says.text("mapping severity", m.Severity)
	t.says.text("mapping status", m.Status)
	t.says.text("mapping dedup_key", m.DedupKey)
	t.says.text("mapping link", m.Link)
	for _, many := range []struct {
		kind  string
		texts map[string]string
	}{{"label", m.Labels}, {"detail", m.Details}, {"link", m.Links}} {
		for _, name := range slices.Sorted(maps.Keys(many.texts)) {
			t.says.text(fmt.Sprintf("mapping %s %q", many.kind, name), many.texts[name])
		}
	}
}

package main

import (
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/store"
)

// maxExplained is how many signals are explained rule by rule.
const maxExplained = 10

// routes prints each rule's result for each signal, and the outcome.
func (ex explainer) routes(signals []oncall.Signal) {
	r := ex.dir.Router(ex.integration.ID)
	if r == nil {
		return
	}
	asked := 0
	for _, s := range signals {
		if s.Action != oncall.Trigger {
			continue
		}
		if asked++; asked > maxExplained {
			ex.line("\nMore signals are routed by the same rules.")
			return
		}
		ex.line("\nRoutes       of %s", s.Title)
		routing, verdicts := r.Explain(ex.ctx, s)
		ex.verdicts(verdicts)
		ex.line("  %s", ex.decided(routing))
	}
}

func (ex explainer) verdicts(all []route.Verdict) {
	var of *route.List
	for _, v := range all {
		if v.List != of {
			of = v.List
			ex.line("  %s, version %d%s", ex.ownerOf(of.Owner), of.Version, map[bool]string{true: ", in shadow"}[of.Shadow])
		}
		result := "no       "
		switch {
		case !v.Reached:
			result = "not asked"
		case v.Failed:
			result = "FAILED   "
		case v.Matched && v.Shadow:
			result = "shadow   "
		case v.Matched:
			result = "yes      "
		}
		line := fmt.Sprintf("    %s  %s", result, v.Rule.Name)
		switch {
		case v.Matched && v.Shadow:
			line += ": would " + ex.does(v.Rule)
		case v.Matched:
			line += ": " + ex.does(v.Rule)
		case v.Reached && v.Why != "":
			line += ": " + v.Why
		}
		ex.line("%s", line)
	}
}

func (ex explainer) does(r route.Rule) string {
	return r.Does(func(id oncall.PolicyID) string { return ex.dir.Policies[id].Name })
}

func (ex explainer) ownerOf(owner oncall.RouteOwner) string {
	if owner.Integration != 0 {
		return "rules of integration " + ex.integration.Name
	}
	team, _ := ex.dir.Team(owner.Team)
	return "rules of team " + team.Name
}

// decided describes the outcome for an alert.
func (ex explainer) decided(r oncall.Routing) string {
	switch {
	case !r.Matched():
		return fmt.Sprintf("No rule matches: it goes to the policy %s.", ex.dir.Policies[ex.integration.PolicyID].Name)
	case r.Drop:
		return fmt.Sprintf("Rule %q drops it: it is counted, opens no incident and pages nobody.", r.Rule.Rule)
	}
	return fmt.Sprintf("Rule %q decides: %s.", r.Rule.Rule, ex.did(r.Policy, r.Does))
}

// did joins a rule's target policy with its other effects.
func (ex explainer) did(policy oncall.PolicyID, does string) string {
	if policy == 0 {
		return does
	}
	return strings.TrimSuffix("to policy "+ex.dir.Policies[policy].Name+"; "+does, "; ")
}

// aside prints the alerts that rules hold or drop.
func (ex explainer) aside(alerts []oncall.Alert) {
	for _, a := range alerts {
		switch {
		case a.Dropped:
			ex.line("\nDropped      %s (dedup key %s), by rule %q.", a.Title, a.DedupKey, a.Route.Rule)
		case a.HeldUntil != nil:
			ex.line("\nHeld         %s (dedup key %s), by rule %q: only if it still fires at %s it opens an incident:",
				a.Title, a.DedupKey, a.Route.Rule, clock(ex.zoned(*a.HeldUntil)))
		}
	}
}

// explainIncident explains the alerts of an incident: the rules that led there, and the present rules'
// results.
func (c *explainCmd) explainIncident(p process, db *store.System, dir *store.Directory) error {
	alerts, all, err := db.Alerts(p.ctx, p.operator(), oncall.IncidentID(c.Incident), 0, maxExplained)
	if err != nil {
		return fmt.Errorf("explain incident %d: %w", c.Incident, err)
	}
	in, err := db.Incident(p.ctx, p.operator(), oncall.IncidentID(c.Incident))
	if err != nil {
		return fmt.Errorf("explain incident %d: %w", c.Incident, err)
	}
	ex := explainer{ctx: p.ctx, out: p.out, dir: dir, at: p.clock()}
	ex.line("Incident     #%d %s", int64(in.ID), in.Title)
	ex.line("Policy       %s", dir.Policies[in.PolicyID].Name)
	for _, alert := range alerts {
		integration, known := dir.Integration(alert.IntegrationID)
		if !known {
			continue
		}
		ex.integration = integration
		ex.line("\nAlert        %s (dedup key %s) of %s", alert.Title, alert.DedupKey, integration.Name)
		switch {
		case alert.Route != nil && alert.Route.Rule != "":
			ex.line("Came by      rule %q, version %d: %s", alert.Route.Rule, alert.Route.Version, ex.did(alert.Route.Policy, alert.Route.Does))
		default:
			ex.line("Came by      no rule: it went to the policy of its integration")
		}
		ex.routes([]oncall.Signal{alert.TriggerSignal()})
	}
	if all > len(alerts) {
		ex.line("\nIt has %d more alerts.", all-len(alerts))
	}
	return nil
}

// one requires exactly one of the ways to name a signal.
func one(given ...bool) string {
	n := 0
	for _, set := range given {
		if set {
			n++
		}
	}
	if n == 1 {
		return ""
	}
	return "give one of --file (-f), --payload and --incident"
}

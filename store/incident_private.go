package store

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// An incident that everybody sees may be passed on to the policy of a private team. The policy's name and whom
// it will page are private to that team; others read "a private team".

// ofPrivateTeam stands in the place of a policy's name: "policy of a private team".
const ofPrivateTeam = "of a private team"

// foreignSecret reports whether a policy is of a private team that the incident is not of.
func (d *Directory) foreignSecret(in oncall.Incident, id oncall.PolicyID) bool {
	p, known := d.Policies[id]
	return known && p.TeamID != in.TeamID && d.teams[p.TeamID].Private
}

// secretPolicies are the names of all policies of private teams that the incident is not of.
func (d *Directory) secretPolicies(in oncall.Incident) (names []string) {
	for id, p := range d.Policies {
		if d.foreignSecret(in, id) {
			names = append(names, p.Name)
		}
	}
	return names
}

// veilPolicies takes what such policies are called out of a picture, which people of several teams see.
func (d *Directory) veilPolicies(p *oncall.Picture) {
	names := d.secretPolicies(p.Incident)
	if slices.Contains(names, p.Policy) {
		p.Policy = ofPrivateTeam
	}
	veilEvents(p.Events, names)
}

// veilEvents takes the names of policies out of a timeline.
func veilEvents(events []oncall.Event, names []string) {
	for i, e := range events {
		if e.Kind == oncall.EventPassedOn && slices.Contains(names, e.Detail.Text) {
			events[i].Detail.Text = ofPrivateTeam
		}
		if (e.Kind == oncall.EventRouted || e.Kind == oncall.EventRouteShadow) && len(e.Detail.To) > 0 && slices.Contains(names, e.Detail.To[0]) {
			events[i].Detail.To = []string{ofPrivateTeam}
		}
	}
}

// veilPlan leaves out of a plan what such policies do, but for the moment at which they begin.
func (d *Directory) veilPlan(plan []oncall.PlanEntry, secret func(oncall.PolicyID) bool) []oncall.PlanEntry {
	var out []oncall.PlanEntry
	told := false
	for _, e := range plan {
		// Those who are told when all has run out, and who stand in, are of the incident's own team.
		if !secret(e.Policy) || e.Exhausts || e.Kind == oncall.EventUnassigned {
			out = append(out, e)
			continue
		}
		if !told || e.Kind == oncall.EventPassedOn {
			note := oncall.Say("The escalation policy of a private team says who is paged.")
			if e.Kind == oncall.EventPassedOn {
				note = oncall.Say("The escalation policy of a private team takes over.")
			}
			out = append(out, oncall.PlanEntry{At: e.At, Kind: e.Kind, Note: note})
		}
		told = true
	}
	return out
}

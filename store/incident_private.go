package store

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A public incident may be passed on to the policy of a private team. The policy's name and the people whom it will
// page are private to that team; members of other teams read "a private team".

// ofPrivateTeam replaces a policy's name, as in "policy of a private team".
const ofPrivateTeam = "of a private team"

// foreignSecret reports whether a policy belongs to a private team other than the incident's.
func (d *Directory) foreignSecret(in oncall.Incident, id oncall.PolicyID) bool {
	p, known := d.Policies[id]
	return known && p.TeamID != in.TeamID && d.teams[p.TeamID].Private
}

// secretPolicies returns the names of all policies of private teams other than the incident's.
func (d *Directory) secretPolicies(in oncall.Incident) (names []string) {
	for id, p := range d.Policies {
		if d.foreignSecret(in, id) {
			names = append(names, p.Name)
		}
	}
	return names
}

// veilPolicies hides the names of such policies in a picture, because members of several teams see it.
func (d *Directory) veilPolicies(p *oncall.Picture) {
	names := d.secretPolicies(p.Incident)
	if slices.Contains(names, p.Policy) {
		p.Policy = ofPrivateTeam
	}
	veilEvents(p.Events, names)
}

// veilEvents hides the names of policies in a timeline.
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

// veilPlan removes the steps of such policies from a plan, except for the moment when the policy takes over.
func (d *Directory) veilPlan(plan []oncall.PlanEntry, secret func(oncall.PolicyID) bool) []oncall.PlanEntry {
	var out []oncall.PlanEntry
	shown := false
	for _, e := range plan {
		// The people who are told at the end of escalation, and their stand-ins, belong to the incident's own team.
		if !secret(e.Policy) || e.Exhausts || e.Kind == oncall.EventUnassigned {
			out = append(out, e)
			continue
		}
		if !shown || e.Kind == oncall.EventPassedOn {
			note := oncall.Say("The escalation policy of a private team says who is paged.")
			if e.Kind == oncall.EventPassedOn {
				note = oncall.Say("The escalation policy of a private team takes over.")
			}
			out = append(out, oncall.PlanEntry{At: e.At, Kind: e.Kind, Note: note})
		}
		shown = true
	}
	return out
}

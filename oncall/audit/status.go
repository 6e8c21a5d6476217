package audit

import "github.com/watchbill/watchbill/oncall"

// Published records an incident's text on the status page.
func Published(team oncall.Team, id oncall.IncidentID, title string, u oncall.StatusUpdate) Entry {
	return Entry{
		Kind: Team, Name: team.Name, Teams: []oncall.TeamID{team.ID}, Act: StatusPublished,
		Changes: []Change{{What: "incident " + id.String(), After: oncall.Say("%s, %s: %s", title, string(u.State), u.Text)}},
	}
}

// Withdrawn records an incident's removal from the status page.
func Withdrawn(team oncall.Team, id oncall.IncidentID) Entry {
	return Entry{
		Kind: Team, Name: team.Name, Teams: []oncall.TeamID{team.ID}, Act: StatusWithdrawn,
		Changes: []Change{{What: "incident " + id.String(), Before: oncall.Say("on the status page")}},
	}
}

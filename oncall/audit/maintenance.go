package audit

import "github.com/watchbill/watchbill/oncall"

// AddedMaintenance records a window in which a team's alerts page nobody.
func AddedMaintenance(team oncall.Team, m oncall.Maintenance, integration string) Entry {
	return ofMaintenance(team, MaintenanceAdded, fields(nil).became(ofWindow(m, integration)))
}

// EndedMaintenance records that a window was ended early or cancelled.
func EndedMaintenance(team oncall.Team, m oncall.Maintenance, integration string) Entry {
	return ofMaintenance(team, MaintenanceEnded, ofWindow(m, integration).became(nil))
}

func ofMaintenance(team oncall.Team, act Operation, changes []Change) Entry {
	return Entry{Kind: Team, Name: team.Name, Teams: []oncall.TeamID{team.ID}, Act: act, Changes: changes}
}

func ofWindow(m oncall.Maintenance, integration string) (says fields) {
	says.say("when", span(m.StartsAt, m.EndsAt))
	says.text("only", m.Scope(integration))
	says.text("reason", m.Reason)
	return says
}

package access

import (
	"slices"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxNamed is how many people a refusal names.
const maxNamed = 3

// refuseOutsider says why somebody may do nothing.
func (m Model) refuseOutsider(id oncall.UserID) error {
	if m.Users[id].DeactivatedAt != nil {
		return oncall.Refuse("%s is deactivated in Slack, and nothing was changed.", id)
	}
	return oncall.Refuse("Only people of the workspace that runs Watchbill can do this, and nothing was changed.")
}

// refuse says who could do it.
func (m Model) refuse(need Role, on Object) error {
	t := m.Teams[on.Team]
	switch need {
	case Admin:
		if admins := m.AdminIDs(); len(admins) > 0 {
			return oncall.Refuse("Only admins of Watchbill can do this, and nothing was changed: %s.", m.some(admins))
		}
		return oncall.Refuse("Only admins of Watchbill can do this, and nothing was changed. None is known yet: they are the owners of the Slack workspace, once they have used Watchbill, or those whom WATCHBILL_ADMINS names.")
	case Manager:
		if on.Team == 0 {
			return oncall.Refuse("Only managers of teams and admins of Watchbill can do this, and nothing was changed.")
		}
		return oncall.Refuse("Only managers of the team %q can do this, and nothing was changed: %s.", t.Name, m.some(t.managers()))
	case Responder:
		if t.Private {
			return oncall.Refuse("This is of a private team. Only its members can see it, and nothing was changed.")
		}
		if on.Maker != "" {
			return oncall.Refuse("Only %s and members of the team %q can do this, and nothing was changed: %s.", on.Maker, t.Name, m.some(t.Members))
		}
		return oncall.Refuse("Only members of the team %q can do this, and nothing was changed: %s.", t.Name, m.some(t.Members))
	case Outsider, Guest, Member:
	}
	return oncall.Refuse("Guests of the workspace can do this only in teams that name them, and nothing was changed.")
}

// some names people who could, a few of many.
func (m Model) some(users []oncall.UserID) oncall.Sentence {
	users = slices.DeleteFunc(slices.Clone(users), m.outside)
	more := len(users) - maxNamed
	if more == 1 { // a name takes no more room than that there is one
		more = 0
	}
	switch {
	case len(users) == 0:
		return oncall.Say("there is nobody; ask an admin of Watchbill")
	case more > 0:
		return oncall.Say("%s and %d others", schedule.People(users[:maxNamed], ", "), more)
	}
	return schedule.People(users, ", ")
}

package oncall

import (
	"slices"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A SlackGroup is the current state of a user group in Slack.
type SlackGroup struct {
	ID       string
	Handle   string
	Users    []UserID
	Disabled bool
}

// A GroupStep is the next change to make to a user group in Slack.
type GroupStep string

// The steps.
const (
	GroupDone    GroupStep = "done"
	GroupEnable  GroupStep = "enable"
	GroupDisable GroupStep = "disable"
	GroupSet     GroupStep = "set" // replace its members
)

// Step says what to change next to bring a group from its current state to the wanted one.
func (m Membership) Step(is SlackGroup) GroupStep {
	switch {
	case m.Disabled && is.Disabled:
		return GroupDone
	case m.Disabled:
		return GroupDisable
	case len(m.Users) == 0:
		return GroupDone
	case is.Disabled:
		return GroupEnable
	case !slices.Equal(slices.Sorted(slices.Values(is.Users)), m.Users):
		return GroupSet
	}
	return GroupDone
}

// Names reports whether the text is the group's handle or id.
func (g SlackGroup) Names(handle string) bool { return g.ID == handle || g.Handle == handle }

// NoticeGroup warns that a user group can't follow who is on call.
const NoticeGroup NoticeKind = "group_trouble"

// Trouble says what the admins should know about the group: that it keeps its members although nobody is on call, or
// whom Slack doesn't accept as members.
func (m Membership) Trouble(g UserGroup, refused []UserID) Sentence {
	kept := Say("Nobody is on call for @%s, so it keeps the members that it had.", g.Handle)
	left := Say("Slack doesn't take %s into @%s: guests, bots and people who have left can't be in a user group.",
		schedule.People(refused, " and "), g.Handle)
	switch keeps := m.Empty && len(m.Users) == 0 && !m.Disabled; {
	case keeps && len(refused) > 0:
		return Say("%s %s", kept, left)
	case keeps:
		return kept
	case len(refused) > 0:
		return left
	}
	return nil
}

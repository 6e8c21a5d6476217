package oncall

import (
	"slices"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// UserGroupID identifies a user group that follows who is on call.
type UserGroupID int64

// A UserGroup is a Slack user group ("@payments-oncall") whose members are the people on call in some roles of some
// schedules.
type UserGroup struct {
	ID        UserGroupID
	Handle    string // without the @, or Slack's id
	SlackID   string // Slack's id of the group that had Handle when it was first seen; empty: not seen yet
	Schedules []ScheduleID
	Roles     []string // empty: every role except shadow
	WhenEmpty WhenEmpty
	Fallback  UserID
	Trouble   string // the problem that admins were told of; empty: none
}

// WhenEmpty says what happens to a user group when nobody is on call, since Slack allows no empty groups.
type WhenEmpty string

// The rules for an empty group.
const (
	WhenEmptyFallback WhenEmpty = "fallback" // its only member is Fallback
	WhenEmptyKeep     WhenEmpty = "keep"     // it keeps its members, and admins are told
	WhenEmptyDisable  WhenEmpty = "disable"
)

// RoleHolders are the people last announced as on call in a role of a schedule.
type RoleHolders struct {
	Schedule ScheduleID
	Role     string
	Users    []UserID
}

// Follows reports whether the group follows a role of a schedule.
func (g UserGroup) Follows(p RoleHolders) bool {
	if !slices.Contains(g.Schedules, p.Schedule) {
		return false
	}
	if len(g.Roles) == 0 {
		return p.Role != schedule.RoleShadow
	}
	return slices.Contains(g.Roles, p.Role)
}

// A Membership is the wanted state of a user group.
type Membership struct {
	Users    []UserID // sorted; empty: keep the current members
	Disabled bool
	Empty    bool // nobody is on call
}

// Membership works out the wanted state of the group: its members are the announced people whom usable accepts.
func (g UserGroup) Membership(all []RoleHolders, usable func(UserID) bool) Membership {
	var m Membership
	add := func(u UserID) {
		if usable(u) && !slices.Contains(m.Users, u) {
			m.Users = append(m.Users, u)
		}
	}
	for _, p := range all {
		if g.Follows(p) {
			for _, u := range p.Users {
				add(u)
			}
		}
	}
	if m.Empty = len(m.Users) == 0; m.Empty {
		switch g.WhenEmpty {
		case WhenEmptyFallback:
			add(g.Fallback)
		case WhenEmptyDisable:
			m.Disabled = true
		case WhenEmptyKeep:
		}
	}
	slices.Sort(m.Users)
	return m
}

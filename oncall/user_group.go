package oncall

import (
	"slices"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// UserGroupID identifies a user group that follows who is on call.
type UserGroupID int64

// A UserGroup is a Slack user group ("@payments-oncall") whose members are whoever has
// one of the roles in one of the schedules.
type UserGroup struct {
	ID        UserGroupID
	Handle    string // without the @, or Slack's id
	SlackID   string // which group that was when it was seen first; empty: not seen yet
	Schedules []ScheduleID
	Roles     []string // empty: every role but the shadows'
	WhenEmpty WhenEmpty
	Fallback  UserID
	Trouble   string // what its admins were told is wrong; empty: nothing
}

// WhenEmpty says what becomes of a user group when nobody is on call: Slack keeps no
// group without members.
type WhenEmpty string

// The rules for an empty group.
const (
	WhenEmptyFallback WhenEmpty = "fallback" // one certain person
	WhenEmptyKeep     WhenEmpty = "keep"     // as it was, and its admins are told
	WhenEmptyDisable  WhenEmpty = "disable"
)

// RoleHolders are who was last announced as having a role of a schedule.
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

// A Membership is what a user group should be.
type Membership struct {
	Users    []UserID // sorted; empty: leave those who are in it
	Disabled bool
	Empty    bool // nobody is on call
}

// Membership works out who should be in the group: those who were announced and whom usable accepts.
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

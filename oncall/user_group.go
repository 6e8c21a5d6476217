package oncall

import (
	"regexp"
	"slices"
	"strings"

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

// Membership works out who should be in the group. Of those announced only people whom
// usable accepts count.
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

// A SetupUserGroup is a Slack user group that follows schedules.
type SetupUserGroup struct {
	Handle    string    `json:"handle,omitempty"` // "@payments-oncall" or Slack's id
	Schedules []string  `json:"schedules,omitempty"`
	Roles     []string  `json:"roles,omitempty"`      // every role but the shadows' where it is left out
	WhenEmpty WhenEmpty `json:"when_empty,omitempty"` // "keep" where it is left out
	Fallback  string    `json:"fallback,omitempty"`   // a user
}

// Name is the handle without the @.
func (g SetupUserGroup) Name() string { return strings.TrimPrefix(g.Handle, "@") }

var slackGroup = regexp.MustCompile(`^S[A-Z0-9]{2,}$`)

var groupHandle = regexp.MustCompile(`^@?[a-z0-9][a-z0-9._-]*$|^S[A-Z0-9]{2,}$`)

func (c *checker) userGroup(i int, g SetupUserGroup) {
	c.define("user group", g.Name(), i)
	if g.Handle != "" && !groupHandle.MatchString(g.Handle) {
		c.say("user group %q: handle is neither a handle such as \"@payments-oncall\" nor a Slack id such as \"S0614TZR7\"", g.Handle)
	}
	if len(g.Schedules) == 0 {
		c.say("user group %q follows no schedule", g.Handle)
	}
	for _, s := range g.Schedules {
		c.refer("schedule", s, "user group %q: schedule", g.Handle)
	}
	switch g.WhenEmpty {
	case WhenEmptyFallback:
		if g.Fallback == "" {
			c.say("user group %q: fallback is missing: who is in the group when nobody is on call", g.Handle)
		}
	case "", WhenEmptyKeep, WhenEmptyDisable:
		if g.Fallback != "" {
			c.say("user group %q: fallback counts only with when_empty: fallback", g.Handle)
		}
	default:
		c.say("user group %q: when_empty is %q; it may be \"fallback\", \"keep\" or \"disable\"", g.Handle, g.WhenEmpty)
	}
	if g.Fallback != "" {
		c.refer("user", g.Fallback, "user group %q: fallback", g.Handle)
	}
}

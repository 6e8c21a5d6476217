package setup

import (
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// A UserGroup is a Slack user group that follows schedules.
type UserGroup struct {
	Handle    string           `json:"handle,omitempty"` // "@payments-oncall" or Slack's id
	Schedules []string         `json:"schedules,omitempty"`
	Roles     []string         `json:"roles,omitempty"`      // default: all but shadow
	WhenEmpty oncall.WhenEmpty `json:"when_empty,omitempty"` // "keep" where it is left out
	Fallback  string           `json:"fallback,omitempty"`   // a user
}

// Name returns the handle without the @.
func (g UserGroup) Name() string { return strings.TrimPrefix(g.Handle, "@") }

var slackGroup = regexp.MustCompile(`^S[A-Z0-9]{2,}$`)

var groupHandle = regexp.MustCompile(`^@?[a-z0-9][a-z0-9._-]*$|^S[A-Z0-9]{2,}$`)

func (c *checker) userGroup(i int, g UserGroup) {
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
	case oncall.WhenEmptyFallback:
		if g.Fallback == "" {
			c.say("user group %q: fallback is missing: who is in the group when nobody is on call", g.Handle)
		}
	case "", oncall.WhenEmptyKeep, oncall.WhenEmptyDisable:
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

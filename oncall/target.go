package oncall

import (
	"net/url"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Target is a person or thing that a step pages. Exactly one field is set, except that Which and
// Role qualify Schedule. It is stored as JSON: fields are only ever added.
type Target struct {
	Schedule ScheduleID        `json:"schedule,omitempty"`
	Which    ScheduleSelection `json:"which,omitempty"`
	Role     string            `json:"role,omitempty"` // empty: every role except shadow
	User     UserID            `json:"user,omitempty"`
	Team     TeamID            `json:"team,omitempty"`    // all members
	Managers TeamID            `json:"admins,omitempty"`  // the managers of a team
	Group    string            `json:"group,omitempty"`   // the handle of a Slack user group
	Channel  string            `json:"channel,omitempty"` // a Slack channel
	Webhook  string            `json:"webhook,omitempty"` // a URL
	Policy   PolicyID          `json:"policy,omitempty"`  // the policy that the incident is passed on to
	Canary   bool              `json:"canary,omitempty"`  // nobody; only the canary's policy has this target
}

// ScheduleSelection says which people of a schedule are meant.
type ScheduleSelection string

// The people of a schedule who can be meant.
const (
	OnCallNow  ScheduleSelection = "" // on call when the step runs
	OnCallNext ScheduleSelection = "next"
	Everyone   ScheduleSelection = "everyone" // on call at any time within a year
)

// nextWithin is how far ahead the next person on call is looked for.
const nextWithin = 92 * 24 * time.Hour

// A pagedPerson is somebody whom a step pages, and why.
type pagedPerson struct {
	user UserID
	why  Sentence
}

// An audience is the resolved targets of a step at an instant.
type audience struct {
	people   []pagedPerson
	channels []string
	webhooks []string
	unknown  []string // handles of Slack user groups that are not known
	policy   PolicyID // the policy that the incident is passed on to afterwards
	canary   bool
}

func (a *audience) empty() bool {
	return len(a.people) == 0 && len(a.channels) == 0 && len(a.webhooks) == 0 && !a.canary
}

// people resolves targets to people only.
func (r Roster) people(targets []Target, at time.Time) []pagedPerson {
	return r.audience(targets, at).people
}

// audience resolves the targets of a step at an instant, each person once, in the order of the targets. People who
// can't be paged are left out.
func (r Roster) audience(targets []Target, at time.Time) audience {
	var s audience
	add := func(why Sentence, users ...UserID) {
		for _, u := range users {
			if r.unpageable(u) {
				continue
			}
			if !slices.ContainsFunc(s.people, func(c pagedPerson) bool { return c.user == u }) {
				s.people = append(s.people, pagedPerson{u, why})
			}
		}
	}
	for i := range targets {
		target := &targets[i]
		switch {
		case target.Schedule != 0:
			if c := r.Schedules[target.Schedule]; c != nil {
				target.onCall(c, at, add)
			}
		case target.User != "":
			add(Say("the escalation policy names you"), target.User)
		case target.Team != 0:
			add(Say("the escalation policy names your whole team"), r.Members[target.Team]...)
		case target.Managers != 0:
			add(Say("the escalation policy names the managers of your team"), r.managers(target.Managers)...)
		case target.Group != "":
			users, known := r.Groups[target.Group]
			if !known {
				s.unknown = append(s.unknown, target.Group)
			}
			add(Say("the escalation policy names the Slack group @%s, and you are in it", target.Group), users...)
		case target.Channel != "":
			s.channels = appendNew(s.channels, target.Channel)
		case target.Webhook != "":
			s.webhooks = appendNew(s.webhooks, target.Webhook)
		case target.Policy != 0:
			s.policy = target.Policy
		case target.Canary:
			s.canary = true
		}
	}
	return s
}

// means reports whether the target includes a role of its schedule. Shadows are never paged.
func (t *Target) means(role string) bool {
	return role != schedule.RoleShadow && (t.Role == "" || role == t.Role)
}

// onCall adds the people of a schedule that the target includes.
func (t *Target) onCall(compiled *schedule.Schedule, at time.Time, add func(why Sentence, users ...UserID)) {
	for _, role := range compiled.Roles() {
		if !t.means(role) {
			continue
		}
		switch t.Which {
		case OnCallNext:
			add(Say("you are on call next in %s", compiled.Name()), nextComing(compiled, at, role)...)
		case Everyone:
			for _, shift := range compiled.Shifts(at, at.AddDate(1, 0, 0), role) {
				add(Say("the escalation policy names everyone in %s", compiled.Name()), shift.Users...)
			}
		default:
			why := Say("you are on call in %s", compiled.Name())
			if t.Role != "" {
				why = Say("you are on call in %s as %s", compiled.Name(), role)
			}
			var buffer [8]UserID
			add(why, compiled.AppendAt(buffer[:0], at, role)...)
		}
	}
}

// nextComing returns who comes on call in a role at the next change that brings anybody who isn't on call now.
func nextComing(c *schedule.Schedule, at time.Time, role string) []UserID {
	now := c.At(at, role)
	for t, horizon := at, at.Add(nextWithin); ; {
		change, found := c.NextChange(t, horizon, role)
		if !found {
			return nil
		}
		if came := without(c.At(change, role), now); len(came) > 0 {
			return came
		}
		t = change
	}
}

// WebhookName returns the part of a webhook's URL that may be shown, its host: the rest is often a secret.
func WebhookName(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "webhook"
}

package oncall

import (
	"fmt"
	"slices"
	"time"
)

// How people are told while the database is away.
const (
	// OutageGrace is how long it must be away first: a restart or a failover takes seconds, and then everybody is
	// paged as usual.
	OutageGrace = 30 * time.Second
	// OutagePause is how long it must be back before the next time counts as another outage, of which people
	// are told again.
	OutagePause = 10 * time.Minute
	// WatchAhead is how far ahead it is known who is told.
	WatchAhead = 7 * 24 * time.Hour
	// maxWatches bounds what is known of one policy.
	maxWatches = 500
)

// A Watch is whom a policy pages first, from an instant until the next Watch.
type Watch struct {
	From  time.Time `json:"from"`
	Users []UserID  `json:"users"`
}

// FirstPaged returns whom a policy would page first for an incident at an instant: the people of the first
// step that has any, or else the team's fallback.
func (f Facts) FirstPaged(id PolicyID, at time.Time) []UserID {
	first := f.Policies[id]
	p := first
	for range maxHops {
		next := PolicyID(0)
		for _, step := range p.Steps {
			if step.Only.unmet(High, p.TeamID, f.Roster, at) != "" {
				continue
			}
			s := f.Roster.audience(step.Targets, at)
			if people := s.people; len(people) > 0 {
				if step.RoundRobin != PageAll {
					people = people[:1]
				}
				users := make([]UserID, len(people))
				for i, who := range people {
					users[i] = who.user
				}
				return users
			}
			if next == 0 {
				next = s.policy
			}
		}
		var known bool
		if p, known = f.Policies[next]; !known || p.Removed {
			break
		}
	}
	return f.Roster.fallback(first.TeamID)
}

// Watches returns whom a policy pages first from one instant until another.
func (f Facts) Watches(id PolicyID, from, until time.Time) []Watch {
	var watches []Watch
	for at := from; at.Before(until) && len(watches) < maxWatches; {
		users := f.FirstPaged(id, at)
		if n := len(watches); n == 0 || !slices.Equal(watches[n-1].Users, users) {
			watches = append(watches, Watch{From: at, Users: users})
		}
		at = f.nextChange(id, at, until)
	}
	return watches
}

// nextChange is when somebody else may be paged: the next change of a schedule that the policy, or one to which
// it passes incidents on, names.
func (f Facts) nextChange(id PolicyID, after, until time.Time) time.Time {
	next := until
	policies := []PolicyID{id}
	for i := 0; i < len(policies); i++ {
		p := f.Policies[policies[i]]
		policies = append(policies, without(p.PassesTo(), policies)...)
		for _, step := range p.Steps {
			if hour := after.Truncate(time.Hour).Add(time.Hour); step.Only != nil && hour.Before(next) {
				next = hour // it may go by the time of day
			}
			for _, t := range step.Targets {
				c := f.Roster.Schedules[t.Schedule]
				if c == nil {
					continue
				}
				for _, role := range c.Roles() {
					if change, found := c.NextChange(after, next, role); found && change.After(after) && change.Before(next) {
						next = change
					}
				}
			}
		}
	}
	return next
}

// An Outage is what somebody is told while the database is away.
type Outage struct {
	Team    string
	Waiting int // alerts of the team that fire
	Worst   Severity
	Title   string // of the worst; untrusted text
}

// Headline says it in one line, before the title of the worst alert.
func (o Outage) Headline() string {
	if o.Waiting == 1 {
		return fmt.Sprintf("Watchbill's database is down, and an alert of %s waits, %s", o.Team, o.Worst)
	}
	return fmt.Sprintf("Watchbill's database is down, and %d alerts of %s wait, the worst %s", o.Waiting, o.Team, o.Worst)
}

// Advice says what that means.
func (Outage) Advice() string {
	return "They are kept on disk, and page as usual when it is back. Buttons and commands work again then; " +
		"until then nobody can acknowledge. You are told once, as you were on call when the database was last seen."
}

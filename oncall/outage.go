package oncall

import (
	"fmt"
	"slices"
	"time"
)

// When people are told that the database is down.
const (
	// OutageGrace is how long the database must be down first. A restart or failover takes seconds, and everybody is
	// paged as usual after it.
	OutageGrace = 30 * time.Second
	// OutagePause is how long the database must be up before people are told of another outage.
	OutagePause = 10 * time.Minute
	// OutageContactsAhead is how far ahead every instance knows the people to tell.
	OutageContactsAhead = 7 * 24 * time.Hour
	// maxOutageContacts bounds the contacts of one policy.
	maxOutageContacts = 500
)

// An OutageContact says who a policy pages first, from its time until the next OutageContact.
type OutageContact struct {
	From  time.Time `json:"from"`
	Users []UserID  `json:"users"`
}

// FirstPaged returns the people a policy would page first at the given time: those of the first step
// that has any, or else the team's fallback people.
func (f Facts) FirstPaged(id PolicyID, at time.Time) []UserID {
	first := f.Policies[id]
	policy := first
	for range maxHops {
		next := PolicyID(0)
		for _, step := range policy.Steps {
			if step.Only.unmet(High, policy.TeamID, f.Roster, at) != "" {
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
		if policy, known = f.Policies[next]; !known || policy.Removed {
			break
		}
	}
	return f.Roster.fallback(first.TeamID)
}

// OutageContacts returns the people a policy pages first between two times.
func (f Facts) OutageContacts(id PolicyID, from, until time.Time) []OutageContact {
	var watches []OutageContact
	for at := from; at.Before(until) && len(watches) < maxOutageContacts; {
		users := f.FirstPaged(id, at)
		if n := len(watches); n == 0 || !slices.Equal(watches[n-1].Users, users) {
			watches = append(watches, OutageContact{From: at, Users: users})
		}
		at = f.nextChange(id, at, until)
	}
	return watches
}

// nextChange returns when FirstPaged may next return somebody else: at the next change in the schedules of the policy and
// of those that it passes incidents on to.
func (f Facts) nextChange(id PolicyID, after, until time.Time) time.Time {
	next := until
	policies := []PolicyID{id}
	for i := 0; i < len(policies); i++ {
		p := f.Policies[policies[i]]
		policies = append(policies, without(p.PassesTo(), policies)...)
		for _, step := range p.Steps {
			if hour := after.Truncate(time.Hour).Add(time.Hour); step.Only != nil && hour.Before(next) {
				next = hour // the condition may depend on the time of day
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

// An Outage is what somebody is told while the database is down.
type Outage struct {
	Team    string
	Waiting int // the team's alerts that fire
	Worst   Severity
	Title   string // of the worst alert; untrusted
}

// Headline returns the message's first line.
func (o Outage) Headline() string {
	if o.Waiting == 1 {
		return fmt.Sprintf("Watchbill's database is down, and an alert of %s waits, %s", o.Team, o.Worst)
	}
	return fmt.Sprintf("Watchbill's database is down, and %d alerts of %s wait, the worst %s", o.Waiting, o.Team, o.Worst)
}

// Advice explains what the outage means.
func (Outage) Advice() string {
	return "They are kept on disk, and page as usual when it is back. Buttons and commands work again then; " +
		"until then nobody can acknowledge. You are told once, as you were on call when the database was last seen."
}

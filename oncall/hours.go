package oncall

import (
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// working caches the default hours of each time zone, which most people have.
var working sync.Map // name → *Hours

// hoursIn compiles windows in a time zone; no windows mean WorkingHours.
func hoursIn(zone string, windows []schedule.Window) (*schedule.Hours, error) {
	if len(windows) > 0 {
		return schedule.CompileHours(zone, windows)
	}
	if h, ok := working.Load(zone); ok {
		return h.(*schedule.Hours), nil
	}
	h, err := schedule.CompileHours(zone, WorkingHours)
	if err != nil {
		return nil, err
	}
	kept, _ := working.LoadOrStore(zone, h)
	return kept.(*schedule.Hours), nil
}

// HoursOf returns when a person gets pages of low severity, in their own time zone.
func (r Roster) HoursOf(u UserID) (*schedule.Hours, error) {
	return hoursIn(r.zone(u).Name(), r.Contacts[u].Hours)
}

// workingHours returns the working hours of a team.
func (r Roster) workingHours(id TeamID) *schedule.Hours {
	if h := r.Teams[id].Hours; h != nil {
		return h
	}
	h, _ := hoursIn("UTC", nil) // never fails
	return h
}

// GatherTime is how long pages of low severity wait after somebody's hours begin, or after they come on call during
// their hours, so that everything that waited arrives as one message.
const GatherTime = 30 * time.Second

// maxLooks bounds how many changes of people and hours putOff examines.
const maxLooks = 7 * 24

// keepsHours reports whether pages of the incident wait for working hours.
func (in Incident) keepsHours() bool { return in.Severity == Low }

// pageAt returns when a person is paged: at once, unless the incident keeps hours and the person's have not begun.
// Hours that don't compile never delay a page.
func (c *Change) pageAt(u UserID, at time.Time) time.Time {
	if !c.Incident.keepsHours() {
		return at
	}
	h, err := c.facts.Roster.HoursOf(u)
	if err != nil || h.Open(at) {
		return at
	}
	return h.NextOpen(at).Add(GatherTime)
}

// shownUntil returns until when pages wait for working hours, for the timeline. It is zero if they
// only wait for GatherTime.
func shownUntil(from, now time.Time) time.Time {
	if from.Sub(now) <= 2*GatherTime {
		return time.Time{}
	}
	return from
}

// putOff delays a step until it can page somebody within their working hours, and reports whether it did. Later other
// people may be on call, so it looks at who will be. If no such time comes while the step's condition is met, the
// step runs now, and each page waits for its person's hours.
func (c *Change) putOff(p Policy) bool {
	in, roster := &c.Incident, c.facts.Roster
	step := &p.Steps[in.Step]
	if !in.keepsHours() || len(roster.people(step.Targets, c.now)) == 0 {
		return false
	}
	limit := c.now.Add(nextWithin)
	for at, look := c.now, 0; look < maxLooks && at.Before(limit) && step.Only.unmet(in.Severity, p.TeamID, roster, at) == ""; look++ {
		people := c.pick(step, roster.people(step.Targets, at))
		next := limit // when somebody's hours begin or other people come on call
		detail := c.detail()
		for _, who := range people {
			detail.Users = append(detail.Users, who.user)
			if opens := c.pageAt(who.user, at).Add(-GatherTime); opens.Before(next) {
				next = opens
			}
		}
		if !next.After(at) {
			if at.Equal(c.now) {
				return false
			}
			detail.Until = at
			c.record(EventWaits, ByTimer(), detail)
			in.NextAt = &at
			return true
		}
		at = roster.nextHandOff(step.Targets, at, next)
	}
	return false
}

// gatherUntil returns until when the pages of a due step wait, and who is paged at once all the same. If the incident
// keeps hours, the pages to people whose hours have just begun wait for GatherTime: many incidents come due then, and
// should arrive as one message even if timers fire late.
func (c *Change) gatherUntil(step *Step, due time.Time) (until time.Time, ready []UserID) {
	if !c.Incident.keepsHours() {
		return time.Time{}, nil
	}
	if until = due.Add(GatherTime); until.Before(c.now) {
		until = c.now.Truncate(GatherTime).Add(2 * GatherTime)
	}
	before := due.Add(-GatherTime)
	for _, who := range c.facts.Roster.people(step.Targets, before) {
		if !c.pageAt(who.user, before).After(before) {
			ready = append(ready, who.user)
		}
	}
	return until, ready
}

package oncall

import (
	"slices"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// working caches WorkingHours by zone: most people keep them.
var working sync.Map // name → *Hours

// hoursIn compiles windows in a zone; none are WorkingHours.
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

// HoursOf returns when a low severity may disturb a person, in the person's own zone.
func (r Roster) HoursOf(u UserID) (*schedule.Hours, error) {
	return hoursIn(r.zone(u).Name(), r.Reach[u].Hours)
}

// workingHours are a team's.
func (r Roster) workingHours(id TeamID) *schedule.Hours {
	if h := r.Teams[id].Hours; h != nil {
		return h
	}
	h, _ := hoursIn("UTC", nil) // always there
	return h
}

// Gather is for how long a low severity still waits after somebody's hours have begun, or after
// they have come on call in them, so that all that has waited for them is one message.
const Gather = 30 * time.Second

// maxLooks bounds how often it is looked who is on call later: hour by hour, for a week.
const maxLooks = 7 * 24

// pageAt returns when a person is paged for the incident: at once, unless its severity is
// low and it is not one of their hours (E9). Hours that can't be read never hold a page.
func (in *Incident) pageAt(r Roster, u UserID, now time.Time) time.Time {
	if in.Severity != Low {
		return now
	}
	h, err := r.HoursOf(u)
	if err != nil {
		return now
	}
	if h.Open(now) {
		return now
	}
	return h.NextOpen(now).Add(Gather)
}

// waitsUntil says until when pages wait for working hours; what is only gathered doesn't.
func waitsUntil(from, now time.Time) time.Time {
	if from.Sub(now) <= 2*Gather {
		return time.Time{}
	}
	return from
}

// waits puts a step off until somebody whom it would page then has working hours, and reports
// whether it did: who is on call at night need not be in the morning. Where no such time is
// found, or the step's condition doesn't hold any more before, the step runs now and pages
// each in their own hours.
func (in *Incident) waits(c *Change, p Policy, r Roster, now time.Time) bool {
	step := &p.Steps[in.Step]
	if in.Severity != Low || len(r.people(step.Targets, now)) == 0 {
		return false
	}
	limit := now.Add(nextWithin)
	for at, look := now, 0; look < maxLooks && at.Before(limit) && step.Only.unmet(in.Severity, p.TeamID, r, at) == ""; look++ {
		people := in.pick(step, r.people(step.Targets, at))
		next := limit // somebody's hours begin, or other people come on call
		d := in.detail()
		for _, who := range people {
			d.Users = append(d.Users, who.user)
			if opens := in.pageAt(r, who.user, at).Add(-Gather); opens.Before(next) {
				next = opens
			}
		}
		if !next.After(at) {
			if at.Equal(now) {
				return false
			}
			d.Until = at
			c.record(EventWaits, now, ByTimer(), d)
			in.NextAt = &at
			return true
		}
		at = r.nextHandOff(step.Targets, at, next)
	}
	return false
}

// gather returns when a step that was due at an instant pages each of its people. Where severity
// is low, those who could not have been paged a moment before it was due wait a moment more: that
// is when many incidents are due at once, and the wait of all ends together, also where timers
// fire late.
func (in *Incident) gather(r Roster, step *Step, due, now time.Time) func(UserID) time.Time {
	if in.Severity != Low {
		return func(UserID) time.Time { return now }
	}
	until := due.Add(Gather)
	if until.Before(now) {
		until = now.Truncate(Gather).Add(2 * Gather)
	}
	before := due.Add(-Gather)
	people := r.people(step.Targets, before)
	return func(u UserID) time.Time {
		called := slices.ContainsFunc(people, func(c called) bool { return c.user == u })
		if called && !in.pageAt(r, u, before).After(before) {
			return in.pageAt(r, u, now)
		}
		return latest(in.pageAt(r, u, now), until)
	}
}

// nextHandOff returns when others come on call of those who are meant, at the latest at the horizon.
func (r Roster) nextHandOff(targets []Target, after, horizon time.Time) time.Time {
	for i := range targets {
		t := &targets[i]
		c := r.Schedules[t.Schedule]
		if t.Schedule == 0 || c == nil {
			continue
		}
		for _, role := range c.Roles() {
			if !t.means(role) {
				continue
			}
			if change, found := c.NextChange(after, horizon, role); found {
				horizon = change
			}
		}
	}
	return horizon
}

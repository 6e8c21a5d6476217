package oncall

import (
	"sync"
	"time"
)

// working caches WorkingHours by zone: most people keep them.
var working sync.Map // name → *Hours

// hoursIn compiles windows in a zone; none are WorkingHours.
func hoursIn(zone string, windows []Window) (*Hours, error) {
	if len(windows) > 0 {
		return CompileHours(zone, windows)
	}
	if h, ok := working.Load(zone); ok {
		return h.(*Hours), nil
	}
	h, err := CompileHours(zone, WorkingHours)
	if err != nil {
		return nil, err
	}
	kept, _ := working.LoadOrStore(zone, h)
	return kept.(*Hours), nil
}

// HoursOf returns when a low severity may disturb a person, in the person's own zone.
func (r Roster) HoursOf(u UserID) (*Hours, error) {
	return hoursIn(r.zone(u).Name(), r.Reach[u].Hours)
}

// workingHours are a team's.
func (r Roster) workingHours(id TeamID) *Hours {
	if h := r.Teams[id].Hours; h != nil {
		return h
	}
	h, _ := hoursIn("UTC", nil) // always there
	return h
}

// Gather is for how long after somebody's hours have begun a low severity still waits, so that
// all that has waited for them is one message.
const Gather = 30 * time.Second

// maxLooks bounds how often it is looked who is on call when the hours of others begin.
const maxLooks = 20

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
	if before := now.Add(-Gather); !h.Open(before) {
		return h.NextOpen(before).Add(Gather)
	}
	return h.NextOpen(now)
}

// waits puts a step off until somebody whom it would page then has working hours, and reports
// whether it did: who is on call at night need not be in the morning. Where no such time is
// found the step runs now, and pages each in their own hours.
func (in *Incident) waits(c *Change, r Roster, step *Step, now time.Time) bool {
	if in.Severity != Low {
		return false
	}
	at := now
	for range maxLooks {
		people := in.pick(step, r.people(step.Targets, at))
		if len(people) == 0 {
			return false
		}
		d := in.detail()
		first := time.Time{}
		for _, who := range people {
			d.Users = append(d.Users, who.user)
			if from := in.pageAt(r, who.user, at); first.IsZero() || from.Before(first) {
				first = from
			}
		}
		if opens := first.Add(-Gather); opens.After(at) {
			at = opens
			continue
		}
		if at.After(now) {
			d.Until = at
			c.record(EventWaits, now, ByTimer(), d)
			in.NextAt = &at
			return true
		}
		return false
	}
	return false
}

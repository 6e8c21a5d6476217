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
	return h.NextOpen(now)
}

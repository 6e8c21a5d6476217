package oncall

import (
	"slices"
	"time"
)

// A Policy says whom to page, in what order, until somebody acknowledges.
type Policy struct {
	ID     PolicyID
	TeamID TeamID
	Name   string
	Repeat int // how often all steps are gone through again
	Steps  []Step

	Acks       int     // how many people must acknowledge; 0: one
	AckTimeout Seconds // after an acknowledgement, before all who have acknowledged are asked "still on it?"; 0: never
	AckWait    Seconds // how long they have to answer before it pages again

	Removed bool // open incidents still follow it; none is passed on to it
}

// A Step pages its targets and waits. It is stored as JSON: fields are only ever
// added.
type Step struct {
	Targets []Target `json:"targets"`
	Delay   Seconds  `json:"delay"`            // from the step's last run to the next step
	Repeat  int      `json:"repeat,omitempty"` // how often the step itself runs again
	Every   Seconds  `json:"every,omitempty"`  // between two runs of the step

	RoundRobin RoundRobin `json:"round_robin,omitempty"` // one person a run instead of all
	Only       *Condition `json:"only,omitempty"`        // nil: always
}

// RoundRobin says whom of its people a step pages, one in a run.
type RoundRobin string

// The kinds of round robin.
const (
	PageAll         RoundRobin = ""
	RoundByIncident RoundRobin = "alert" // each incident of the policy begins with the next person; the word is an old one
	RoundByRun      RoundRobin = "cycle" // each incident begins with the first; every run pages the next
)

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration converts to the standard type.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Pages reports whether a step of the policy pages a schedule.
func (p Policy) Pages(id ScheduleID) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool {
		return slices.ContainsFunc(s.Targets, func(t Target) bool { return t.Schedule == id })
	})
}

// PassesTo lists the policies to which a step of this one passes an incident on.
func (p Policy) PassesTo() []PolicyID {
	var to []PolicyID
	for _, s := range p.Steps {
		for _, t := range s.Targets {
			if t.Policy != 0 {
				to = append(to, t.Policy)
			}
		}
	}
	return to
}

// CountsIncidents reports whether the round-robin count matters to a policy, or to one that it may
// be handed to.
func (f Facts) CountsIncidents(id PolicyID) bool {
	seen := []PolicyID{id}
	for i := 0; i < len(seen); i++ {
		p := f.Policies[seen[i]]
		if slices.ContainsFunc(p.Steps, func(s Step) bool { return s.RoundRobin == RoundByIncident }) {
			return true
		}
		seen = append(seen, without(p.PassesTo(), seen)...)
	}
	return false
}

// Groups lists the Slack user groups that the policy names.
func (p Policy) Groups() []string {
	var names []string
	for _, s := range p.Steps {
		for _, t := range s.Targets {
			if t.Group != "" {
				names = append(names, t.Group)
			}
		}
	}
	return names
}

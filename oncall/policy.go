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
	Repeat int // how often all steps are repeated
	Steps  []Step

	Acks       int     // how many people must acknowledge; 0: one
	AckTimeout Seconds // how long after an acknowledgement the holders are asked "still on it?"; 0: never
	AckWait    Seconds // how long they have to acknowledge before the incident pages again; 0: ackWait

	Removed bool // open incidents still follow it, but none is passed on to it
}

// A Step pages its targets and waits. It is stored as JSON: fields are only ever added.
type Step struct {
	Targets []Target `json:"targets"`
	Delay   Seconds  `json:"delay"`            // from the step's last run to the next step
	Repeat  int      `json:"repeat,omitempty"` // how often this step is repeated
	Every   Seconds  `json:"every,omitempty"`  // between two runs of this step

	RoundRobin RoundRobin `json:"round_robin,omitempty"` // page one person in each run instead of all
	Only       *Condition `json:"only,omitempty"`        // nil: the step always runs
}

// RoundRobin says which of its people each run of a step pages.
type RoundRobin string

// The kinds of round robin.
const (
	PageAll         RoundRobin = ""
	RoundByIncident RoundRobin = "alert" // each of the policy's incidents begins with the next person; set-up files say "incident"
	RoundByRun      RoundRobin = "cycle" // each incident begins with the first person, and each run pages the next
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

// PassesTo lists the policies that this one may pass an incident on to.
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

// CountsIncidents reports whether a policy needs the round-robin count, or a policy that it may pass
// incidents on to does.
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

// Groups lists the handles of the Slack user groups that the policy names.
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

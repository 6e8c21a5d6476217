package oncall

import (
	"slices"
	"time"
)

// A Change is the result of a decision: the incident as it is to be stored, the lines for its
// timeline, the people to page and the work to queue. All of it is saved in one transaction or not
// at all. begin starts one, done ends it, and the methods are the steps in between.
type Change struct {
	Incident Incident
	Events   []Event
	Calls    []Call // the store makes the pages of each
	Tasks    []Task
	Notices  []Notice
	Closes   []NoticeClose

	counted bool // only its counters have changed

	before Incident
	by     Actor // who decides
	facts  Facts
	now    time.Time
}

// begin starts a change of the incident, and increments its version.
func (in Incident) begin(by Actor, f Facts, now time.Time) Change {
	c := Change{Incident: in, before: in, by: by, facts: f, now: now}
	c.Incident.Version++
	return c
}

// done adds the work that follows from every change: a redraw, unless nothing has happened; the new timer, if
// there is one; an update of the silences and of its own channel; and the end of the question "still on it?" if that was open.
func (c *Change) done() Change {
	in := &c.Incident
	if len(c.Events) > 0 {
		in.Stated = 0
		if in.Storm != nil {
			in.Stated = in.Version
		}
		c.Tasks = append(c.Tasks, in.RedrawFor(c.by))
	}
	if in.NextAt != nil && in.Seq != c.before.Seq {
		c.Tasks = append(c.Tasks, Task{Args: IncidentTimer{Incident: in.ID, Seq: in.Seq}, At: *in.NextAt})
	}
	if c.facts.Silencing && c.quietChanged() {
		c.Tasks = append(c.Tasks, Task{Args: MatchSilences{Incident: in.ID, At: c.now}})
	}
	if c.before.AckAsked && !in.AckAsked {
		c.closeStillOn()
	}
	c.keepChannel()
	c.hideCanary()
	return *c
}

// Redraw returns the task that updates the incident's messages to its version.
func (in Incident) Redraw() Task {
	return Task{Args: Draw{Incident: in.ID, Version: in.Version}, Severity: in.Severity}
}

// RedrawFor is Redraw after somebody has acted. Such a redraw goes first, because the person is looking at the
// message.
func (in Incident) RedrawFor(by Actor) Task {
	return Task{Args: Draw{Incident: in.ID, Version: in.Version, Asked: by.User != ""}, Severity: in.Severity}
}

// record adds an event to the timeline. Its actor may differ from the change's, since what follows from a
// person's act is done by Watchbill itself.
func (c *Change) record(kind EventKind, by Actor, d Detail) {
	c.Events = append(c.Events, Event{IncidentID: c.Incident.ID, At: c.now, Kind: kind, Actor: by, Detail: d})
}

// policy returns the policy that the incident follows now.
func (c *Change) policy() Policy { return c.facts.Policies[c.Incident.PolicyID] }

// stop cancels the timer and the pages that have not been sent.
func (c *Change) stop() {
	in := &c.Incident
	in.Seq++
	in.NextAt = nil
	in.PagesFrom = in.Seq
	in.AckAsked, in.AckAgain = false, false
}

// setTimer replaces the timer.
func (c *Change) setTimer(until time.Time) {
	c.Incident.Seq++
	c.Incident.NextAt = &until
}

// startOver clears all acknowledgements and puts the incident before the first step of its original policy.
func (c *Change) startOver() {
	in := &c.Incident
	if in.Status == Resolved { // requests for help ended with the resolution
		in.Responders = nil
	}
	c.stop()
	in.Status = Triggered
	in.AckedBy, in.AckedAt, in.Acks = Actor{}, nil, nil
	in.ResolvedBy, in.ResolvedAt = Actor{}, nil
	in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	in.Round, in.Step, in.Run = 0, 0, 0
	in.Exhausted, in.Called, in.Unassigned = false, false, false
	if in.HomePolicy != 0 {
		in.PolicyID, in.HomePolicy = in.HomePolicy, 0
	}
	in.Hops = 0
}

// restart starts over and pages the first step now.
func (c *Change) restart() {
	c.startOver()
	c.runStep()
}

// Actors returns the people who have acted in changes, each once.
func Actors(changes []Change) []UserID {
	var people []UserID
	for _, c := range changes {
		for _, e := range c.Events {
			if u := e.Actor.User; u != "" && !slices.Contains(people, u) {
				people = append(people, u)
			}
		}
	}
	return people
}

package oncall

import (
	"time"
)

// escalate runs the next step of the policy now, even if the incident is acknowledged or snoozed.
func (c *Change) escalate(Act) error {
	in := &c.Incident
	if in.Exhausted {
		return Refuse("The escalation policy of incident %s has run out and the whole team was told; reassign it instead.", in.ID)
	}
	had := users(in.AckedBy)
	if in.Status != Triggered {
		c.stop()
		in.Status = Triggered
		in.AckedBy, in.AckedAt, in.Acks = Actor{}, nil, nil
		in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	}
	if in.Run > 0 { // skip the repetitions of the current step
		in.Step, in.Run = in.Step+1, 0
	}
	c.record(EventEscalated, c.by, Detail{Users: had})
	c.runStep()
	if c.Events[len(c.Events)-1].Kind == EventWaits {
		return Refuse("Incident %s is of low severity, and nobody whom its escalation policy pages next has working hours now. Raise its severity to page somebody at once.", in.ID)
	}
	return nil
}

// reassign gives the incident to a person, who is paged now, or to another policy.
func (c *Change) reassign(act Act) error {
	in := &c.Incident
	if act.Policy != 0 {
		return c.toPolicy(act.Policy)
	}
	switch err := c.facts.reachable(act.User); {
	case err != nil:
		return err
	case act.User == in.AckedBy.User && in.Status == Acknowledged:
		return Refuse("Incident %s is already acknowledged by %s.", in.ID, act.User)
	case act.User == c.by.User:
		return Refuse("Acknowledge incident %s to take it yourself.", in.ID)
	}
	c.startOver()
	users, from := c.pagePeople([]pagedPerson{{act.User, Say("%s has handed it to you", c.by)}}, c.now, nil)
	next := from.Add(untilPolicy(c.policy()))
	in.NextAt = &next
	c.record(EventReassigned, c.by, Detail{Users: users, Until: next})
	return nil
}

// untilPolicy returns how long somebody who was handed an incident has to acknowledge it before the policy's first
// step runs: that step's own delay.
func untilPolicy(p Policy) time.Duration {
	if len(p.Steps) == 0 {
		return time.Minute
	}
	return max(p.Steps[0].Delay.Duration(), time.Minute)
}

// toPolicy reassigns the incident to another policy, which starts now.
func (c *Change) toPolicy(id PolicyID) error {
	in := &c.Incident
	p, known := c.facts.Policies[id]
	switch {
	case !known || p.Removed:
		return Refuse("There is no such escalation policy.")
	case id == in.PolicyID && in.HomePolicy == 0:
		return Refuse("Incident %s follows the escalation policy %s already.", in.ID, p.Name)
	}
	c.record(EventReassigned, c.by, Detail{Text: p.Name})
	in.PolicyID, in.HomePolicy = id, 0
	c.restart()
	return nil
}

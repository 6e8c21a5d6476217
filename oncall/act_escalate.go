package oncall

import (
	"fmt"
	"time"
)

// escalate runs the next step of the policy now, whoever has the incident.
func (in Incident) escalate(by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	if in.Exhausted {
		return Change{}, Refuse("The escalation policy of incident %s has run out and the whole team was told; reassign it instead.", in.ID)
	}
	c := in.begin()
	o := &c.Incident
	if in.Status != Triggered {
		o.stop()
		o.Status = Triggered
		o.AckedBy, o.AckedAt, o.Acks = Actor{}, nil, nil
		o.SnoozedBy, o.SnoozedUntil = Actor{}, nil
	}
	if o.Run > 0 { // the same step again is not the next one
		o.Step, o.Run = o.Step+1, 0
	}
	c.record(EventEscalated, now, by, Detail{Users: users(in.AckedBy)})
	o.runStep(&c, f, now)
	if c.Events[len(c.Events)-1].Kind == EventWaits {
		return Change{}, Refuse("Incident %s is of low severity, and nobody whom its escalation policy pages next has working hours now. Raise its severity to page somebody at once.", in.ID)
	}
	return c.finish(in), nil
}

// reassign hands the incident to a person, who is paged now, or to another policy.
func (in Incident) reassign(a Act, by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	if a.Policy != 0 {
		return in.toPolicy(a.Policy, by, f, now)
	}
	switch err := f.reachable(a.User); {
	case err != nil:
		return Change{}, err
	case a.User == in.AckedBy.User && in.Status == Acknowledged:
		return Change{}, Refuse("Incident %s is already acknowledged by <@%s>.", in.ID, a.User)
	case a.User == by.User:
		return Change{}, Refuse("Acknowledge incident %s to take it yourself.", in.ID)
	}
	c := in.begin()
	o := &c.Incident
	o.startOver()
	users, from := o.call(&c, f.Roster, []called{{a.User, fmt.Sprintf("%s has handed it to you", by)}}, now)
	next := from.Add(untilPolicy(f.Policies[o.PolicyID]))
	o.NextAt = &next
	c.record(EventReassigned, now, by, Detail{Users: users, Until: next})
	return c.finish(in), nil
}

// untilPolicy is how long the person who was handed an incident has it for themselves
// before the policy's first step runs: as long as that step would give.
func untilPolicy(p Policy) time.Duration {
	if len(p.Steps) == 0 {
		return time.Minute
	}
	return max(p.Steps[0].Delay.Duration(), time.Minute)
}

// toPolicy hands the incident to another policy, which begins now.
func (in Incident) toPolicy(id PolicyID, by Actor, f Facts, now time.Time) (Change, error) {
	p, known := f.Policies[id]
	switch {
	case !known || p.Removed:
		return Change{}, Refuse("There is no such escalation policy.")
	case id == in.PolicyID && in.HomePolicy == 0:
		return Change{}, Refuse("Incident %s follows the escalation policy %s already.", in.ID, p.Name)
	}
	c := in.begin()
	c.record(EventReassigned, now, by, Detail{Text: p.Name})
	c.Incident.PolicyID, c.Incident.HomePolicy = id, 0
	c.restart(f, now)
	return c.finish(in), nil
}

package oncall

import "slices"

// setSeverity changes the severity.
func (c *Change) setSeverity(a Act) error {
	in := &c.Incident
	switch was, to := in.Severity, a.Severity; {
	case !slices.Contains(Severities(), to):
		return Refuse("%q is not a severity: say critical, high, medium or low.", to)
	case to == was:
		return Refuse("The severity of incident %s is %s already.", in.ID, to)
	case to.Worse(was):
		c.raise(to)
	default:
		in.Severity = to
		c.record(EventSeverity, c.by, Detail{Text: string(was) + " to " + string(to)})
		if in.Status == Acknowledged {
			c.enoughAcked()
			c.watchAck()
		}
	}
	return nil
}

// raise increases the severity. A running escalation continues; it starts over if the severity was low, since
// the escalation may be waiting for working hours, or if the incident flaps. Those who have acknowledged are
// paged and must acknowledge again. The person who snoozed the incident is paged too; critical severity ends the snooze.
func (c *Change) raise(to Severity) {
	in := &c.Incident
	was := in.Severity
	c.worsen(to)
	switch {
	case in.Status == Triggered && (was == Low || in.Flapping()):
		c.restart()
	case in.Status == Acknowledged:
		c.pageOthers(in.Holders(), Say("it got worse since you acknowledged it"))
		c.ackAgain()
	case in.Status == Snoozed && to == Critical:
		c.wake(ByTimer(), "it is critical now")
	case in.Status == Snoozed:
		c.pageOthers(users(in.SnoozedBy), Say("it got worse since you snoozed it"))
	}
}

// worsen sets the severity if the new one is worse, and pages nobody.
func (c *Change) worsen(to Severity) {
	if was := c.Incident.Severity; to.Worse(was) {
		c.Incident.Severity = to
		c.record(EventSeverity, c.by, Detail{Text: string(was) + " to " + string(to)})
	}
}

// pageOthers pages people, except the person who made the change.
func (c *Change) pageOthers(people []UserID, why Sentence) {
	others := without(people, users(c.by))
	if len(others) > 0 {
		c.Incident.Seq++
	}
	for _, u := range others {
		c.call(u, why)
	}
}

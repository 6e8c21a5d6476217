package oncall

import "time"

// resolve closes the incident. If the monitor closes it, a snooze continues: should the incident fire again
// before the snooze ends, nobody is paged until then.
func (c *Change) resolve(act Act) error {
	in := &c.Incident
	c.stop()
	c.endFlapping()
	in.Status = Resolved
	in.ResolvedBy, in.ResolvedAt = c.by, new(c.now)
	if c.by.User != "" {
		if in.Flap != nil {
			c.editFlap().Reopened = nil
		}
		in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	}
	c.record(EventResolved, c.by, Detail{Quiet: in.SnoozedUntil != nil})
	if act.Verdict != NoVerdict { // at once, so that nobody is asked for it
		return c.recordVerdict(act)
	}
	return nil
}

// reopenByPerson reopens a resolved incident at a person's request; it pages from the first step, now.
func (c *Change) reopenByPerson(Act) error {
	switch in := &c.Incident; {
	case in.Open():
		return Refuse("Incident %s is open.", in.ID)
	case in.MergedInto != 0:
		return in.refuseClosed()
	}
	c.record(EventReopened, c.by, Detail{})
	c.restart()
	return nil
}

// reopenByMonitor reopens a resolved incident because its monitor still sends or sends again; it pages from the
// first step at the given instant.
func (c *Change) reopenByMonitor(why string, from time.Time) {
	detail := Detail{Text: why}
	if in := c.Incident; in.ResolvedBy.User != "" && in.ResolvedAt != nil && from.After(c.now) {
		detail.Users, detail.Since, detail.Until = users(in.ResolvedBy), *in.ResolvedAt, from
	}
	c.startOver()
	c.Incident.Flaps++
	c.Incident.NextAt = &from
	c.record(EventReopened, c.by, detail)
}

package oncall

import "time"

// EscalateNow does what the incident's timer is for, if seq is still the one that the
// incident waits for; a stale timer changes nothing and reports false (E5).
func (in Incident) EscalateNow(seq int64, f Facts, now time.Time) (Change, bool) {
	if in.Seq != seq {
		return Change{}, false
	}
	if in.Status == Snoozed {
		return in.wake(ByTimer(), "", f, now), true
	}
	c := in.begin()
	switch in.Status {
	case Triggered:
		c.Incident.runStep(&c, f, now)
	case Acknowledged:
		if in.NextAt == nil {
			return Change{}, false
		}
		c.ackTimer(f, now)
	case Snoozed, Resolved:
		return Change{}, false
	}
	return c.finish(in), true
}

package oncall

import "time"

// EscalateNow does what the incident's timer is for, if seq is still the one that the
// incident waits for; a stale timer changes nothing and reports false (E5).
func (in Incident) EscalateNow(seq int64, p Policy, r Roster, now time.Time) (Change, bool) {
	if in.Seq != seq {
		return Change{}, false
	}
	c := in.begin()
	switch in.Status {
	case Triggered:
		c.Incident.runStep(&c, p, r, now)
	case Acknowledged, Snoozed, Resolved:
		return Change{}, false
	}
	return c.finish(in), true
}

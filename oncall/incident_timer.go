package oncall

import (
	"time"
)

// RunTimer does what the incident's timer is for, if seq is still the one that the
// incident waits for; a stale timer changes nothing and reports false.
func (in Incident) RunTimer(seq int64, f Facts, now time.Time) (Change, bool) {
	if !in.timerDue(seq) {
		return Change{}, false
	}
	c := in.begin(ByTimer(), f, now)
	switch in.Status {
	case Snoozed:
		c.wake(c.by, "")
	case Acknowledged:
		c.runAckTimer()
	default:
		if in.Exhausted && in.NextAt != nil { // it flaps, and nobody has answered since
			c.record(EventUnattended, ByTimer(), Detail{})
			c.startOver()
		}
		c.runStep()
	}
	return c.done(), true
}

// timerDue reports whether the incident still waits for the timer with this seq.
func (in Incident) timerDue(seq int64) bool {
	return in.Seq == seq && in.Open() && (in.Status != Acknowledged || in.NextAt != nil)
}

package oncall

import (
	"time"
)

// RunTimer runs the incident's timer with number seq. If that timer is stale, RunTimer changes nothing
// and reports false.
func (in Incident) RunTimer(seq int64, f Facts, now time.Time) (Change, bool) {
	if !in.timerDue(seq) {
		return Change{}, false
	}
	change := in.begin(ByTimer(), f, now)
	switch in.Status {
	case Snoozed:
		change.wake(change.by, "")
	case Acknowledged:
		change.runAckTimer()
	default:
		if in.Exhausted && in.NextAt != nil { // it flaps, and nobody has acknowledged
			change.record(EventUnattended, ByTimer(), Detail{})
			change.startOver()
		}
		change.runStep()
	}
	return change.done(), true
}

// timerDue reports whether the incident waits for the timer with number seq.
func (in Incident) timerDue(seq int64) bool {
	return in.Seq == seq && in.Open() && (in.Status != Acknowledged || in.NextAt != nil)
}

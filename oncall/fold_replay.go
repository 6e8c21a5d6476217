package oncall

import "time"

// Replay folds a signal that waited in a spool while the database was down. Another instance may have
// folded later signals already; in that case the latest signal counts. The policy's delays start now,
// because nobody could have acknowledged earlier.
func (f *Fold) Replay(s Signal, at, now time.Time) FoldedSignal {
	if f.overtaken(s, at) {
		f.arrivedAt = at
		return f.countLate(s)
	}
	f.replayedAt = now
	result := f.Receive(s, at)
	f.replayedAt = time.Time{}
	return result
}

// overtaken reports whether a signal that arrived later has been folded already.
func (f *Fold) overtaken(s Signal, at time.Time) bool {
	if s.Action == Reconcile {
		for _, a := range f.alerts {
			if a.GroupKey == s.GroupKey && a.lastMentioned().After(at) {
				return true
			}
		}
		return false
	}
	a := f.alerts[s.DedupKey]
	switch {
	case a == nil || !a.lastMentioned().After(at):
		return false
	case a.Firing && !a.Kept && f.change(a.IncidentID) == nil: // its incident no longer exists
		return false
	case s.Action == AckSignal: // it counts if the alert has fired ever since
		return !a.Firing || a.FirstAt.After(at)
	}
	return s.Action == Clear || !f.Integration.Muted
}

// lastMentioned returns when the monitor last mentioned the alert.
func (a *Alert) lastMentioned() time.Time {
	if a.ClearedAt != nil {
		return latest(a.LastAt, *a.ClearedAt)
	}
	return a.LastAt
}

// countLate counts an overtaken signal. Such a signal neither ends a firing alert nor restarts an ended one.
func (f *Fold) countLate(s Signal) FoldedSignal {
	a := f.alerts[s.DedupKey]
	switch {
	case s.Action == Reconcile || s.Action == AckSignal || s.Action == Update:
		return FoldedSignal{Signal: s, Result: FoldLate}
	case s.Action == Clear && a.Firing:
		return f.ignoreLate(a, s)
	case s.Action == Clear:
		return FoldedSignal{Signal: s, Result: FoldUnmatched, Incident: a.IncidentID}
	case a.Firing:
		a.Count++
		f.touch(a)
		c := f.follow(f.change(a.IncidentID))
		if a.Kept || c == nil {
			return c.folded(s, FoldKept)
		}
		c.Incident.SignalCount++
		return c.folded(s, FoldRepeated)
	case a.IncidentID == 0 && a.Maintenance == 0: // its end was folded first: open the incident and close it
		over := *a.ClearedAt
		result := f.fire(s)
		f.arrivedAt = over
		began := f.alerts[s.DedupKey]
		began.LastAt = over
		f.cleared(began)
		return result
	}
	a.Count++
	f.touch(a)
	return f.ignoreLate(a, s)
}

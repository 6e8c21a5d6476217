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
func (f *Fold) overtaken(signal Signal, at time.Time) bool {
	if signal.Action == Reconcile {
		for _, a := range f.alerts {
			if a.GroupKey == signal.GroupKey && a.lastMentioned().After(at) {
				return true
			}
		}
		return false
	}
	a := f.alerts[signal.DedupKey]
	switch {
	case a == nil || !a.lastMentioned().After(at):
		return false
	case a.Firing && !a.Kept && f.change(a.IncidentID) == nil: // its incident no longer exists
		return false
	case signal.Action == AckSignal: // it counts if the alert has fired ever since
		return !a.Firing || a.FirstAt.After(at)
	}
	return signal.Action == Clear || !f.Integration.Muted
}

// lastMentioned returns when the monitor last mentioned the alert.
func (a *Alert) lastMentioned() time.Time {
	if a.ClearedAt != nil {
		return latest(a.LastAt, *a.ClearedAt)
	}
	return a.LastAt
}

// countLate counts an overtaken signal. Such a signal neither ends a firing alert nor restarts an ended one.
func (f *Fold) countLate(signal Signal) FoldedSignal {
	alert := f.alerts[signal.DedupKey]
	switch {
	case signal.Action == Reconcile || signal.Action == AckSignal || signal.Action == Update:
		return FoldedSignal{Signal: signal, Result: FoldLate}
	case signal.Action == Clear && alert.Firing:
		return f.ignoreLate(alert, signal)
	case signal.Action == Clear:
		return FoldedSignal{Signal: signal, Result: FoldUnmatched, Incident: alert.IncidentID}
	case alert.Firing:
		alert.Count++
		f.touch(alert)
		c := f.follow(f.change(alert.IncidentID))
		if alert.Kept || c == nil {
			return c.folded(signal, FoldKept)
		}
		c.Incident.SignalCount++
		return c.folded(signal, FoldRepeated)
	case alert.IncidentID == 0 && alert.Maintenance == 0: // its end was folded first: open the incident and close it
		over := *alert.ClearedAt
		result := f.fire(signal)
		f.arrivedAt = over
		began := f.alerts[signal.DedupKey]
		began.LastAt = over
		f.cleared(began)
		return result
	}
	alert.Count++
	f.touch(alert)
	return f.ignoreLate(alert, signal)
}

package oncall

import "time"

// Replay folds a signal that arrived while the database was away, and was kept elsewhere until now. Signals
// that came later may have been folded before it, by way of another instance: then the latest counts. Whom
// it pages has the policy's time from now on, because nobody could answer earlier.
func (f *Fold) Replay(s Signal, at, now time.Time) SignalFate {
	if f.overtaken(s, at) {
		f.now = at
		return f.outdated(s)
	}
	f.replaying = now
	fate := f.Receive(s, at)
	f.replaying = time.Time{}
	return fate
}

// overtaken reports whether a signal that came later has been folded already.
func (f *Fold) overtaken(s Signal, at time.Time) bool {
	if s.Action == Reconcile {
		for _, a := range f.alerts {
			if a.GroupKey == s.GroupKey && a.spokenOf().After(at) {
				return true
			}
		}
		return false
	}
	a := f.alerts[s.DedupKey]
	switch {
	case a == nil || !a.spokenOf().After(at):
		return false
	case a.Firing && !a.Kept && f.change(a.IncidentID) == nil: // its incident is gone
		return false
	case s.Action == AckSignal: // it may be about what still fires
		return !a.Firing || a.FirstAt.After(at)
	}
	return s.Action == Clear || !f.Integration.Muted
}

// spokenOf is when the monitor last said anything about the alert.
func (a *Alert) spokenOf() time.Time {
	if a.ClearedAt != nil {
		return latest(a.LastAt, *a.ClearedAt)
	}
	return a.LastAt
}

// outdated notes a signal that was overtaken. It neither ends what fires now nor restarts what has ended.
func (f *Fold) outdated(s Signal) SignalFate {
	a := f.alerts[s.DedupKey]
	switch {
	case s.Action == Reconcile || s.Action == AckSignal || s.Action == Update:
		return SignalFate{Signal: s, Fate: FateLate}
	case s.Action == Clear && a.Firing:
		return f.setAside(a, s)
	case s.Action == Clear:
		return SignalFate{Signal: s, Fate: FateUnmatched, Incident: a.IncidentID}
	case a.Firing:
		a.Count++
		f.touch(a)
		c := f.follow(f.change(a.IncidentID))
		if a.Kept || c == nil {
			return c.fate(s, FateKept)
		}
		c.Incident.SignalCount++
		return c.fate(s, FateRepeated)
	case a.IncidentID == 0 && a.Maintenance == 0: // its end came before it: there was something, and it is over
		over := *a.ClearedAt
		fate := f.fire(s)
		f.now = over
		began := f.alerts[s.DedupKey]
		began.LastAt = over
		f.cleared(began)
		return fate
	}
	a.Count++
	f.touch(a)
	return f.setAside(a, s)
}

// pagesFromNow dates a change's further steps now, so that replayed signals don't page in the past.
func (f *Fold) pagesFromNow(c *Change) { c.now = latest(c.now, f.replaying) }

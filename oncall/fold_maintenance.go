package oncall

// keep keeps an alert that would open an incident, or open one again, if a maintenance window covers it both when
// its signal came and now: what was received before a window begins, or is folded when it is over, pages.
func (f *Fold) keep(a *Alert) bool {
	m, covered := Covering(f.Maintenance, f.Integration, *a, f.now)
	if now := latest(f.now, latest(f.Now, f.replaying)); covered && now.After(f.now) {
		m, covered = Covering(f.Maintenance, f.Integration, *a, now)
	}
	f.touch(a)
	a.Kept = covered
	if covered {
		a.Maintenance = m.ID
	}
	return covered
}

// goOn is for a kept alert of which something new is known: it is kept on, or it opens an incident or joins one
// as it would have when it began.
func (f *Fold) goOn(a *Alert, s Signal) SignalFate {
	c := f.follow(f.change(a.IncidentID))
	switch {
	case c != nil && c.Incident.Open(): // somebody has opened it again
		a.Kept = false
		f.touch(a)
		return f.again(a, s, false)
	case f.keep(a):
		return c.fate(s, FateKept)
	case c != nil:
		return f.again(a, s, a.Severity.Worse(c.Incident.Severity))
	}
	return f.place(a, s, nil)
}

// release looks again at an alert that was kept: whether it still fires, and whether another window covers it.
func (f *Fold) release(s Signal) SignalFate {
	a := f.alerts[s.DedupKey]
	if a == nil || !a.Firing || !a.Kept {
		return SignalFate{Signal: s, Fate: FateUnmatched}
	}
	return f.goOn(a, s)
}

// ReleaseOf is the signal by which a kept alert is looked at again.
func ReleaseOf(a Alert) Signal {
	return Signal{
		Action: Release, DedupKey: a.DedupKey, GroupKey: a.GroupKey, Title: a.Title, Body: a.Body, Link: a.Link,
		Severity: a.Severity, Labels: a.Labels, Links: a.Links, Details: a.Details, StartsAt: a.StartsAt,
	}
}

package oncall

import "cmp"

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
	s.GroupKey = cmp.Or(s.GroupKey, a.sentGroup())
	return f.place(a, s, nil)
}

package oncall

import "cmp"

// keep keeps an alert from opening or reopening an incident if a maintenance window covers both the arrival
// of its signal and now. What came before the window, or is folded after it, pages.
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

// stillKept handles a signal of an alert that is kept: it is kept on, or it now opens or joins an incident as
// it would have at its beginning.
func (f *Fold) stillKept(a *Alert, s Signal) SignalFate {
	c := f.follow(f.change(a.IncidentID))
	switch {
	case c != nil && c.Incident.Open(): // somebody has opened it again
		a.Kept = false
		f.touch(a)
		return f.stillFiring(a, s, false)
	case f.keep(a):
		return c.fate(s, FateKept)
	case c != nil:
		return f.stillFiring(a, s, a.Severity.Worse(c.Incident.Severity))
	}
	s.GroupKey = cmp.Or(s.GroupKey, a.sentGroup())
	return f.openUnlessAside(a, s, nil)
}

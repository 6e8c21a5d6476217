package oncall

import "cmp"

// keepForMaintenance reports whether a maintenance window keeps an alert from opening or reopening an incident: one must cover
// the arrival of its signal, and one the time of folding.
func (f *Fold) keepForMaintenance(a *Alert) bool {
	m, covered := CoveringWindow(f.Maintenance, f.Integration, *a, f.arrivedAt)
	if now := latest(f.arrivedAt, latest(f.FoldedAt, f.replayedAt)); covered && now.After(f.arrivedAt) {
		m, covered = CoveringWindow(f.Maintenance, f.Integration, *a, now)
	}
	f.touch(a)
	a.Kept = covered
	if covered {
		a.Maintenance = m.ID
	}
	return covered
}

// stillKept handles a signal of a kept alert. Once no window covers the alert, it opens or joins an incident as it
// would have at its start.
func (f *Fold) stillKept(a *Alert, s Signal) FoldedSignal {
	c := f.follow(f.change(a.IncidentID))
	switch {
	case c != nil && c.Incident.Open(): // somebody reopened its incident
		a.Kept = false
		f.touch(a)
		return f.stillFiring(a, s, false)
	case f.keepForMaintenance(a):
		return c.folded(s, FoldKept)
	case c != nil:
		return f.stillFiring(a, s, a.Severity.Worse(c.Incident.Severity))
	}
	s.GroupKey = cmp.Or(s.GroupKey, a.sentGroup())
	return f.openUnlessSuppressed(a, s, nil)
}

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
func (f *Fold) stillKept(alert *Alert, signal Signal) FoldedSignal {
	c := f.follow(f.change(alert.IncidentID))
	switch {
	case c != nil && c.Incident.Open(): // somebody reopened its incident
		alert.Kept = false
		f.touch(alert)
		return f.stillFiring(alert, signal, false)
	case f.keepForMaintenance(alert):
		return c.folded(signal, FoldKept)
	case c != nil:
		return f.stillFiring(alert, signal, alert.Severity.Worse(c.Incident.Severity))
	}
	signal.GroupKey = cmp.Or(signal.GroupKey, alert.sentGroup())
	return f.openUnlessSuppressed(alert, signal, nil)
}

package oncall

import "time"

// ClosesByAge is how long after its last signal an alert without its own key is closed, since its
// monitor may have no way to end it. Other alerts are never closed by age: silence is not recovery.
const ClosesByAge = 24 * time.Hour

// ClosedByAge returns the signal that closes an alert by age.
func ClosedByAge(a Alert) Signal { return Signal{Action: Clear, DedupKey: a.DedupKey, Aged: true} }

// aged reports whether an alert is old enough to be closed by age.
func (a *Alert) aged(now time.Time) bool {
	return a.Firing && a.Keyless && now.Sub(a.LastAt) >= ClosesByAge
}

// age closes an alert by age, unless a signal has come meanwhile or somebody recently acknowledged or
// snoozed its incident. Later signals of the alert are not treated as late.
func (f *Fold) age(signal Signal) FoldedSignal {
	alert := f.alerts[signal.DedupKey]
	if alert == nil || !alert.aged(f.arrivedAt) {
		return FoldedSignal{Signal: signal, Result: FoldUnmatched}
	}
	change := f.change(alert.IncidentID)
	if change == nil {
		return f.cleared(alert).folded(signal, FoldCleared)
	}
	for _, at := range []*time.Time{change.Incident.AckedAt, change.Incident.SnoozedUntil, change.Incident.WokenAt} {
		if change.Incident.Open() && at != nil && f.arrivedAt.Sub(*at) < ClosesByAge {
			return change.folded(signal, FoldUnmatched)
		}
	}
	by := change.by
	change.by = ByTimer()
	if change.Incident.Open() {
		change.record(EventAged, change.by, Detail{Text: alert.Title})
	}
	f.cleared(alert)
	change.by = by
	return change.folded(signal, FoldCleared)
}

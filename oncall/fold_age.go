package oncall

import "time"

// ClosesByAge is how long after its last signal an alert without its own key is closed, since its
// monitor may have no way to end it. Other alerts are never closed by age: silence is not recovery.
const ClosesByAge = 24 * time.Hour

// AgedOf returns the signal that closes an alert by age.
func AgedOf(a Alert) Signal { return Signal{Action: Clear, DedupKey: a.DedupKey, Aged: true} }

// aged reports whether an alert is old enough to be closed by age.
func (a *Alert) aged(now time.Time) bool {
	return a.Firing && a.Keyless && now.Sub(a.LastAt) >= ClosesByAge
}

// age closes an alert by age, unless a signal has come meanwhile or somebody recently acknowledged or
// snoozed its incident. Later signals of the alert are not treated as late.
func (f *Fold) age(s Signal) FoldedSignal {
	a := f.alerts[s.DedupKey]
	if a == nil || !a.aged(f.arrivedAt) {
		return FoldedSignal{Signal: s, Result: FoldUnmatched}
	}
	c := f.change(a.IncidentID)
	if c == nil {
		return f.cleared(a).folded(s, FoldCleared)
	}
	for _, at := range []*time.Time{c.Incident.AckedAt, c.Incident.SnoozedUntil, c.Incident.WokenAt} {
		if c.Incident.Open() && at != nil && f.arrivedAt.Sub(*at) < ClosesByAge {
			return c.folded(s, FoldUnmatched)
		}
	}
	by := c.by
	c.by = ByTimer()
	if c.Incident.Open() {
		c.record(EventAged, c.by, Detail{Text: a.Title})
	}
	f.cleared(a)
	c.by = by
	return c.folded(s, FoldCleared)
}

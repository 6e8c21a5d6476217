package oncall

import "time"

// A monitor's Expires is believed if it lies within longOver before and longAhead after now; otherwise its clock is
// wrong. Prometheus resends the end of an alert for 15 minutes, and sets the end of a firing one four resend or
// evaluation intervals ahead.
const (
	longOver  = 20 * time.Minute
	longAhead = 6 * time.Hour
)

// expired reports whether a signal's Expires is past. If the monitor's clock is wrong, Expires is compared with the
// previous one, which each repetition moves on.
func (f *Fold) expired(s Signal) bool {
	if s.Expires.After(f.arrivedAt.Add(-longOver)) && s.Expires.Before(f.arrivedAt.Add(longAhead)) {
		return !s.Expires.After(f.arrivedAt)
	}
	a := f.alerts[s.DedupKey]
	return a != nil && (s.Expires.Before(a.ExpiresAt) || s.Expires.Equal(a.ExpiresAt) && !a.Firing)
}

// update changes an alert that is firing already.
func (f *Fold) update(s Signal) FoldedSignal {
	if a := f.alerts[s.DedupKey]; a == nil || !a.Firing || !a.Kept && !a.suppressed() && f.change(a.IncidentID) == nil {
		return FoldedSignal{Signal: s, Result: FoldUnmatched}
	}
	return f.trigger(s)
}

// recordNotes records the rest of a signal: when the alert expires, a note that somebody wrote in the monitor, and
// what the sender was recognised as.
func (f *Fold) recordNotes(a *Alert, signal Signal) {
	if !signal.Expires.IsZero() && !signal.Expires.Equal(a.ExpiresAt) {
		a.ExpiresAt = signal.Expires
		f.touch(a)
	}
	c := f.follow(f.change(a.IncidentID))
	if c == nil {
		return
	}
	if signal.Note != "" {
		c.record(EventNote, c.by, Detail{Text: signal.Note})
	}
	if signal.NewMonitor != "" && f.NewMonitor != signal.NewMonitor {
		f.NewMonitor = signal.NewMonitor
		c.record(EventRecognised, c.by, Detail{Text: signal.NewMonitor})
	}
}

package oncall

import (
	"slices"
	"time"
)

// What a monitor says of the time is believed if it lies between these. Prometheus repeats for 15 minutes that an alert is
// over, and says that it fires for four times as long as it evaluates rules, or repeats itself.
const (
	longOver  = 20 * time.Minute
	longAhead = 6 * time.Hour
)

// expired reports whether the time until which an alert fires is over. If the monitor's clock is off, the
// time is compared with the one it gave before, which each repetition moves on.
func (f *Fold) expired(s Signal) bool {
	if s.Expires.After(f.now.Add(-longOver)) && s.Expires.Before(f.now.Add(longAhead)) {
		return !s.Expires.After(f.now)
	}
	a := f.alerts[s.DedupKey]
	return a != nil && (s.Expires.Before(a.ExpiresAt) || s.Expires.Equal(a.ExpiresAt) && !a.Firing)
}

// update takes over changes to an alert that fires; it opens nothing.
func (f *Fold) update(s Signal) SignalFate {
	if a := f.alerts[s.DedupKey]; a == nil || !a.Firing || !a.Kept && !a.aside() && f.change(a.IncidentID) == nil {
		return SignalFate{Signal: s, Fate: FateUnmatched}
	}
	return f.trigger(s)
}

// takeNotes puts down what a signal says beside what it does: until when the alert fires, what somebody has
// noted elsewhere, and what the integration was taken for.
func (f *Fold) takeNotes(a *Alert, s Signal) {
	if !s.Expires.IsZero() && !s.Expires.Equal(a.ExpiresAt) {
		a.ExpiresAt = s.Expires
		f.touch(a)
	}
	c := f.follow(f.change(a.IncidentID))
	if c == nil {
		return
	}
	if s.Note != "" {
		c.record(EventNote, c.by, Detail{Text: s.Note})
	}
	if s.Sender != "" && f.Sender != s.Sender {
		f.Sender = s.Sender
		c.record(EventRecognised, c.by, Detail{Text: s.Sender})
	}
}

// misread notes in the incident what of a signal was not understood, once for each field of an alert or
// storm.
func (f *Fold) misread(a *Alert, s Signal, id IncidentID) {
	for _, h := range s.Hints {
		if slices.Contains(a.Misread, h.Field) {
			continue
		}
		a.Misread = append(a.Misread, h.Field)
		c := f.change(id)
		if c.Incident.Storm != nil {
			st := c.editStorm()
			if slices.Contains(st.Misread, h.Field) {
				continue
			}
			st.Misread = append(st.Misread, h.Field)
		}
		c.record(EventMisread, c.by, Detail{Text: h.Text})
	}
}

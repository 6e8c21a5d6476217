package oncall

import (
	"slices"
	"time"
)

// Cooldown is how long a recipient is left alone after a message about an incident; what comes
// meanwhile is one message at its end. A call disturbs more than a text.
func Cooldown(method Method) time.Duration {
	if method.Info().Spoken {
		return time.Minute
	}
	return 30 * time.Second
}

// A LastPage is what a recipient, a person by one contact method, was told last.
type LastPage struct {
	Page         PageID
	At           time.Time // zero: nothing yet, or it was not sent after all
	Severity     Severity  // the worst since then
	Integrations []IntegrationID
}

// DefersUntil returns until when a page of the incident waits, so that a storm doesn't flood its
// recipient; zero: it doesn't. Worse news, and that of another integration, don't wait.
func (l LastPage) DefersUntil(in Incident, method Method, now time.Time) time.Time {
	until := l.At.Add(Cooldown(method))
	if l.At.IsZero() || !now.Before(until) || in.Severity.Worse(l.Severity) || !slices.Contains(l.Integrations, in.IntegrationID) {
		return time.Time{}
	}
	return until
}

// Add notes that the recipient hears of incidents now. That makes a cooldown that has begun no longer.
func (l LastPage) Add(method Method, now time.Time, incidents ...Incident) LastPage {
	if l.At.IsZero() || !now.Before(l.At.Add(Cooldown(method))) {
		l = LastPage{At: now, Severity: Low}
	}
	l.Integrations = slices.Clone(l.Integrations)
	for _, in := range incidents {
		if in.Severity.Worse(l.Severity) {
			l.Severity = in.Severity
		}
		if !slices.Contains(l.Integrations, in.IntegrationID) {
			l.Integrations = append(l.Integrations, in.IntegrationID)
		}
	}
	return l
}

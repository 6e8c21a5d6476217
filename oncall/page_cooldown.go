package oncall

import (
	"slices"
	"time"
)

// Cooldown returns the time in which a recipient gets no further message after one about an incident; pages that come
// meanwhile are bundled at its end. Phone calls have a longer one.
func Cooldown(method Method) time.Duration {
	if method.Info().Spoken {
		return time.Minute
	}
	return 30 * time.Second
}

// urgentCooldown is how long a recipient gets no further message about something urgent: long enough for a burst to
// become one message, too short to cost them time.
const urgentCooldown = 3 * time.Second

// cannotWait reports whether the incident's pages wait for an urgent cooldown only: it is critical, or somebody pages
// by hand and waits for an answer, and nobody has it yet.
func (in Incident) cannotWait() bool {
	return in.Status == Triggered && (in.Severity == Critical || in.RaisedBy.User != "")
}

// A LastPage is the last message to a recipient, and what has been added to its cooldown since.
type LastPage struct {
	Page         PageID
	At           time.Time // zero: none yet, or it was not sent after all
	Severity     Severity  // the worst since At
	Integrations []IntegrationID
}

// DefersUntil returns until when the cooldown defers a page of the incident; zero: it doesn't. Pages of a worse
// severity, of another integration, or of a storm that has begun since, are not deferred, and urgent ones only for
// moments, unless the phone may still ring.
func (l LastPage) DefersUntil(in Incident, method Method, now time.Time) time.Time {
	until := l.At.Add(Cooldown(method))
	if l.At.IsZero() || !now.Before(until) || in.Severity.Worse(l.Severity) || !slices.Contains(l.Integrations, in.IntegrationID) {
		return time.Time{}
	}
	switch spoken := method.Info().Spoken; { // a phone may still ring about what came before
	case in.stormBegan(l.At) && !spoken:
		return time.Time{}
	case in.cannotWait() && !spoken: // at the end of the interval since the message, so that each has one message
		return l.At.Add((now.Sub(l.At)/urgentCooldown + 1) * urgentCooldown)
	}
	return until
}

// stormBegan reports whether the incident is a storm that began after an instant and that nobody has yet: that a
// flood has begun is news. What joins it later pages those who have it, and is deferred.
func (in Incident) stormBegan(after time.Time) bool {
	return in.Storm != nil && in.Status == Triggered && in.Storm.Began.After(after)
}

// Add notes that the recipient is told of incidents now. A cooldown that has begun is not extended.
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

package oncall

import (
	"strings"
	"time"
)

// An Integration is an inbound key: what arrives under it belongs to its team and
// pages by its policy.
type Integration struct {
	ID         IntegrationID
	TeamID     TeamID
	PolicyID   PolicyID
	Name       string
	Format     Format
	Muted      bool       // its signals page nobody
	MutedUntil *time.Time // nil: until somebody unmutes it
	Senders    string     // what its signals were recognised as, divided by ", ", where nobody has chosen a format
	Heard      bool       // a signal has come
	Grouping   *Grouping  // nil: it doesn't group
	Mapping    *Mapping   // how its bodies are read; nil: as its format says
	Silencing  *Silencing // nil: what people do silences nothing where its alerts come from
	Topics     []string   // of Amazon SNS: nothing else is taken; none: all that has the key is
	Signed     bool       // what comes has to be signed
	Signing
	StormLimit int // how many incidents it opens in a minute before what comes next joins a storm; 0: no storms
}

// Recognised lists what the integration's signals were recognised as.
func (in Integration) Recognised() []string {
	if in.Senders == "" {
		return nil
	}
	return strings.Split(in.Senders, ", ")
}

// IsMuted reports whether a signal that comes at an instant pages nobody.
func (in Integration) IsMuted(at time.Time) bool {
	return in.Muted && (in.MutedUntil == nil || at.Before(*in.MutedUntil))
}

// MutedMeans says what happens to the signals of a muted integration, and UnmutedMeans to those after it.
const (
	MutedMeans   = "its signals are taken and logged, what ends still ends, and nobody is paged"
	UnmutedMeans = "pages again: an alert that still fires does so with its monitor's next signal"
)

// longestMute is how long an integration may be muted, if an end is named.
const longestMute = 365 * 24 * time.Hour

// CheckMute refuses an end of a mute that makes no sense; nil: none is named.
func CheckMute(until *time.Time, now time.Time) error {
	switch {
	case until == nil:
		return nil
	case !until.After(now):
		return Refuse("The mute would end before it begins, and nothing was changed.")
	case until.After(now.Add(longestMute)):
		return Refuse("An integration can be muted for a year at most, or until somebody unmutes it.")
	}
	return nil
}

// Signing are the secrets with which an integration's monitor signs, sealed.
type Signing struct {
	SignSecret   string     // empty: there is none
	SignBefore   string     // the one that it has replaced
	BeforeEndsAt *time.Time // until when that is good
}

// SigningSecrets are those that are good at an instant, sealed.
func (s Signing) SigningSecrets(at time.Time) (sealed []string) {
	if s.SignSecret != "" {
		sealed = append(sealed, s.SignSecret)
	}
	if s.SignBefore != "" && s.BeforeEndsAt != nil && at.Before(*s.BeforeEndsAt) {
		sealed = append(sealed, s.SignBefore)
	}
	return sealed
}

package oncall

import (
	"strings"
	"time"
)

// An Integration is an inbound key. Signals sent with it belong to its team and page by its policy.
type Integration struct {
	ID         IntegrationID
	TeamID     TeamID
	PolicyID   PolicyID
	Name       string
	Format     Format
	Muted      bool       // its signals page nobody
	MutedUntil *time.Time // nil: until somebody unmutes it
	Monitors   string     // what its signals were recognised as, separated by ", ", if it has no format
	Heard      bool       // at least one signal has arrived
	Grouping   *Grouping  // nil: none
	Mapping    *Mapping   // how bodies are parsed; nil: by Format
	Silencing  *Silencing // nil: its alerts are not silenced at their source
	Topics     []string   // the Amazon SNS topics that are accepted; none: everything sent with the key is
	Signed     bool       // unsigned requests are refused
	Signing
	StormLimit int // how many incidents may open within a minute before a storm begins; 0: no storms
}

// Recognised lists what the integration's signals were recognised as.
func (in Integration) Recognised() []string {
	if in.Monitors == "" {
		return nil
	}
	return strings.Split(in.Monitors, ", ")
}

// IsMuted reports whether the integration is muted at an instant.
func (in Integration) IsMuted(at time.Time) bool {
	return in.Muted && (in.MutedUntil == nil || at.Before(*in.MutedUntil))
}

// MutedMeans tells people what muting an integration does, and UnmutedMeans what unmuting it does.
const (
	MutedMeans   = "its signals are taken and logged, what ends still ends, and nobody is paged"
	UnmutedMeans = "pages again: an alert that still fires does so with its monitor's next signal"
)

// maxMute is the longest mute that has an end.
const maxMute = 365 * 24 * time.Hour

// CheckMute refuses an end of a mute that makes no sense; nil: no end.
func CheckMute(until *time.Time, now time.Time) error {
	switch {
	case until == nil:
		return nil
	case !until.After(now):
		return Refuse("The mute would end before it begins, and nothing was changed.")
	case until.After(now.Add(maxMute)):
		return Refuse("An integration can be muted for a year at most, or until somebody unmutes it.")
	}
	return nil
}

// Signing holds the secrets with which an integration's monitor signs its requests, encrypted.
type Signing struct {
	SignSecret   string     // empty: none
	SignBefore   string     // the previous secret
	BeforeEndsAt *time.Time // until when SignBefore is valid
}

// SigningSecrets returns the secrets valid at an instant, encrypted.
func (s Signing) SigningSecrets(at time.Time) (sealed []string) {
	if s.SignSecret != "" {
		sealed = append(sealed, s.SignSecret)
	}
	if s.SignBefore != "" && s.BeforeEndsAt != nil && at.Before(*s.BeforeEndsAt) {
		sealed = append(sealed, s.SignBefore)
	}
	return sealed
}

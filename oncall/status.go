package oncall

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A StatusPost is what the status page says of an incident, in words that somebody has written for it.
type StatusPost struct {
	Incident IncidentID
	Title    string // for those outside: never the alert's
	OpenedAt time.Time
	EndedAt  *time.Time     // nil: it goes on
	Updates  []StatusUpdate // the newest first
}

// A StatusUpdate is one thing that the status page says of it.
type StatusUpdate struct {
	At    time.Time
	State StatusState
	Text  string
}

// A StatusState is how far something has come.
type StatusState string

// The states, as status pages call them.
const (
	StatusInvestigating StatusState = "investigating"
	StatusIdentified    StatusState = "identified"
	StatusMonitoring    StatusState = "monitoring"
	StatusResolved      StatusState = "resolved"
)

// StatusStates are all of them, in their usual order.
func StatusStates() []StatusState {
	return []StatusState{StatusInvestigating, StatusIdentified, StatusMonitoring, StatusResolved}
}

// The bounds of what stands on the status page, in characters.
const (
	maxStatusTitle = 150
	maxStatusText  = 2000
)

// CheckStatus refuses what can't stand on the status page. A title is needed once.
func CheckStatus(title string, u StatusUpdate, first bool) error {
	known := false
	for _, s := range StatusStates() {
		known = known || s == u.State
	}
	switch {
	case !known:
		return Refuse("Say how far it has come, and nothing was published.")
	case first && strings.TrimSpace(title) == "":
		return Refuse("Say in a few words for people outside what is wrong, and nothing was published.")
	case strings.TrimSpace(u.Text) == "":
		return Refuse("Say what people outside should know, and nothing was published.")
	case utf8.RuneCountInString(title) > maxStatusTitle || utf8.RuneCountInString(u.Text) > maxStatusText:
		return Refuse("A title has at most %d characters and an update %d, and nothing was published.", maxStatusTitle, maxStatusText)
	}
	return nil
}

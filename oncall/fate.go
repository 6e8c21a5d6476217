package oncall

// Fate is what became of a signal. Logs and metrics show it.
type Fate string

// The fates of signals.
const (
	FateOpened       Fate = "opened"   // opened an incident
	FateJoined       Fate = "joined"   // added an alert to an open incident
	FateReopened     Fate = "reopened" // reopened a recently closed incident
	FateRepeated     Fate = "repeated" // the alert was firing already, so only its count grew
	FateMerged       Fate = "merged"   // as repeated, in the incident that the alert's own was merged into
	FateFlapping     Fate = "flapping" // the alert fires again in a flapping incident
	FateSnoozed      Fate = "snoozed"  // counted in a snoozed incident
	FateLate         Fate = "late"     // it belongs to an episode of the alert that has ended
	FateAcknowledged Fate = "acknowledged"
	FateCleared      Fate = "cleared"
	FateUnmatched    Fate = "unmatched" // it ends or acknowledges an alert that isn't firing
	FateMuted        Fate = "muted"     // the integration is muted
	FateKept         Fate = "kept"      // a maintenance window keeps the alert from paging
	FateHeld         Fate = "held"      // a rule makes the alert wait before it pages
	FateDropped      Fate = "dropped"   // a rule drops the alert
	FateListed       Fate = "listed"    // a list of firing alerts that changed nothing
)

// Shown reports whether people can see the signal's effect in Slack.
func (f Fate) Shown() bool {
	switch f {
	case FateRepeated, FateMerged, FateFlapping, FateSnoozed, FateLate, FateUnmatched, FateMuted, FateKept, FateHeld, FateDropped:
		return false
	default:
		return true
	}
}

// A SignalFate is a signal with its fate.
type SignalFate struct {
	Signal   Signal
	Fate     Fate
	Incident IncidentID // 0: none
}

// fate makes the fate of a signal that ended up in c's incident; c may be nil.
func (c *Change) fate(s Signal, f Fate) SignalFate {
	if c == nil {
		return SignalFate{Signal: s, Fate: f}
	}
	return SignalFate{Signal: s, Fate: f, Incident: c.Incident.ID}
}

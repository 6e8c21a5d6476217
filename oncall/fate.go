package oncall

// Fate is what became of a signal.
type Fate string

// The fates of signals.
const (
	FateOpened       Fate = "opened"   // an incident
	FateJoined       Fate = "joined"   // an open one, as a further alert
	FateReopened     Fate = "reopened" // one that was closed a moment ago
	FateRepeated     Fate = "repeated" // the alert fires already: it is counted
	FateMerged       Fate = "merged"   // the same, in the incident that its own was merged into
	FateFlapping     Fate = "flapping" // the alert comes back to an incident that flaps
	FateSnoozed      Fate = "snoozed"  // it is counted, and pages when the snooze ends
	FateLate         Fate = "late"     // of an episode that is over; the next one that says so counts
	FateAcknowledged Fate = "acknowledged"
	FateCleared      Fate = "cleared"
	FateUnmatched    Fate = "unmatched" // it ends or acknowledges what doesn't fire
	FateMuted        Fate = "muted"     // the integration is muted: it pages nobody
	FateKept         Fate = "kept"      // for a maintenance window it pages nobody until that is over
	FateHeld         Fate = "held"      // a rule says how long it must last before it pages
	FateDropped      Fate = "dropped"   // by a rule
	FateListed       Fate = "listed"    // a list of what fires, from which nothing more follows
)

// Shown reports whether an incident's message shows that the signal has come.
func (f Fate) Shown() bool {
	switch f {
	case FateRepeated, FateMerged, FateFlapping, FateSnoozed, FateLate, FateUnmatched, FateMuted, FateKept, FateHeld, FateDropped:
		return false
	default:
		return true
	}
}

// A SignalFate is a signal and what became of it.
type SignalFate struct {
	Signal   Signal
	Fate     Fate
	Incident IncidentID // 0: none
}

// fate makes the fate of a signal. The incident, if any, is where it ended up.
func (c *Change) fate(s Signal, f Fate) SignalFate {
	if c == nil {
		return SignalFate{Signal: s, Fate: f}
	}
	return SignalFate{Signal: s, Fate: f, Incident: c.Incident.ID}
}

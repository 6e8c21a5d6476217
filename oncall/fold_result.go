package oncall

// FoldResult is the effect of one signal. Logs and metrics call it a fate.
type FoldResult string

// The results of folding a signal.
const (
	FoldOpened       FoldResult = "opened"   // opened an incident
	FoldJoined       FoldResult = "joined"   // added an alert to an open incident
	FoldReopened     FoldResult = "reopened" // reopened a recently closed incident
	FoldRepeated     FoldResult = "repeated" // the alert was firing already, so only its count grew
	FoldMerged       FoldResult = "merged"   // repeated, but in the incident that the alert's own was merged into
	FoldFlapping     FoldResult = "flapping" // the alert fires again in a flapping incident
	FoldSnoozed      FoldResult = "snoozed"  // counted in a snoozed incident
	FoldLate         FoldResult = "late"     // from an episode of the alert that has already ended
	FoldAcknowledged FoldResult = "acknowledged"
	FoldCleared      FoldResult = "cleared"
	FoldUnmatched    FoldResult = "unmatched" // it ends or acknowledges an alert that isn't firing
	FoldMuted        FoldResult = "muted"     // the integration is muted
	FoldKept         FoldResult = "kept"      // a maintenance window keeps the alert from paging
	FoldHeld         FoldResult = "held"      // a rule makes the alert wait before it pages
	FoldDropped      FoldResult = "dropped"   // a rule drops the alert
	FoldListed       FoldResult = "listed"    // a list of firing alerts that changed nothing
)

// Shown reports whether people can see the signal's effect in Slack.
func (r FoldResult) Shown() bool {
	switch r {
	case FoldRepeated, FoldMerged, FoldFlapping, FoldSnoozed, FoldLate, FoldUnmatched, FoldMuted, FoldKept, FoldHeld, FoldDropped:
		return false
	default:
		return true
	}
}

// A FoldedSignal is a signal with its result.
type FoldedSignal struct {
	Signal   Signal
	Result   FoldResult
	Incident IncidentID // 0: none
}

// folded returns the result of a signal that ended up in c's incident; c may be nil.
func (c *Change) folded(s Signal, r FoldResult) FoldedSignal {
	if c == nil {
		return FoldedSignal{Signal: s, Result: r}
	}
	return FoldedSignal{Signal: s, Result: r, Incident: c.Incident.ID}
}

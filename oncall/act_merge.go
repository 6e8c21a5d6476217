package oncall

import (
	"slices"
	"time"
)

// LinkWith links two incidents with each other, whatever their statuses.
func (in Incident) LinkWith(other Incident, by Actor, now time.Time) (Change, Change, error) {
	switch {
	case in.ID == other.ID:
		return Change{}, Change{}, Refuse("An incident can't be linked with itself.")
	case slices.Contains(in.Links, other.ID):
		return Change{}, Change{}, Refuse("Incident %s is linked with %s already.", in.ID, other.ID)
	}
	link := func(in Incident, other IncidentID) Change {
		c := in.begin(by, Facts{}, now)
		c.Incident.Links = append(slices.Clone(in.Links), other)
		c.record(EventLinked, by, Detail{Incident: other})
		return c.done()
	}
	return link(in, other.ID), link(other, in.ID), nil
}

// RefuseMerge refuses to make the incident part of another one.
func (in Incident) RefuseMerge(into Incident) error {
	if in.ID == into.ID {
		return Refuse("An incident can't be merged into itself.")
	}
	for _, i := range []Incident{in, into} {
		if err := i.refuseClosed(); err != nil {
			return err
		}
	}
	if in.Storm != nil {
		return Refuse("Incident %s is a storm, which may have thousands of alerts: merge %s into it instead.", in.ID, into.ID)
	}
	return nil
}

// Merge closes the incident and makes it part of another one, which gets its firing alerts and every later
// signal of those alerts and of their group. Both must be open, so merges form no loops.
func (in Incident) Merge(into Incident, by Actor, f Facts, now time.Time) (Change, Change, error) {
	if err := in.RefuseMerge(into); err != nil {
		return Change{}, Change{}, err
	}
	from, to := in.begin(by, f, now), into.begin(by, f, now)
	from.stop()
	from.endFlapping()
	from.Incident.Status, from.Incident.MergedInto = Resolved, into.ID
	from.Incident.ResolvedBy, from.Incident.ResolvedAt = by, &now
	from.Incident.SnoozedBy, from.Incident.SnoozedUntil = Actor{}, nil
	from.record(EventMergedInto, by, Detail{Incident: into.ID})

	to.Incident.SignalCount += in.SignalCount
	to.Incident.LastSignalAt = latest(in.LastSignalAt, into.LastSignalAt)
	helpers := to.takeOver(in)
	to.record(EventMerged, by, Detail{Incident: in.ID, Text: in.Title, Users: helpers})
	if in.Severity.Worse(into.Severity) {
		to.raise(in.Severity)
	}
	return from.done(), to.done(), nil
}

// Unmerge takes back that the incident was merged into another one, which is still open. It is open again: with whoever
// takes that back, if it was acknowledged before, and else from the first step of its policy. The caller gives it its alerts
// back. What else the other one got, such as a severity and responders, stays there.
func (in Incident) Unmerge(into Incident, by Actor, f Facts, now time.Time) (Change, Change, error) {
	switch {
	case in.MergedInto == 0:
		return Change{}, Change{}, Refuse("Incident %s is not merged into another one.", in.ID)
	case in.AbsorbedByStorm():
		return Change{}, Change{}, Refuse("Incident %s is part of the storm %s: an alert can be split off it.", in.ID, in.MergedInto)
	case !into.Open():
		return Change{}, Change{}, Refuse("Incident %s, which has the alerts of %s, is over: what fires again is told by itself.", into.ID, in.ID)
	}
	from, to := in.begin(by, f, now), into.begin(by, f, now)
	from.Incident.MergedInto = 0
	from.record(EventMergeUndone, by, Detail{Incident: into.ID})
	if from.startOver(); in.AckedBy != (Actor{}) {
		_ = from.ack(Act{Do: ActAck}) // it waits for an acknowledgement, so it can't be refused
	}
	if from.Incident.Status == Triggered {
		from.runStep()
	}
	to.Incident.SignalCount = max(0, into.SignalCount-in.SignalCount)
	to.record(EventMergeUndone, by, Detail{Incident: in.ID, Text: in.Title})
	return from.done(), to.done(), nil
}

// takeOver makes the responders of a merged incident responders of this one, and returns them. An answer given
// for this incident stands. Without one, a responder has accepted if they accepted for the merged incident or
// have acknowledged this one. All others are paged again, since their pages end with the merged incident,
// possibly before any was sent.
func (c *Change) takeOver(from Incident) []UserID {
	in := &c.Incident
	var taken []UserID
	for _, responder := range from.Responders {
		here, known := in.responder(responder.User)
		asked := responder.State == ResponderAsked
		switch {
		case responder.State == ResponderDeclined || known && (here.State != ResponderAsked || asked):
			continue
		case known:
			here.State, here.At = ResponderAccepted, responder.At
			responder = here
		case !asked:
			responder.Asked, responder.Until = 0, 0 // they are numbers of the other incident
		case slices.Contains(in.ackers(), responder.User):
			responder.State, responder.Asked, responder.Until = ResponderAccepted, 0, 0
		case c.facts.reachable(responder.User) != nil:
			continue
		default:
			responder.Asked, responder.Until = in.Version, 0
			c.ask(responder.User, Say("%s asks you to help with %s, which was merged into this incident", responder.By, from.ID))
		}
		c.setResponder(responder)
		taken = append(taken, responder.User)
	}
	return taken
}

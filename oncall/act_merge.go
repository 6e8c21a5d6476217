package oncall

import (
	"slices"
	"time"
)

// Relate links two incidents with each other, whatever their statuses.
func (in Incident) Relate(other Incident, by Actor, now time.Time) (Change, Change, error) {
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

// Merge makes the incident part of another one: it is closed, and its firing alerts belong to
// the other, with all their later signals and those of their group. As both must be open,
// there are no chains and no loops.
func (in Incident) Merge(into Incident, by Actor, f Facts, now time.Time) (Change, Change, error) {
	if in.ID == into.ID {
		return Change{}, Change{}, Refuse("An incident can't be merged into itself.")
	}
	for _, i := range []Incident{in, into} {
		if err := i.refuseClosed(); err != nil {
			return Change{}, Change{}, err
		}
	}
	if in.Storm != nil {
		return Change{}, Change{}, Refuse("Incident %s is a storm, which may have thousands of alerts: merge %s into it instead.", in.ID, into.ID)
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

// takeOver makes the responders of another incident responders of this one, and returns them. Those
// who haven't answered are paged again, because their pages for the other end with it, perhaps before
// any went out. Who has answered here keeps that answer; who hasn't has accepted if they accepted
// there, or have acknowledged this one.
func (c *Change) takeOver(from Incident) []UserID {
	in := &c.Incident
	var taken []UserID
	for _, r := range from.Responders {
		here, known := in.responder(r.User)
		asked := r.State == ResponderAsked
		switch {
		case r.State == ResponderDeclined || known && (here.State != ResponderAsked || asked):
			continue
		case known:
			here.State, here.At = ResponderAccepted, r.At
			r = here
		case !asked:
			r.Asked, r.Until = 0, 0 // these are versions of the other incident
		case slices.Contains(in.counted(), r.User):
			r.State, r.Asked, r.Until = ResponderAccepted, 0, 0
		case c.facts.reachable(r.User) != nil:
			continue
		default:
			r.Asked, r.Until = in.Version, 0
			c.ask(r.User, Say("%s asks you to help with %s, which was merged into this incident", r.By, from.ID))
		}
		c.setResponder(r)
		taken = append(taken, r.User)
	}
	return taken
}

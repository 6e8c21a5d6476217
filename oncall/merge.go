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
	return in.linked(other.ID, by, now), other.linked(in.ID, by, now), nil
}

func (in Incident) linked(other IncidentID, by Actor, now time.Time) Change {
	c := in.begin()
	c.Incident.Links = append(slices.Clone(in.Links), other)
	c.record(EventLinked, now, by, Detail{Incident: other})
	return c.finish(in)
}

// Merge makes the incident part of another one: it is closed, and its firing alerts, with
// whatever they and their group still have to say, belong to the other. Chains can't
// come about and loops even less: both must be open.
func (in Incident) Merge(into Incident, by Actor, f Facts, now time.Time) (Change, Change, error) {
	if in.ID == into.ID {
		return Change{}, Change{}, Refuse("An incident can't be merged into itself.")
	}
	for _, i := range []Incident{in, into} {
		if err := i.refuseClosed(); err != nil {
			return Change{}, Change{}, err
		}
	}
	from := in.begin()
	o := &from.Incident
	o.stop()
	o.Status, o.MergedInto = Resolved, into.ID
	o.ResolvedBy, o.ResolvedAt = by, &now
	o.SnoozedBy, o.SnoozedUntil = Actor{}, nil
	from.record(EventMergedInto, now, by, Detail{Incident: into.ID})

	to := into.begin()
	to.Incident.SignalCount += in.SignalCount
	to.Incident.LastSignalAt = latest(in.LastSignalAt, into.LastSignalAt)
	helpers := to.Incident.takeOver(in.Responders)
	to.record(EventMerged, now, by, Detail{Incident: in.ID, Text: in.Title, Users: helpers})
	to.finish(into)
	if in.Severity.Worse(into.Severity) {
		to = to.then(to.Incident.raise(in.Severity, by, f, now))
	}
	return from.finish(in), to, nil
}

// takeOver makes those who help with another incident, or are asked to, responders of this
// one, and returns them. Nobody is paged for it: they were, for the other. Who has answered
// here is held to that; one who is still asked here and has accepted there has accepted.
func (in *Incident) takeOver(helpers []Responder) []UserID {
	var taken []UserID
	for _, r := range helpers {
		here, known := in.responder(r.User)
		switch {
		case r.State == ResponderDeclined || known && (here.State != ResponderAsked || r.State != ResponderAccepted):
			continue
		case known:
			here.State, here.At = ResponderAccepted, r.At
			r = here
		default:
			r.Asked, r.Until = 0, 0 // these are versions of the other incident
		}
		in.respond(r)
		taken = append(taken, r.User)
	}
	return taken
}

// then adds a later change of the same incident. Of two drawings the last shows both.
func (c Change) then(next Change) Change {
	c.Incident = next.Incident
	c.Events = append(c.Events, next.Events...)
	c.Pages = append(c.Pages, next.Pages...)
	c.Notices = append(c.Notices, next.Notices...)
	c.Settled = append(c.Settled, next.Settled...)
	for _, t := range next.Tasks {
		if _, draws := t.Do.(Draw); draws && t.At.IsZero() {
			c.Tasks = slices.DeleteFunc(c.Tasks, func(o Task) bool {
				_, old := o.Do.(Draw)
				return old && o.At.IsZero()
			})
		}
		c.Tasks = append(c.Tasks, t)
	}
	return c
}

package oncall

import (
	"fmt"
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
	helpers := to.takeOver(in, f)
	to.record(EventMerged, now, by, Detail{Incident: in.ID, Text: in.Title, Users: helpers})
	to.finish(into)
	if in.Severity.Worse(into.Severity) {
		to = to.then(to.Incident.raise(in.Severity, by, f, now))
	}
	return from.finish(in), to, nil
}

// takeOver makes those who help with another incident, or are asked to, responders of this
// one, and returns them. Who is asked is paged again: their pages for the other are over,
// perhaps before any went out. Who has answered here is held to that; who is still asked here
// and has accepted there, or has acknowledged this one, has accepted.
func (c *Change) takeOver(from Incident, f Facts) []UserID {
	var taken []UserID
	for _, r := range from.Responders {
		here, known := c.Incident.responder(r.User)
		asked := r.State == ResponderAsked
		switch {
		case r.State == ResponderDeclined || known && (here.State != ResponderAsked || asked):
			continue
		case known:
			here.State, here.At = ResponderAccepted, r.At
			r = here
		case !asked:
			r.Asked, r.Until = 0, 0 // these are versions of the other incident
		case slices.Contains(c.Incident.counted(), r.User):
			r.State, r.Asked, r.Until = ResponderAccepted, 0, 0
		case f.reachable(r.User) != nil:
			continue
		default:
			r.Asked, r.Until = c.Incident.Version, 0
			c.ask(r.User, fmt.Sprintf("%s asks you to help with %s, which was merged into this incident", r.By, from.ID))
		}
		c.Incident.respond(r)
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

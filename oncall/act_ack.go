package oncall

import (
	"fmt"
	"slices"
	"time"
)

// ackWait is how long those who have the incident have to answer "still on it?", where the
// policy says nothing else.
const ackWait Seconds = 300

// ack takes responsibility: escalation stops (E3), as soon as there are as many as the
// policy wants. A monitor or a rule that acknowledges is enough.
func (in Incident) ack(p Policy, by Actor, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	counted := slices.Contains(in.Acks, by.User)
	has := in.Status == Acknowledged && (in.AckedBy == by || slices.Contains(in.Holders(), by.User))
	switch {
	case in.Status != Acknowledged && counted && len(in.Acks) < p.Acks:
		return Change{}, Refuse("You have acknowledged incident %s already; %d of %d have.", in.ID, len(in.Acks), p.Acks)
	case in.Status != Acknowledged:
	case has && in.AckAsked:
		return in.stillOn(p, by, now)
	case has:
		return Change{}, Refuse("You have acknowledged incident %s already.", in.ID)
	case !in.AckAsked || by.User == "": // who is left without an answer may take it over
		return Change{}, Refuse("Incident %s is already acknowledged by %s.", in.ID, in.AckedBy)
	}
	c := in.begin()
	o := &c.Incident
	o.help(by, now)
	if by.User != "" && !counted && (p.Acks > 1 || len(in.Acks) > 0) {
		o.Acks = append(slices.Clone(in.Acks), by.User)
	}
	d := Detail{}
	if p.Acks > 1 && by.User != "" && in.Status != Acknowledged {
		d.Count, d.Of = len(o.Acks), p.Acks
		if d.Count < d.Of {
			c.record(EventAckCounted, now, by, d)
			return c.finish(in), nil
		}
	}
	o.stop()
	o.Status = Acknowledged
	o.AckedBy, o.AckedAt = by, &now
	o.SnoozedBy, o.SnoozedUntil = Actor{}, nil
	o.watchAck(p, now)
	c.record(EventAcknowledged, now, by, d)
	return c.finish(in), nil
}

// Holders are the people whose acknowledgement counts, where it is people who have the
// incident: several where the policy wants several.
func (in Incident) Holders() []UserID {
	switch owner := in.AckedBy.User; {
	case in.Status != Acknowledged || owner == "":
		return nil
	case slices.Contains(in.Acks, owner):
		return in.Acks
	default:
		return append(slices.Clone(in.Acks), owner)
	}
}

// counted are the people whose acknowledgement counts, also where more must acknowledge.
func (in Incident) counted() []UserID {
	if in.Status == Acknowledged {
		return in.Holders()
	}
	return in.Acks
}

// help takes it that who has been asked to help and acknowledges has said yes.
func (in *Incident) help(by Actor, now time.Time) {
	if r, known := in.responder(by.User); known && r.State == ResponderAsked {
		r.State, r.At, r.Until = ResponderAccepted, now, in.Seq
		in.respond(r)
	}
}

// watchAck sets the timer that asks those who have the incident "still on it?", where the
// policy wants that and the severity is worth it; it stops one that is no longer wanted.
func (in *Incident) watchAck(p Policy, now time.Time) {
	wanted := p.AckTimeout > 0 && in.Severity != Low
	switch {
	case wanted && in.NextAt == nil:
		in.wait(now.Add(p.AckTimeout.Duration()))
	case !wanted && in.NextAt != nil:
		in.Seq++
		in.NextAt, in.AckAsked = nil, false
	}
}

// MoreNeeded says how many more must acknowledge.
func MoreNeeded(n int) string {
	if n == 1 {
		return "one more is needed"
	}
	return fmt.Sprintf("%d more are needed", n)
}

// unack gives the incident back: it pages from the first step, now. Who is one of several
// takes back their own acknowledgement only.
func (in Incident) unack(by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	had := in.counted()
	others := slices.DeleteFunc(slices.Clone(had), func(u UserID) bool { return u == by.User })
	switch {
	case len(others) < len(had):
		return in.takeBackAck(others, by, f, now), nil
	case in.Status != Acknowledged && len(in.Acks) > 0:
		return Change{}, Refuse("You have not acknowledged incident %s, so there is nothing to take back.", in.ID)
	case in.Status != Acknowledged:
		return Change{}, Refuse("Incident %s is not acknowledged.", in.ID)
	}
	c := in.begin()
	c.record(EventUnacknowledged, now, by, Detail{Users: users(in.AckedBy)})
	c.restart(f, now)
	return c.finish(in), nil
}

// takeBackAck leaves the incident with the acknowledgements of the others. Where these are
// enough they have it, where it is paging anyway that goes on, and where it is snoozed it stays
// quiet; otherwise it pages from the first step, now.
func (in Incident) takeBackAck(others []UserID, by Actor, f Facts, now time.Time) Change {
	enough := max(f.Policies[in.PolicyID].Acks, 1)
	c := in.begin()
	o := &c.Incident
	o.Acks = others
	switch {
	case in.Status == Acknowledged && len(others) >= enough:
		if in.AckedBy.User == by.User {
			o.AckedBy = Actor{User: others[len(others)-1]}
		}
		c.record(EventAckTakenBack, now, by, Detail{Acked: others, Count: len(others), Of: enough})
	case in.Status == Snoozed || in.Status == Triggered && !in.Exhausted:
		c.record(EventAckTakenBack, now, by, Detail{Acked: others, Count: len(others), Of: enough})
	default:
		d := Detail{Users: []UserID{by.User}}
		o.startOver()
		// Who would not be paged by the policy that it begins with could be all whom that has.
		if p := f.Policies[o.PolicyID]; len(others) > 0 && len(others) < p.Acks {
			o.Acks = others
			d.Acked, d.Count, d.Of = others, len(others), p.Acks
		}
		c.record(EventUnacknowledged, now, by, d)
		o.runStep(&c, f, now)
	}
	return c.finish(in)
}

// stillOn is the answer to "still on it?" of one who has the incident: the time runs anew.
func (in Incident) stillOn(p Policy, by Actor, now time.Time) (Change, error) {
	switch err := in.refuseClosed(); {
	case err != nil:
		return Change{}, err
	case in.Status != Acknowledged:
		return Change{}, Refuse("Incident %s is not acknowledged any more.", in.ID)
	case !in.AckAsked:
		return Change{}, Refuse("Nobody is asked any more whether they are still on incident %s.", in.ID)
	case by.User == "":
		return Change{}, Refuse("Only a person can say that.")
	case !slices.Contains(in.Holders(), by.User):
		return Change{}, Refuse("You have not acknowledged incident %s, so you can't be still on it; you can take it over.", in.ID)
	}
	c := in.begin()
	c.Incident.AckAsked, c.Incident.NextAt = false, nil
	c.Incident.watchAck(p, now)
	c.record(EventStillOn, now, by, Detail{})
	return c.finish(in), nil
}

// NoticeStillOn asks who has an incident whether they are still on it.
const NoticeStillOn NoticeKind = "still_on"

// What has become of that question.
const (
	StillOnYes      = "still_on"
	StillOnTaken    = "taken" // somebody else has acknowledged
	StillOnResolved = "resolved"
	StillOnSnoozed  = "snoozed"
	StillOnPaging   = "paging" // it pages again
	StillOnOver     = "over"   // the policy no longer asks
)

// A Settlement says what has become of the notices of some kinds that are still open.
type Settlement struct {
	Kinds []NoticeKind
	About int64
	State string
	By    UserID
	At    time.Time
}

// settle says what has become of the question to who has the incident.
func (c *Change) settle(before Incident) {
	in, last := c.Incident, c.Events[len(c.Events)-1]
	s := Settlement{Kinds: []NoticeKind{NoticeStillOn}, About: int64(in.ID), By: last.Actor.User, At: last.At}
	switch {
	case in.Status == Resolved:
		s.State = StillOnResolved
	case in.Status == Snoozed:
		s.State = StillOnSnoozed
	case in.Status == Triggered:
		s.State = StillOnPaging
	case in.AckedBy.User != before.AckedBy.User:
		s.State = StillOnTaken
	case last.Kind == EventStillOn:
		s.State = StillOnYes
	default:
		s.State = StillOnOver
	}
	c.Settled = append(c.Settled, s)
}

// ackTimer is what the timer of an acknowledged incident does: it asks everybody whose
// acknowledgement counts, and when none of them answers it pages again, them and who is on
// call.
func (c *Change) ackTimer(f Facts, now time.Time) {
	in := &c.Incident
	p, holders := f.Policies[in.PolicyID], in.Holders()
	switch {
	case p.AckTimeout <= 0 || in.Severity == Low: // the policy has changed its mind
		in.watchAck(p, now)
		c.record(EventStillOn, now, ByTimer(), Detail{Quiet: true})
	case len(holders) > 0 && !in.AckAsked:
		wait := p.AckWait
		if wait <= 0 {
			wait = ackWait
		}
		in.wait(now.Add(wait.Duration()))
		in.AckAsked = true
		c.record(EventStillOnAsked, now, ByTimer(), Detail{Users: holders, Until: *in.NextAt})
		for _, u := range holders {
			c.askStillOn(u, holders)
		}
	default:
		d := Detail{Text: "nobody could be asked whether they are still on it"}
		if len(holders) > 0 {
			d = Detail{Text: "no answer to \"still on it?\"", Users: holders}
		}
		c.record(EventUnacknowledged, now, ByTimer(), d)
		c.restart(f, now)
		for _, u := range holders {
			if f.reachable(u) == nil && !slices.ContainsFunc(c.Pages, func(p Page) bool { return p.UserID == u }) {
				c.page(u, "you have acknowledged it and not said that you are still on it")
			}
		}
	}
}

// askStillOn asks one of those who have the incident.
func (c *Change) askStillOn(u UserID, holders []UserID) {
	in := &c.Incident
	c.Notices = append(c.Notices, Notice{
		Key: fmt.Sprintf("still/%d/%d/%s", in.ID, in.Seq, u), To: string(u), Kind: NoticeStillOn,
		About: int64(in.ID), Until: in.NextAt,
		Facts: NoticeFacts{
			Incidents: []IncidentID{in.ID}, Lines: []string{in.Title}, Users: holders,
			Start: *in.AckedAt, End: *in.NextAt,
		},
	})
}

package oncall

import (
	"fmt"
	"slices"
	"time"
)

// ackWait is how long those who have the incident have to answer "still on it?", unless the
// policy says otherwise.
const ackWait Seconds = 300

// ack takes responsibility: escalation stops once as many people have acknowledged as the
// policy wants. A monitor's acknowledgement is always enough.
func (c *Change) ack(a Act) error {
	in, p, by := &c.Incident, c.policy(), c.by
	waiting := in.Status != Acknowledged
	counted := slices.Contains(in.Acks, by.User)
	switch has := in.AckedBy == by || slices.Contains(in.Holders(), by.User); {
	case waiting && counted && len(in.Acks) < p.Acks:
		return Refuse("You have acknowledged incident %s already; %d of %d have.", in.ID, len(in.Acks), p.Acks)
	case !waiting && has && in.AckAsked:
		return c.stillOn(a)
	case !waiting && has:
		return Refuse("You have acknowledged incident %s already.", in.ID)
	case !waiting && (!in.AckAsked || by.User == ""): // while nobody answers "still on it?", others may take over
		return Refuse("Incident %s is already acknowledged by %s.", in.ID, in.AckedBy)
	}
	c.help()
	if by.User != "" && !counted && (p.Acks > 1 || len(in.Acks) > 0) {
		in.Acks = append(slices.Clone(in.Acks), by.User)
	}
	d := Detail{}
	if p.Acks > 1 && by.User != "" && waiting {
		d.Count, d.Of = len(in.Acks), p.Acks
		if d.Count < d.Of {
			c.record(EventAckCounted, by, d)
			return nil
		}
	}
	c.stop()
	in.Status = Acknowledged
	in.AckedBy, in.AckedAt = by, new(c.now)
	in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	c.watchAck()
	c.record(EventAcknowledged, by, d)
	return nil
}

// Holders are the people who have the incident: several if the policy wants several to
// acknowledge, none if a monitor has acknowledged.
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

// counted are the people who have acknowledged, even if more must.
func (in Incident) counted() []UserID {
	if in.Status == Acknowledged {
		return in.Holders()
	}
	return in.Acks
}

// help counts an acknowledgement by somebody who was asked to help as their acceptance.
func (c *Change) help() {
	if r, known := c.Incident.responder(c.by.User); known && r.State == ResponderAsked {
		r.State, r.At, r.Until = ResponderAccepted, c.now, c.Incident.Seq
		c.respond(r)
	}
}

// watchAck sets the timer that asks those who have the incident "still on it?", if the policy
// wants that and the severity is worth it; it stops a timer that is no longer wanted.
func (c *Change) watchAck() {
	in, p := &c.Incident, c.policy()
	wanted := p.AckTimeout > 0 && in.Severity != Low
	switch {
	case wanted && in.NextAt == nil:
		c.wait(c.now.Add(p.AckTimeout.Duration()))
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

// unack gives the incident back: it pages from the first step, now. If several people must
// acknowledge, this withdraws only the caller's.
func (c *Change) unack(Act) error {
	in := &c.Incident
	had := in.counted()
	others := without(had, []UserID{c.by.User})
	switch {
	case len(others) < len(had):
		c.takeBackAck(others)
		return nil
	case in.Status != Acknowledged && len(in.Acks) > 0:
		return Refuse("You have not acknowledged incident %s, so there is nothing to take back.", in.ID)
	case in.Status != Acknowledged:
		return Refuse("Incident %s is not acknowledged.", in.ID)
	}
	c.record(EventUnacknowledged, c.by, Detail{Users: users(in.AckedBy)})
	c.restart()
	return nil
}

// takeBackAck leaves the incident with the acknowledgements of the others. If these are
// enough they have it; if it is paging anyway that goes on, and if it is snoozed it stays
// quiet; otherwise it pages from the first step, now.
func (c *Change) takeBackAck(others []UserID) {
	in, enough := &c.Incident, max(c.policy().Acks, 1)
	in.Acks = others
	has := in.Status == Acknowledged && len(others) >= enough
	if has && in.AckedBy.User == c.by.User {
		in.AckedBy = Actor{User: others[len(others)-1]}
	}
	if has || in.Status == Snoozed || in.Status == Triggered && !in.Exhausted {
		c.record(EventAckTakenBack, c.by, Detail{Acked: others, Count: len(others), Of: enough})
		return
	}
	c.startOver()
	d := Detail{Users: []UserID{c.by.User}}
	// Whoever has acknowledged isn't paged, and that could be everybody in the policy that it
	// starts over with. So the acknowledgements stay only if that policy wants more.
	if p := c.policy(); len(others) > 0 && len(others) < p.Acks {
		in.Acks = others
		d.Acked, d.Count, d.Of = others, len(others), p.Acks
	}
	c.record(EventUnacknowledged, c.by, d)
	c.runStep()
}

// stillOn answers "still on it?" for somebody who has the incident: the time runs anew.
func (c *Change) stillOn(Act) error {
	switch in := &c.Incident; {
	case in.Status != Acknowledged:
		return Refuse("Incident %s is not acknowledged any more.", in.ID)
	case !in.AckAsked:
		return Refuse("Nobody is asked any more whether they are still on incident %s.", in.ID)
	case c.by.User == "":
		return Refuse("Only a person can say that.")
	case !slices.Contains(in.Holders(), c.by.User):
		return Refuse("You have not acknowledged incident %s, so you can't be still on it; you can take it over.", in.ID)
	}
	c.Incident.AckAsked, c.Incident.NextAt = false, nil
	c.watchAck()
	c.record(EventStillOn, c.by, Detail{})
	return nil
}

// NoticeStillOn asks those who have an incident whether they are still on it.
const NoticeStillOn NoticeKind = "still_on"

// The ways in which that question is closed.
const (
	StillOnYes      = "still_on"
	StillOnTaken    = "taken" // somebody else has acknowledged
	StillOnResolved = "resolved"
	StillOnSnoozed  = "snoozed"
	StillOnPaging   = "paging" // it pages again
	StillOnOver     = "over"   // the policy no longer wants to know
)

// A NoticeClose closes the notices of some kinds that are still open, with what has become of them.
type NoticeClose struct {
	Kinds []NoticeKind
	About int64
	State string
	By    UserID
	At    time.Time
}

// closeStillOn closes the question to those who have the incident.
func (c *Change) closeStillOn() {
	in, last := &c.Incident, c.Events[len(c.Events)-1]
	n := NoticeClose{Kinds: []NoticeKind{NoticeStillOn}, About: int64(in.ID), By: last.Actor.User, At: last.At}
	switch {
	case in.Status == Resolved:
		n.State = StillOnResolved
	case in.Status == Snoozed:
		n.State = StillOnSnoozed
	case in.Status == Triggered:
		n.State = StillOnPaging
	case in.AckedBy.User != c.before.AckedBy.User:
		n.State = StillOnTaken
	case last.Kind == EventStillOn:
		n.State = StillOnYes
	default:
		n.State = StillOnOver
	}
	c.Closes = append(c.Closes, n)
}

// runAckTimer does what the timer of an acknowledged incident is for: it asks everybody who has
// the incident, and if nobody answers it pages again, both them and those on call.
func (c *Change) runAckTimer() {
	in, p := &c.Incident, c.policy()
	holders := in.Holders()
	switch {
	case p.AckTimeout <= 0 || in.Severity == Low: // no longer wanted
		c.watchAck()
		c.record(EventStillOn, ByTimer(), Detail{Quiet: true})
	case len(holders) > 0 && !in.AckAsked:
		wait := p.AckWait
		if wait <= 0 {
			wait = ackWait
		}
		c.wait(c.now.Add(wait.Duration()))
		in.AckAsked = true
		c.record(EventStillOnAsked, ByTimer(), Detail{Users: holders, Until: *in.NextAt})
		for _, u := range holders {
			c.askStillOn(u, holders)
		}
	default:
		d := Detail{Text: "nobody could be asked whether they are still on it"}
		if len(holders) > 0 {
			d = Detail{Text: "no answer to \"still on it?\"", Users: holders}
		}
		c.record(EventUnacknowledged, ByTimer(), d)
		c.restart()
		for _, u := range holders {
			if c.facts.reachable(u) == nil && !slices.ContainsFunc(c.Pages, func(p Page) bool { return p.UserID == u }) {
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
		Detail: NoticeDetail{
			Incidents: []IncidentID{in.ID}, Lines: []string{in.Title}, Users: holders,
			Start: *in.AckedAt, End: *in.NextAt,
		},
	})
}

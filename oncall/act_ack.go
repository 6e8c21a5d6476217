package oncall

import (
	"fmt"
	"slices"
	"time"
)

// ack stops the escalation once as many people have acknowledged as the policy requires. A monitor's
// acknowledgement is always enough.
func (c *Change) ack(a Act) error {
	in, policy, by := &c.Incident, c.policy(), c.by
	waiting := in.Status != Acknowledged
	counted := slices.Contains(in.Acks, by.User)
	switch has := in.AckedBy == by || slices.Contains(in.Holders(), by.User); {
	case waiting && counted && len(in.Acks) < policy.Acks:
		return Refuse("You have acknowledged incident %s already; %d of %d have.", in.ID, len(in.Acks), policy.Acks)
	case !waiting && has && in.AckAsked:
		return c.stillOn(a)
	case !waiting && has:
		return Refuse("You have acknowledged incident %s already.", in.ID)
	case !waiting && (!in.AckAsked || by.User == ""): // while nobody answers "still on it?", others may take over
		return Refuse("Incident %s is already acknowledged by %s.", in.ID, in.AckedBy)
	}
	c.acceptByAck()
	if by.User != "" && !counted && (policy.Acks > 1 || len(in.Acks) > 0) {
		in.Acks = append(slices.Clone(in.Acks), by.User)
	}
	detail := Detail{}
	if policy.Acks > 1 && by.User != "" && waiting {
		detail.Count, detail.Of = len(in.Acks), policy.Acks
		if detail.Count < detail.Of {
			c.record(EventAckCounted, by, detail)
			return nil
		}
	}
	c.stop()
	in.Status = Acknowledged
	in.AckedBy, in.AckedAt = by, new(c.now)
	in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	c.watchAck()
	c.record(EventAcknowledged, by, detail)
	return nil
}

// Holders returns the people who currently own the incident: several if the policy requires several
// acknowledgements, none if a monitor acknowledged it.
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

// With reports whether a person has the incident: they hold it, or have snoozed it.
func (in Incident) With(u UserID) bool {
	return slices.Contains(in.Holders(), u) || in.Status == Snoozed && in.SnoozedBy.User == u
}

// ackers returns the people who have acknowledged, even if more acknowledgements are needed.
func (in Incident) ackers() []UserID {
	if in.Status == Acknowledged {
		return in.Holders()
	}
	return in.Acks
}

// acceptByAck counts an acknowledgement by somebody who was asked to help as their acceptance.
func (c *Change) acceptByAck() {
	if r, known := c.Incident.responder(c.by.User); known && r.State == ResponderAsked {
		r.State, r.At, r.Until = ResponderAccepted, c.now, c.Incident.Seq
		c.setResponder(r)
	}
}

// MoreNeeded returns a clause that says how many more people must acknowledge.
func MoreNeeded(n int) string {
	if n == 1 {
		return "one more is needed"
	}
	return fmt.Sprintf("%d more are needed", n)
}

// unack withdraws the caller's acknowledgement. If the policy requires only one, the incident pages from the
// first step again, now.
func (c *Change) unack(Act) error {
	in := &c.Incident
	had := in.ackers()
	others := without(had, []UserID{c.by.User})
	switch {
	case len(others) < len(had):
		c.takeBackAcks([]UserID{c.by.User}, others, Detail{})
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

// takeBackAcks withdraws some of the acknowledgements, and records detail with what remains. If the remaining ones are enough,
// the incident stays acknowledged. If it is snoozed or still escalating, that continues. Otherwise it pages from the first
// step, now.
func (c *Change) takeBackAcks(from, others []UserID, detail Detail) {
	in, enough := &c.Incident, max(c.policy().Acks, 1)
	in.Acks = others
	has := in.Status == Acknowledged && len(others) >= enough
	if has && slices.Contains(from, in.AckedBy.User) {
		in.AckedBy = Actor{User: others[len(others)-1]}
	}
	if has || in.Status == Snoozed || in.Status == Triggered && !in.Exhausted {
		detail.Acked, detail.Count, detail.Of = others, len(others), enough
		c.record(EventAckTakenBack, c.by, detail)
		return
	}
	c.startOver()
	detail.Users = from
	// People who have acknowledged aren't paged. If the policy that the incident starts over with needs no more
	// acknowledgements than there are, keeping them could leave nobody to page.
	if p := c.policy(); len(others) > 0 && len(others) < p.Acks {
		in.Acks = others
		detail.Acked, detail.Count, detail.Of = others, len(others), p.Acks
	}
	c.record(EventUnacknowledged, c.by, detail)
	c.runStep()
}

// hasLeft says in an event, for readers that don't know Detail.Left, why an acknowledgement counts no more.
const hasLeft = "who had acknowledged it has left Slack"

// TakeBackFromLeavers withdraws the acknowledgements of people who have left Slack. It reports false
// if there are none. A snooze stays, no matter who asked for it, because it ends by itself.
func (in Incident) TakeBackFromLeavers(f Facts, now time.Time) (Change, bool) {
	var left []UserID
	for _, u := range in.ackers() {
		if f.Roster.Users[u].DeactivatedAt != nil {
			left = append(left, u)
		}
	}
	if !in.Open() || len(left) == 0 {
		return Change{}, false
	}
	c := in.begin(ByTimer(), f, now)
	c.takeBackAcks(left, without(in.ackers(), left), Detail{Left: left, Text: hasLeft})
	return c.done(), true
}

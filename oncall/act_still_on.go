package oncall

import (
	"fmt"
	"slices"
	"time"
)

// NoticeStillOn asks those who have acknowledged an incident whether they are still on it.
const NoticeStillOn NoticeKind = "still_on"

// The answers to "still on it?", and what else can close the question.
const (
	StillOnYes      = "still_on"
	StillOnTaken    = "taken" // somebody else has acknowledged
	StillOnResolved = "resolved"
	StillOnSnoozed  = "snoozed"
	StillOnPaging   = "paging" // the incident pages again
	StillOnOver     = "over"   // the policy no longer asks
)

// ackWait is the default time to answer "still on it?".
const ackWait Seconds = 300

// ackAgainWait is how long people have to acknowledge an incident again after it got worse.
const ackAgainWait = 10 * time.Minute

const notAckedAgain = "it got worse, and nobody has acknowledged it again"

// ackAgain requires a new acknowledgement of an incident that got worse, unless one of its holders raised the
// severity. An earlier deadline stays.
func (c *Change) ackAgain() {
	in := &c.Incident
	holders := in.Holders()
	if slices.Contains(holders, c.by.User) {
		c.watchAck()
		return
	}
	until := c.now.Add(ackAgainWait)
	if in.AckAsked && in.NextAt != nil && in.NextAt.Before(until) {
		until = *in.NextAt
	}
	c.setTimer(until)
	in.AckAsked, in.AckAgain = true, true
	c.record(EventAckAgain, ByTimer(), Detail{Users: holders, Until: until})
}

// enoughAcked cancels the requirement to acknowledge again.
func (c *Change) enoughAcked() {
	in := &c.Incident
	if in.AckAgain {
		in.Seq++
		in.AckAsked, in.AckAgain, in.NextAt = false, false, nil
	}
}

// escalateUnacked runs the next step of the policy because nobody acknowledged again after the incident got worse.
func (c *Change) escalateUnacked(holders []UserID) {
	in := &c.Incident
	c.stop()
	in.Status = Triggered
	in.AckedBy, in.AckedAt, in.Acks = Actor{}, nil, nil
	in.Exhausted = false
	if in.Run > 0 { // skip the repetitions of the current step
		in.Step, in.Run = in.Step+1, 0
	}
	c.record(EventUnacknowledged, ByTimer(), Detail{Text: notAckedAgain, Users: holders})
	c.runStep()
}

// watchAck sets the timer for the question "still on it?" if the policy asks it at this severity. Otherwise it
// cancels that timer.
func (c *Change) watchAck() {
	in, p := &c.Incident, c.policy()
	wanted := p.AckTimeout > 0 && in.Severity != Low || in.AckAgain
	switch {
	case wanted && in.NextAt == nil:
		c.setTimer(c.now.Add(p.AckTimeout.Duration()))
	case !wanted && in.NextAt != nil:
		in.Seq++
		in.NextAt, in.AckAsked = nil, false
	}
}

// runAckTimer runs the timer of an acknowledged incident. The first time it asks the holders "still on it?"; if
// nobody answers, the next time it pages them and the policy's first step.
func (c *Change) runAckTimer() {
	in, p := &c.Incident, c.policy()
	holders := in.Holders()
	switch {
	case in.AckAgain:
		c.escalateUnacked(holders)
	case p.AckTimeout <= 0 || in.Severity == Low: // no longer wanted
		c.watchAck()
		c.record(EventStillOn, ByTimer(), Detail{Quiet: true})
	case len(holders) > 0 && !in.AckAsked:
		wait := p.AckWait
		if wait <= 0 {
			wait = ackWait
		}
		c.setTimer(c.now.Add(wait.Duration()))
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
			if c.facts.reachable(u) == nil && !slices.ContainsFunc(c.Calls, func(p Call) bool { return p.UserID == u }) {
				c.call(u, Say("you have acknowledged it and not said that you are still on it"))
			}
		}
	}
}

// askStillOn asks one holder "still on it?".
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

// stillOn records that a holder is still on it, and restarts the timer.
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
	if c.Incident.AckAgain { // the pages about the new severity have been answered
		c.stop()
	}
	c.Incident.AckAsked, c.Incident.NextAt = false, nil
	c.watchAck()
	c.record(EventStillOn, c.by, Detail{})
	return nil
}

// closeStillOn marks the "still on it?" notices with how the question ended.
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

package oncall

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ActKind names something that a person can do with an incident.
type ActKind string

// What people can do with an incident (E3, E4).
const (
	ActAck      ActKind = "ack"
	ActUnack    ActKind = "unack"
	ActResolve  ActKind = "resolve"
	ActReopen   ActKind = "reopen"
	ActSnooze   ActKind = "snooze"
	ActUnsnooze ActKind = "unsnooze"
	ActEscalate ActKind = "escalate" // the next step now
	ActReassign ActKind = "reassign" // to User or to Policy
	ActAsk      ActKind = "ask"      // asks User to help
	ActAccept   ActKind = "accept"   // the responder's answers
	ActDecline  ActKind = "decline"
	ActNote     ActKind = "note"
	ActSeverity ActKind = "severity"
	ActLink     ActKind = "link"  // relates it to Other
	ActMerge    ActKind = "merge" // into Other
	ActStillOn  ActKind = "still" // the answer to "still on it?" of one who has it
)

// Till names an end of a snooze that depends on who snoozes and what.
type Till string

// The ends of a snooze.
const (
	TillTime    Till = ""        // Until says when
	TillWork    Till = "work"    // the next working hour of who snoozes
	TillHandoff Till = "handoff" // the next hand-off of the schedules that the policy pages
)

// An Act is one thing that somebody does with an incident. Each kind uses the fields that
// it names.
type Act struct {
	Do       ActKind
	Until    time.Time
	Till     Till
	User     UserID
	Policy   PolicyID
	Text     string
	Severity Severity
	Other    IncidentID
}

// Facts are what decisions about an incident may depend on.
type Facts struct {
	Policies map[PolicyID]Policy
	Roster   Roster
}

// Do is everything that a person does with one incident; Relate and Merge are about two.
func (in Incident) Do(a Act, by Actor, f Facts, now time.Time) (Change, error) {
	switch a.Do {
	case ActAck:
		return in.ack(f.Policies[in.PolicyID], by, now)
	case ActUnack:
		return in.unack(by, f, now)
	case ActStillOn:
		return in.stillOn(f.Policies[in.PolicyID], by, now)
	case ActResolve:
		return in.Resolve(by, now)
	case ActReopen:
		return in.takeBack(by, f, now)
	case ActEscalate:
		return in.escalate(by, f, now)
	case ActReassign:
		return in.reassign(a, by, f, now)
	case ActAsk:
		return in.ask(a.User, a.Text, by, f, now)
	case ActAccept:
		return in.answer(ResponderAccepted, by, now, false)
	case ActDecline:
		return in.answer(ResponderDeclined, by, now, false)
	case ActNote:
		return in.note(a.Text, by, now)
	case ActSeverity:
		return in.rate(a.Severity, by, f, now)
	case ActSnooze:
		return in.snooze(a, by, f, now)
	case ActUnsnooze:
		return in.unsnooze(by, f, now)
	case ActLink, ActMerge:
	}
	return Change{}, Refuse("This version of Watchbill doesn't know how to do that, and nothing was changed.")
}

// reachable refuses a person who can't be paged.
func (f Facts) reachable(u UserID) error {
	switch p := f.Roster.Users[u]; {
	case u == "":
		return Refuse("Say whom.")
	case p.DeactivatedAt != nil:
		return Refuse("<@%s> is deactivated in Slack and can't be paged.", u)
	}
	return nil
}

// takeBack reopens a resolved incident for a person: it pages from the first step, now.
func (in Incident) takeBack(by Actor, f Facts, now time.Time) (Change, error) {
	switch {
	case in.Open():
		return Change{}, Refuse("Incident %s is open.", in.ID)
	case in.MergedInto != 0:
		return Change{}, in.refuseClosed()
	}
	c := in.begin()
	c.record(EventReopened, now, by, Detail{})
	c.restart(f, now)
	return c.finish(in), nil
}

// maxNote is how long a note may be, in characters.
const maxNote = 2000

// note adds to the timeline what a person has to say, whatever the incident's status.
func (in Incident) note(text string, by Actor, now time.Time) (Change, error) {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Change{}, Refuse("The note is empty.")
	case n > maxNote:
		return Change{}, Refuse("A note can have 2,000 characters, not %d.", n)
	}
	c := in.begin()
	c.record(EventNote, now, by, Detail{Text: text})
	return c.finish(in), nil
}

// rate changes the severity.
func (in Incident) rate(to Severity, by Actor, f Facts, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	switch to {
	case Critical, High, Medium, Low:
	default:
		return Change{}, Refuse("%q is no severity: say critical, high, medium or low.", to)
	}
	switch {
	case to == in.Severity:
		return Change{}, Refuse("The severity of incident %s is %s already.", in.ID, to)
	case to.Worse(in.Severity):
		return in.raise(to, by, f, now), nil
	}
	c := in.begin()
	c.Incident.Severity = to
	c.record(EventSeverity, now, by, Detail{Text: string(in.Severity) + " to " + string(to)})
	if in.Status == Acknowledged {
		c.Incident.watchAck(f.Policies[in.PolicyID], now)
	}
	return c.finish(in), nil
}

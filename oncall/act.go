package oncall

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ActKind names something that a person can do with an incident.
type ActKind string

// What people can do with an incident.
const (
	ActAck      ActKind = "ack"
	ActUnack    ActKind = "unack"
	ActResolve  ActKind = "resolve"
	ActReopen   ActKind = "reopen"
	ActSnooze   ActKind = "snooze"
	ActUnsnooze ActKind = "unsnooze"
	ActEscalate ActKind = "escalate" // the next step now
	ActReassign ActKind = "reassign" // to User or to Policy
	ActAsk      ActKind = "ask"      // asks User to help, or who is on call in Schedule or in Team's schedules
	ActAccept   ActKind = "accept"   // the responder's answers
	ActDecline  ActKind = "decline"
	ActNote     ActKind = "note"
	ActSeverity ActKind = "severity"
	ActLink     ActKind = "link"    // relates it to Other
	ActMerge    ActKind = "merge"   // into Other
	ActUnmerge  ActKind = "unmerge" // takes back that it was merged
	ActStillOn  ActKind = "still"   // the answer to "still on it?"
	ActVerdict  ActKind = "verdict" // what it was, in Verdict, and what helped, in Text
	ActChannel  ActKind = "channel" // opens a Slack channel of its own
	ActUpdate   ActKind = "update"  // posts Text in Channels, which the team chose; none named: in all of these
	ActSplit    ActKind = "split"   // gives one alert of a storm, named by Alert or by its key or title in Text, its own incident
)

// SnoozeEnd names the end of a snooze where that depends on the person or the incident.
type SnoozeEnd string

// The ends of a snooze.
const (
	TillTime    SnoozeEnd = ""        // Until says when
	TillWork    SnoozeEnd = "work"    // when the person's working hours next begin
	TillHandoff SnoozeEnd = "handoff" // the next hand-off of the schedules that the policy pages
)

// An Act is one thing that somebody does with an incident. Each kind uses the fields that
// it names.
type Act struct {
	Do       ActKind
	Until    time.Time
	Till     SnoozeEnd
	User     UserID
	Policy   PolicyID
	Schedule ScheduleID
	Team     TeamID
	Text     string
	Severity Severity
	Other    IncidentID
	Alert    AlertID
	Verdict  Verdict
	Channels []string
}

// Facts is what decisions about an incident may depend on.
type Facts struct {
	Policies map[PolicyID]Policy
	Roster   Roster

	Silencing bool // at least one integration silences its alerts at their source
}

// acts maps each act on a single incident to its step. LinkWith, Merge and Unmerge take two.
var acts = map[ActKind]func(*Change, Act) error{
	ActAck:      (*Change).ack,
	ActUnack:    (*Change).unack,
	ActResolve:  (*Change).resolve,
	ActReopen:   (*Change).reopenByPerson,
	ActSnooze:   (*Change).snooze,
	ActUnsnooze: (*Change).unsnooze,
	ActEscalate: (*Change).escalate,
	ActReassign: (*Change).reassign,
	ActAsk:      (*Change).askToHelp,
	ActAccept:   (*Change).accept,
	ActDecline:  (*Change).decline,
	ActNote:     (*Change).note,
	ActSeverity: (*Change).setSeverity,
	ActStillOn:  (*Change).stillOn,
	ActVerdict:  (*Change).recordVerdict,
	ActChannel:  (*Change).openChannel,
	ActUpdate:   (*Change).update,
}

// Do lets somebody do something with one incident.
func (in Incident) Do(a Act, by Actor, f Facts, now time.Time) (Change, error) {
	act, known := acts[a.Do]
	if !known {
		return Change{}, refuseUnknown()
	}
	if !slices.Contains([]ActKind{ActReopen, ActNote, ActVerdict, ActUpdate}, a.Do) { // every other act needs an open incident
		if err := in.refuseClosed(); err != nil {
			return Change{}, err
		}
	}
	c := in.begin(by, f, now)
	if err := act(&c, a); err != nil {
		return Change{}, err
	}
	return c.done(), nil
}

// reachable refuses people who can't be paged.
func (f Facts) reachable(u UserID) error {
	if u == "" {
		return Refuse("Say whom.")
	}
	p := f.Roster.Users[u]
	p.ID = u
	return p.RefusePage()
}

// maxNote is how long a note may be, in characters.
const maxNote = 2000

// note adds a remark to the timeline; a closed incident takes one too.
func (c *Change) note(a Act) error {
	text := strings.TrimSpace(Storable(a.Text))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Refuse("The note is empty.")
	case n > maxNote:
		return Refuse("A note can have 2,000 characters, not %d.", n)
	}
	c.record(EventNote, c.by, Detail{Text: text})
	return nil
}

package oncall

import "time"

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
	ActStillOn  ActKind = "still" // the owner's answer to "still on it?"
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

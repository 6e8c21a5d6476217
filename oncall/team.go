package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Team is a group of people who are responsible for services together.
type Team struct {
	ID      TeamID
	Name    string
	Channel string // a Slack channel's id, or its name such as "#payments" until the id is known
	Topic   bool   // the channel's topic says who is on call
	Owner   Owner

	TimeZone string            // IANA name, for the working hours; empty: the time zone of the team's first schedule
	Hours    []schedule.Window // working hours; none: Monday to Friday, 09:00 to 17:00
	Fallback []UserID          // paged if a policy has nobody to page; none: the managers, or else all members
	Policy   PolicyID          // the policy that runs when the team is paged by hand; 0: see Facts.TeamPolicy
	Remind   Seconds           // between two reminders of unacknowledged incidents; 0: none
	Digest   Digest
	TimeOff  OnTimeOff

	IncidentChannel Severity // from which an incident gets a Slack channel of its own; "": only if somebody asks
	Updates         []string // the channels in which people are told how incidents stand who don't work on them

	Private   bool   // only its members see the team and what belongs to it
	Acts      Acts   // who may act on its incidents
	ManagedBy string // handle of a Slack user group whose members are managers too; "": none
}

// Veils reports whether a channel may show no more than the number and state of the team's incidents. A private team's
// incidents are shown only in the team's own channels, and only if these are private.
func (t Team) Veils(own, private bool) bool { return t.Private && (!own || !private) }

// An Owner says where a team's schedules are maintained, and so which wins if the set-up file and Slack differ.
type Owner string

// The owners.
const (
	OwnerFile  Owner = "file"  // apply overwrites edits made in Slack
	OwnerSlack Owner = "slack" // apply only adds missing schedules
)

// Acts says who may act on a team's incidents.
type Acts string

// Who acts.
const (
	WorkspaceActs Acts = ""     // every full member of the workspace
	TeamActs      Acts = "team" // the team's members only
)

// A User is a person, known by a Slack user id.
type User struct {
	ID            UserID
	Name          string
	Email         string
	TimeZone      string // IANA name; the time zone in which the person is shown times
	DeactivatedAt *time.Time
	Standing      Standing
	Owner         bool // of the workspace
	InTeam        bool // a team has them as a member, or as a manager by its user group
}

// A Standing says whether somebody is a member of the workspace, a guest or a stranger.
type Standing string

// The standings.
const (
	UnknownStanding Standing = ""         // not known yet; treated as a guest
	FullMember      Standing = "member"   // of the workspace
	GuestMember     Standing = "guest"    // sees only some channels
	Stranger        Standing = "stranger" // of another organisation, in a shared channel
)

// A Format is the format of a monitor's payloads. Package intake declares them. The set-up file and the database call
// it the integration's kind.
type Format string

// AutoFormat means that the format is recognised from each payload.
const AutoFormat Format = "auto"

package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Team is a group of people who answer for something together.
type Team struct {
	ID      TeamID
	Name    string
	Channel string // Slack channel id, or a name such as "#payments" until Slack has told us the id
	Topic   bool   // the channel's topic says who is on call
	Owner   Owner

	TimeZone string            // IANA name, of the working hours; empty: that of the team's first schedule
	Hours    []schedule.Window // working hours; none: Monday to Friday, 09:00 to 17:00
	Fallback []UserID          // paged where a policy has nobody; none: the admins, or else all members
	Policy   PolicyID          // that paging the team runs; 0: its only one
	Remind   Seconds           // between two reminders of unacknowledged incidents; 0: none
	Digest   Digest

	Private   bool   // only its members see what is the team's
	Acts      Acts   // who acts on its incidents
	ManagedBy string // handle of the Slack user group whose members are its managers, beside those named; or ""
}

// Veils reports whether a place may show no more than the number and state of the team's incidents. A
// private team's are shown in its own places only, and there only if nobody else reads them.
func (t Team) Veils(own, private bool) bool { return t.Private && (!own || !private) }

// An Owner says where a team's schedules are kept, and so whose word counts if the set-up file and Slack
// differ.
type Owner string

// The owners.
const (
	OwnerFile  Owner = "file"  // apply undoes what was edited in Slack
	OwnerSlack Owner = "slack" // apply adds what is missing, and leaves the rest as it is
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
	TimeZone      string // IANA name; the zone in which this person reads times
	DeactivatedAt *time.Time
	Standing      Standing
	Owner         bool // of the workspace
	InTeam        bool // a team names them: as a member, or by the user group of its managers
}

// A Standing is whether somebody is a member of the workspace, a guest or a stranger.
type Standing string

// The standings.
const (
	UnknownStanding Standing = ""         // Slack has not said yet; counts as a guest
	FullMember      Standing = "member"   // of the workspace
	GuestMember     Standing = "guest"    // sees only some channels
	Stranger        Standing = "stranger" // of another organisation, met in a shared channel
)

// A Format is what a monitor speaks; intake knows which there are. The setup and the database call
// it the integration's kind.
type Format string

// AutoFormat is the format of an integration for which nobody has chosen one.
const AutoFormat Format = "auto"

package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Kind is what sort of thing an entry is about.
type Kind string

// The kinds, as people write them, too.
const (
	Team         Kind = "team"
	Schedule     Kind = "schedule" // also its overrides, swaps and requests for cover
	Policy       Kind = "policy"
	Integration  Kind = "integration"
	Heartbeat    Kind = "heartbeat"
	UserGroup    Kind = "user group"  // of Slack, that follows schedules
	Maintenance  Kind = "maintenance" // windows of set-up files; of others the team's entries tell
	Person       Kind = "person"      // how they are reached, when they are away, their calendars, their standing
	APIKey       Kind = "API key"
	Hook         Kind = "webhook" // that tells others what happens to incidents
	Installation Kind = "installation"
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{Team, Schedule, Policy, Integration, Heartbeat, UserGroup, Maintenance, Person, APIKey, Hook, Installation}
}

// An Operation is what was done.
type Operation string

// The acts. They are stored, so they keep their names.
const (
	Added    Operation = "added"
	Changed  Operation = "changed"
	Removed  Operation = "removed"
	Restored Operation = "restored" // an earlier version of a schedule

	OverrideAdded    Operation = "override_added"
	OverrideChanged  Operation = "override_changed"
	OverrideEnded    Operation = "override_ended"
	ShiftAdded       Operation = "shift_added"
	ShiftsDeleted    Operation = "shifts_deleted"
	SwapOffered      Operation = "swap_offered"
	SwapAccepted     Operation = "swap_accepted"
	SwapDeclined     Operation = "swap_declined"
	SwapTakenBack    Operation = "swap_taken_back"
	SwapUndone       Operation = "swap_undone"
	CoverAsked       Operation = "cover_asked"
	CoverTaken       Operation = "cover_taken"
	CoverDeclined    Operation = "cover_declined"
	CoverTakenBack   Operation = "cover_taken_back"
	HandoffConfirmed Operation = "handoff_confirmed"

	TimeOffAdded     Operation = "time_off_added"
	TimeOffCancelled Operation = "time_off_cancelled"
	TimeOffImported  Operation = "time_off_imported"

	ContactAdded    Operation = "contact_added"
	ContactVerified Operation = "contact_verified"
	ContactRemoved  Operation = "contact_removed"
	ContactOff      Operation = "contact_off"
	ContactOn       Operation = "contact_on"
	RulesChanged    Operation = "rules_changed" // when which contact method is used, and reminders

	CalendarMade  Operation = "calendar_made"
	CalendarEnded Operation = "calendar_ended"
	LinksEnded    Operation = "links_ended" // in mails and pushes
	SignIn        Operation = "signed_in"   // to the pages
	SignOut       Operation = "signed_out"  // in every browser

	KeyRotated Operation = "key_rotated"
	SigningSet Operation = "signing_set" // another secret with which a monitor signs
	Muted      Operation = "muted"
	Unmuted    Operation = "unmuted"

	MaintenanceAdded Operation = "maintenance_added"
	MaintenanceEnded Operation = "maintenance_ended"

	StatusPublished Operation = "status_published" // something was said of an incident to people outside
	StatusWithdrawn Operation = "status_withdrawn"

	SecretUsed Operation = "secret_used" // a new one signs from now on

	Refused Operation = "refused" // what the access rules did not allow
)

// A Change is one thing that is no longer what it was. One side is empty where there was nothing, or is
// nothing any more.
type Change struct {
	What   string          `json:"what"`
	Before oncall.Sentence `json:"before,omitempty"`
	After  oncall.Sentence `json:"after,omitempty"`
}

// An Entry is what somebody did at once to one thing.
type Entry struct {
	ID      int64
	At      time.Time
	By      oncall.Actor
	Kind    Kind
	Name    string          // what the thing is called; empty for a person
	About   oncall.UserID   // the person whom it is about, if any
	Teams   []oncall.TeamID // whose managers may read it; none: those of the person's teams
	Act     Operation
	Changes []Change
}

// The bounds of an entry: a schedule may have hundreds of turns.
const (
	mostChanges = 100
	mostText    = 2_000 // characters of a value
)

// Bounded cuts what is too long to be kept.
func (e Entry) Bounded() Entry {
	changes := e.Changes[:min(len(e.Changes), mostChanges)]
	out := make([]Change, len(changes))
	for i, c := range changes {
		out[i] = Change{What: c.What, Before: cut(c.Before), After: cut(c.After)}
	}
	if more := len(e.Changes) - mostChanges; more > 0 {
		out = append(out, Change{What: "more", After: oncall.Say("%d more changes, which are not kept", more)})
	}
	e.Changes = out
	return e
}

// cut shortens a sentence at a character; people are never cut in two.
func cut(s oncall.Sentence) oncall.Sentence {
	left := mostText
	for i, part := range s {
		text := []rune(part)
		if len(text) <= left {
			left -= len(text)
			continue
		}
		out := append(oncall.Sentence{}, s[:i]...)
		if i%2 == 1 { // a person
			out[i-1] += "…"
			return out
		}
		return append(out, string(text[:left])+"…")
	}
	return s
}

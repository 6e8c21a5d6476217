package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Kind is the kind of object that an entry is about.
type Kind string

// The kinds; people use the same words.
const (
	Team         Kind = "team"
	Schedule     Kind = "schedule" // including its overrides, swaps and cover requests
	Policy       Kind = "policy"
	Integration  Kind = "integration"
	Heartbeat    Kind = "heartbeat"
	UserGroup    Kind = "user group"  // in Slack, following schedules
	Maintenance  Kind = "maintenance" // windows of set-up files; the others are recorded under their team
	Person       Kind = "person"      // contact methods, time off, calendars, membership
	APIKey       Kind = "API key"
	Hook         Kind = "webhook" // outgoing
	Installation Kind = "installation"
	Organisation Kind = "organisation" // one of several that a process serves
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Team, Schedule, Policy, Integration, Heartbeat, UserGroup, Maintenance, Person, APIKey, Hook, Installation, Organisation}
}

// An Operation is an act.
type Operation string

// The acts. They are stored, so they can't be renamed.
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
	CalendarRead     Operation = "away_calendar_set"
	CalendarUnread   Operation = "away_calendar_removed"

	ContactAdded    Operation = "contact_added"
	ContactVerified Operation = "contact_verified"
	ContactRemoved  Operation = "contact_removed"
	ContactOff      Operation = "contact_off"
	ContactOn       Operation = "contact_on"
	RulesChanged    Operation = "rules_changed" // when which contact method is used, and reminders

	CalendarMade  Operation = "calendar_made"
	CalendarEnded Operation = "calendar_ended"
	LinksEnded    Operation = "links_ended" // in mails and pushes
	SignIn        Operation = "signed_in"   // to the web pages
	SignOut       Operation = "signed_out"  // in every browser

	KeyRotated Operation = "key_rotated"
	SigningSet Operation = "signing_set" // a new secret for a monitor's signatures
	Muted      Operation = "muted"
	Unmuted    Operation = "unmuted"

	MaintenanceAdded Operation = "maintenance_added"
	MaintenanceEnded Operation = "maintenance_ended"

	StatusPublished Operation = "status_published" // an incident's text on the status page
	StatusWithdrawn Operation = "status_withdrawn"

	SecretUsed Operation = "secret_used" // a new one is in use

	Refused Operation = "refused" // by the access rules
)

// A Change is one changed field. A side is empty if there was no value before, or is none after.
type Change struct {
	What   string          `json:"what"`
	Before oncall.Sentence `json:"before,omitempty"`
	After  oncall.Sentence `json:"after,omitempty"`
	Times  []time.Time     `json:"times,omitempty"` // the instants that the texts name, in UTC; entries of older releases have none
}

// An Entry is one person's act on one object.
type Entry struct {
	ID      int64
	At      time.Time
	By      oncall.Actor
	Kind    Kind
	Name    string          // the object's name; empty for a person
	About   oncall.UserID   // the person concerned, if any
	Teams   []oncall.TeamID // whose managers may read it; none: those of the person's teams
	Act     Operation
	Changes []Change
}

// Limits of an entry: a schedule may have hundreds of turns.
const (
	maxChanges = 100
	maxText    = 2_000 // characters per value
)

// Bounded truncates what is too long to store.
func (e Entry) Bounded() Entry {
	changes := e.Changes[:min(len(e.Changes), maxChanges)]
	out := make([]Change, len(changes))
	for i, c := range changes {
		c = c.unmarked()
		out[i] = Change{What: c.What, Before: cut(c.Before), After: cut(c.After), Times: c.Times}
	}
	if more := len(e.Changes) - maxChanges; more > 0 {
		out = append(out, Change{What: "more", After: oncall.Say("%d more changes, which are not kept", more)})
	}
	e.Changes = out
	return e
}

// cut shortens a sentence at a character, never in the middle of a person.
func cut(s oncall.Sentence) oncall.Sentence {
	left := maxText
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

package oncall

import (
	"cmp"
	"slices"
	"time"
)

// Status is where an incident stands.
type Status string

// The statuses of an incident.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Snoozed      Status = "snoozed" // quiet until SnoozedUntil, then triggered again
	Resolved     Status = "resolved"
)

// An Incident is what people are paged for: one or more alerts. It is a value; a
// decision returns a new one in a Change.
type Incident struct {
	ID            IncidentID
	TeamID        TeamID
	PolicyID      PolicyID
	IntegrationID IntegrationID
	GroupKey      string // alerts of this integration under this key join the incident while it is open
	Title         string
	Body          string
	Link          string
	Severity      Severity
	Status        Status
	Version       int64 // grows by one with every change; a drawing of an older version is stale
	OpenedAt      time.Time
	SignalCount   int // how many signals were about it
	LastSignalAt  time.Time
	Flaps         int        // how often it was reopened
	RetitledAt    *time.Time // when the timeline last had a line about an alert's new title

	AckedBy    Actor
	AckedAt    *time.Time
	ResolvedBy Actor
	ResolvedAt *time.Time

	// Where escalation stands. Seq numbers the one timer that the incident waits
	// for; a timer that bears another number is stale and does nothing.
	Seq             int64
	Round           int        // how often the policy has been gone through
	Step            int        // the step that runs next
	Run             int        // how often that step has run already
	NextAt          *time.Time // when it runs; nil when nothing is to come
	Exhausted       bool       // every step ran out unacknowledged
	RedrawAt        *time.Time // when a redraw for a mere count is due
	RoundRobinCount int64      // counts the incidents of the policy, for round robin
	Hops            int        // how often it was passed on

	HomePolicy PolicyID // the policy that it began with, if it was passed on; 0: it was not
	Called     bool     // a step has paged a person since escalation began

	// Unassigned: no step of the policy had anybody to page, so its team's fallback people
	// were paged.
	Unassigned bool

	SnoozedUntil *time.Time // survives being resolved: a flapping alert stays quiet
	SnoozedBy    Actor
	WokenAt      *time.Time // when the last snooze ended; nil: none has
	Acks         []UserID   // who has acknowledged, where the policy wants several
	AckAsked     bool       // those who have it were asked "still on it?"
	AckAgain     bool       // that was because it got worse: without an answer it escalates
	PagesFrom    int64      // pages with a lower Seq are over, even once it pages again
	Responders   []Responder
	MergedInto   IncidentID // 0: it stands for itself
	Storm        *Storm     // nil: it is none
	Stated       int64      // of a storm: as StateVersion says
	Links        []IncidentID
	Flap         *Flap // nil: its monitor has never reopened it
	RaisedBy     Actor // who opened it by hand; nobody: a monitor did
}

// Open reports whether the incident is not resolved.
func (in Incident) Open() bool { return in.Status != Resolved }

// refuseClosed refuses what makes sense only while the incident is open.
func (in Incident) refuseClosed() error {
	switch {
	case in.Open():
		return nil
	case in.MergedInto != 0:
		return Refuse("Incident %s was merged into %s.", in.ID, in.MergedInto)
	}
	return Refuse("Incident %s is already resolved by %s.", in.ID, in.ResolvedBy)
}

// WorstFirst sorts incidents by severity, and those of one severity by age.
func WorstFirst(incidents []Incident) {
	slices.SortStableFunc(incidents, func(a, b Incident) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), int(a.ID-b.ID))
	})
}

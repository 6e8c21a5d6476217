package oncall

import (
	"cmp"
	"slices"
	"time"
)

// Status is the status of an incident.
type Status string

// The statuses of an incident.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Snoozed      Status = "snoozed" // pages nobody until SnoozedUntil, then is triggered again
	Resolved     Status = "resolved"
)

// An Incident is one or more alerts for which people are paged. It is a value; a decision returns a new one in a
// Change.
type Incident struct {
	ID            IncidentID
	TeamID        TeamID
	PolicyID      PolicyID
	IntegrationID IntegrationID
	GroupKey      string // alerts of the integration with this key join the incident while it is open
	Title         string
	Body          string
	Link          string
	Severity      Severity
	Status        Status
	Version       int64 // grows by one with every change; a drawing of an older version is stale
	OpenedAt      time.Time
	SignalCount   int
	LastSignalAt  time.Time
	Flaps         int        // how often it was reopened
	RetitledAt    *time.Time // when EventRetitled was last recorded

	AckedBy    Actor
	AckedAt    *time.Time
	ResolvedBy Actor
	ResolvedAt *time.Time

	// The state of the escalation. Seq numbers the timer that the incident waits for; a timer with another
	// number is stale and does nothing.
	Seq             int64
	Round           int        // completed rounds of the policy
	Step            int        // index of the step that runs next
	Run             int        // how often that step has run already
	NextAt          *time.Time // when the timer fires; nil: there is none
	Exhausted       bool       // all steps have run without an acknowledgement
	RedrawAt        *time.Time // when the redraw of a changed count is due
	RoundRobinCount int64      // how many incidents the policy had before this one
	Hops            int        // how often it was passed on to another policy

	HomePolicy PolicyID // the original policy, if the incident was passed on; 0: it wasn't
	Called     bool     // a step has paged a person since the escalation began
	Unassigned bool     // no step had anybody to page, so the team's fallback people were paged

	SnoozedUntil *time.Time // kept when the monitor resolves the incident, in case it fires again
	SnoozedBy    Actor
	WokenAt      *time.Time // when the last snooze ended; nil: never
	Acks         []UserID   // who has acknowledged, if the policy requires several people
	AckAsked     bool       // the holders were asked "still on it?" or to acknowledge again
	AckAgain     bool       // they must acknowledge again because it got worse, or it escalates
	PagesFrom    int64      // pages with a lower Seq are obsolete, even if the incident pages again
	Responders   []Responder
	MergedInto   IncidentID // 0: not merged
	Storm        *Storm     // nil: not a storm
	Stated       int64      // see StateVersion
	Links        []IncidentID
	Flap         *Flap // nil: its monitor has never reopened it
	RaisedBy     Actor // who opened it by hand; zero: a monitor opened it
	Verdict      Verdict
	Helped       string           // one line; empty: nobody has said
	Channel      *IncidentChannel // nil: none of its own
	Updates      int              // how many were posted for others
}

// Open reports whether the incident is not resolved.
func (in Incident) Open() bool { return in.Status != Resolved }

// refuseClosed refuses an act that needs an open incident.
func (in Incident) refuseClosed() error {
	switch {
	case in.Open():
		return nil
	case in.MergedInto != 0:
		return Refuse("Incident %s was merged into %s.", in.ID, in.MergedInto)
	}
	return Refuse("Incident %s is already resolved by %s.", in.ID, in.ResolvedBy)
}

// WorstFirst sorts incidents by severity, then by age.
func WorstFirst(incidents []Incident) {
	slices.SortStableFunc(incidents, func(a, b Incident) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), int(a.ID-b.ID))
	})
}

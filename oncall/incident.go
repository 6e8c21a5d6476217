package oncall

import "time"

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
	Flaps         int // how often it was reopened

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
	Acks         []UserID // who has acknowledged, where the policy wants several
	AckAsked     bool     // those who have it were asked "still on it?"
	PagesFrom    int64    // pages with a lower Seq are over, even once it pages again
	Responders   []Responder
	MergedInto   IncidentID // 0: it stands for itself
	Links        []IncidentID
}

// A Responder was asked by somebody to help with an incident, and answers for
// themselves, whatever the incident's status. It is stored as JSON: fields are only
// ever added.
type Responder struct {
	User  UserID         `json:"user"`
	State ResponderState `json:"state"`
	By    Actor          `json:"by"`
	At    time.Time      `json:"at"`              // of the latest change
	Asked int64          `json:"asked,omitempty"` // the version that asked: their pages bear it
	Until int64          `json:"until,omitempty"` // the Seq at their answer: pages with this or a lower one are no longer sent to them
}

// ResponderState is what a responder has said.
type ResponderState string

// The states of a responder.
const (
	ResponderAsked    ResponderState = "asked"
	ResponderAccepted ResponderState = "accepted"
	ResponderDeclined ResponderState = "declined"
)

// Open reports whether the incident still needs somebody.
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

// reopen takes a resolved incident back: it pages from the first step at the instant given.
func (c *Change) reopen(why string, pageAt time.Time) {
	c.startOver()
	c.Incident.Flaps++
	c.Incident.NextAt = &pageAt
	c.record(EventReopened, c.by, Detail{Text: why})
}

// raise makes the incident worse. A running escalation goes on, unless the severity was low:
// that may have waited for somebody's working hours, so it begins anew. Those who have the
// incident or have snoozed it are told; a critical one wakes up.
func (c *Change) raise(to Severity) {
	in := &c.Incident
	was := in.Severity
	in.Severity = to
	c.record(EventSeverity, c.by, Detail{Text: string(was) + " to " + string(to)})
	switch {
	case in.Status == Triggered && was == Low:
		c.restart()
	case in.Status == Acknowledged:
		c.pageOthers(in.Holders(), "it got worse since you acknowledged it")
		c.watchAck()
	case in.Status == Snoozed && to == Critical:
		c.wake(ByTimer(), "it is critical now")
	case in.Status == Snoozed:
		c.pageOthers(users(in.SnoozedBy), "it got worse since you snoozed it")
	}
}

// pageOthers pages people, but not the one who acts.
func (c *Change) pageOthers(people []UserID, why string) {
	others := without(people, users(c.by))
	if len(others) > 0 {
		c.Incident.Seq++
	}
	for _, u := range others {
		c.page(u, why)
	}
}

// users lists the actor, if that is a person.
func users(a Actor) []UserID {
	if a.User == "" {
		return nil
	}
	return []UserID{a.User}
}

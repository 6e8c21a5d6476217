package oncall

import "time"

// Status is where an incident stands.
type Status string

// The statuses of an incident (E2).
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
	SignalCount   int // how often the monitor has spoken of it
	LastSignalAt  time.Time
	Flaps         int // how often it was reopened

	AckedBy    Actor
	AckedAt    *time.Time
	ResolvedBy Actor
	ResolvedAt *time.Time

	// Where escalation stands. Seq numbers the one timer that the incident waits
	// for; a timer that bears another number is stale and does nothing.
	Seq       int64
	Round     int        // how often the policy has been gone through
	Step      int        // the step that runs next
	Run       int        // how often that step has run already
	NextAt    *time.Time // when it runs; nil when nothing is to come
	Exhausted bool       // every step ran out unacknowledged
	RedrawAt  *time.Time // a redraw for a mere count is already on its way for this instant
	Turn      int64      // counts the incidents of the policy, for round robin
	Hops      int        // how often another policy has taken over

	HomePolicy PolicyID // the one that it began with, if another has taken over; 0: none has
	Called     bool     // a step has paged a person since escalation began

	// Unassigned: no step of the policy had anybody to page, so its team's fallback people
	// were paged (E8).
	Unassigned bool

	SnoozedUntil *time.Time // survives being resolved: a flapping alert stays quiet
	SnoozedBy    Actor
	Acks         []UserID // who has acknowledged, where the policy wants several
	AckAsked     bool     // the owner was asked "still on it?"
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
	At    time.Time      `json:"at"` // of the latest change
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

// A Change is what a decision comes to: the incident as it is to be stored, the
// lines for its timeline, the people to page and the work to queue, all of which
// are saved in one transaction or not at all.
type Change struct {
	Incident Incident
	Events   []Event
	Pages    []Page // one a person; the store makes one of each contact method of them
	Tasks    []Task
	Notices  []Notice
}

func (c *Change) record(kind EventKind, at time.Time, by Actor, d Detail) {
	c.Events = append(c.Events, Event{
		IncidentID: c.Incident.ID, At: at, Kind: kind, Actor: by, Detail: d,
	})
}

// begin starts a change of the incident; finish ends it.
func (in Incident) begin() Change {
	in.Version++
	return Change{Incident: in}
}

// finish adds the work that follows from every change: a new drawing and, when
// the timer was set anew, the timer.
func (c *Change) finish(before Incident) Change {
	in := c.Incident
	c.Tasks = append(c.Tasks, Task{Do: Draw{Incident: in.ID, Version: in.Version}})
	if in.NextAt != nil && in.Seq != before.Seq {
		c.Tasks = append(c.Tasks, Task{Do: Escalate{Incident: in.ID, Seq: in.Seq}, At: *in.NextAt})
	}
	return *c
}

// stopTimer makes any timer that is under way stale.
func (in *Incident) stopTimer() {
	in.Seq++
	in.NextAt = nil
}

// Ack takes responsibility: escalation stops (E3).
func (in Incident) Ack(by Actor, now time.Time) (Change, error) {
	switch in.Status {
	case Resolved:
		return Change{}, in.refuseResolved()
	case Acknowledged:
		if in.AckedBy == by {
			return Change{}, Refuse("You have acknowledged incident %s already.", in.ID)
		}
		return Change{}, Refuse("Incident %s is already acknowledged by %s.", in.ID, in.AckedBy)
	case Triggered:
	}
	c := in.begin()
	c.Incident.Status = Acknowledged
	c.Incident.AckedBy, c.Incident.AckedAt = by, &now
	c.Incident.stopTimer()
	c.record(EventAcknowledged, now, by, Detail{})
	return c.finish(in), nil
}

// Resolve closes the incident.
func (in Incident) Resolve(by Actor, now time.Time) (Change, error) {
	if in.Status == Resolved {
		return Change{}, in.refuseResolved()
	}
	c := in.begin()
	c.Incident.Status = Resolved
	c.Incident.ResolvedBy, c.Incident.ResolvedAt = by, &now
	c.Incident.stopTimer()
	c.record(EventResolved, now, by, Detail{})
	return c.finish(in), nil
}

func (in Incident) refuseResolved() error {
	return Refuse("Incident %s is already resolved by %s.", in.ID, in.ResolvedBy)
}

// reopen takes a resolved incident back: it pages from the first step at the
// instant given.
func (in Incident) reopen(by Actor, why string, pageAt, now time.Time) Change {
	c := in.begin()
	o := &c.Incident
	o.Status = Triggered
	o.AckedBy, o.AckedAt, o.ResolvedBy, o.ResolvedAt = Actor{}, nil, Actor{}, nil
	o.Flaps++
	o.Exhausted = false
	o.Seq++
	o.Round, o.Step, o.Run = 0, 0, 0
	o.NextAt = &pageAt
	c.record(EventReopened, now, by, Detail{Text: why})
	return c.finish(in)
}

// raise makes the incident worse. An owner is told once; a running escalation
// goes on as it was.
func (in Incident) raise(to Severity, by Actor, now time.Time) Change {
	c := in.begin()
	c.Incident.Severity = to
	c.record(EventSeverity, now, by, Detail{Text: string(in.Severity) + " to " + string(to)})
	if in.Status == Acknowledged && in.AckedBy.User != "" {
		c.Incident.Seq++
		c.page(in.AckedBy.User, "it got worse since you acknowledged it")
	}
	return c.finish(in)
}

package oncall

import (
	"slices"
	"time"
)

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
	AckAsked     bool     // those who have it were asked "still on it?"
	PagesFrom    int64    // pages of an earlier Seq are over, also when it pages again
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
	Until int64          `json:"until,omitempty"` // the seq at their answer: what paged them until then is over for them
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
	Settled  []Settlement
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

// finish adds the work that follows from every change: a new drawing, the timer, when it
// was set anew, and what has become of a question to those who have it.
func (c *Change) finish(before Incident) Change {
	in := c.Incident
	c.Tasks = append(c.Tasks, Task{Do: Draw{Incident: in.ID, Version: in.Version}})
	if in.NextAt != nil && in.Seq != before.Seq {
		c.Tasks = append(c.Tasks, Task{Do: Escalate{Incident: in.ID, Seq: in.Seq}, At: *in.NextAt})
	}
	if before.AckAsked && !in.AckAsked {
		c.settle(before)
	}
	return *c
}

// stop ends all that is under way: the timer becomes stale, and the pages are over.
func (in *Incident) stop() {
	in.Seq++
	in.NextAt = nil
	in.PagesFrom = in.Seq
	in.AckAsked = false
}

// wait sets the timer anew.
func (in *Incident) wait(until time.Time) {
	in.Seq++
	in.NextAt = &until
}

// startOver makes the incident one that nobody has, before the first step of the policy
// that it began with.
func (in *Incident) startOver() {
	if in.Status == Resolved { // who was asked to help then is not asked now
		in.Responders = nil
	}
	in.stop()
	in.Status = Triggered
	in.AckedBy, in.AckedAt, in.Acks = Actor{}, nil, nil
	in.ResolvedBy, in.ResolvedAt = Actor{}, nil
	in.SnoozedBy, in.SnoozedUntil = Actor{}, nil
	in.Round, in.Step, in.Run = 0, 0, 0
	in.Exhausted, in.Called, in.Unassigned = false, false, false
	if in.HomePolicy != 0 {
		in.PolicyID, in.HomePolicy = in.HomePolicy, 0
	}
	in.Hops = 0
}

// restart starts over and pages the first step now.
func (c *Change) restart(f Facts, now time.Time) {
	c.Incident.startOver()
	c.Incident.runStep(c, f, now)
}

// Resolve closes the incident. Where its monitor does, a snooze outlives that: should it
// fire again before the end, it stays quiet.
func (in Incident) Resolve(by Actor, now time.Time) (Change, error) {
	if err := in.refuseClosed(); err != nil {
		return Change{}, err
	}
	c := in.begin()
	o := &c.Incident
	o.stop()
	o.Status = Resolved
	o.ResolvedBy, o.ResolvedAt = by, &now
	if by.User != "" {
		o.SnoozedBy, o.SnoozedUntil = Actor{}, nil
	}
	c.record(EventResolved, now, by, Detail{Quiet: o.SnoozedUntil != nil})
	return c.finish(in), nil
}

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
func (in Incident) reopen(by Actor, why string, pageAt, now time.Time) Change {
	c := in.begin()
	c.Incident.startOver()
	c.Incident.Flaps++
	c.Incident.NextAt = &pageAt
	c.record(EventReopened, now, by, Detail{Text: why})
	return c.finish(in)
}

// raise makes the incident worse. A running escalation goes on as it was, unless it was
// low, which may have waited for somebody's working hours: then it begins anew. All who
// have the incident, or who snoozes it, are told; what is critical wakes it.
func (in Incident) raise(to Severity, by Actor, f Facts, now time.Time) Change {
	c := in.begin()
	o := &c.Incident
	o.Severity = to
	c.record(EventSeverity, now, by, Detail{Text: string(in.Severity) + " to " + string(to)})
	tell := func(why string, all []UserID) {
		others := slices.DeleteFunc(slices.Clone(all), func(u UserID) bool { return u == by.User })
		if len(others) > 0 {
			o.Seq++
		}
		for _, u := range others {
			c.page(u, why)
		}
	}
	switch in.Status {
	case Triggered:
		if in.Severity == Low {
			c.restart(f, now)
		}
	case Acknowledged:
		tell("it got worse since you acknowledged it", in.Holders())
		o.watchAck(f.Policies[in.PolicyID], now)
	case Snoozed:
		if to == Critical {
			c.record(EventUnsnoozed, now, ByTimer(), Detail{Text: "it is critical now", Users: users(in.SnoozedBy)})
			c.restart(f, now)
			break
		}
		tell("it got worse since you snoozed it", users(in.SnoozedBy))
	case Resolved:
	}
	return c.finish(in)
}

// users is the actor, if it is a person.
func users(a Actor) []UserID {
	if a.User == "" {
		return nil
	}
	return []UserID{a.User}
}

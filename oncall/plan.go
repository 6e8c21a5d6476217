package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A NextStep is what happens next to an incident if nobody acts.
type NextStep struct {
	At       time.Time
	Users    []UserID // who it pages: the people on call at that moment
	Exhausts bool     // the policy runs out, and the whole team is paged
	Private  bool     // the policy belongs to another team, which is private, so Users is empty

	// Then is the following step if Users is only the person who opened the incident by hand, because
	// paging them tells them nothing new.
	Then *NextStep
}

// NextPolicy returns the policy whose step the incident's timer will run. The current policy may pass the incident on first.
func (in Incident) NextPolicy(f Facts) PolicyID {
	if in.NextAt == nil || in.Status != Triggered {
		return in.PolicyID
	}
	c, _ := in.RunTimer(in.Seq, f, *in.NextAt)
	return c.Incident.PolicyID
}

// Next predicts what the incident's timer will do, by running it. It reports false if there is none.
func (in Incident) Next(f Facts) (NextStep, bool) {
	if in.NextAt == nil || in.Status != Triggered || in.closesBefore(*in.NextAt) {
		return NextStep{}, false
	}
	change, _ := in.RunTimer(in.Seq, f, *in.NextAt)
	n := NextStep{At: *in.NextAt, Exhausts: change.Incident.Exhausted}
	for _, e := range change.Events {
		if e.Kind == EventWaits {
			return NextStep{At: e.Detail.Until, Users: e.Detail.Users}, true
		}
	}
	for _, call := range change.Calls {
		if call.UserID != "" {
			n.Users = append(n.Users, call.UserID)
		}
	}
	if raiser := in.RaisedBy.User; raiser != "" && !n.Exhausts && len(n.Users) > 0 && len(without(n.Users, []UserID{raiser})) == 0 {
		n.Then = change.Incident.nextOther(raiser, f)
	}
	return n, true
}

// nextOther returns the next step that pages somebody else than the one who opened the incident, or at which the policy runs out; nil:
// none.
func (in Incident) nextOther(raiser UserID, f Facts) *NextStep {
	in.RaisedBy = Actor{} // so that Next looks no further itself
	policy := in.PolicyID // another team's may be secret
	for range maxPlanned {
		n, more := in.Next(f)
		if !more || in.PolicyID != policy || in.NextPolicy(f) != policy {
			return nil
		}
		if n.Exhausts || len(without(n.Users, []UserID{raiser})) > 0 {
			return &n
		}
		c, _ := in.RunTimer(in.Seq, f, *in.NextAt)
		in = c.Incident
	}
	return nil
}

// closesBefore reports whether a flapping incident will close by an instant, unless it fires again.
func (in Incident) closesBefore(at time.Time) bool {
	closes := in.ClosesAt()
	return !closes.IsZero() && !closes.After(at)
}

// maxPlanned is the most entries of a plan.
const maxPlanned = 100

// A PlanEntry is one thing that will happen to an incident if nobody acts.
type PlanEntry struct {
	At       time.Time
	Kind     EventKind // the kind of its event in the timeline
	Policy   PolicyID  // the policy whose step it is, or that takes over
	Round    int       // counted from 1, like Step and Run; 0: not a step of the policy
	Step     int
	Run      int
	People   []PlannedPerson
	Channels []string
	Webhooks []string // their hosts
	Skipped  string   // why the step pages nobody, completing "step 2 is skipped: "
	Exhausts bool     // the policy has run out, and the whole team is paged
	Note     Sentence // what else happens
}

// A PlannedPerson is somebody who will be paged.
type PlannedPerson struct {
	User  UserID
	Why   Sentence  // completes "you are paged because …"
	At    time.Time // later than the step if a low severity waits for the person's hours
	Rules []Rule    // the usable notification rules, with times relative to At
}

// Later returns when the person's hours begin, and whether that is after the step runs.
func (p PlanEntry) Later(who PlannedPerson) (time.Time, bool) {
	opens := who.At.Add(-GatherTime)
	return opens, opens.After(p.At)
}

// Plan predicts everything that will happen to the incident if nobody acts, by running its timers. It is based on the
// current facts, which may change: an override, for instance, may be added.
func (in Incident) Plan(f Facts, now time.Time) []PlanEntry {
	var plan []PlanEntry
	for range maxPlanned {
		if at := in.ClosesAt(); !at.IsZero() && (in.NextAt == nil || in.closesBefore(*in.NextAt)) {
			plan = append(plan, PlanEntry{At: at, Kind: EventResolved, Policy: in.PolicyID, Note: Say("It closes, unless it fires again before.")})
			break
		}
		if in.NextAt == nil || len(plan) >= maxPlanned {
			break
		}
		if in.Exhausted { // a flapping incident would start over again and again
			plan = append(plan, PlanEntry{At: *in.NextAt, Kind: EventUnattended, Policy: in.PolicyID, Note: Say("If it flaps still and nobody has answered, it pages again.")})
			break
		}
		c, due := in.RunTimer(in.Seq, f, latest(*in.NextAt, now))
		if !due {
			break
		}
		plan = append(plan, c.planned(f, in.PolicyID)...)
		in = c.Incident
	}
	return plan[:min(len(plan), maxPlanned)]
}

// planned describes what a change by the timer does. Policy is the one that the incident followed before.
func (c Change) planned(f Facts, policy PolicyID) []PlanEntry {
	var plan []PlanEntry
	paging := -1 // the entry that the pages belong to
	for _, event := range c.Events {
		p := PlanEntry{At: event.At, Kind: event.Kind, Round: event.Detail.Round, Step: event.Detail.Step, Run: event.Detail.Run, Policy: policy}
		switch event.Kind {
		case EventPaging, EventUnassigned:
			paging = len(plan)
		case EventExhausted:
			paging, p.Exhausts = len(plan), true
		case EventWaits:
			p.Note = Say("Low severity waits for working hours.")
		case EventSkipped:
			if p.Skipped = event.Detail.Text; p.Skipped == "" {
				p.Skipped = "there is nobody to page"
			}
		case EventPassedOn:
			p.At = latest(event.At, event.Detail.Until)
			policy = f.policyNamed(event.Detail.Text, c.Incident.PolicyID)
			p.Policy = policy
			p.Note = Say("The escalation policy %s takes over.", event.Detail.Text)
		case EventStillOnAsked:
			are := "is"
			if len(event.Detail.Users) > 1 {
				are = "are"
			}
			p.Note = Say("%s %s asked whether they are still on it.", schedule.People(event.Detail.Users, " and "), are)
		case EventUnacknowledged:
			if event.Detail.Text == notAckedAgain {
				p.Note = Say("It got worse, and nobody has acknowledged it again, so it escalates.")
				break
			}
			p.Note = Say("Nobody has said that they are still on it, so it pages again.")
		case EventUnsnoozed:
			p.Note = Say("The snooze ends, so it pages again.")
		default:
			continue
		}
		plan = append(plan, p)
	}
	if paging >= 0 {
		plan[paging].pages(c, f)
	}
	return plan
}

// policyNamed finds the policy that an event names, or else returns otherwise.
func (f Facts) policyNamed(name string, otherwise PolicyID) PolicyID {
	for id, p := range f.Policies {
		if p.Name == name && !p.Removed {
			return id
		}
	}
	return otherwise
}

// pages adds the people, channels and webhooks that are paged.
func (p *PlanEntry) pages(c Change, f Facts) {
	for _, call := range c.Calls {
		switch {
		case call.UserID != "":
			who := PlannedPerson{User: call.UserID, Why: call.Why, At: latest(p.At, call.At)}
			for _, d := range PagesOfCall(call, f.Roster.Contacts[call.UserID], c.Incident.Severity == Low, p.At) {
				who.Rules = append(who.Rules, Rule{Contact: d.Contact, After: Seconds(d.At.Sub(who.At) / time.Second)})
			}
			p.People = append(p.People, who)
		case call.Method == MethodWebhook:
			p.Webhooks = append(p.Webhooks, WebhookName(call.To))
		default:
			p.Channels = append(p.Channels, call.To)
		}
	}
}

// An Explanation says what a hypothetical signal would do.
type Explanation struct {
	Incident Incident // as it would open
	Alerts   []Alert  // its alerts
	Policy   Policy   // its first policy
	Plan     []PlanEntry
}

// Explain folds signals without storing anything, and returns the incidents that they would open, each with its plan,
// and the alerts that rules hold or drop. Held alerts are assumed to last long enough to open their incidents.
func Explain(d *Fold, signals []Signal, at time.Time) (opened []Explanation, suppressed []Alert) {
	for _, s := range signals {
		d.Receive(s, at)
	}
	_, alerts := d.Results()
	for _, a := range alerts {
		if !a.suppressed() {
			continue
		}
		suppressed = append(suppressed, a)
		if a.HeldUntil != nil {
			d.Receive(ReleaseOf(a), *a.HeldUntil)
		}
	}
	changes, alerts := d.Results()
	f := d.facts()
	for _, c := range changes {
		if c.Incident.AbsorbedByStorm() {
			continue
		}
		begins := cmp.Or(c.Incident.HomePolicy, c.Incident.PolicyID)
		x := Explanation{Incident: c.Incident, Policy: f.Policies[begins], Plan: c.planned(f, begins)}
		x.Plan = append(x.Plan, c.Incident.Plan(f, latest(at, c.Incident.OpenedAt))...)
		for _, a := range alerts {
			if a.IncidentID == c.Incident.ID {
				x.Alerts = append(x.Alerts, a)
			}
		}
		opened = append(opened, x)
	}
	return slices.Clip(opened), suppressed
}

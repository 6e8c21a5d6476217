package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A NextStep is what happens next to an incident if nobody does anything.
type NextStep struct {
	At       time.Time
	Users    []UserID // whom it pages: those on call at that moment
	Exhausts bool     // the policy runs out: the whole team is told
	Private  bool     // it is of a private team that the incident is not of, so that whom it pages is not told
}

// NextPolicy is the policy that the incident's timer will follow, which may be another one that its own passes
// it on to.
func (in Incident) NextPolicy(f Facts) PolicyID {
	if in.NextAt == nil || in.Status != Triggered {
		return in.PolicyID
	}
	c, _ := in.RunTimer(in.Seq, f, *in.NextAt)
	return c.Incident.PolicyID
}

// Next tells what the incident's timer will do, by running the very code. It
// reports false if nothing is to come.
func (in Incident) Next(f Facts) (NextStep, bool) {
	if in.NextAt == nil || in.Status != Triggered || in.closesBefore(*in.NextAt) {
		return NextStep{}, false
	}
	c, _ := in.RunTimer(in.Seq, f, *in.NextAt)
	n := NextStep{At: *in.NextAt, Exhausts: c.Incident.Exhausted}
	for _, e := range c.Events {
		if e.Kind == EventWaits {
			return NextStep{At: e.Detail.Until, Users: e.Detail.Users}, true
		}
	}
	for _, call := range c.Calls {
		if call.UserID != "" {
			n.Users = append(n.Users, call.UserID)
		}
	}
	return n, true
}

// closesBefore reports whether an incident that flaps closes before an instant, as far as is known now.
func (in Incident) closesBefore(at time.Time) bool {
	closes := in.ClosesAt()
	return !closes.IsZero() && !closes.After(at)
}

// maxPlanned bounds a plan; nobody reads further.
const maxPlanned = 100

// A PlanEntry is one thing that happens to an incident if nobody does anything.
type PlanEntry struct {
	At       time.Time
	Kind     EventKind // as the timeline will have it
	Policy   PolicyID  // that it is a part of, or that takes over
	Round    int       // from 1, as people count; so are the next two; 0: no step of the policy
	Step     int
	Run      int
	People   []PlannedPerson
	Channels []string
	Webhooks []string // their hosts
	Skipped  string   // why the step pages nobody, completing "step 2 is skipped: "
	Exhausts bool     // the policy has run out: the whole team is told
	Note     Sentence // what else happens
}

// A PlannedPerson is somebody who will be paged.
type PlannedPerson struct {
	User  UserID
	Why   Sentence  // completes "you are paged because …"
	At    time.Time // from when on: later than the step where a low severity waits
	Rules []Rule    // by which contact methods that can be used, and how long after that
}

// Later returns when the person's hours begin, if the step runs earlier.
func (p PlanEntry) Later(who PlannedPerson) (time.Time, bool) {
	opens := who.At.Add(-GatherTime)
	return opens, opens.After(p.At)
}

// Plan tells all that will happen to the incident from now on if nobody does anything, by
// running the very code. It holds for the facts as they are: overrides may still change them.
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
		if in.Exhausted { // it flaps, and that goes on and on
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

// planned describes what a decision of the timer does. Policy is the one followed before it.
func (c Change) planned(f Facts, policy PolicyID) []PlanEntry {
	var plan []PlanEntry
	paging := -1 // the entry that the pages belong to
	for _, e := range c.Events {
		p := PlanEntry{At: e.At, Kind: e.Kind, Round: e.Detail.Round, Step: e.Detail.Step, Run: e.Detail.Run, Policy: policy}
		switch e.Kind {
		case EventPaging, EventUnassigned:
			paging = len(plan)
		case EventExhausted:
			paging, p.Exhausts = len(plan), true
		case EventWaits:
			p.Note = Say("Low severity waits for working hours.")
		case EventSkipped:
			if p.Skipped = e.Detail.Text; p.Skipped == "" {
				p.Skipped = "there is nobody to page"
			}
		case EventPassedOn:
			p.At = latest(e.At, e.Detail.Until)
			policy = f.policyNamed(e.Detail.Text, c.Incident.PolicyID)
			p.Policy = policy
			p.Note = Say("The escalation policy %s takes over.", e.Detail.Text)
		case EventStillOnAsked:
			are := "is"
			if len(e.Detail.Users) > 1 {
				are = "are"
			}
			p.Note = Say("%s %s asked whether they are still on it.", schedule.People(e.Detail.Users, " and "), are)
		case EventUnacknowledged:
			if e.Detail.Text == notAckedAgain {
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

// policyNamed finds the policy that an event names; otherwise it is the one given.
func (f Facts) policyNamed(name string, otherwise PolicyID) PolicyID {
	for id, p := range f.Policies {
		if p.Name == name && !p.Removed {
			return id
		}
	}
	return otherwise
}

// pages adds who and what is paged.
func (p *PlanEntry) pages(c Change, f Facts) {
	for _, call := range c.Calls {
		switch {
		case call.UserID != "":
			who := PlannedPerson{User: call.UserID, Why: call.Why, At: latest(p.At, call.At)}
			for _, d := range PagesOfCall(call, f.Roster.Reach[call.UserID], c.Incident.Severity == Low, p.At) {
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

// An Explanation says what a signal that has not happened would do.
type Explanation struct {
	Incident Incident // as it is opened
	Alerts   []Alert  // of which it is made
	Policy   Policy   // that it begins with
	Plan     []PlanEntry
}

// Explain lets a fold open the incidents of some signals without storing any, and tells what
// happens to each from the beginning if nobody does anything. What a rule holds is told, and goes on as if it lasted;
// what one drops is told.
func Explain(d *Fold, signals []Signal, at time.Time) (opened []Explanation, aside []Alert) {
	for _, s := range signals {
		d.Receive(s, at)
	}
	_, alerts := d.Results()
	for _, a := range alerts {
		if !a.aside() {
			continue
		}
		aside = append(aside, a)
		if a.HeldUntil != nil {
			d.Receive(ReleaseOf(a), *a.HeldUntil)
		}
	}
	changes, alerts := d.Results()
	f := d.facts()
	for _, c := range changes {
		if c.Incident.TakenIn() {
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
	return slices.Clip(opened), aside
}

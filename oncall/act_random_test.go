package oncall

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

var anyAct = []ActKind{
	ActAck, ActAck, ActAck, ActUnack, ActUnack, ActResolve, ActReopen, ActSnooze, ActUnsnooze, ActEscalate, ActReassign, ActReassign,
	ActAsk, ActAccept, ActDecline, ActNote, ActSeverity, ActStillOn, ActStillOn, ActStillOn, ActChannel, ActUpdate,
}

// randomAct makes up what somebody does, sensible or not.
func randomAct(rng *rand.Rand, now time.Time) (Actor, Act) {
	people := []UserID{ann, bo, cy, di}
	by := ByUser(people[rng.IntN(len(people))])
	if rng.IntN(10) == 0 {
		by = ByIntegration("grafana")
	}
	a := Act{
		Do: anyAct[rng.IntN(len(anyAct))], Until: now.Add(time.Duration(rng.IntN(3*3600)) * time.Second),
		Till: []SnoozeEnd{TillTime, TillTime, TillWork, TillHandoff, "?"}[rng.IntN(5)], User: people[rng.IntN(len(people))],
		Text: "a note", Severity: []Severity{Critical, High, Medium, Low}[rng.IntN(4)],
	}
	if rng.IntN(3) == 0 {
		a.Policy = PolicyID(1 + rng.IntN(4))
	}
	return by, a
}

// randomFacts are policies of all kinds: empty ones, such as page nobody, hand over in a
// circle, or want several acknowledgements and ask again.
func randomFacts(rng *rand.Rand, s *schedule.Schedule) Facts {
	policy, roster := payments()
	roster.Teams = map[TeamID]RosterTeam{1: {
		Name: "payments", Updates: []string{"#status"}, IncidentChannel: []Severity{"", Critical, High}[rng.IntN(3)],
	}}
	roster.Schedules = map[ScheduleID]*schedule.Schedule{4: s}
	f := Facts{Policies: map[PolicyID]Policy{1: policy}, Roster: roster}
	targets := []Target{{User: ann}, {Schedule: 4}, {Schedule: 9}, {Team: 1}, {Policy: 2}, {Policy: 3}, {Channel: "C1"}}
	for id := PolicyID(1); id <= 3; id++ {
		p := Policy{ID: id, TeamID: 1, Repeat: rng.IntN(2), Acks: rng.IntN(4), AckTimeout: Seconds(rng.IntN(2) * 1800)}
		for range rng.IntN(4) {
			p.Steps = append(p.Steps, Step{
				Targets: []Target{targets[rng.IntN(len(targets))]}, Delay: Seconds(60 * rng.IntN(5)), Repeat: rng.IntN(2), Every: 60,
			})
		}
		f.Policies[id] = p
	}
	return f
}

// An incident never gets stuck, whatever people, monitors and timers do: an open one that
// nobody has always escalates, a snoozed one always wakes up, and an acknowledged one is
// asked about exactly if its policy wants that.
func TestOpenIncidentsAreNeverForgotten(t *testing.T) {
	t.Parallel()
	onDuty, done := duty(t), map[ActKind]int{}
	for seed := range max(seeds(3000), 1000) {
		r := &randomLife{rng: rand.New(rand.NewPCG(4, seed)), now: noon, in: triggered(), alerts: map[AlertID]Alert{}, done: done}
		r.facts = randomFacts(r.rng, onDuty)
		r.in.IntegrationID, r.in.GroupKey, r.in.NextAt = 3, "a", new(noon)
		for range 40 {
			r.now = r.now.Add(time.Duration(r.rng.IntN(1200)) * time.Second)
			for _, c := range r.step(t) {
				before := r.in
				if c.Incident.ID != before.ID {
					before = Incident{} // a new one
				}
				if err := sound(before, c, r.facts); err != nil {
					t.Fatalf("seed %d: %v\nafter\n%s\nbefore %+v\nnow %+v", seed, err, r.log, r.in, c.Incident)
				}
				r.in = c.Incident
			}
		}
	}
	for _, act := range anyAct {
		enough(t, string(act), done[act], 10)
	}
}

// A randomLife is what happens to the incidents of one alert.
type randomLife struct {
	rng    *rand.Rand
	facts  Facts
	in     Incident // the latest
	alerts map[AlertID]Alert
	now    time.Time
	log    diary
	done   map[ActKind]int
}

// step lets a timer fire, in time or stale, the monitor speak, or somebody act.
func (r *randomLife) step(t *testing.T) []Change {
	t.Helper()
	switch r.rng.IntN(6) {
	case 0:
		r.log.note(r.now, "stale timer")
		if c, due := r.in.RunTimer(r.in.Seq-1-int64(r.rng.IntN(3)), r.facts, r.now); due {
			t.Errorf("a stale timer did %+v, want nothing", c)
		}
		return nil
	case 1:
		r.log.note(r.now, "timer")
		if r.in.NextAt == nil {
			return nil
		}
		r.now = latest(r.now, *r.in.NextAt)
		c, due := r.in.RunTimer(r.in.Seq, r.facts, r.now)
		if !due {
			t.Errorf("the timer of %+v does nothing, want a step", r.in)
		}
		return []Change{c}
	case 2:
		return r.signal()
	default:
		by, a := randomAct(r.rng, r.now)
		c, err := r.in.Do(a, by, r.facts, r.now)
		r.log.note(r.now, "%s %+v: %v", by, a, err)
		if err != nil {
			return nil
		}
		r.done[a.Do]++
		if a.Do == ActUnack {
			if err := r.givenBack(by.User, c.Incident); err != nil {
				t.Errorf("%v\nbefore %+v\nnow %+v", err, r.in, c.Incident)
			}
		}
		return []Change{c}
	}
}

// givenBack says what is wrong with the incident after somebody has given it back: who is one
// of several takes nothing from the others, and it pages again where they are too few.
func (r *randomLife) givenBack(by UserID, now Incident) error {
	had, enough := r.in.Holders(), max(r.facts.Policies[r.in.PolicyID].Acks, 1)
	if r.in.Status == Triggered {
		had = r.in.Acks
	}
	left := slices.DeleteFunc(slices.Clone(had), func(u UserID) bool { return u == by })
	own := len(left) < len(had)
	first := r.facts.Policies[cmp.Or(r.in.HomePolicy, r.in.PolicyID)] // may want fewer than one that has taken over
	dropped := now.PagesFrom != r.in.PagesFrom && first.Acks <= len(left)
	switch {
	case (now.Status == Acknowledged) != (own && r.in.Status == Acknowledged && len(left) >= enough):
		return fmt.Errorf("it is %s; %v of %d are left", now.Status, left, enough)
	case now.Status == Acknowledged && !slices.Equal(now.Holders(), left):
		return fmt.Errorf("%v have it", now.Holders())
	case now.Status == Triggered && own && !dropped && !slices.Equal(now.Acks, left):
		return fmt.Errorf("%v have acknowledged it", now.Acks)
	case now.Status == Triggered && (!own || dropped) && len(now.Acks) > 0:
		return fmt.Errorf("%v have acknowledged it still", now.Acks)
	}
	return nil
}

// signal lets the monitor say something of its only alert.
func (r *randomLife) signal() []Change {
	f := &Fold{
		Integration: Integration{ID: 3, TeamID: 1, PolicyID: 1, Name: "grafana"}, Policy: r.facts.Policies[1],
		Policies: r.facts.Policies, Roster: r.facts.Roster,
		LastIncident: r.in.ID, AlertIDs: []AlertID{AlertID(len(r.alerts) + 1)},
	}
	f.AddIncidents(r.in)
	for id := AlertID(1); int(id) <= len(r.alerts); id++ {
		f.AddAlerts(r.alerts[id])
	}
	s := Signal{
		Action: []Action{Trigger, Trigger, Trigger, Clear, Clear, AckSignal}[r.rng.IntN(6)], DedupKey: "a", Title: "a",
		Severity: []Severity{Critical, High, Medium, Low}[r.rng.IntN(4)],
	}
	r.log.note(r.now, "signal %s %s", s.Action, s.Severity)
	f.Receive(s, r.now)
	changes, alerts := f.Results()
	for _, a := range alerts {
		r.alerts[a.ID] = a
	}
	return changes
}

// sound says what is wrong with a change.
func sound(before Incident, c Change, f Facts) error {
	in := c.Incident
	asks := f.Policies[in.PolicyID].AckTimeout > 0 && in.Severity != Low || in.AckAgain
	timers := 0
	for _, task := range c.Tasks {
		if e, ok := task.Args.(IncidentTimer); ok && e.Seq == in.Seq && in.NextAt != nil && task.At.Equal(*in.NextAt) {
			timers++
		}
	}
	kept := in.NextAt != nil && in.Seq == before.Seq && before.NextAt != nil && in.NextAt.Equal(*before.NextAt)
	acked := slices.Clone(in.Acks)
	slices.Sort(acked)
	switch {
	case len(slices.Compact(acked)) < len(in.Acks):
		return fmt.Errorf("somebody counts twice: %v", in.Acks)
	case in.Version <= before.Version:
		return fmt.Errorf("version %d follows %d", in.Version, before.Version)
	case in.Status == Triggered && in.NextAt == nil && !in.Exhausted:
		return fmt.Errorf("it will never escalate")
	case in.Status == Snoozed && (in.NextAt == nil || in.SnoozedUntil == nil || !in.NextAt.Equal(*in.SnoozedUntil)):
		return fmt.Errorf("it will never wake up")
	case in.Status == Acknowledged && (in.NextAt != nil) != asks:
		return fmt.Errorf("is the owner asked again? %v", !asks)
	case in.Status == Resolved && in.NextAt != nil:
		return fmt.Errorf("a resolved one has a timer")
	case in.NextAt != nil && !kept && timers != 1:
		return fmt.Errorf("%d timers are queued", timers)
	case in.Status != Acknowledged && (in.AckedBy != Actor{} && in.Status != Resolved || in.AckAsked):
		return fmt.Errorf("it has an owner although it is %s", in.Status)
	case in.Status == Acknowledged && (in.AckedBy == Actor{} || in.AckedAt == nil):
		return fmt.Errorf("it has no owner")
	case in.AckAgain && (!in.AckAsked || in.Status != Acknowledged):
		return fmt.Errorf("who is to acknowledge again?")
	case before.AckAsked && !in.AckAsked && len(c.Closes) != 1:
		return fmt.Errorf("the question to the owner stays open")
	case (in.Status == Snoozed) != (in.SnoozedBy != Actor{}) || in.Status != Snoozed && in.SnoozedUntil != nil && in.Status != Resolved:
		if in.Status != Resolved { // a monitor has closed it
			return fmt.Errorf("who snoozes it? %v until %v", in.SnoozedBy, in.SnoozedUntil)
		}
	}
	for _, p := range c.Calls {
		if !p.Due(in) && p.UserID != "" && in.Status != Triggered {
			return fmt.Errorf("the page %+v is not due when it is made", p)
		}
	}
	return nil
}

package oncall

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	ann UserID = "U0ANN"
	bo  UserID = "U0BO"
	cy  UserID = "U0CY"
	di  UserID = "U0DI"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // a Monday

// payments returns a team whose policy pages Ann, then after 5 minutes Bo, twice.
func payments() (Policy, Roster) {
	policy := Policy{ID: 1, TeamID: 1, Name: "payments", Steps: []Step{
		{Targets: []Target{{User: ann}}, Delay: 300},
		{Targets: []Target{{User: bo}}, Delay: 600, Repeat: 1, Every: 60},
	}}
	roster := Roster{ShiftFacts: ShiftFacts{Members: map[TeamID][]UserID{1: {ann, bo, cy}}}}
	return policy, roster
}

func facts(p Policy, r Roster) Facts { return Facts{Policies: map[PolicyID]Policy{p.ID: p}, Roster: r} }

func triggered() Incident {
	return Incident{ID: 7, TeamID: 1, PolicyID: 1, Title: "disk full", Severity: High, Status: Triggered, Version: 1, OpenedAt: noon}
}

func paged(c Change) []UserID {
	var out []UserID
	for _, p := range c.Calls {
		out = append(out, p.UserID)
	}
	return out
}

func kinds(events []Event) []EventKind {
	var out []EventKind
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEscalationWalksThePolicyToItsEnd(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	in, now := triggered(), noon
	for _, want := range []struct {
		after time.Duration
		paged []UserID
	}{
		{0, []UserID{ann}},
		{5 * time.Minute, []UserID{bo}},
		{time.Minute, []UserID{bo}},
		{10 * time.Minute, []UserID{ann, bo, cy}}, // exhausted: the whole team
	} {
		now = now.Add(want.after)
		if in.NextAt != nil && !in.NextAt.Equal(now) {
			t.Fatalf("next step at %s, want %s", in.NextAt, now)
		}
		c, due := in.RunTimer(in.Seq, facts(policy, roster), now)
		if !due {
			t.Fatal("the timer that the incident waits for is stale")
		}
		equal(t, "paged", paged(c), want.paged)
		in = c.Incident
	}
	if !in.Exhausted || in.NextAt != nil || in.Status != Triggered {
		t.Errorf("at the end: exhausted %v, next %v, status %s; want it exhausted, without a next time and %s", in.Exhausted, in.NextAt, in.Status, Triggered)
	}
}

// directKey names the page of a call to somebody who has set up no contact methods.
func directKey(c Call) string { return PagesOfCall(c, ContactSettings{}, false, noon)[0].Key }

func TestEachPageHasItsOwnKey(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	policy.Repeat = 1
	in, seen := triggered(), map[string]bool{}
	for !in.Exhausted {
		c, _ := in.RunTimer(in.Seq, facts(policy, roster), noon)
		for _, p := range c.Calls {
			key := directKey(p)
			if seen[key] {
				t.Errorf("key %s is there twice", key)
			}
			seen[key] = true
		}
		in = c.Incident
	}
	equal(t, "pages over two rounds and the end", len(seen), 9)
}

func TestStaleTimersDoNothing(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	first, _ := triggered().RunTimer(0, facts(policy, roster), noon)
	acked, err := first.Incident.Do(Act{Do: ActAck}, ByUser(ann), Facts{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]Incident{"same timer again": first.Incident, "acknowledged": acked.Incident} {
		if _, due := in.RunTimer(0, facts(policy, roster), noon); due {
			t.Errorf("%s: a stale timer is due: %t, want false", name, due)
		}
	}
	if _, due := acked.Incident.RunTimer(acked.Incident.Seq, facts(policy, roster), noon); due {
		t.Error("an acknowledged incident escalated, want its timer to do nothing")
	}
}

func TestStepsWithNobodyAreSkippedAtOnce(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	gone := noon
	roster.Users = map[UserID]User{ann: {ID: ann, DeactivatedAt: &gone}}
	c, _ := triggered().RunTimer(0, facts(policy, roster), noon)
	equal(t, "paged", paged(c), []UserID{bo})
	equal(t, "events", kinds(c.Events), []EventKind{EventSkipped, EventPaging})
	equal(t, "waits for", c.Incident.NextAt.Sub(noon), time.Minute)
}

func TestEmptyPolicyPagesFallbackThenTeam(t *testing.T) {
	t.Parallel()
	_, roster := payments()
	roster.Teams = map[TeamID]RosterTeam{1: {Fallback: []UserID{cy}, Managers: []UserID{bo}}}
	for name, policy := range map[string]Policy{
		"no steps":          {Repeat: 5},
		"unknown schedules": {Repeat: 5, Steps: []Step{{Targets: []Target{{Schedule: 9}}}, {Targets: []Target{{Schedule: 8}}}}},
	} {
		policy.ID = 1
		c, _ := triggered().RunTimer(0, facts(policy, roster), noon)
		if !c.Incident.Unassigned || c.Incident.Exhausted {
			t.Errorf("%s: unassigned %v, exhausted %v; want true and false", name, c.Incident.Unassigned, c.Incident.Exhausted)
		}
		equal(t, name, paged(c), []UserID{cy})
		equal(t, name+": the admin is told", c.Notices[0].To, string(bo))
		equal(t, name+": then waits", c.Incident.NextAt.Sub(noon), 5*time.Minute)
		c, _ = c.Incident.RunTimer(c.Incident.Seq, facts(policy, roster), *c.Incident.NextAt)
		if !c.Incident.Exhausted || c.Incident.NextAt != nil {
			t.Errorf("%s: exhausted %v, next %v; want true and nil", name, c.Incident.Exhausted, c.Incident.NextAt)
		}
		equal(t, name, paged(c), []UserID{ann, bo, cy})
	}
}

func TestNextTellsWhatTheTimerWillDo(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	in := triggered()
	c, _ := in.RunTimer(0, facts(policy, roster), noon)
	for !c.Incident.Exhausted {
		in = c.Incident
		next, ok := in.Next(facts(policy, roster))
		if !ok {
			t.Fatal("nothing to come, but the policy is not at its end")
		}
		c, _ = in.RunTimer(in.Seq, facts(policy, roster), *in.NextAt)
		equal(t, "whom", next.Users, paged(c))
		equal(t, "end", next.Exhausts, c.Incident.Exhausted)
	}
	if _, ok := c.Incident.Next(facts(policy, roster)); ok {
		t.Error("the incident announces a next step after the policy's end, want none")
	}
}

func TestDecisionsRefuseInOneSentence(t *testing.T) {
	t.Parallel()
	in := triggered()
	acked, _ := in.Do(Act{Do: ActAck}, ByUser(ann), Facts{}, noon)
	resolved, _ := in.Do(Act{Do: ActResolve}, ByUser(bo), Facts{}, noon)
	for _, c := range []struct {
		name string
		do   func() (Change, error)
		want string
	}{
		{"again", func() (Change, error) { return acked.Incident.Do(Act{Do: ActAck}, ByUser(ann), Facts{}, noon) }, "You have acknowledged incident #7 already."},
		{"by another", func() (Change, error) { return acked.Incident.Do(Act{Do: ActAck}, ByUser(bo), Facts{}, noon) }, "Incident #7 is already acknowledged by U0ANN."},
		{"ack of resolved", func() (Change, error) { return resolved.Incident.Do(Act{Do: ActAck}, ByUser(ann), Facts{}, noon) }, "Incident #7 is already resolved by U0BO."},
		{"resolve of resolved", func() (Change, error) { return resolved.Incident.Do(Act{Do: ActResolve}, ByUser(ann), Facts{}, noon) }, "Incident #7 is already resolved by U0BO."},
	} {
		_, err := c.do()
		var refusal Refusal
		if !errors.As(err, &refusal) || refusal.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestEveryChangeIsDrawnAtItsVersion(t *testing.T) {
	t.Parallel()
	acked, _ := triggered().Do(Act{Do: ActAck}, ByUser(ann), Facts{}, noon)
	equal(t, "tasks", acked.Tasks, []Task{{Args: Draw{Incident: 7, Version: 2, Asked: true}, Severity: High}})
	policy, roster := payments()
	c, _ := triggered().RunTimer(0, facts(policy, roster), noon)
	equal(t, "tasks", c.Tasks, []Task{
		{Args: Draw{Incident: 7, Version: 2}, Severity: High},
		{Args: IncidentTimer{Incident: 7, Seq: 1}, At: noon.Add(5 * time.Minute)},
	})
}

// If a step reaches nobody, the next one runs at once, and the step is not repeated.
func TestStepWithoutRecipientsGoesOn(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	policy.Steps[0].Repeat, policy.Steps[0].Every = 3, 60
	in, now := triggered(), noon
	var users [][]UserID
	for !in.Exhausted {
		c, due := in.RunTimer(in.Seq, facts(policy, roster), now)
		if !due {
			t.Fatal("the timer is stale")
		}
		users = append(users, paged(c))
		now = now.Add(time.Second)
		before := c.Incident
		if c = before.begin(ByTimer(), Facts{}, now); !c.unreached() {
			t.Fatal("it does not matter that nobody was reached")
		}
		want := []EventKind{EventUnreached}
		if in = c.Incident; in.Exhausted {
			want = []EventKind{EventNobodyNotified}
		} else if !in.NextAt.Equal(now) || in.Seq != before.Seq {
			t.Errorf("the next step runs at %s as %d, want %s, %d", in.NextAt, in.Seq, now, before.Seq)
		}
		equal(t, "events", kinds(c.Events), want)
	}
	equal(t, "paged", users, [][]UserID{{ann}, {bo}, {ann, bo, cy}})
	acked, err := in.Do(Act{Do: ActAck}, ByUser(ann), Facts{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if c := acked.Incident.begin(ByTimer(), Facts{}, now); c.unreached() {
		t.Error("the timer of an acknowledged incident is due, want it to do nothing")
	}
}

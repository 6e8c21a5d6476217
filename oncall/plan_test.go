package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// world is a roster with something of everything, and policies made at random.
type world struct {
	*rand.Rand
	facts Facts
}

func newWorld(t *testing.T, seed uint64) world {
	t.Helper()
	w := world{Rand: rand.New(rand.NewPCG(seed, 1))}
	gone := noon.AddDate(0, -1, 0)
	users := map[UserID]User{
		ann: {ID: ann, TimeZone: "Europe/Berlin"}, bo: {ID: bo, TimeZone: "America/New_York"},
		cy: {ID: cy, TimeZone: "Asia/Tokyo"}, di: {ID: di, TimeZone: "UTC", DeactivatedAt: &gone},
	}
	compile := func(id ScheduleID, turns ...[]UserID) *schedule.Schedule {
		c, err := schedule.Compile(schedule.Definition{ID: id, TeamID: 1, Name: fmt.Sprintf("s%d", id), TimeZone: "Europe/Berlin", Versions: []schedule.Version{{
			Rotations: []schedule.Rotation{{
				Name: "daily", StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60, Period: schedule.Period{Every: 6, Unit: schedule.HourUnit}, Turns: turns,
				Windows: []schedule.Window{{Days: []schedule.Weekday{"mon", "tue", "wed"}, From: 8 * 60, To: 20 * 60}},
			}, {
				Name: "second", Role: "secondary", StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60, Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, Turns: turns,
			}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	team := Team{Name: "payments", TimeZone: "Europe/Berlin", Fallback: []UserID{cy}}
	w.facts.Roster = Roster{
		ShiftFacts: ShiftFacts{
			Schedules: map[ScheduleID]*schedule.Schedule{1: compile(1, []UserID{ann}, []UserID{bo, cy}, []UserID{}), 2: compile(2, []UserID{di})},
			Users:     users, Members: map[TeamID][]UserID{1: {ann, bo, cy}},
		},
		Teams:  map[TeamID]RosterTeam{1: team.OnRoster([]UserID{ann}, "")},
		Groups: map[string][]UserID{"oncall": {bo, ann}},
	}
	w.facts.Policies = map[PolicyID]Policy{}
	for id := range PolicyID(4) {
		w.facts.Policies[id+1] = w.policy(id + 1)
	}
	return w
}

func pick[T any](w world, of ...T) T { return of[w.IntN(len(of))] }

func (w world) policy(id PolicyID) Policy {
	p := Policy{
		ID: id, TeamID: 1, Name: fmt.Sprintf("p%d", id), Repeat: w.IntN(3), Removed: w.IntN(8) == 0,
		AckTimeout: pick[Seconds](w, 0, 600), AckWait: pick[Seconds](w, 0, 60),
	}
	for range w.IntN(4) {
		s := Step{
			Delay: Seconds(1 + w.IntN(900)), Repeat: w.IntN(3), Every: Seconds(1 + w.IntN(120)),
			RoundRobin: pick(w, PageAll, RoundByIncident, RoundByRun),
		}
		for range 1 + w.IntN(2) {
			s.Targets = append(s.Targets, pick(w,
				Target{User: ann}, Target{User: di}, Target{Team: 1}, Target{Managers: 1}, Target{Schedule: 1}, Target{Schedule: 2},
				Target{Schedule: 1, Which: OnCallNext}, Target{Schedule: 1, Which: Everyone}, Target{Schedule: 1, Role: "secondary"},
				Target{Schedule: 9}, Target{Group: "oncall"}, Target{Group: "unknown"}, Target{Channel: "#payments"},
				Target{Webhook: "https://example.com/hook"}, Target{Policy: PolicyID(1 + w.IntN(5))}))
		}
		if w.IntN(3) == 0 {
			s.Only = &Condition{Severity: pick(w, nil, []Severity{Critical}, []Severity{High, Low}), Hours: pick(w, HoursAny, HoursWorking, HoursOff)}
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// replay lets an incident run until nothing is to come, as its timers would, and lists
// whom and what it pages when.
func replay(t *testing.T, in Incident, f Facts, now time.Time) []string {
	t.Helper()
	out := []string{}
	for ticks := 0; in.NextAt != nil; ticks++ {
		if ticks > 1000 {
			t.Fatalf("it never ends: got %v, want at most 1000", ticks)
		}
		if in.NextAt.Before(now) {
			t.Fatalf("the timer is set to %s, which is before %s", in.NextAt, now)
		}
		if _, early := in.RunTimer(in.Seq-1, f, *in.NextAt); early {
			t.Fatal("a stale timer acted")
		}
		now = *in.NextAt
		c, due := in.RunTimer(in.Seq, f, now)
		if !due {
			t.Fatal("the timer that it waits for is stale")
		}
		for _, p := range c.Calls {
			if p.Method == MethodWebhook {
				p.To = WebhookName(p.To)
			}
			if p.UserID == "" { // a plan doesn't say why
				p.Why = nil
			}
			out = append(out, fmt.Sprintln(latest(now, p.At), p.UserID, p.To, p.Why))
		}
		in = c.Incident
		if in.Exhausted {
			out = append(out, "exhausted")
		}
	}
	if in.Status == Triggered && !in.Exhausted {
		t.Error("nothing is to come, and the team was not told")
	}
	return out
}

// lines lists whom and what an entry of a plan pages when, as replay does.
func (p PlanEntry) lines() []string {
	var out []string
	for _, who := range p.People {
		out = append(out, fmt.Sprintln(who.At, who.User, "", who.Why))
	}
	for _, to := range p.Channels {
		out = append(out, fmt.Sprintln(p.At, "", to, ""))
	}
	for _, to := range p.Webhooks {
		out = append(out, fmt.Sprintln(p.At, "", to, ""))
	}
	if p.Exhausts {
		out = append(out, "exhausted")
	}
	return out
}

// Everything planned happens, at every stage of any policy, and every incident ends.
func TestPlanMatchesEscalation(t *testing.T) {
	t.Parallel()
	for seed := range seeds(400) {
		w := newWorld(t, seed)
		in := triggered()
		in.Severity = pick(w, Critical, High, Medium, Low)
		in.RoundRobinCount = int64(w.IntN(5))
		in.PolicyID = PolicyID(1 + w.IntN(4))
		at := noon.Add(time.Duration(w.IntN(7*24*3600)) * time.Second)
		c, _ := in.RunTimer(0, w.facts, at)
		if w.IntN(4) == 0 {
			if acked, err := c.Incident.Do(Act{Do: ActAck}, ByUser(bo), w.facts, at); err == nil {
				c = acked
			}
		}
		in = c.Incident
		want, got := replay(t, in, w.facts, at), []string{}
		plan := in.Plan(w.facts, at)
		for _, p := range plan {
			got = append(got, p.lines()...)
		}
		if len(plan) == maxPlanned {
			want = want[:min(len(want), len(got))]
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, fmt.Sprintf("seed %d", seed), got, want)
		if t.Failed() {
			return
		}
	}
}

// Nobody is woken by a low severity, and no policy ends without anybody being paged.
func TestAnyPolicyReachesSomebodyAndLowWakesNobody(t *testing.T) {
	t.Parallel()
	for seed := range seeds(400) {
		w := newWorld(t, seed)
		in := triggered()
		in.Severity = pick(w, High, Low)
		in.PolicyID = PolicyID(1 + w.IntN(4))
		at := noon.Add(time.Duration(w.IntN(7*24*3600)) * time.Second)
		reached := false
		for last := at; ; {
			c, _ := in.RunTimer(in.Seq, w.facts, last)
			for _, p := range c.Calls {
				if p.UserID == "" {
					continue
				}
				reached = true
				from := latest(last, p.At)
				if hours, err := w.facts.Roster.HoursOf(p.UserID); err != nil || in.Severity == Low && !hours.Open(from) {
					t.Fatalf("seed %d: %s is paged at %s, %v", seed, p.UserID, from, err)
				}
				if in.Severity != Low && from.After(last) {
					t.Fatalf("seed %d: a page of high severity waits", seed)
				}
			}
			if in = c.Incident; in.NextAt == nil {
				break
			}
			last = *in.NextAt
		}
		if !reached {
			t.Fatalf("seed %d: nobody was paged", seed)
		}
	}
}

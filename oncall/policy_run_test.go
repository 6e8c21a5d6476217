package oncall

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// steps runs an incident's escalation to its end and describes each decision in a line: the time since
// noon, what it pages, and what the timeline says.
func steps(t *testing.T, in Incident, f Facts) []string {
	t.Helper()
	var out []string
	for now := noon; ; {
		c, due := in.RunTimer(in.Seq, f, now)
		if !due {
			t.Fatal("the timer is stale")
		}
		line := fmt.Sprint(now.Sub(noon).Minutes(), ":")
		for _, p := range c.Calls {
			line += " " + string(p.UserID) + p.To
			if !p.At.IsZero() {
				line += p.At.Format("@Mon15:04")
			}
		}
		for _, e := range c.Events {
			line += " " + string(e.Kind)
			if e.Kind == EventSkipped || e.Kind == EventPassedOn {
				line += fmt.Sprintf("(%d %s)", e.Detail.Step, e.Detail.Text)
			}
		}
		out = append(out, line)
		if in = c.Incident; in.NextAt == nil {
			return out
		}
		now = *in.NextAt
	}
}

// duty returns a schedule. Its primary is Ann until 15:00 on the Monday of noon, then nobody until
// 16:00, then Bo. Its secondary is Cy.
func duty(t *testing.T) *schedule.Schedule {
	t.Helper()
	monday := schedule.Date{Year: 2026, Month: 3, Day: 2}
	c, err := schedule.Compile(schedule.Definition{ID: 4, TeamID: 1, Name: "payments", TimeZone: "UTC", Versions: []schedule.Version{{Rotations: []schedule.Rotation{
		{Name: "a", StartDate: monday, HandOff: 9 * 60, Period: schedule.Period{Every: 7, Unit: schedule.HourUnit}, Turns: [][]UserID{{ann}, {bo}}, Windows: []schedule.Window{
			{Days: []schedule.Weekday{"mon"}, From: 9 * 60, To: 15 * 60}, {Days: []schedule.Weekday{"mon"}, From: 16 * 60, To: 22 * 60},
		}},
		{Name: "b", Role: "secondary", StartDate: monday, HandOff: 9 * 60, Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, Turns: [][]UserID{{cy}}},
		{Name: "c", Role: schedule.RoleShadow, StartDate: monday, HandOff: 9 * 60, Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, Turns: [][]UserID{{di}}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryTargetBecomesItsPeople(t *testing.T) {
	t.Parallel()
	gone := noon
	r := Roster{
		ShiftFacts: ShiftFacts{
			Schedules: map[ScheduleID]*schedule.Schedule{4: duty(t)}, Members: map[TeamID][]UserID{1: {bo, cy, di}},
			Users: map[UserID]User{"U0GONE": {DeactivatedAt: &gone}},
		},
		Teams: map[TeamID]RosterTeam{1: {Managers: []UserID{cy}}}, Groups: map[string][]UserID{"pay": {di, bo, "U0GONE"}},
	}
	for _, c := range []struct {
		target Target
		want   []pagedPerson
	}{
		{Target{Schedule: 4}, []pagedPerson{{ann, Say("you are on call in payments")}, {cy, Say("you are on call in payments")}}},
		{Target{Schedule: 4, Role: schedule.RolePrimary}, []pagedPerson{{ann, Say("you are on call in payments as primary")}}},
		{Target{Schedule: 4, Role: "secondary"}, []pagedPerson{{cy, Say("you are on call in payments as secondary")}}},
		{Target{Schedule: 4, Role: schedule.RoleShadow}, nil},
		{Target{Schedule: 4, Which: OnCallNext}, []pagedPerson{{bo, Say("you are on call next in payments")}}},
		{Target{Schedule: 4, Which: Everyone}, []pagedPerson{
			{ann, Say("the escalation policy names everyone in payments")},
			{bo, Say("the escalation policy names everyone in payments")},
			{cy, Say("the escalation policy names everyone in payments")},
		}},
		{Target{Managers: 1}, []pagedPerson{{cy, Say("the escalation policy names the managers of your team")}}},
		{Target{Group: "pay"}, []pagedPerson{
			{di, Say("the escalation policy names the Slack group @pay, and you are in it")},
			{bo, Say("the escalation policy names the Slack group @pay, and you are in it")},
		}},
		{Target{User: "U0GONE"}, nil},
	} {
		got := r.people([]Target{c.target}, noon)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.target, got, c.want)
		}
	}
}

func TestPoliciesStepByStep(t *testing.T) {
	t.Parallel()
	one := func(targets ...Target) []Step { return []Step{{Targets: targets, Delay: 300}} }
	team := Team{Hours: []schedule.Window{{Days: []schedule.Weekday{"mon"}, From: 12 * 60, To: 12*60 + 10}}}
	roster := Roster{
		ShiftFacts: ShiftFacts{Schedules: map[ScheduleID]*schedule.Schedule{4: duty(t)}, Members: map[TeamID][]UserID{1: {ann, bo}}},
		Teams:      map[TeamID]RosterTeam{1: team.OnRoster([]UserID{bo}, "")},
	}
	for _, c := range []struct {
		name     string
		policies []Policy
		edit     func(*Incident)
		want     []string
	}{
		{"a channel is no person", []Policy{{Repeat: 2, Steps: one(Target{Channel: "#pay"}, Target{Webhook: "https://x.example.com/secret"})}}, nil, []string{
			"0: #pay https://x.example.com/secret paging", "5: U0BO unassigned", "10: U0ANN U0BO exhausted",
		}},
		{"a channel beside a person", []Policy{{Steps: one(Target{Channel: "#pay"}, Target{User: cy})}}, nil, []string{
			"0: U0CY #pay paging", "5: U0ANN U0BO exhausted",
		}},
		{"an unknown group", []Policy{{Steps: append(one(Target{Group: "x"}), one(Target{User: cy})...)}}, nil, []string{
			"0: U0CY skipped(1 the Slack group @x is unknown) paging", "5: U0ANN U0BO exhausted",
		}},
		{"handed over at once", []Policy{{Steps: one(Target{Policy: 2})}, {Name: "bosses", Steps: one(Target{User: bo})}}, nil, []string{
			"0: U0BO handed_over(1 bosses) paging", "5: U0ANN U0BO exhausted",
		}},
		{"handed over after the step's people", []Policy{{Steps: []Step{{Targets: []Target{{User: ann}, {Policy: 2}}, Delay: 120, Repeat: 1, Every: 60}}}, {Name: "bosses", Steps: one(Target{User: bo})}}, nil, []string{
			"0: U0ANN paging", "1: U0ANN paging handed_over(1 bosses)", "3: U0BO paging", "8: U0ANN U0BO exhausted",
		}},
		{"a policy that is removed has run out", []Policy{{Repeat: 3, Steps: one(Target{User: ann}, Target{Policy: 2})}, {Removed: true}}, nil, []string{
			"0: U0ANN paging skipped(1 the policy that it hands over to has been removed)", "5: U0ANN U0BO exhausted",
		}},
		{"round and round", []Policy{{Name: "a", Steps: one(Target{Policy: 2})}, {Name: "b", Steps: one(Target{Policy: 1})}}, nil, []string{
			"0: U0BO handed_over(1 b) handed_over(1 a) handed_over(1 b) handed_over(1 a) handed_over(1 b) skipped(1 the incident has been handed over 5 times already) unassigned",
			"5: U0ANN U0BO exhausted",
		}},
		{"conditions", []Policy{{Repeat: 1, Steps: []Step{
			{Targets: []Target{{User: ann}}, Delay: 300, Only: &Condition{Severity: []Severity{Critical}}},
			{Targets: []Target{{User: bo}}, Delay: 900, Only: &Condition{Hours: HoursWorking}},
			{Targets: []Target{{User: cy}}, Delay: 60, Only: &Condition{Severity: []Severity{High}, Hours: HoursOff}},
		}}}, nil, []string{
			"0: U0BO skipped(1 it is only for severity critical) paging", "15: U0CY paging",
			"16: U0CY skipped(1 it is only for severity critical) skipped(2 it is only in the team's working hours) paging", "17: U0ANN U0BO exhausted",
		}},
		{"one after the other in one incident", []Policy{{Repeat: 1, Steps: []Step{
			{Targets: []Target{{User: ann}, {User: bo}, {User: cy}}, Delay: 60, Repeat: 1, Every: 60, RoundRobin: RoundByRun},
		}}}, func(in *Incident) { in.RoundRobinCount = 7 }, []string{
			"0: U0ANN paging", "1: U0BO paging", "2: U0CY paging", "3: U0ANN paging", "4: U0ANN U0BO exhausted",
		}},
		{"each incident begins with the next", []Policy{{Steps: []Step{
			{Targets: []Target{{User: ann}, {User: bo}, {User: cy}}, Delay: 60, Repeat: 1, Every: 60, RoundRobin: RoundByIncident},
		}}}, func(in *Incident) { in.RoundRobinCount = 7 }, []string{"0: U0BO paging", "1: U0CY paging", "2: U0ANN U0BO exhausted"}},
		{"low severity waits for the morning, and so does the next step", []Policy{{Steps: append(one(Target{User: ann}), one(Target{User: bo})...)}}, func(in *Incident) {
			in.Severity = Low
		}, []string{
			"0: waits", "120: U0ANN@Mon14:00 paging", "125.5: U0BO paging", "130.5: U0ANN U0BO exhausted",
		}},
		{"low severity is judged by the hours when it came", []Policy{{Steps: []Step{
			{Targets: []Target{{User: ann}}, Delay: 60, Only: &Condition{Hours: HoursWorking}}, {Targets: []Target{{User: bo}}, Delay: 60},
		}}}, func(in *Incident) { in.Severity = Low }, []string{
			"0: U0ANN@Mon14:00 paging", "121.5: U0BO paging", "122.5: U0ANN U0BO exhausted",
		}},
		{"low severity keeps a channel waiting with its people", []Policy{{Steps: one(Target{Channel: "#pay"}, Target{User: ann})}}, func(in *Incident) {
			in.Severity = Low
		}, []string{"0: waits", "120: U0ANN@Mon14:00 #pay paging", "125.5: U0ANN U0BO exhausted"}},
	} {
		f := Facts{Policies: map[PolicyID]Policy{}, Roster: roster}
		f.Roster.Users = map[UserID]User{ann: {TimeZone: "America/New_York"}, bo: {TimeZone: "America/New_York"}}
		for i, p := range c.policies {
			p.ID, p.TeamID = PolicyID(i+1), 1
			f.Policies[p.ID] = p
		}
		in := triggered()
		if c.edit != nil {
			c.edit(&in)
		}
		equal(t, c.name, steps(t, in, f), c.want)
	}
}

func TestReopenedIncidentRestartsFirstPolicy(t *testing.T) {
	t.Parallel()
	f := Facts{Policies: map[PolicyID]Policy{
		1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{Policy: 2}}}}},
		2: {ID: 2, TeamID: 1, Steps: []Step{{Targets: []Target{{User: bo}}, Delay: 60}}},
	}}
	c, _ := triggered().RunTimer(0, f, noon)
	if c.Incident.PolicyID != 2 || c.Incident.HomePolicy != 1 || c.Incident.Hops != 1 {
		t.Errorf("policy %d, home %d, hops %d; want 2, 1 and 1", c.Incident.PolicyID, c.Incident.HomePolicy, c.Incident.Hops)
	}
	closed, err := c.Incident.Do(Act{Do: ActResolve}, ByIntegration("demo"), Facts{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	again := closed.Incident.begin(ByIntegration("demo"), f, noon)
	again.reopenByMonitor("again", noon)
	if again := again.Incident; again.PolicyID != 1 || again.Hops != 0 {
		t.Errorf("reopened: policy %d, hops %d; want 1 and 0", again.PolicyID, again.Hops)
	}
}

func TestUnassignedIncidentsPageWhoComesOnCall(t *testing.T) {
	t.Parallel()
	f := Facts{Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1}}, Roster: Roster{ShiftFacts: ShiftFacts{Members: map[TeamID][]UserID{1: {ann}}}}}
	c, _ := triggered().RunTimer(0, f, noon)
	adopted, ok := c.Incident.PageNewlyOnCall([]UserID{bo}, "payments", f, noon.Add(time.Minute))
	if !ok {
		t.Fatal("nobody took the incident that nobody has")
	}
	equal(t, "paged", paged(adopted), []UserID{bo})
	if adopted.Incident.NextAt == nil {
		t.Error("nothing follows, want the whole team told next")
	}
	if _, ok := triggered().PageNewlyOnCall([]UserID{bo}, "payments", f, noon); ok {
		t.Error("an incident whose policy goes on changed hands")
	}
}

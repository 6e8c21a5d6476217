package setup

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestEveryTargetOfTheSetup(t *testing.T) {
	t.Parallel()
	s := good()
	s.Schedules[0].Rotations[0].Role = "secondary"
	s.Policies = append(s.Policies, Policy{Name: "bosses", Team: "payments", Steps: []Step{{Page: []string{"user Bo"}}}})
	ids := IDs{
		Users: map[string]oncall.UserID{"Bo": bo}, Schedules: map[string]oncall.ScheduleID{"primary": 4},
		Teams: map[string]oncall.TeamID{"payments": 2}, Policies: map[string]oncall.PolicyID{"bosses": 8},
	}
	for written, want := range map[string]oncall.Target{
		"user Bo":                           {User: bo},
		"schedule primary":                  {Schedule: 4},
		"next in primary":                   {Schedule: 4, Which: oncall.OnCallNext},
		"everyone in primary":               {Schedule: 4, Which: oncall.Everyone},
		"secondary in primary":              {Schedule: 4, Role: "secondary"},
		"team payments":                     {Team: 2},
		"admins of payments":                {Managers: 2},
		"managers of payments":              {Managers: 2},
		"channel #payments":                 {Channel: "#payments"},
		"channel C024BE7LR":                 {Channel: "C024BE7LR"},
		"group @payments-oncall":            {Group: "payments-oncall"},
		"webhook https://example.com/h?a=b": {Webhook: "https://example.com/h?a=b"},
		"policy bosses":                     {Policy: 8},
	} {
		s.Policies[0].Steps = []Step{{Page: []string{written}}}
		equal(t, written+": wrong", s.Check(formats), nil)
		step, err := s.Policies[0].Steps[0].Step(ids)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, written, step.Targets, []oncall.Target{want})
	}
}

// Each incident begins with the next person, whether a file uses the present word or that of 0.1.
func TestRoundRobinWords(t *testing.T) {
	t.Parallel()
	for written, want := range map[oncall.RoundRobin]oncall.RoundRobin{
		"": oncall.PageAll, "incident": oncall.RoundByIncident, "alert": oncall.RoundByIncident, "cycle": oncall.RoundByRun,
	} {
		s := good()
		s.Policies[0].Steps[0] = Step{Page: []string{"user Bo"}, RoundRobin: written, Repeat: 1}
		equal(t, string(written)+": wrong", s.Check(formats), nil)
		step, err := s.Policies[0].Steps[0].Step(IDs{Users: map[string]oncall.UserID{"Bo": bo}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, string(written), step.RoundRobin, want)
	}
	equal(t, "what is stored", string(oncall.RoundByIncident), "alert")
}

func TestPolicyProblemsAreNamed(t *testing.T) {
	t.Parallel()
	page := func(target string) func(*Setup) {
		return func(s *Setup) { s.Policies[0].Steps[0].Page[0] = target }
	}
	other := func(s *Setup) {
		s.Policies = append(s.Policies, Policy{Name: "bosses", Team: "payments", Steps: []Step{{Page: []string{"user Bo"}}}})
	}
	for _, c := range []struct {
		want string
		edit func(*Setup)
	}{
		{`policy "payments", step 1: user "Zed": there is no user of that name in the file`, page("user Zed")},
		{`policy "payments", step 1: schedule "x": there is no schedule of that name in the file`, page("next in x")},
		{`policy "payments", step 1: team "x": there is no team of that name in the file`, page("admins of x")},
		{`policy "payments", step 1: policy "x": there is no policy of that name in the file`, func(s *Setup) { s.Policies[0].Steps = []Step{{Page: []string{"policy x"}}} }},
		{`policy "payments", step 1: "primry in primary": no rotation of schedule "primary" has the role "primry"; did you mean "primary"?`, page("primry in primary")},
		{`policy "payments", step 1: "shadow in primary": a shadow is never paged`, page("shadow in primary")},
		{`policy "payments", step 1: "channel payments": a Slack channel is written with its name as "#payments" or with its id as "C024BE7LR"`, page("channel payments")},
		{`policy "payments", step 1: "group payments": a Slack user group is written with its handle as "@payments-oncall"`, page("group payments")},
		{`policy "payments", step 1: "webhook example.com": a webhook is a URL that begins with https:// or http://`, page("webhook example.com")},
		{`policy "payments", step 2 pages nobody`, func(s *Setup) { s.Policies[0].Steps[1].Page = nil }},
		{`policy "payments": repeat is 21; it may be 0 to 20`, func(s *Setup) { s.Policies[0].Repeat = 21 }},
		{`policy "payments", step 1: repeat is -1; it may be 0 to 20`, func(s *Setup) { s.Policies[0].Steps[0].Repeat = -1 }},
		{`policy "payments", step 1: it hands over to itself; use repeat`, page("policy payments")},
		{`policy "payments", step 1: it hands over to policy "bosses", so the steps after it never run`, func(s *Setup) { other(s); page("policy bosses")(s) }},
		{`policy "payments", step 2: it hands over to 2 policies; a step can hand over to one`, func(s *Setup) {
			other(s)
			s.Policies[0].Steps[1].Page = []string{"policy bosses", "policy bosses"}
		}},
		{`policy "payments": repeat is 1, but its last step hands over to policy "bosses"; leave repeat out`, func(s *Setup) {
			other(s)
			s.Policies[0].Repeat, s.Policies[0].Steps[1].Page[0] = 1, "policy bosses"
		}},
		{`policy "payments", step 1: round_robin is "random"; it may be "incident" or "cycle"`, func(s *Setup) { s.Policies[0].Steps[0].RoundRobin = "random" }},
		{`policy "payments", step 1: round_robin is "cycle", but the step runs only once; give repeat`, func(s *Setup) { s.Policies[0].Steps[0].RoundRobin = oncall.RoundByRun }},
		{`policy "payments", step 1: only: severity "urgent" is none of critical, high, medium and low`, func(s *Setup) { s.Policies[0].Steps[0].Only = &Condition{Severity: []oncall.Severity{"urgent"}} }},
		{`policy "payments", step 1: only: hours is "night"; it may be "working" or "off"`, func(s *Setup) { s.Policies[0].Steps[0].Only = &Condition{Hours: "night"} }},
		{`policy "payments", step 1: only says neither severity nor hours`, func(s *Setup) { s.Policies[0].Steps[0].Only = &Condition{} }},
		{`policy "payments": acks is 21; it may be 1 to 20`, func(s *Setup) { s.Policies[0].Acks = 21 }},
		{`policy "payments": ack_timeout is "never", which is not a duration such as "5m" or "90s"`, func(s *Setup) { s.Policies[0].AckTimeout = "never" }},
		{`policy "payments": ack_timeout is "30s"; it may be 1m to 24h, in whole seconds`, func(s *Setup) { s.Policies[0].AckTimeout = "30s" }},
		{`policy "payments": ack_wait is "5m", but there is no ack_timeout`, func(s *Setup) { s.Policies[0].AckWait = "5m" }},
		{`team "payments": fallback "Zed": there is no user of that name in the file`, func(s *Setup) { s.Teams[0].Fallback = []string{"Zed"} }},
		{`team "payments": time_zone "Berlin" is not an IANA zone such as "Europe/Berlin"`, func(s *Setup) { s.Teams[0].TimeZone = "Berlin" }},
		{`team "payments": hours, window 1: days: "Mo" is not a weekday such as "mon"`, func(s *Setup) {
			s.Teams[0].Hours = []schedule.Window{{Days: []schedule.Weekday{"Mo"}, From: 60, To: 120}}
		}},
		{`team "payments": remind is "often", which is not a duration such as "5m" or "90s", or "off"`, func(s *Setup) { s.Teams[0].Remind = "often" }},
	} {
		s := good()
		c.edit(&s)
		equal(t, c.want, s.Check(formats), []string{c.want})
	}
}

// Policies that pass incidents to each other endlessly are refused, once; those that depend on the
// hour are not.
func TestPolicyCyclesAreRefused(t *testing.T) {
	t.Parallel()
	circles := func(to map[string][]Step) string {
		c := checker{}
		var all []Policy
		for _, name := range []string{"a", "b", "c", "d"} {
			all = append(all, Policy{Name: name, Steps: to[name]})
		}
		c.circles(all)
		return strings.Join(c.problems, "|")
	}
	on := func(page ...string) []Step { return []Step{{Page: []string{"user ann"}}, {Page: page}} }
	const end = "; let one of them end, or repeat"
	night := []Step{{Page: []string{"policy a"}, Only: &Condition{Hours: "off"}}}
	for want, to := range map[string]map[string][]Step{
		"": {"a": on("policy b"), "b": on("policy c"), "c": on("user ann")},
		"policies hand over in a circle: a → b → a" + end:     {"a": on("policy b"), "b": on("policy a"), "c": on("policy a"), "d": on("policy c")},
		"policies hand over in a circle: b → c → d → b" + end: {"a": on("policy b"), "b": on("policy c"), "c": on("policy d"), "d": on("policy b")},
	} {
		if got := circles(to); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := circles(map[string][]Step{"a": on("policy b"), "b": night}); got != "" {
		t.Errorf("what depends on the hour: %q, want nothing", got)
	}
}

package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

var (
	prometheus = oncall.Integration{ID: 7, Name: "prometheus", TeamID: 3, PolicyID: 1, Format: "alertmanager"}
	ofOurs     = oncall.RouteOwner{Integration: 7}
	ofTeam     = oncall.RouteOwner{Team: 3}
)

func router(t *testing.T, ours, team []Rule) *Router {
	t.Helper()
	for _, rules := range [][]Rule{ours, team} {
		if p := Problems(rules); len(p) > 0 {
			t.Fatalf("%v, want none", p)
		}
	}
	return &Router{
		Integration: prometheus, Team: "platform", Policy: func(id oncall.PolicyID) string { return fmt.Sprintf("P%d", id) },
		Lists: []*List{
			Compile(Definition{Owner: ofOurs, Called: "integration prometheus", Version: 4, Rules: ours}),
			Compile(Definition{Owner: ofTeam, Called: "team platform", Version: 2, Rules: team}),
		},
	}
}

func signal(labels ...string) oncall.Signal {
	s := oncall.Signal{Action: oncall.Trigger, Title: "Disk full", DedupKey: "d", Severity: oncall.High, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	return s
}

func TestFirstMatchingRuleDecides(t *testing.T) {
	r := router(t,
		[]Rule{
			{Name: "staging", If: []string{"labels.env is staging"}, Drop: true},
			{Name: "night", If: []string{"labels.env is prod", "severity is high"}, Policy: 9, Severity: oncall.Low, Labels: map[string]string{"service": "disk"}, Hold: 300},
			{Name: "again", If: []string{"labels.env is prod"}, Policy: 8},
		},
		[]Rule{{Name: "rest", Policy: 5, Group: &oncall.Grouping{By: []string{"env"}, Window: 60}}})
	ctx := context.Background()
	if got := r.Route(ctx, signal("env", "staging")); !got.Drop || got.Rule != (oncall.RouteName{RouteOwner: ofOurs, Rule: "staging"}) || got.Version != 4 {
		t.Errorf("staging: %+v, want it dropped by version 4 of our rule", got)
	}
	got := r.Route(ctx, signal("env", "prod"))
	if got.Rule.Rule != "night" || got.Policy != 9 {
		t.Errorf("prod: got the rule %q with policy %d, want night with 9", got.Rule.Rule, got.Policy)
	}
	if got.Severity != oncall.Low || got.Labels["service"] != "disk" {
		t.Errorf("prod: got severity %s and service %q, want %s and disk", got.Severity, got.Labels["service"], oncall.Low)
	}
	if got.Hold != 300 {
		t.Errorf("prod: got a hold of %d s, want 300", got.Hold)
	}
	if got := r.Route(ctx, signal()); got.Rule != (oncall.RouteName{RouteOwner: ofTeam, Rule: "rest"}) || got.Policy != 5 || got.Grouping == nil {
		t.Errorf("the team's list: %+v; want Rule %v, Policy 5 and Grouping non-nil", got, (oncall.RouteName{RouteOwner: ofTeam, Rule: "rest"}))
	}
	routing, verdicts := r.Explain(ctx, signal("env", "prod"))
	if fmt.Sprint(routing) != fmt.Sprint(got) && routing.Rule.Rule != "night" {
		t.Errorf("explained as %+v, want %+v", routing, got)
	}
	var said []string
	for _, v := range verdicts {
		said = append(said, fmt.Sprint(v.Rule.Name, v.Matched, v.Reached))
	}
	if want := []string{"stagingfalse true", "nighttrue true", "againfalse false", "restfalse false"}; !slices.Equal(said, want) {
		t.Errorf("verdicts %v, want %v", said, want)
	}
	if why := verdicts[0].Why; why != `labels.env is staging: it is "prod"` {
		t.Errorf("the first rule does not match because %s, want %s", why, `labels.env is staging: it is "prod"`)
	}
}

func TestDefaultAppliesIfNoRuleMatches(t *testing.T) {
	r := router(t, []Rule{{Name: "a", If: []string{"labels.env is x"}, Drop: true}}, nil)
	got := r.Route(context.Background(), signal())
	if got.Matched() || got.Drop {
		t.Errorf("got matched %t, dropped %t, want neither: %+v", got.Matched(), got.Drop, got)
	}
	if got.Policy != 0 || got.Hold != 0 {
		t.Errorf("got policy %d and a hold of %d s, want neither", got.Policy, got.Hold)
	}
}

func TestShadowRulesHaveNoEffect(t *testing.T) {
	r := router(t,
		[]Rule{
			{Name: "try", If: []string{"labels.env is prod"}, Drop: true, Shadow: true},
			{Name: "live", If: []string{"labels.env is prod"}, Policy: 9},
			{Name: "never", If: []string{"labels.env exists"}, Drop: true, Shadow: true},
		}, nil)
	got := r.Route(context.Background(), signal("env", "prod"))
	if got.Drop || got.Policy != 9 {
		t.Errorf("got dropped %t, policy %d, want policy 9 not dropped", got.Drop, got.Policy)
	}
	if len(got.Shadow) != 1 {
		t.Fatalf("got in shadow %+v, want one rule", got.Shadow)
	}
	if s := got.Shadow[0]; s.Rule.Rule != "try" || s.Would != "drop it" {
		t.Errorf("got that %q would %q, want that try would drop it", s.Rule.Rule, s.Would)
	}
	r.Lists[0] = Compile(Definition{Owner: ofOurs, Shadow: true, Rules: r.Lists[0].Rules})
	got = r.Route(context.Background(), signal("env", "prod"))
	if got.Matched() || len(got.Shadow) != 2 || got.Shadow[1].Policy != 9 {
		t.Errorf("a list in shadow: %+v; want no match, and two routes in shadow, of which the second leads to policy 9", got)
	}
}

func TestFailingRuleDoesNotMatch(t *testing.T) {
	slow := `[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, title.size() + a + b + c + d + e))))).size() > 3`
	r := router(t, []Rule{
		{Name: "slow", When: slow, Drop: true},
		{Name: "late", When: `title == "Disk full"`, Drop: true},
		{Name: "words", If: []string{"title is Disk full"}, Policy: 9},
	}, []Rule{{Name: "wrong", When: `int(labels.port) > 3`, Drop: true}})
	began := time.Now()
	got := r.Route(context.Background(), signal())
	if took := time.Since(began); took > 20*time.Second { // milliseconds, on an idle machine
		t.Errorf("a rule beyond its cost limit ran for %s, want it stopped at once", took)
	}
	if got.Drop || got.Policy != 9 {
		t.Errorf("got dropped %t, policy %d, want policy 9 not dropped", got.Drop, got.Policy)
	}
	if len(got.Failed) != 2 {
		t.Fatalf("got failed %+v, want two rules", got.Failed)
	}
	if why := got.Failed[0].Why; why != errCost.Error() {
		t.Errorf("got the first failed because %q, want %q", why, errCost)
	}
	if why := got.Failed[1].Why; !strings.Contains(why, "rules before it") {
		t.Errorf("got the second failed because %q, want it with %q", why, "rules before it")
	}
	r.Lists = r.Lists[1:]
	if got = r.Route(context.Background(), signal("port", "x")); got.Drop || len(got.Failed) != 1 || !strings.Contains(got.Failed[0].Why, "type conversion error") {
		t.Errorf("a port that is no number: %+v, want the rule to fail and drop nothing", got)
	}
	if got = r.Route(context.Background(), signal("port", "80")); !got.Drop {
		t.Errorf("port 80: %+v, want it dropped", got)
	}
}

func TestDeadlineIsReported(t *testing.T) {
	r := router(t, []Rule{{Name: "loop", When: `[1,2,3,4,5,6,7,8,9].exists(a, [1,2,3,4,5,6,7,8,9].exists(b, [1,2,3,4,5,6,7,8,9].exists(c, title == string(a + b + c))))`, Drop: true}}, nil)
	var logged error
	r.Log = func(_ oncall.RouteName, err error) { logged = err }
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := r.Route(ctx, signal()); got.Drop || len(got.Failed) != 1 || !OutOfTime(logged) {
		t.Errorf("%+v, logged %v; want it not dropped, one rule failed and its time limit logged", got, logged)
	}
}

func TestCostIsDeterministic(t *testing.T) {
	e, err := compileWhen(`labels.exists(k, labels[k].contains("web")) && title.startsWith("D") && [1,2,3].exists(x, x > 2)`)
	if err != nil {
		t.Fatal(err)
	}
	f := facts
	_, first, err := e.eval(context.Background(), f.vars())
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, cost, err := e.eval(context.Background(), f.vars()); err != nil || cost != first {
			t.Fatalf("it costs %d, and once %d; %v", first, cost, err)
		}
	}
}

func TestMissingLabelsAreEmpty(t *testing.T) {
	for written, want := range map[string]bool{
		`labels.region == ""`:                                     true,
		`labels["region"] == ""`:                                  true,
		`has(labels.region)`:                                      false,
		`has(labels.env)`:                                         true,
		`"env" in labels && !("region" in labels)`:                true,
		`labels.env == "prod" && title.startsWith("Disk")`:        true,
		`labels.instance.matches("^web-[0-9]+$")`:                 true,
		`severity in ["critical", "high"]`:                        true,
		`labels.exists(k, labels[k] == "shop")`:                   true,
		`labels["app.kubernetes.io/name"] == "shop"`:              true,
		`double(details.value) > 97.5`:                            true,
		`lower(title).contains("DISK")`:                           false,
		`lower(title).contains("disk")`:                           true,
		`get(labels, "region", "eu") == "eu"`:                     true,
		`service == "checkout" && dedup_key.endsWith("web-1")`:    true,
		`size(labels) == 4`:                                       true,
		`body.size() > 3 && kind == "alertmanager" && link != ""`: true,
	} {
		e, err := compileWhen(written)
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		value, _, err := e.eval(context.Background(), facts.vars())
		if err != nil || value.Value() != want {
			t.Errorf("%s: %v, %v, want %v", written, value, err, want)
		}
	}
}

func TestListProblemsNameTheRule(t *testing.T) {
	to := Rule{Name: "a", Policy: 1}
	for want, rules := range map[string][]Rule{
		"rule 1: it has no name":                     {{Policy: 1}},
		"two of that name":                           {{Name: "a", If: []string{"title is x"}, Policy: 1}, {Name: "a", Policy: 1}},
		"it does nothing":                            {{Name: "a", If: []string{"title is x"}}},
		"needs a condition about the alert itself":   {{Name: "a", Drop: true}},
		"to silence a whole integration, mute it":    {{Name: "a", If: []string{"integration is prometheus", "title exists"}, Drop: true}},
		"so nothing else can be done":                {{Name: "a", If: []string{"title is x"}, Drop: true, Policy: 1}},
		`nothing comes to it: rule "a" before it`:    {to, {Name: "b", Policy: 2}},
		`there is no "titel"; did you mean "title"?`: {{Name: "a", When: `titel == "x"`, Policy: 1}},
		`did you mean "=="?`:                         {{Name: "a", When: `title = "x"`, Policy: 1}},
		"it gives string; it must give bool":         {{Name: "a", When: `title`, Policy: 1}},
		"always says the same":                       {{Name: "a", When: `1 < 2`, Drop: true}},
		"at character 9: it ends too early":          {{Name: "a", When: `title + `, Policy: 1}},
		"no matching overload":                       {{Name: "a", When: `title > 3`, Policy: 1}},
		`severity is "bad"`:                          {{Name: "a", Severity: "bad"}},
		"hold may be 1s to 24h":                      {{Name: "a", Hold: 90_000}},
		"it has 21 conditions":                       {{Name: "a", If: slices.Repeat([]string{"title is x"}, 21), Policy: 1}},
		"there are 201 rules":                        slices.Repeat([]Rule{to}, 201),
		`if "labels.env = x": "=" is none of`:        {{Name: "a", If: []string{"labels.env = x"}, Policy: 1}},
		`label "": its name is missing`:              {{Name: "a", Labels: map[string]string{"": "x"}}},
		"it is longer than 4000 characters":          {{Name: "a", When: strings.Repeat("x", 4_001), Policy: 1}},
		"recursion limit exceeded":                   {{Name: "a", When: strings.Repeat("(", 200) + "title" + strings.Repeat(")", 200) + ` == ""`, Policy: 1}},
	} {
		if p := Problems(rules); len(p) == 0 || !strings.Contains(strings.Join(p, "\n"), want) {
			t.Errorf("got the problems %q, want %q", p, want)
		}
	}
	if p := Problems([]Rule{{Name: "s", Shadow: true, Policy: 1}, to}); len(p) > 0 {
		t.Errorf("what is in shadow takes nothing: %q, want none", p)
	}
}

func TestInvalidStoredRuleNeverMatches(t *testing.T) {
	l := Compile(Definition{Owner: ofOurs, Rules: []Rule{{Name: "new", If: []string{"title sounds like x"}, Drop: true}, {Name: "old", Policy: 2}}})
	r := &Router{Integration: prometheus, Lists: []*List{l}, Policy: func(oncall.PolicyID) string { return "" }}
	if got := r.Route(context.Background(), signal()); got.Drop || got.Policy != 2 || len(got.Failed) != 1 {
		t.Errorf("a policy that is gone: %+v, want policy 2 and one failed rule", got)
	}
}

func TestRemovedPolicyUsesTheDefault(t *testing.T) {
	r := router(t, []Rule{{Name: "gone", Policy: 2, Severity: oncall.Low}}, nil)
	r.Usable = func(oncall.PolicyID) bool { return false }
	if got := r.Route(context.Background(), signal()); got.Policy != 0 || got.Severity != oncall.Low || len(got.Failed) != 1 {
		t.Errorf("without a usable policy: %+v, want none, low severity and one failed rule", got)
	}
}

// A model: rules over a few values, decided by checking each in turn.
func TestListsDecideAsTheModelDoes(t *testing.T) {
	values := []string{"", "a", "b", "ab", "b.a"}
	type asked struct {
		label, verb, value string
	}
	holds := func(a asked, labels map[string]string) bool {
		v := labels[a.label]
		switch a.verb {
		case "is":
			return v == a.value
		case "is not":
			return v != a.value
		case "starts with":
			return len(v) >= len(a.value) && v[:len(a.value)] == a.value
		case "does not contain":
			return !strings.Contains(v, a.value)
		case "exists":
			return v != ""
		case "is one of":
			return v == a.value || v == "b"
		default:
			return v == a.value // matches, whole
		}
	}
	verbs := []string{"is", "is not", "starts with", "does not contain", "exists", "is one of", "matches"}
	for seed := range seeds(2_000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var rules []Rule
		var model [][]asked
		for i := range 1 + rnd.IntN(6) {
			r := Rule{Name: fmt.Sprint(i), Policy: oncall.PolicyID(i + 1), Shadow: rnd.IntN(4) == 0}
			var all []asked
			for range 1 + rnd.IntN(3) {
				a := asked{fmt.Sprintf("l%d", rnd.IntN(2)), verbs[rnd.IntN(len(verbs))], values[1+rnd.IntN(3)]}
				all = append(all, a)
				text := "labels." + a.label + " " + a.verb
				switch a.verb {
				case "exists":
				case "is one of":
					text += " " + a.value + ", b"
				default:
					text += " " + a.value
				}
				r.If = append(r.If, text)
			}
			rules, model = append(rules, r), append(model, all)
		}
		labels := map[string]string{}
		for i := range 2 {
			if v := values[rnd.IntN(len(values))]; v != "" {
				labels[fmt.Sprintf("l%d", i)] = v
			}
		}
		want, shadows := oncall.PolicyID(0), 0
		for i, all := range model {
			if slices.ContainsFunc(all, func(a asked) bool { return !holds(a, labels) }) {
				continue
			}
			if rules[i].Shadow {
				shadows++
				continue
			}
			want = oncall.PolicyID(i + 1)
			break
		}
		s := oncall.Signal{Title: "x", Labels: labels}
		got, verdicts := router(t, rules, nil).Explain(context.Background(), s)
		if got.Policy != want || len(got.Shadow) != shadows || len(verdicts) != len(rules) {
			t.Fatalf("seed %d: rules %+v of %v: %+v; want policy %d and %d in shadow", seed, rules, labels, got, want, shadows)
		}
	}
}

package oncall

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// routed returns an integration whose rules route alerts by some labels.
func routed() *stored {
	list := RouteOwner{Integration: 3}
	return &stored{route: func(s Signal) Routing {
		rule := func(name string, r Routing) Routing {
			r.Rule, r.Version, r.Does = RouteName{RouteOwner: list, Rule: name}, 7, name+" does"
			return r
		}
		switch does := s.Labels["route"]; {
		case does == "drop unless critical" && s.Severity != Critical:
			return rule(does, Routing{Drop: true})
		case does == "night":
			return rule(does, Routing{Policy: 2})
		case does == "night when critical" && s.Severity == Critical:
			return rule(does, Routing{Policy: 2})
		case does == "hold":
			return rule(does, Routing{Hold: 300})
		case does == "low":
			return rule(does, Routing{Severity: Low, Labels: map[string]string{"service": "disk", "route": "was low"}})
		case does == "group":
			return rule(does, Routing{Grouping: &Grouping{By: []string{"route"}, Window: 300}})
		case does == "drop when critical" && s.Severity == Critical:
			return rule(does, Routing{Drop: true})
		case does == "try":
			return Routing{
				Shadow: []ShadowRoute{{Rule: RouteName{RouteOwner: list, Rule: "shy"}, Would: "drop it"}},
				Failed: []FailedRoute{{Rule: RouteName{RouteOwner: list, Rule: "broken"}, Why: "no such key"}},
			}
		}
		return Routing{}
	}}
}

func routedTo(route, key string, sev Severity) Signal {
	s := fires(key)
	s.Severity, s.Labels = sev, map[string]string{"route": route}
	return s
}

func (s *stored) tally(rule string) RouteTally {
	t := s.tallies[RouteName{RouteOwner: RouteOwner{Integration: 3}, Rule: rule}]
	t.At = time.Time{}
	return t
}

func TestRuleChoosesPolicy(t *testing.T) {
	t.Parallel()
	s := routed()
	changes := s.fold(noon, routedTo("night", "a", High), routedTo("", "b", High))
	equal(t, "policies", []PolicyID{s.incidents[1].PolicyID, s.incidents[2].PolicyID}, []PolicyID{2, 1})
	equal(t, "pages", callsIn(changes), 2)
	equal(t, "told", count(changes, EventRouted), 1)
	equal(t, "tally", s.tally("night"), RouteTally{Matched: 1})
	equal(t, "what no rule matches is stored as ever", s.alerts[2].Route, (*AlertRoute)(nil))
	changes = s.fold(noon.Add(time.Minute), routedTo("night", "a", High), routedTo("night", "a", Low))
	equal(t, "asked again", s.tally("night").Matched, 1)
	equal(t, "pages again", callsIn(changes), 0)
	s.fold(noon.Add(2*time.Minute), clears("a"))
	equal(t, "closed by its key, wherever it went", s.incidents[1].Status, Resolved)
}

func TestDroppedAlertsAreCountedAndPageWithoutRule(t *testing.T) {
	t.Parallel()
	s := routed()
	changes := s.fold(noon, routedTo("drop unless critical", "a", High), routedTo("drop unless critical", "a", High), routedTo("drop unless critical", "b", Low))
	equal(t, "incidents", len(s.incidents), 0)
	equal(t, "pages", callsIn(changes), 0)
	equal(t, "results", s.results, []FoldResult{FoldDropped, FoldDropped, FoldDropped})
	equal(t, "alerts", len(s.alerts), 2)
	equal(t, "tally", s.tally("drop unless critical"), RouteTally{Matched: 3, Dropped: 3})
	s.fold(noon.Add(time.Minute), routedTo("drop unless critical", "a", Critical))
	equal(t, "worse", []any{len(s.incidents), s.incidents[1].Severity, s.alerts[1].Dropped}, []any{1, Critical, false})
	s.route = nil // somebody removes the rules
	s.fold(noon.Add(2*time.Minute), routedTo("drop unless critical", "b", Low))
	equal(t, "without the rule", len(s.incidents), 2)
	s.fold(noon.Add(3*time.Minute), clears("a"), clears("b"))
	equal(t, "closed", []Status{s.incidents[1].Status, s.incidents[2].Status}, []Status{Resolved, Resolved})
}

func TestFiringListWithDroppedAndHeldAlerts(t *testing.T) {
	t.Parallel()
	s := routed()
	inGroup := func(sig Signal) Signal { sig.GroupKey = "g"; return sig }
	list := func(present ...string) Signal { return Signal{Action: Reconcile, GroupKey: "g", Present: present} }
	s.fold(noon, inGroup(routedTo("", "a", High)), inGroup(routedTo("drop unless critical", "b", High)), inGroup(routedTo("hold", "c", High)), list("a", "b", "c"))
	equal(t, "incidents", len(s.incidents), 1)
	s.fold(noon.Add(time.Minute), inGroup(routedTo("drop unless critical", "b", High)), inGroup(routedTo("hold", "c", High)), list("b", "c"))
	equal(t, "what is no longer listed is over", s.incidents[1].Status, Resolved)
	s.fold(noon.Add(2*time.Minute), list("b"))
	equal(t, "so is what was held", []any{s.alerts[3].Firing, s.alerts[3].HeldUntil}, []any{false, (*time.Time)(nil)})
	equal(t, "tally", s.tally("hold"), RouteTally{Matched: 1, Held: 1, Passed: 1})
	equal(t, "incidents", len(s.incidents), 1)
}

func TestHeldAlertPagesOnlyIfItLasts(t *testing.T) {
	t.Parallel()
	s := routed()
	release := func(key int) Signal { return ReleaseOf(s.alerts[AlertID(key)]) }
	s.fold(noon, routedTo("hold", "a", High), routedTo("hold", "b", High))
	equal(t, "incidents", len(s.incidents), 0)
	equal(t, "until", *s.alerts[1].HeldUntil, noon.Add(5*time.Minute))
	s.fold(noon.Add(time.Minute), routedTo("hold", "a", High), clears("b"))
	s.fold(noon.Add(4*time.Minute), release(1)) // too early: a stale timer does nothing
	equal(t, "incidents before its time", len(s.incidents), 0)
	changes := s.fold(noon.Add(5*time.Minute), release(1), release(2), release(1))
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "opened", s.incidents[1].OpenedAt, noon.Add(5*time.Minute))
	equal(t, "tally", s.tally("hold"), RouteTally{Matched: 3, Held: 2, Passed: 1})
	s.fold(noon.Add(6*time.Minute), clears("a"))
	equal(t, "closed", s.incidents[1].Status, Resolved)
	// It fires again at once. A recently closed incident is reopened only if the alert lasts long enough
	// again.
	s.fold(noon.Add(7*time.Minute), routedTo("hold", "a", High))
	equal(t, "held again", s.incidents[1].Status, Resolved)
	// A signal that arrives when the hold is over has the same effect as the timer.
	s.fold(noon.Add(13*time.Minute), routedTo("hold", "a", High))
	equal(t, "incidents", len(s.incidents), 2)
}

func TestCriticalAlertIsNeverHeld(t *testing.T) {
	t.Parallel()
	s := routed()
	changes := s.fold(noon, routedTo("hold", "a", Critical), routedTo("hold", "b", High))
	equal(t, "pages", callsIn(changes), 1)
	changes = s.fold(noon.Add(time.Second), routedTo("hold", "b", Critical))
	equal(t, "pages when it gets critical", callsIn(changes), 1)
	equal(t, "incidents", len(s.incidents), 2)
}

func TestHeldAlertsDoNotCountForStorm(t *testing.T) {
	t.Parallel()
	s := routed()
	s.limit = 4
	for i := range 20 {
		s.fold(noon, routedTo("hold", fmt.Sprint("h", i), High))
	}
	changes := s.fold(noon.Add(time.Second), fires("a"))
	equal(t, "storms", count(changes, EventStorm), 0)
	equal(t, "incidents", len(s.incidents), 1)
}

func TestRuleSetsSeverityAndLabels(t *testing.T) {
	t.Parallel()
	s := routed()
	s.fold(noon, routedTo("low", "a", High))
	equal(t, "severity", s.incidents[1].Severity, Low)
	equal(t, "labels", s.alerts[1].Labels, map[string]string{"service": "disk", "route": "was low"})
	s.fold(noon.Add(time.Minute), routedTo("low", "a", High), Signal{Action: Trigger, DedupKey: "a"})
	equal(t, "severity when it is repeated", []Severity{s.incidents[1].Severity, s.alerts[1].Severity}, []Severity{Low, Low})
	equal(t, "labels when it is repeated", s.alerts[1].Labels, map[string]string{"service": "disk", "route": "was low"})
	s.fold(noon.Add(2*time.Minute), Signal{Action: Trigger, DedupKey: "a", Severity: Critical}) // matched against the labels as sent
	equal(t, "asked again", s.tally("low").Matched, 2)
	s.route = nil
	s.fold(noon.Add(3*time.Minute), routedTo("low", "a", Critical))
	equal(t, "labels once the rules are gone", s.alerts[1].Labels["service"], "disk")
}

func TestRuleSetsGrouping(t *testing.T) {
	t.Parallel()
	s := routed()
	s.fold(noon, routedTo("group", "a", High), routedTo("group", "b", High), routedTo("", "c", High))
	equal(t, "incidents", len(s.incidents), 2)
	equal(t, "of one group", s.alerts[1].IncidentID, s.alerts[2].IncidentID)
	s.fold(noon.Add(6*time.Minute), routedTo("group", "d", High))
	equal(t, "after its window", len(s.incidents), 3)
}

func TestGroupedAlertPagesItsRoutedPolicy(t *testing.T) {
	t.Parallel()
	s := routed()
	inGroup := func(sig Signal) Signal { sig.GroupKey = "g"; return sig }
	changes := s.fold(noon, inGroup(routedTo("", "a", High)), inGroup(routedTo("night", "b", High)), inGroup(routedTo("", "c", High)), inGroup(routedTo("night", "d", High)))
	equal(t, "incidents", len(s.incidents), 2)
	equal(t, "pages", callsIn(changes), 2)
	equal(t, "policies", []PolicyID{s.incidents[1].PolicyID, s.incidents[2].PolicyID}, []PolicyID{1, 2})
	equal(t, "each in its own", []IncidentID{s.alerts[1].IncidentID, s.alerts[2].IncidentID, s.alerts[3].IncidentID, s.alerts[4].IncidentID}, []IncidentID{1, 2, 1, 2})
	s.fold(noon.Add(time.Minute), Signal{Action: Reconcile, GroupKey: "g", Present: []string{"a"}})
	equal(t, "closed by the group", []Status{s.incidents[1].Status, s.incidents[2].Status}, []Status{Triggered, Resolved})
}

func TestRoutesAreEvaluatedAgainWhenSeverityRises(t *testing.T) {
	t.Parallel()
	s := routed()
	s.fold(noon, routedTo("night when critical", "a", Low))
	equal(t, "at first", s.incidents[1].PolicyID, PolicyID(1))
	changes := s.fold(noon.Add(time.Minute), routedTo("night when critical", "a", Critical))
	equal(t, "worse", []any{s.incidents[1].PolicyID, s.incidents[1].Severity, s.incidents[1].Status}, []any{PolicyID(2), Critical, Triggered})
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "told", count(changes, EventRouted), 1)
	changes = s.fold(noon.Add(2*time.Minute), routedTo("night when critical", "a", High), routedTo("night when critical", "a", Critical))
	equal(t, "less, and as bad again", []any{callsIn(changes), count(changes, EventRouted)}, []any{0, 0})

	// The holder is told, and keeps the incident.
	s = routed()
	s.fold(noon, routedTo("night when critical", "a", High))
	in, _ := s.incidents[1].Do(Act{Do: ActAck}, ByUser("U0ANN"), Facts{}, noon)
	s.incidents[1] = in.Incident
	changes = s.fold(noon.Add(time.Minute), routedTo("night when critical", "a", Critical))
	equal(t, "acknowledged", []any{s.incidents[1].PolicyID, s.incidents[1].Status, callsIn(changes)}, []any{PolicyID(2), Acknowledged, 1})

	// Somebody assigned it to another policy, which stays.
	s = routed()
	s.fold(noon, routedTo("night when critical", "a", High))
	given := s.incidents[1]
	given.PolicyID = 9
	s.incidents[1] = given
	s.fold(noon.Add(time.Minute), routedTo("night when critical", "a", Critical))
	equal(t, "given away", s.incidents[1].PolicyID, PolicyID(9))
}

func TestShownAlertIsNotDroppedWhenSeverityRises(t *testing.T) {
	t.Parallel()
	s := routed()
	s.fold(noon, routedTo("drop when critical", "a", High))
	s.fold(noon.Add(time.Minute), routedTo("drop when critical", "a", Critical))
	equal(t, "incident", []any{s.incidents[1].Status, s.incidents[1].Severity, s.alerts[1].Dropped}, []any{Triggered, Critical, false})
}

func TestShadowAndFailuresAreToldAndChangeNothing(t *testing.T) {
	t.Parallel()
	s := routed()
	changes := s.fold(noon, routedTo("try", "a", High))
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "told", []int{count(changes, EventRouteShadow), count(changes, EventRouteFailed), count(changes, EventRouted)}, []int{1, 1, 0})
	equal(t, "tallies", []RouteTally{s.tally("shy"), s.tally("broken")}, []RouteTally{{Shadow: 1}, {Failed: 1, Error: "no such key"}})
	changes = s.fold(noon.Add(time.Second), routedTo("try", "a", High))
	equal(t, "once", count(changes, EventRouteShadow), 0)
}

func TestMutedAlertStaysHeld(t *testing.T) {
	t.Parallel()
	s := routed()
	s.fold(noon, routedTo("hold", "a", High))
	s.run(1, func(f *Fold) {
		f.Integration.Muted = true
		s.results = append(s.results, f.Receive(ReleaseOf(s.alerts[1]), noon.Add(10*time.Minute)).Result)
	})
	equal(t, "results", s.results, []FoldResult{FoldHeld, FoldMuted})
	s.fold(noon.Add(20*time.Minute), ReleaseOf(s.alerts[1]))
	equal(t, "incidents once it isn't", len(s.incidents), 1)
}

// No matter in which order signals arrive, a firing alert that no rule drops has an open incident or
// is held, and one that has ended is neither held nor dropped.
func TestRoutesLoseNothing(t *testing.T) {
	t.Parallel()
	routes := []string{"", "drop unless critical", "night", "night when critical", "hold", "low", "group", "drop when critical", "try"}
	for seed := range seeds(400) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		s := routed()
		s.limit = 3 * rnd.IntN(2)
		now := noon
		for range 60 {
			now = now.Add(time.Duration(rnd.IntN(120)) * time.Second)
			key := fmt.Sprint("k", rnd.IntN(6))
			switch rnd.IntN(5) {
			case 0:
				s.fold(now, clears(key))
			case 1:
				for _, a := range s.alerts {
					if a.Firing && a.HeldUntil != nil && !now.Before(*a.HeldUntil) {
						s.fold(now, ReleaseOf(a))
					}
				}
			case 2:
				s.fold(now, Signal{Action: Update, DedupKey: key, Severity: []Severity{Low, High, Critical}[rnd.IntN(3)]})
			default:
				sig := routedTo(routes[rnd.IntN(len(routes))], key, []Severity{Low, High, Critical}[rnd.IntN(3)])
				if rnd.IntN(2) == 0 {
					sig.GroupKey = fmt.Sprint("g", rnd.IntN(2))
				}
				s.fold(now, sig)
			}
			for _, a := range s.alerts {
				in := s.incidents[a.IncidentID]
				switch {
				case !a.Firing && a.suppressed(), !a.Firing && (a.Dropped || a.HeldUntil != nil):
					t.Fatalf("seed %d: %s is over, and held or dropped", seed, a.DedupKey)
				case a.suppressed() && a.IncidentID != 0:
					t.Fatalf("seed %d: %s is held or dropped, and has incident %d", seed, a.DedupKey, a.IncidentID)
				case a.HeldUntil != nil && (a.Severity == Critical || a.HeldUntil.After(a.FirstAt.Add(5*time.Minute))):
					t.Fatalf("seed %d: %s is %s and held until %s", seed, a.DedupKey, a.Severity, a.HeldUntil)
				case a.Firing && !a.suppressed() && !in.Open():
					t.Fatalf("seed %d: %s fires and nobody has it: incident %d is %s", seed, a.DedupKey, in.ID, in.Status)
				}
			}
		}
	}
}

package oncall

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// grouped returns an integration that groups by cluster and service, for five minutes.
func grouped() *stored {
	return &stored{grouping: &Grouping{By: []string{"cluster", "service"}, Window: 300}}
}

func of(cluster, service, key string) Signal {
	s := fires(key)
	s.Labels = map[string]string{"cluster": cluster, "service": service, "host": key}
	return s
}

func TestAlertsOfTheSameLabelsAreOneIncident(t *testing.T) {
	t.Parallel()
	s := grouped()
	changes := s.fold(noon, of("eu", "web", "a"), of("eu", "db", "b"), of("eu", "web", "c"), fires("d"), fires("e"))
	equal(t, "incidents", len(s.incidents), 4)
	equal(t, "pages", callsIn(changes), 4)
	changes = s.fold(noon.Add(5*time.Minute-time.Second), of("eu", "web", "f"))
	equal(t, "within the window", []int{len(s.incidents), callsIn(changes)}, []int{4, 0})
	changes = s.fold(noon.Add(5*time.Minute), of("eu", "web", "g"))
	equal(t, "after the window", []int{len(s.incidents), callsIn(changes)}, []int{5, 1})
	changes = s.fold(noon.Add(6*time.Minute), of("eu", "web", "h"))
	equal(t, "in the next window", []int{len(s.incidents), callsIn(changes)}, []int{5, 0})
	s.fold(noon.Add(7*time.Minute), clears("a"), clears("c"))
	equal(t, "with one that fires", s.incidents[1].Status, Triggered)
	s.fold(noon.Add(7*time.Minute), clears("f"))
	equal(t, "without any", []Status{s.incidents[1].Status, s.incidents[5].Status}, []Status{Resolved, Triggered})
}

func TestMonitorGroupIsNotRegrouped(t *testing.T) {
	t.Parallel()
	s := grouped()
	one, two := of("eu", "web", "a"), of("eu", "web", "b")
	one.GroupKey = "its own"
	s.fold(noon, one, two)
	equal(t, "incidents", len(s.incidents), 2)
	three := of("us", "db", "c")
	three.GroupKey = "its own"
	s.fold(noon.Add(time.Hour), three)
	equal(t, "incidents", len(s.incidents), 2)
}

// An alert that joins an acknowledged incident is reported in the thread. It pages if it is more
// severe or about a new service.
func TestAlertsJoiningAcknowledgedIncident(t *testing.T) {
	t.Parallel()
	s := &stored{grouping: &Grouping{By: []string{"cluster"}, Window: 300}}
	s.fold(noon, of("eu", "web", "a"))
	policy, roster := payments()
	c, err := s.incidents[1].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), noon.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	same := s.fold(noon.Add(time.Minute), of("eu", "web", "b"))
	equal(t, "more of the same", []any{callsIn(same), same[0].Events[0].InThread()}, []any{0, true})
	other := s.fold(noon.Add(time.Minute), of("eu", "db", "c"), of("eu", "db", "d"))
	equal(t, "another service", []any{callsIn(other), other[0].Calls[0].UserID}, []any{1, ann})
	worse := of("eu", "db", "e")
	worse.Severity = Critical
	equal(t, "worse", callsIn(s.fold(noon.Add(2*time.Minute), worse)), 1)
}

// An alert that returns is not about a new service, even if all alerts of its service had cleared.
func TestReturningAlertIsNotNewService(t *testing.T) {
	t.Parallel()
	s := &stored{grouping: &Grouping{By: []string{"cluster"}, Window: 300}}
	s.fold(noon, of("eu", "web", "a"), of("eu", "db", "b"))
	policy, roster := payments()
	c, err := s.incidents[1].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), noon.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	s.fold(noon.Add(time.Minute), clears("b"))
	equal(t, "it comes back", callsIn(s.fold(noon.Add(2*time.Minute), of("eu", "db", "b"))), 0)
	s.fold(noon.Add(time.Minute), clears("b"))
	equal(t, "another one of its service", callsIn(s.fold(noon.Add(2*time.Minute), of("eu", "db", "c"))), 0)
	equal(t, "another service", callsIn(s.fold(noon.Add(2*time.Minute), of("eu", "mail", "d"))), 1)
}

// No matter in which order signals arrive, a firing alert belongs to an open incident of its group
// that opened within the grouping window before it, or to an incident that people closed. Each
// incident has paged.
func TestGroupsInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range seeds(300) {
		r := rand.New(rand.NewPCG(13, seed))
		s, now, paged := grouped(), noon, map[IncidentID]bool{}
		began, last := map[string]time.Time{}, map[string]bool{}
		var log diary
		for range 80 {
			now = now.Add(time.Duration(r.IntN(60)) * time.Second)
			cluster, service := []string{"eu", "us", ""}[r.IntN(3)], []string{"web", "db", ""}[r.IntN(3)]
			sig := of(cluster, service, fmt.Sprintf("%s/%s/%d", cluster, service, r.IntN(4)))
			if r.IntN(3) == 0 {
				sig = clears(sig.DedupKey)
			}
			if sig.Action == Trigger && !last[sig.DedupKey] {
				began[sig.DedupKey] = now
			}
			last[sig.DedupKey] = sig.Action == Trigger
			log.note(now, "%s %s", sig.Action, sig.DedupKey)
			for _, c := range s.fold(now, sig) {
				paged[c.Incident.ID] = paged[c.Incident.ID] || len(c.Calls) > 0
			}
			firing := map[string]bool{}
			for _, a := range s.alerts {
				if !a.Firing {
					continue
				}
				firing[a.DedupKey] = true
				in, first := s.incidents[a.IncidentID], began[a.DedupKey]
				labels := strings.Split(a.DedupKey, "/")
				alone := labels[0] == "" && labels[1] == ""
				own := in.GroupKey == a.GroupKey && strings.HasPrefix(a.GroupKey, groupMark) != alone
				late := first.Sub(in.OpenedAt) >= 5*time.Minute && !alone
				for _, before := range s.alerts { // it already belonged to it
					late = late && (before.Firing || before.DedupKey != a.DedupKey || before.IncidentID != a.IncidentID)
				}
				if !in.Open() || !own {
					t.Fatalf("seed %d: %s is in %+v: got open %t, its group's %t, want both\nafter\n%s", seed, a.DedupKey, in, in.Open(), own, log)
				}
				if late || !paged[in.ID] {
					t.Fatalf("seed %d: %s is in %+v: got late %t, paged %t, want in time and paged\nafter\n%s", seed, a.DedupKey, in, late, paged[in.ID], log)
				}
			}
			for key, fires := range last {
				if fires != firing[key] {
					t.Fatalf("seed %d: %s fires: %v, want %v\nafter\n%s", seed, key, firing[key], fires, log)
				}
			}
		}
	}
}

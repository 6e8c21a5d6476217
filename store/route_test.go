package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// ruled gives the integration routing rules.
func ruled(rules ...setup.Route) func(*setup.Setup) {
	return func(s *setup.Setup) { s.Integrations[0].Routes = rules }
}

func (w *world) owner() oncall.RouteOwner { return oncall.RouteOwner{Integration: w.integration} }

func (w *world) routes(by oncall.Actor) store.RouteHistory {
	w.t.Helper()
	return must[store.RouteHistory](w.t)(w.RouteHistory(w.t.Context(), by, w.owner()))
}

func holding() setup.Route {
	return setup.Route{Name: "probes", If: []string{"title starts with probe"}, Hold: "5m"}
}

func TestListsOfRulesHaveVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if h := w.routes(oncall.ByUser(ann)); len(h.Versions) != 0 || len(h.Tallies) != 0 {
		t.Errorf("at first there is %+v; want no versions and no tallies", h)
	}
	drop := setup.Route{Name: "staging", If: []string{"labels.env is staging"}, Drop: true}
	w.grow(ruled(holding()))
	w.advance(time.Hour)
	w.grow(ruled(holding())) // an unchanged version is not saved
	w.grow(ruled(drop, holding()))
	w.advance(time.Hour)
	w.grow(func(*setup.Setup) {})
	h := w.routes(oncall.ByUser(ann))
	var said []string
	for _, v := range h.Versions {
		said = append(said, fmt.Sprintf("%d: %d rules, %s", v.Version, len(v.Rules), v.SavedAt.Sub(start)))
	}
	if want := []string{"3: 0 rules, 2h0m0s", "2: 2 rules, 1h0m0s", "1: 1 rules, 0s"}; !slices.Equal(said, want) {
		t.Errorf("versions %q, want %q", said, want)
	}
	if all := must[[]route.Definition](t)(w.RouteLists(t.Context(), oncall.ByUser(ann), []oncall.RouteOwner{w.owner()})); len(all) != 0 {
		t.Errorf("in force: %+v, want none", all)
	}
	if _, err := w.RouteHistory(t.Context(), oncall.ByUser(ann), oncall.RouteOwner{Integration: 99}); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("of nobody: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// A dry run reports what would be saved, including the ids, and saves nothing.
func TestDryRunReportsIDsAndSavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := payments()
	doc.Policies = append(doc.Policies, setup.Policy{Name: "night", Team: "payments", Steps: []setup.Step{{Page: []string{"user di"}}}})
	doc.Integrations[0].Routes = []setup.Route{{Name: "nights", If: []string{"title starts with night"}, To: "night"}}
	before := must[*store.Directory](t)(w.Directory(t.Context()))
	for _, write := range []bool{false, true} {
		made := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, store.ApplyOptions{Write: write}, start))
		if made.After == nil || len(made.Routes) != 1 {
			t.Fatalf("report: %+v; want the set-up afterwards and one route", made)
		}
		signal := trigger("night")
		was, is := before.OutcomeFacts(t.Context(), w.integration).Outcome(signal, start), made.After.OutcomeFacts(t.Context(), w.integration).Outcome(signal, start)
		if was.Policy == is.Policy || made.After.Policies[is.Policy].Name != "night" {
			t.Errorf("written: %t: it goes from %+v to %+v; want it to go to the policy night, as it did not before", write, was, is)
		}
		if is.Rule.Rule != "nights" || len(is.Failed) != 0 {
			t.Errorf("written: %t: it goes to %+v; want it to go there by the rule nights, with no rule failed", write, is)
		}
		if n := w.count(`SELECT count(*) FROM route_lists`); (n == 1) != write {
			t.Errorf("written: %t: %d lists, want 1 only if it is written", write, n)
		}
	}
	if made := must[store.ApplyReport](t)(w.Apply(t.Context(), doc, store.ApplyOptions{}, start)); made.After != nil {
		t.Error("nothing changes, and yet it is looked at")
	}
}

// Two simultaneous edits make two versions, and neither is lost.
func TestConcurrentRuleEditsMakeTwoVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := make(chan error, 4)
	for i := range 4 {
		s := w.another()
		go func() {
			doc := payments()
			ruled(setup.Route{Name: fmt.Sprint("r", i), If: []string{"title is x"}, Severity: oncall.Low})(&doc)
			_, err := s.Apply(context.Background(), doc, store.ApplyOptions{Write: true}, start)
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if h := w.routes(oncall.ByUser(ann)); len(h.Versions) != 4 || h.Versions[0].Version != 4 {
		t.Errorf("%d versions; want 4, the newest first", len(h.Versions))
	}
}

// A held alert that lasts pages once, even if the instance that held it is dead and several check at once.
func TestHeldAlertSurvivesItsInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(ruled(holding(), setup.Route{Name: "broken", When: `int(title) > 3`, Drop: true}))
	stop := w.run(w.System)
	w.accept(trigger("probe-1"), trigger("probe-2"), trigger("disk"))
	w.fold()
	w.accept(resolve("probe-2"))
	w.fold()
	stop()
	if got := w.strings(`SELECT title FROM incidents ORDER BY id`); !slices.Equal(got, []string{"disk is full"}) {
		t.Fatalf("incidents: %q, want %q", got, []string{"disk is full"})
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE held_until = $1 AND firing`, start.Add(5*time.Minute)); n != 1 {
		t.Errorf("%d are held, want 1", n)
	}
	w.advance(5 * time.Minute)
	w.run(w.another())
	w.run(w.another())
	w.until("what was held pages", func() bool { return w.count(`SELECT count(*) FROM incidents`) == 2 })
	w.fold()
	if n := w.count(`SELECT count(*) FROM pages p JOIN incidents i ON i.id = p.incident_id WHERE i.title = 'probe-1 is full'`); n != 1 {
		t.Errorf("%d pages of what was held, want one", n)
	}
	h := w.routes(oncall.ByUser(ann))
	if got := h.Tallies["probes"]; got.Matched != 3 || got.Held != 2 || got.Passed != 1 {
		t.Errorf("counted: %+v; want Matched 3, Held 2 and Passed 1", got)
	}
	if got := h.Tallies["broken"]; got.Failed != 1 || got.Error == "" {
		t.Errorf("what failed: %+v; want Failed 1 and Error not empty", got)
	}
}

// A text that looks like JSON's escape of NUL keeps no held alert from paging, neither its own nor
// others.
func TestHeldAlertWithBackslashesPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(ruled(holding()))
	w.run(w.System)
	w.accept(trigger("probe-1"), trigger(`probe-C:\u0000x`))
	w.fold()
	w.advance(5 * time.Minute)
	w.until("what was held pages", func() bool { return w.count(`SELECT count(*) FROM incidents`) == 2 })
	if got, want := w.strings(`SELECT title FROM incidents ORDER BY title`), []string{"probe-1 is full", `probe-C:\u0000x is full`}; !slices.Equal(got, want) {
		t.Errorf("incidents: %q, want %q", got, want)
	}
}

// At the end of the hold the current rules apply: a removed rule holds nothing, and one that now drops the alert drops it.
func TestHeldAlertIsReconsideredInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(ruled(holding()))
	stop := w.run(w.System)
	w.accept(trigger("probe-1"))
	w.fold()
	stop()
	w.grow(ruled(setup.Route{Name: "no probes", If: []string{"title starts with probe"}, Drop: true}))
	w.advance(5 * time.Minute)
	w.run(w.another())
	w.until("it is dropped", func() bool {
		return w.count(`SELECT count(*) FROM alerts WHERE firing AND dropped AND held_until IS NULL`) == 1
	})
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents, want 0", n)
	}
	w.grow(func(*setup.Setup) {}) // nobody drops it any more: its next signal pages
	w.accept(trigger("probe-1"))
	w.fold()
	if got := w.strings(`SELECT title FROM incidents`); !slices.Equal(got, []string{"probe-1 is full"}) {
		t.Errorf("incidents: %q, want %q", got, []string{"probe-1 is full"})
	}
}

// A muted integration releases nothing, and doesn't try again and again. What it holds pages once it
// is unmuted.
func TestMutedAlertsAreReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grow(ruled(holding()))
	w.run(w.System)
	w.accept(trigger("probe-1"))
	w.fold()
	until := start.Add(time.Hour)
	if err := w.MuteIntegration(t.Context(), oncall.ByUser(ann), "grafana", &until, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.advance(10 * time.Minute)
	w.accept(trigger("disk"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Fatalf("%d incidents while it is muted, want 0", n)
	}
	w.advance(51 * time.Minute)
	w.until("what was held pages", func() bool { return w.count(`SELECT count(*) FROM incidents WHERE title = 'probe-1 is full'`) == 1 })
}

// While an incident is locked, only the signals about it wait, and they keep their order.
func TestLockedIncidentDelaysOnlyItsSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(trigger("disk"))
	w.fold()
	tx, err := w.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), `SELECT id FROM incidents WHERE id = 1 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	w.accept(resolve("disk"), trigger("disk"), trigger("cpu"), resolve("disk"))
	w.until("the other one is open", func() bool { return w.count(`SELECT count(*) FROM incidents WHERE title = 'cpu is full'`) == 1 })
	if n := w.count(`SELECT count(*) FROM inbox`); n != 3 {
		t.Errorf("%d signals wait, want three", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fold()
	if w.status(1) != oncall.Resolved || w.incident(1).Flaps != 1 {
		t.Errorf("it is %s, reopened %d times; want %s and 1", w.status(1), w.incident(1).Flaps, oncall.Resolved)
	}
}

// Only people who may see a private team can see its rules.
func TestRulesOfAPrivateTeamAreNotSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam(func(s *setup.Setup) {
		for i := range s.Teams {
			s.Teams[i].Routes = []setup.Route{{Name: "r", If: []string{"title is x"}, Severity: oncall.Low}}
		}
	})
	var private, open []oncall.RouteOwner
	for _, team := range must[*store.Directory](t)(w.Directory(t.Context())).Teams {
		if team.Private {
			private = append(private, oncall.RouteOwner{Team: team.ID})
		} else {
			open = append(open, oncall.RouteOwner{Team: team.ID})
		}
	}
	if len(private) != 1 || len(open) == 0 {
		t.Fatalf("private %v, open %v; want 1 entry and some", private, open)
	}
	outsider := oncall.ByUser(bo)
	if _, err := w.RouteHistory(t.Context(), outsider, private[0]); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("its history: %v, want the error %v", err, oncall.ErrNotFound)
	}
	all := must[[]route.Definition](t)(w.RouteLists(t.Context(), outsider, slices.Concat(private, open)))
	if len(all) != len(open) {
		t.Errorf("lists seen: %+v, want %v entries", all, len(open))
	}
	if h := must[store.RouteHistory](t)(w.RouteHistory(t.Context(), oncall.ByTimer(), private[0])); len(h.Versions) != 1 {
		t.Errorf("who may see it sees %d versions, want 1", len(h.Versions))
	}
}

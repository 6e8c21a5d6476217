package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// maintained holds maintenance windows of the tests' team.
func maintained(windows ...Maintenance) []Maintenance {
	for i := range windows {
		windows[i].ID, windows[i].TeamID = MaintenanceID(i+1), 1
	}
	return windows
}

func during(from, until time.Duration) Maintenance {
	return Maintenance{StartsAt: noon.Add(from), EndsAt: noon.Add(until)}
}

// releases folds the signals that the upkeep sends for all kept alerts.
func (s *stored) releases(at time.Time) []Change {
	var signals []Signal
	for id := AlertID(1); int(id) <= len(s.alerts); id++ {
		if a := s.alerts[id]; a.Kept && a.Firing {
			signals = append(signals, ReleaseOf(a))
		}
	}
	return s.fold(at, signals...)
}

func TestAlertsFiringInMaintenancePageAtItsEnd(t *testing.T) {
	t.Parallel()
	s := stored{maintenance: maintained(during(0, time.Hour))}
	equal(t, "pages within", callsIn(s.fold(noon, fires("a"), fires("b"), fires("a"))), 0)
	equal(t, "incidents within", len(s.incidents), 0)
	equal(t, "count", s.alerts[1].Count, 2)
	equal(t, "results", s.results, []FoldResult{FoldKept, FoldKept, FoldKept})
	s.fold(noon.Add(10*time.Minute), clears("b"))
	equal(t, "pages before the end", callsIn(s.releases(noon.Add(59*time.Minute))), 0)
	equal(t, "pages at the end", callsIn(s.releases(noon.Add(time.Hour))), 1)
	equal(t, "what pages", s.incidents[1].Title, "a")
	equal(t, "pages twice", callsIn(s.releases(noon.Add(time.Hour))), 0)
	equal(t, "count after the release", s.alerts[1].Count, 2)
	s.fold(noon.Add(2*time.Hour), clears("a"))
	equal(t, "status", s.incidents[1].Status, Resolved)
}

func TestMaintenanceOfSome(t *testing.T) {
	t.Parallel()
	critical := func(s Signal) Signal { s.Severity = Critical; return s }
	of := func(service string) Signal {
		s := fires("a")
		s.Title, s.Labels = "Disk full on db-1", map[string]string{"service": service, "env": "prod"}
		return s
	}
	for name, c := range map[string]struct {
		window Maintenance
		match  string
		signal Signal
		pages  int
	}{
		"all":                     {signal: fires("a")},
		"critical too":            {signal: critical(fires("a"))},
		"critical pages":          {window: Maintenance{PagesCritical: true}, signal: critical(fires("a")), pages: 1},
		"others than critical":    {window: Maintenance{PagesCritical: true}, signal: fires("a")},
		"its integration":         {window: Maintenance{IntegrationID: 3}, signal: fires("a")},
		"another integration":     {window: Maintenance{IntegrationID: 4}, signal: fires("a"), pages: 1},
		"its service":             {match: "service=checkout", signal: of("checkout")},
		"another service":         {match: "service=checkout", signal: of("cart"), pages: 1},
		"the integration's name":  {match: "service=prometheus", signal: fires("a")},
		"a title":                 {match: "title=~Disk.*", signal: of("checkout")},
		"part of a title":         {match: "title=~Disk", signal: of("checkout"), pages: 1},
		"another title":           {match: "title!~Disk.*", signal: of("checkout"), pages: 1},
		"a label":                 {match: "env=prod", signal: of("checkout")},
		"not that label":          {match: "env!=prod", signal: of("checkout"), pages: 1},
		"a label that is missing": {match: "env!=prod", signal: fires("a")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := c.window
			m.StartsAt, m.EndsAt = noon, noon.Add(time.Hour)
			if c.match != "" {
				match, ok, err := ParseMatcher(c.match)
				if !ok || err != nil {
					t.Fatalf("%s: read: %t, %v, want true", c.match, ok, err)
				}
				equal(t, "as written", match.String(), c.match)
				m.Match = []Matcher{match}
			}
			s := stored{maintenance: maintained(m)}
			equal(t, "pages", callsIn(s.fold(noon, c.signal)), c.pages)
		})
	}
}

func TestParseMatcherRefusesInvalidConditions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2h", "=x", "reason", `"a b"=c`, "it's=x", "done!"} {
		if m, ok, err := ParseMatcher(text); ok || err != nil {
			t.Errorf("%q is read as %v, %v, want no matcher and no error", text, m, err)
		}
	}
	for _, text := range []string{"title=~(", "title=" + strings.Repeat("x", maxMatcher)} {
		if _, ok, err := ParseMatcher(text); !ok || err == nil {
			t.Errorf("%q is taken; want it refused as a matcher", text)
		}
	}
	if (Matcher{Field: "title", Op: "=~", Value: ".*"}).meets(Integration{}, Alert{}) {
		t.Error("a matcher that was not compiled meets an alert")
	}
}

func TestMaintenanceThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, until time.Duration
		open        int
		ok          bool
	}{
		{from: 0, until: time.Hour, ok: true},
		{from: -time.Hour, until: time.Hour, ok: true},
		{from: 0, until: 30 * 24 * time.Hour, ok: true},
		{from: 0, until: 30*24*time.Hour + 1},
		{from: time.Hour, until: time.Hour},
		{from: time.Hour, until: 0},
		{from: -2 * time.Hour, until: -time.Hour},
		{from: 0, until: 59 * time.Second},
		{from: 400 * 24 * time.Hour, until: 401 * 24 * time.Hour},
		{from: 0, until: time.Hour, open: maxMaintenance},
	} {
		if err := during(c.from, c.until).Check(c.open, noon); (err == nil) != c.ok {
			t.Errorf("%+v: got %v, want it allowed: %t", c, err, c.ok)
		}
	}
}

// An incident that is open when a window begins continues; an alert that would reopen one waits.
func TestMaintenanceAndIncidents(t *testing.T) {
	t.Parallel()
	s := stored{}
	s.fold(noon, fires("a"), fires("b"))
	policy, roster := payments()
	closed, err := s.incidents[2].Do(Act{Do: ActResolve}, ByUser(bo), facts(policy, roster), noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[2] = closed.Incident
	s.maintenance = maintained(during(2*time.Minute, time.Hour))
	worse := fires("a")
	worse.Severity = Critical
	s.fold(noon.Add(3*time.Minute), worse, fires("b"))
	equal(t, "the open one got worse", s.incidents[1].Severity, Critical)
	equal(t, "the closed one", []any{s.incidents[2].Status, s.alerts[2].Kept}, []any{Resolved, true})
	s.releases(noon.Add(time.Hour))
	equal(t, "the closed one at the end", []any{s.incidents[2].Status, s.alerts[2].Kept, len(s.incidents)}, []any{Triggered, false, 2})
}

// A signal that arrived before the window, or is folded after it, pages, even if it comes from a spool.
func TestMaintenanceByTwoClocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		came, folded time.Duration
		pages        int
	}{
		"within":               {10 * time.Minute, 11 * time.Minute, 0},
		"came before":          {-time.Minute, time.Minute, 1},
		"folded after":         {59 * time.Minute, 61 * time.Minute, 1},
		"folded in the next":   {59 * time.Minute, 121 * time.Minute, 0},
		"came and went before": {-2 * time.Minute, -time.Minute, 1},
	} {
		for _, replayed := range []bool{false, true} {
			s := stored{maintenance: maintained(during(0, time.Hour), during(2*time.Hour, 3*time.Hour))}
			got := s.run(1, func(f *Fold) {
				if replayed {
					f.Replay(fires("a"), noon.Add(c.came), noon.Add(c.folded))
					return
				}
				f.FoldedAt = noon.Add(c.folded)
				f.Receive(fires("a"), noon.Add(c.came))
			})
			equal(t, fmt.Sprintf("%s, replayed %v", name, replayed), callsIn(got), c.pages)
		}
	}
}

// Late signals from a spool don't resolve a kept alert that fires again, and don't page for one that
// has ended.
func TestReplayOfWhatWasKept(t *testing.T) {
	t.Parallel()
	s := stored{maintenance: maintained(during(0, time.Hour))}
	s.fold(noon.Add(10*time.Minute), fires("a"))
	late := func(sig Signal, at time.Duration) []Change {
		return s.run(1, func(f *Fold) { f.Replay(sig, noon.Add(at), noon.Add(11*time.Minute)) })
	}
	late(clears("a"), 5*time.Minute)
	equal(t, "it fires", s.alerts[1].Firing, true)
	late(fires("a"), 6*time.Minute)
	equal(t, "it is counted", s.alerts[1].Count, 2)
	s.fold(noon.Add(12*time.Minute), clears("a"))
	equal(t, "pages for what is over", callsIn(s.run(1, func(f *Fold) { f.Replay(fires("a"), noon.Add(11*time.Minute), noon.Add(2*time.Hour)) })), 0)
	equal(t, "incidents", len(s.incidents), 0)
}

// Monitors send anything, people act, and windows are made, moved and ended. Once the upkeep has run,
// every alert that fires outside a window has paged somebody, and no incident opens within a window.
func TestEveryHeldAlertPagesAfterMaintenance(t *testing.T) {
	t.Parallel()
	for seed := range seeds(600) {
		im := &inMaintenance{anyMonitor{Rand: rand.New(rand.NewPCG(11, seed)), now: noon, last: map[string]Signal{}}}
		for range 60 {
			im.now = im.now.Add(time.Duration(im.IntN(600)) * time.Second)
			if err := im.turn(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, im.log)
			}
		}
	}
}

type inMaintenance struct{ anyMonitor }

func (im *inMaintenance) turn() error {
	im.plan()
	open := len(im.product.incidents)
	im.step()
	always := slices.DeleteFunc(slices.Clone(im.product.maintenance), func(m Maintenance) bool { return m.PagesCritical }) // it may have been critical
	for id := open + 1; id <= len(im.product.incidents); id++ {
		for _, a := range im.product.alerts {
			if _, covered := CoveringWindow(always, Integration{ID: 3, TeamID: 1, Name: "prometheus"}, a, im.now); a.IncidentID == IncidentID(id) && a.Firing && covered {
				return fmt.Errorf("%s opened %s, though a window covers it", a.DedupKey, IncidentID(id))
			}
		}
	}
	im.product.releases(im.now)
	return im.checkQuiet()
}

// plan adds, ends and deletes windows.
func (im *inMaintenance) plan() {
	all := im.product.maintenance
	switch im.IntN(6) {
	case 0, 1:
		m := Maintenance{ID: MaintenanceID(im.IntN(1e9) + 1), TeamID: 1, StartsAt: im.now.Add(time.Duration(im.IntN(20)-10) * time.Minute)}
		m.EndsAt = m.StartsAt.Add(time.Duration(1+im.IntN(40)) * time.Minute)
		m.PagesCritical = im.IntN(3) == 0
		if im.IntN(2) == 0 {
			match, _, err := ParseMatcher([]string{"title=a", "title!=a", "title=~[ab]", "service=prometheus"}[im.IntN(4)])
			if err != nil {
				panic(err)
			}
			m.Match = []Matcher{match}
		}
		im.product.maintenance = append(im.product.maintenance, m)
		im.log.note(im.now, "window %s–%s %v", m.StartsAt, m.EndsAt, m.Match)
	case 2:
		for i := range all { // end all early
			if all[i].EndsAt.After(im.now) {
				all[i].EndsAt = im.now
			}
		}
		im.log.note(im.now, "windows ended")
	case 3:
		im.product.maintenance = slices.DeleteFunc(all, func(m Maintenance) bool { return !m.EndsAt.After(im.now) })
	}
}

func (im *inMaintenance) checkQuiet() error {
	firing := map[string]bool{}
	for _, a := range im.product.alerts {
		if !a.Firing {
			continue
		}
		if firing[a.DedupKey] {
			return fmt.Errorf("%s fires twice", a.DedupKey)
		}
		firing[a.DedupKey] = true
		_, covered := CoveringWindow(im.product.maintenance, Integration{ID: 3, TeamID: 1, Name: "prometheus"}, a, im.now)
		in, has := im.product.incidents[a.IncidentID]
		switch {
		case a.Kept && !covered:
			return fmt.Errorf("%s is kept, and no window covers it", a.DedupKey)
		case a.Kept && has && in.Open():
			return fmt.Errorf("%s is kept, and %s is open", a.DedupKey, in.ID)
		case a.Kept:
		case !has:
			return fmt.Errorf("%s fires, and no incident is about it", a.DedupKey)
		case !in.Open() && (in.ResolvedBy.User == "" || im.resolved.IsZero()):
			return fmt.Errorf("%s fires, but %s is closed, and not by a person", a.DedupKey, in.ID)
		case in.Open() && in.Status == Triggered && in.NextAt == nil && !in.Exhausted:
			return fmt.Errorf("%s fires in %s, which waits for nothing", a.DedupKey, in.ID)
		}
	}
	for key, s := range im.last {
		if firing[key] != (s.Action == Trigger) {
			return fmt.Errorf("%s: firing %v after a %s", key, firing[key], s.Action)
		}
	}
	return nil
}

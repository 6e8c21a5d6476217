package oncall

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"
)

// Rules, holds, maintenance, flapping, storms and groups are combined. No matter in which order
// signals arrive, no firing alert is forgotten, and none is quiet without a reason that still applies.
func TestAllReasonsToBeQuietTogether(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range max(seeds(160), 40) {
		w := newTogether(seed, seen)
		for range 60 {
			w.step()
			if err := w.check(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, w.log)
			}
		}
		if err := w.end(); err != nil {
			t.Fatalf("seed %d, at the end: %v\nafter\n%s", seed, err, w.log)
		}
	}
	for what, least := range map[string]int{
		"dropped": 50, "held": 50, "kept": 50, "storm": 20, "flapping": 5, "grouped": 50, "held, then paged": 50, "kept, then paged": 50, "night": 50,
	} {
		enough(t, what, seen[what], least)
	}
}

// together is a monitor and the incidents that its signals cause.
type together struct {
	*rand.Rand
	now     time.Time
	product *stored
	last    map[string]Signal // the monitor's latest signal of each key
	paged   map[IncidentID]int
	was     map[AlertID]Alert // before the step
	seen    map[string]int
	log     diary

	keys, pause int // how many keys, and how many seconds at most pass between two batches
}

func newTogether(seed uint64, seen map[string]int) *together {
	t := &together{
		Rand: rand.New(rand.NewPCG(23, seed)), now: noon, product: routed(), last: map[string]Signal{}, paged: map[IncidentID]int{},
		was: map[AlertID]Alert{}, seen: seen,
	}
	t.product.limit = 3 * t.IntN(2)
	t.keys, t.pause = 7, 60
	switch seed % 4 {
	case 0: // a storm
		t.product.limit, t.keys, t.pause = 3, 12, 5
	case 1: // a few alerts that come and go
		t.keys, t.pause = 2, 20
	}
	t.product.posted = map[IncidentID]bool{}
	if t.IntN(2) == 0 {
		t.product.grouping = &Grouping{By: []string{"site"}, Window: 300}
	}
	for range t.IntN(4) {
		from := time.Duration(t.IntN(180)) * time.Minute
		m := during(from, from+time.Duration(1+t.IntN(60))*time.Minute)
		m.PagesCritical = t.IntN(2) == 0
		if t.IntN(2) == 0 {
			m.Match = []Matcher{{Field: "site", Op: "=", Value: "north"}}
		}
		t.product.maintenance = append(t.product.maintenance, m)
	}
	t.product.maintenance = maintained(t.product.maintenance...)
	return t
}

func (t *together) note(format string, args ...any) {
	t.log.note(t.now, format, args...)
}

func (t *together) fold(signals ...Signal) {
	maps.Copy(t.was, t.product.alerts)
	for _, c := range t.product.fold(t.now, signals...) {
		t.paged[c.Incident.ID] += len(c.Calls)
		t.seen["storm"] += count([]Change{c}, EventStorm)
		t.seen["flapping"] += count([]Change{c}, EventFlapping)
		for _, e := range c.Events {
			t.note("  #%d %s", c.Incident.ID, e.Kind)
		}
	}
	for id, a := range t.product.alerts {
		was := t.was[id]
		for what, ok := range map[string]bool{
			"dropped": a.Dropped && !was.Dropped, "held": a.HeldUntil != nil && was.HeldUntil == nil, "kept": a.Kept && !was.Kept,
			"held, then paged": was.HeldUntil != nil && a.Firing && a.IncidentID != 0, "kept, then paged": was.Kept && a.Firing && !a.Kept && a.IncidentID != 0,
			"grouped": was.ID == 0 && isGenerated(a.GroupKey), "night": was.IncidentID == 0 && t.product.incidents[a.IncidentID].PolicyID == 2,
		} {
			if ok {
				t.seen[what]++
			}
		}
	}
}

var togetherRoutes = []string{"", "", "", "drop unless critical", "night", "night when critical", "hold", "hold", "low", "group", "drop when critical", "try"}

func (t *together) step() {
	t.now = t.now.Add(time.Duration(t.IntN(t.pause)) * time.Second)
	if t.IntN(4) == 0 {
		t.now = t.now.Add(time.Duration(t.IntN(600)) * time.Second)
	}
	t.upkeep()
	if id := IncidentID(t.IntN(8)); t.IntN(6) == 0 && t.product.incidents[id].Status == Triggered {
		policy, roster := payments()
		if c, err := t.product.incidents[id].Do(Act{Do: ActAck}, ByUser(bo), facts(policy, roster), t.now); err == nil {
			t.note("Bo acknowledges #%d", id)
			t.product.incidents[id] = c.Incident
		}
	}
	var batch []Signal
	for range 1 + t.IntN(4) {
		key := fmt.Sprint("k", t.IntN(t.keys))
		s := routedTo(togetherRoutes[t.IntN(len(togetherRoutes))], key, []Severity{Low, High, High, Critical}[t.IntN(4)])
		s.Labels["site"] = []string{"north", "south"}[t.IntN(2)]
		if t.IntN(5) == 0 {
			s.GroupKey = []string{"g", "h"}[t.IntN(2)]
		}
		switch t.IntN(8) {
		case 0, 1, 2:
			s = clears(key)
		case 3:
			s.Action = Update
		}
		if before, fires := t.last[key]; s.Action != Update || fires && before.Action == Trigger {
			t.last[key] = s
			if s.Action == Update {
				s.Action = Trigger
				t.last[key] = s
				s.Action = Update
			}
		}
		t.note("%s %s %s %q at %s in %q", s.Action, key, s.Severity, s.Labels["route"], s.Labels["site"], s.GroupKey)
		batch = append(batch, s)
	}
	t.fold(batch...)
}

// upkeep does what no signal triggers: it reconsiders held and kept alerts, and closes quiet
// incidents.
func (t *together) upkeep() {
	t.releases()
	fires := map[IncidentID]bool{}
	for _, a := range t.product.alerts {
		fires[a.IncidentID] = fires[a.IncidentID] || a.Firing
	}
	for id := IncidentID(1); int(id) <= len(t.product.incidents); id++ {
		if c, due := t.product.incidents[id].CloseIfQuiet(fires[id], t.now); due {
			t.product.incidents[id] = c.Incident
		}
	}
}

func (t *together) releases() {
	var again []Signal
	for id := AlertID(1); int(id) <= len(t.product.alerts); id++ {
		if a := t.product.alerts[id]; a.Firing && (a.Kept || a.HeldUntil != nil && !t.now.Before(*a.HeldUntil)) {
			again = append(again, ReleaseOf(a))
		}
	}
	if len(again) > 0 {
		t.note("looks again at %d", len(again))
		t.fold(again...)
	}
}

// end lets all windows and holds expire, so that alerts that still fire page unless a rule drops them.
func (t *together) end() error {
	t.now = t.now.Add(24 * time.Hour)
	t.note("a day later")
	t.upkeep()
	for _, a := range t.product.alerts {
		if a.Firing && (a.Kept || a.HeldUntil != nil) {
			return fmt.Errorf("%s is kept (%v) or held (until %v) for ever", a.DedupKey, a.Kept, a.HeldUntil)
		}
	}
	return t.check()
}

func (t *together) check() error {
	t.releases() // as the store does every second
	firing := map[string]bool{}
	for id := AlertID(1); int(id) <= len(t.product.alerts); id++ {
		a := t.product.alerts[id]
		if a.Firing && firing[a.DedupKey] {
			return fmt.Errorf("%s fires twice", a.DedupKey)
		}
		firing[a.DedupKey] = firing[a.DedupKey] || a.Firing
		if err := t.checkAlert(a); err != nil {
			return fmt.Errorf("%s, alert %d: %w", a.DedupKey, a.ID, err)
		}
	}
	for key, s := range t.last {
		if firing[key] != (s.Action == Trigger) {
			return fmt.Errorf("%s fires: %v; its monitor said %s", key, firing[key], s.Action)
		}
	}
	return t.checkIncidents()
}

// checkAlert checks that an alert is quiet only for a reason that still holds, and that otherwise somebody is paged.
func (t *together) checkAlert(a Alert) error {
	if !a.Firing {
		if a.Dropped || a.Kept || a.HeldUntil != nil {
			return fmt.Errorf("it is over, and dropped (%v), kept (%v) or held (%v)", a.Dropped, a.Kept, a.HeldUntil)
		}
		return nil
	}
	routing := t.product.route(a.TriggerSignal())
	reasons := 0
	for _, ok := range []bool{a.Dropped, a.Kept, a.HeldUntil != nil} {
		if ok {
			reasons++
		}
	}
	switch {
	case reasons > 1:
		return fmt.Errorf("it is dropped (%v), kept (%v) and held (%v)", a.Dropped, a.Kept, a.HeldUntil)
	case a.Dropped && !routing.Drop:
		return fmt.Errorf("it is dropped, and no rule says so")
	case a.HeldUntil != nil && (a.Severity == Critical || a.Route.Said == Critical):
		return fmt.Errorf("it is critical, and held")
	case a.HeldUntil != nil && (a.Route.Hold == 0 || !a.HeldUntil.Equal(a.FirstAt.Add(a.Route.Hold.Duration())) || !t.now.Before(*a.HeldUntil)):
		return fmt.Errorf("it is held until %v, since %v, for %d s", a.HeldUntil, a.FirstAt, a.Route.Hold)
	case a.Kept:
		if _, covered := CoveringWindow(t.product.maintenance, Integration{ID: 3, TeamID: 1, Name: "prometheus"}, a, t.now); !covered {
			return fmt.Errorf("it is kept, and no window covers it")
		}
	}
	if reasons == 1 {
		return nil
	}
	in := t.product.incidents[a.IncidentID]
	for in.MergedInto != 0 {
		in = t.product.incidents[in.MergedInto]
	}
	switch {
	case !in.Open():
		return fmt.Errorf("it fires, and nobody has it: incident %d is %q", in.ID, in.Status)
	case t.paged[in.ID] == 0:
		return fmt.Errorf("it fires, and incident %d has paged nobody", in.ID)
	case a.Severity.Worse(in.Severity):
		return fmt.Errorf("it is %s, and incident %d is %s", a.Severity, in.ID, in.Severity)
	}
	return nil
}

func (t *together) checkIncidents() error {
	fires := map[IncidentID]bool{}
	for _, a := range t.product.alerts {
		fires[a.IncidentID] = fires[a.IncidentID] || a.Firing
	}
	for id, in := range t.product.incidents {
		switch {
		case in.Open() && !fires[id] && !in.Flapping():
			return fmt.Errorf("#%d is open, and nothing of it fires", id)
		case in.Open() && in.Status == Triggered && in.NextAt == nil && !in.Exhausted:
			return fmt.Errorf("#%d is triggered, and nothing comes next", id)
		}
	}
	return nil
}

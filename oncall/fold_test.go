package oncall

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

// stored is what earlier folds of one integration have stored.
type stored struct {
	incidents map[IncidentID]Incident
	alerts    map[AlertID]Alert
	events    []Event
	results   []FoldResult

	route    func(Signal) Routing
	tallies  map[RouteName]RouteTally
	grouping *Grouping
	limit    int                 // incidents per minute
	posted   map[IncidentID]bool // incidents whose messages are in the channel

	maintenance []Maintenance

	ends bool     // report cleared alerts as the store does
	few  bool     // only alerts with these keys are loaded
	keys []string // of the signals being folded
}

// fold runs one batch through a fresh fold that is loaded as the store would load it.
func (s *stored) fold(at time.Time, signals ...Signal) []Change {
	s.keys = nil
	for _, sig := range signals {
		s.keys = append(s.keys, sig.DedupKey)
	}
	return s.run(len(signals), func(f *Fold) {
		for _, sig := range signals {
			s.results = append(s.results, f.Receive(sig, at).Result)
		}
	})
}

func (s *stored) run(signals int, receive func(*Fold)) []Change {
	policy, roster := payments()
	f := &Fold{
		Integration: Integration{ID: 3, TeamID: 1, PolicyID: 1, Name: "prometheus", StormLimit: s.limit, Grouping: s.grouping}, Policy: policy, Roster: roster, Route: s.route,
		Maintenance: s.maintenance,
	}
	night := policy
	night.ID, night.Name = 2, "Night"
	f.Policies = map[PolicyID]Policy{policy.ID: policy, night.ID: night}
	if s.incidents == nil {
		s.incidents, s.alerts = map[IncidentID]Incident{}, map[AlertID]Alert{}
	}
	for id := IncidentID(1); int(id) <= len(s.incidents); id++ {
		f.AddIncidents(s.incidents[id])
		in := s.incidents[id]
		r := RecentIncident{ID: id, PolicyID: in.PolicyID, OpenedAt: in.OpenedAt, Posted: s.posted[id], Storm: in.Storm != nil}
		if r.Storm {
			r.EndedAt = cmp.Or(in.Storm.OverAt, in.ResolvedAt)
		}
		f.AddRecent(r)
	}
	for id := AlertID(1); int(id) <= len(s.alerts); id++ {
		if a := s.alerts[id]; !s.few || slices.Contains(s.keys, a.DedupKey) {
			f.AddAlerts(a)
		}
		if a := s.alerts[id]; s.ends && !a.Firing {
			f.AddCleared(a)
		}
	}
	if s.few {
		f.AddOthers(s.othersOf(s.keys)...)
	}
	f.LastIncident = IncidentID(len(s.incidents))
	for i := range signals {
		f.AlertIDs = append(f.AlertIDs, AlertID(len(s.alerts)+i+1))
	}
	receive(f)
	changes, alerts := f.Results()
	for _, c := range changes {
		s.incidents[c.Incident.ID] = c.Incident
		s.events = append(s.events, c.Events...)
	}
	for _, a := range alerts {
		if a.Route != nil { // as the database returns it
			text, err := json.Marshal(a.Route)
			a.Route = &AlertRoute{}
			if err = errors.Join(err, json.Unmarshal(text, a.Route)); err != nil {
				panic(err)
			}
		}
		s.alerts[a.ID] = a
	}
	for name, t := range f.Tallies {
		if s.tallies == nil {
			s.tallies = map[RouteName]RouteTally{}
		}
		all := s.tallies[name]
		all.Matched, all.Dropped, all.Held, all.Passed = all.Matched+t.Matched, all.Dropped+t.Dropped, all.Held+t.Held, all.Passed+t.Passed
		all.Shadow, all.Failed, all.Error = all.Shadow+t.Shadow, all.Failed+t.Failed, t.Error
		s.tallies[name] = all
	}
	return changes
}

func fires(key string) Signal {
	return Signal{Action: Trigger, DedupKey: key, Title: key, Severity: High}
}

func clears(key string) Signal {
	return Signal{Action: Clear, DedupKey: key}
}

func callsIn(changes []Change) (n int) {
	for _, c := range changes {
		n += len(c.Calls)
	}
	return n
}

func TestDuplicatesMakeOneIncidentAndOnePage(t *testing.T) {
	t.Parallel()
	var s stored
	changes := s.fold(noon, fires("a"), fires("a"), fires("a"))
	changes = append(changes, s.fold(noon.Add(time.Minute), fires("a"))...)
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "signals", s.incidents[1].SignalCount, 4)
	equal(t, "count of the alert", s.alerts[1].Count, 4)
}

func TestRepeatingAlertIsRedrawnEveryThreeSeconds(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	draws := 0
	for i := range 100 { // 10 seconds of 10 a second
		for _, c := range s.fold(noon.Add(time.Duration(i)*100*time.Millisecond), fires("a")) {
			draws += len(c.Tasks)
		}
	}
	equal(t, "draws", draws, 4)
}

func TestMonitorResolvesIncident(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	changes := s.fold(noon.Add(time.Minute), clears("a"))
	in := s.incidents[1]
	if in.Status != Resolved || in.ResolvedBy.Name != "prometheus" || in.NextAt != nil {
		t.Errorf(`status %s by %s, next %v; want %s, Name "prometheus" and nil`, in.Status, in.ResolvedBy, in.NextAt, Resolved)
	}
	equal(t, "pages", callsIn(changes), 0)
	equal(t, "resolving again", len(s.fold(noon.Add(2*time.Minute), clears("a"))), 0)
}

func TestTriggerAndResolveInOneBatchKeepTheirOrder(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"), clears("a"))
	equal(t, "status", s.incidents[1].Status, Resolved)
	var other stored
	other.fold(noon, clears("a"), fires("a"))
	equal(t, "status", other.incidents[1].Status, Triggered)
}

func TestFiringAgainWithinFiveMinutesReopensAndPages(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	s.fold(noon.Add(time.Minute), clears("a"))
	changes := s.fold(noon.Add(5*time.Minute), fires("a"))
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "status", s.incidents[1].Status, Triggered)
	equal(t, "flaps", s.incidents[1].Flaps, 1)
	equal(t, "pages", callsIn(changes), 1)

	s.fold(noon.Add(6*time.Minute), clears("a"))
	s.fold(noon.Add(12*time.Minute), fires("a"))
	equal(t, "incidents after a longer rest", len(s.incidents), 2)
}

func TestManualResolveHoldsForHalfAnHour(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	c, err := s.incidents[1].Do(Act{Do: ActResolve}, ByUser(ann), Facts{}, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	changes := s.fold(noon.Add(10*time.Minute), fires("a"))
	equal(t, "pages", callsIn(changes), 0)
	in := s.incidents[1]
	equal(t, "status", in.Status, Triggered)
	equal(t, "pages at", *in.NextAt, noon.Add(31*time.Minute))
	policy, roster := payments()
	later, due := in.RunTimer(in.Seq, facts(policy, roster), *in.NextAt)
	if !due || len(later.Calls) != 1 {
		t.Errorf("half an hour later: due %v, pages %d; want it due and 1", due, len(later.Calls))
	}
}

func TestAlertJoinsOpenIncidentOfItsGroup(t *testing.T) {
	t.Parallel()
	var s stored
	one, two := fires("a"), fires("b")
	one.GroupKey, two.GroupKey = "g", "g"
	two.Severity = Critical
	changes := s.fold(noon, one)
	changes = append(changes, s.fold(noon.Add(time.Second), two)...)
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "severity", s.incidents[1].Severity, Critical)
	s.fold(noon.Add(2*time.Second), clears("a"))
	equal(t, "one of two cleared", s.incidents[1].Status, Triggered)
	s.fold(noon.Add(3*time.Second), clears("b"))
	equal(t, "both cleared", s.incidents[1].Status, Resolved)
}

func TestReconcileClosesWhatTheMonitorNoLongerLists(t *testing.T) {
	t.Parallel()
	var s stored
	one, two := fires("a"), fires("b")
	one.GroupKey, two.GroupKey = "g", "g"
	other := fires("c")
	s.fold(noon, one, two, other)
	s.fold(noon.Add(time.Minute), Signal{Action: Reconcile, GroupKey: "g", Present: []string{"b"}})
	equal(t, "a", s.alerts[1].Firing, false)
	equal(t, "b", s.alerts[2].Firing, true)
	equal(t, "another group", s.alerts[3].Firing, true)
	s.fold(noon.Add(2*time.Minute), Signal{Action: Reconcile, GroupKey: "g"})
	equal(t, "incident", s.incidents[1].Status, Resolved)
}

// episodeOf returns a signal of an alert whose episode began an hour before noon.
func episodeOf(s Signal) Signal {
	s.StartsAt, s.GroupKey = noon.Add(-time.Hour), "g"
	if s.Action == Clear {
		s.EndsAt = noon
	}
	return s
}

func TestOnlyTheFirstSignalSoonAfterAnEndIsLate(t *testing.T) {
	t.Parallel()
	a, gone := episodeOf(fires("a")), episodeOf(clears("a"))
	for name, c := range map[string]struct {
		after []time.Duration // after the end, when it fires with its old start
		want  []int           // pages
	}{
		"a peer that comes late":             {[]time.Duration{time.Minute}, []int{0}},
		"listed again":                       {[]time.Duration{time.Minute, 90 * time.Second}, []int{0, 1}},
		"listed again later":                 {[]time.Duration{time.Minute, 6 * time.Minute}, []int{0, 1}},
		"a reload":                           {[]time.Duration{2 * time.Minute}, []int{1}},
		"when Prometheus has come back":      {[]time.Duration{12 * time.Minute, 13 * time.Minute}, []int{1, 0}},
		"a day later, and the day after it ": {[]time.Duration{24 * time.Hour, 48 * time.Hour}, []int{1, 0}},
	} {
		var s stored
		s.fold(noon.Add(-time.Minute), a)
		s.fold(noon, gone)
		for i, after := range c.after {
			changes := s.fold(noon.Add(after), a)
			equal(t, name, callsIn(changes), c.want[i])
			if c.want[i] == 0 && i == 0 {
				equal(t, name+": the line", changes[0].Events[0].Kind, EventLate)
			}
		}
		// Only the first signal after the end is ignored. A second one, or a later one, fires.
		late := len(c.want) == 1 && c.want[0] == 0
		equal(t, name+": firing", s.incidents[IncidentID(len(s.incidents))].Open(), !late)
	}
}

// Each end opens the two minutes again. A start later than the one that ended begins a new episode.
func TestEveryEndMayHaveALateSignal(t *testing.T) {
	t.Parallel()
	a, gone := episodeOf(fires("a")), episodeOf(clears("a"))
	var s stored
	s.fold(noon, gone)
	equal(t, "a resolve of nothing", len(s.incidents), 0)
	equal(t, "late trigger", len(s.fold(noon.Add(time.Minute), a)), 0)
	s.fold(noon.Add(2*time.Minute), gone)
	equal(t, "late after the second end", len(s.fold(noon.Add(3*time.Minute), a)), 0)
	anew := a
	anew.StartsAt = noon.Add(time.Minute)
	s.fold(noon.Add(3*time.Minute), anew)
	equal(t, "a new episode", len(s.incidents), 1)
}

// A silence hides an alert from the list, so its end was only inferred.
func TestSignalsAfterSilenceAreNotLate(t *testing.T) {
	t.Parallel()
	list := func(present ...string) Signal { return Signal{Action: Reconcile, GroupKey: "g", Present: present} }
	a, b := episodeOf(fires("a")), episodeOf(fires("b"))
	var s stored
	s.fold(noon, a, b, list("a", "b"))
	s.fold(noon, b, list("b"))
	s.fold(noon, episodeOf(clears("b")), Signal{Action: Reconcile, GroupKey: "g", Ended: []string{"b"}})
	equal(t, "silenced", s.incidents[1].Status, Resolved)
	changes := s.fold(noon, a, list("a"))
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "status", s.incidents[1].Status, Triggered)
}

// The end of an earlier episode arrives while the alert fires again. Nothing is closed, not even
// alerts that the payload doesn't list.
func TestLateResolveClosesNothing(t *testing.T) {
	t.Parallel()
	anew, other := episodeOf(fires("a")), episodeOf(fires("b"))
	anew.StartsAt = noon.Add(time.Minute)
	var s stored
	s.fold(noon.Add(2*time.Minute), anew, other)
	changes := s.fold(noon.Add(3*time.Minute), episodeOf(clears("a")), Signal{Action: Reconcile, GroupKey: "g", Ended: []string{"a"}})
	equal(t, "firing", []bool{s.alerts[1].Firing, s.alerts[2].Firing}, []bool{true, true})
	equal(t, "lines", changes[0].Events, []Event{{
		IncidentID: 1, At: noon.Add(3 * time.Minute), Kind: EventLate,
		Actor: ByIntegration("prometheus"), Detail: Detail{Text: "a", Over: true},
	}})
	now := clears("a")
	now.StartsAt, now.EndsAt = anew.StartsAt, noon.Add(4*time.Minute)
	s.fold(noon.Add(5*time.Minute), now, clears("b"))
	equal(t, "closed", s.incidents[1].Status, Resolved)
}

// Fields that were not understood are noted in the incident once, however often they are sent.
func TestUnreadFieldsAreNotedOnce(t *testing.T) {
	t.Parallel()
	var s stored
	odd := fires("a")
	odd.Hints = []Hint{{Field: "severity", Text: "one"}}
	s.fold(noon, odd, odd)
	odd.Hints = append(odd.Hints, Hint{Field: "status", Text: "two"})
	s.fold(noon.Add(time.Second), odd, fires("a"), odd)
	var said []string
	for _, e := range s.events {
		if e.Kind == EventMisread {
			said = append(said, e.Detail.Text)
		}
	}
	equal(t, "said", said, []string{"one", "two"})
}

// Every outcome of a signal has a name, for the log and the metric.
func TestEverySignalHasAFate(t *testing.T) {
	t.Parallel()
	var s stored
	fold := func(at time.Time, signals ...Signal) {
		s.results = nil
		s.fold(at, signals...)
	}
	a := episodeOf(fires("a"))
	fold(noon, a, a, episodeOf(fires("b")), Signal{Action: AckSignal, DedupKey: "a"}, Signal{Action: AckSignal, DedupKey: "x"}, clears("x"))
	equal(t, "results", s.results, []FoldResult{FoldOpened, FoldRepeated, FoldJoined, FoldAcknowledged, FoldUnmatched, FoldUnmatched})
	fold(noon, episodeOf(clears("a")), a, Signal{Action: Reconcile, GroupKey: "g", Present: []string{"a"}},
		Signal{Action: Reconcile, GroupKey: "g", Present: []string{"b"}}, Signal{Action: Reconcile, GroupKey: "g"}, a)
	equal(t, "results", s.results, []FoldResult{FoldCleared, FoldLate, FoldLate, FoldListed, FoldCleared, FoldReopened})
	s.do(t, 1, ByUser(ann), Act{Do: ActSnooze, Until: noon.Add(time.Hour)}, noon)
	fold(noon, a, episodeOf(clears("a")))
	fold(noon.Add(10*time.Minute), a)
	equal(t, "results", s.results, []FoldResult{FoldSnoozed})
}

func TestHolderIsToldOnceThatSeverityRose(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	c, err := s.incidents[1].Do(Act{Do: ActAck}, ByUser(bo), Facts{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	worse := fires("a")
	worse.Severity = Critical
	changes := s.fold(noon.Add(time.Minute), worse, worse)
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "status", s.incidents[1].Status, Acknowledged)
	equal(t, "paged", paged(changes[0]), []UserID{bo})
}

func TestBlanksDoNotWipeWhatIsKnown(t *testing.T) {
	t.Parallel()
	var s stored
	full := fires("a")
	full.Body, full.Link, full.Labels = "98 %", "https://example.com", map[string]string{"host": "db-1"}
	s.fold(noon, full)
	s.fold(noon.Add(time.Second), Signal{Action: Trigger, DedupKey: "a"})
	a := s.alerts[1]
	equal(t, "kept", []string{a.Title, a.Body, a.Link, a.Labels["host"]}, []string{"a", "98 %", "https://example.com", "db-1"})
}

func TestMonitorAcknowledgesIncident(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"), Signal{Action: AckSignal, DedupKey: "a"})
	equal(t, "status", s.incidents[1].Status, Acknowledged)
	equal(t, "nothing is open", len(s.fold(noon, Signal{Action: AckSignal, DedupKey: "other"})), 0)
}

func TestOneDrawPerIncidentAndBatch(t *testing.T) {
	t.Parallel()
	var s stored
	changes := s.fold(noon, fires("a"), Signal{Action: AckSignal, DedupKey: "a"}, clears("a"))
	draws := 0
	for _, task := range changes[0].Tasks {
		if d, ok := task.Args.(Draw); ok && task.At.IsZero() {
			draws++
			equal(t, "version", d.Version, changes[0].Incident.Version)
		}
	}
	equal(t, "draws", draws, 1)
}

package oncall

import (
	"fmt"
	"testing"
	"time"
)

// stormy returns an integration whose fifth incident within a minute starts a storm.
func stormy() *stored { return &stored{limit: 4} }

func flood(from, n int) (out []Signal) {
	for i := range n {
		out = append(out, fires(fmt.Sprint("alert ", from+i)))
	}
	return out
}

func about(service string, sev Severity, key string) Signal {
	s := fires(key)
	s.Severity, s.Labels = sev, map[string]string{"service": service}
	return s
}

func count(changes []Change, kind EventKind) (n int) {
	for _, c := range changes {
		for _, e := range c.Events {
			if e.Kind == kind {
				n++
			}
		}
	}
	return n
}

func TestStormIsOneIncidentAndOnePage(t *testing.T) {
	t.Parallel()
	s := stormy()
	changes := s.fold(noon, flood(0, 500)...)
	equal(t, "incidents", len(s.incidents), 5)
	equal(t, "pages", callsIn(changes), 1)
	storm := s.incidents[5]
	equal(t, "the storm", []any{storm.Status, storm.SignalCount, storm.Title}, []any{Triggered, 500, "Alert storm from prometheus, such as alert 4"})
	for id := IncidentID(1); id < 5; id++ {
		equal(t, "taken in", []any{s.incidents[id].Status, s.incidents[id].MergedInto, s.incidents[id].AbsorbedByStorm()}, []any{Resolved, IncidentID(5), true})
	}
	for _, a := range s.alerts {
		equal(t, "incident of "+a.DedupKey, a.IncidentID, IncidentID(5))
	}
	more := s.fold(noon.Add(time.Minute), flood(500, 500)...)
	equal(t, "pages for more", callsIn(more), 0)
	equal(t, "lines for more", len(more[0].Events), 0)
	equal(t, "jobs for more", len(more[0].Tasks), 1)
	equal(t, "drawn for direct messages", more[0].Incident.StateVersion(), storm.Version)

	for _, sig := range flood(0, 999) {
		sig.Action = Clear
		s.fold(noon.Add(2*time.Minute), sig)
	}
	equal(t, "with one that fires", s.incidents[5].Status, Triggered)
	s.fold(noon.Add(3*time.Minute), clears("alert 999"))
	equal(t, "without any", s.incidents[5].Status, Resolved)
}

// Incidents that were posted in the channel, or that people have acted on, stay.
func TestStormAbsorbsOnlyUnshownIncidents(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 4)...)
	policy, roster := payments()
	c, err := s.incidents[2].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), noon)
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[2] = c.Incident
	s.posted = map[IncidentID]bool{1: true}
	changes := s.fold(noon.Add(59*time.Second), fires("alert 4"))
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "lines", count(changes, EventTakenIn), 2)
	equal(t, "statuses", []any{s.incidents[1].Status, s.incidents[2].Status, s.incidents[3].Status, s.incidents[4].Status},
		[]any{Triggered, Acknowledged, Resolved, Resolved})
	s.fold(noon.Add(time.Minute), clears("alert 0"), clears("alert 2"), clears("alert 3"))
	equal(t, "the first ends by itself", s.incidents[1].Status, Resolved)
	equal(t, "the storm goes on", s.incidents[5].Status, Triggered)
	s.fold(noon.Add(time.Minute), clears("alert 4"))
	equal(t, "until all is over", s.incidents[5].Status, Resolved)
}

func TestTooFewAreNoStorm(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 4)...)
	s.fold(noon.Add(time.Minute), flood(4, 4)...) // the first no longer count
	equal(t, "incidents", len(s.incidents), 8)
	off := &stored{}
	off.fold(noon, flood(0, 100)...)
	equal(t, "incidents without a limit", len(off.incidents), 100)
}

func TestStormKeepsOtherServiceCriticalSeparate(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 50)...)
	changes := s.fold(noon.Add(time.Second), about("db", Critical, "db 1"), about("cache", High, "cache 1"))
	equal(t, "incidents", len(s.incidents), 6)
	own := s.incidents[6]
	equal(t, "its own", []any{own.Title, own.Severity, own.Storm}, []any{"db 1", Critical, (*Storm)(nil)})
	equal(t, "pages", callsIn(changes), 1)
	equal(t, "told in the storm", count(changes, EventStormOwn), 1)
	// A service that the storm already includes does not count as a new one.
	s.fold(noon.Add(2*time.Second), about("cache", Critical, "cache 2"))
	equal(t, "incidents", len(s.incidents), 6)
	equal(t, "the storm", s.incidents[5].Severity, Critical)
	// When there are enough of them to make a storm, they are absorbed too.
	for i := range 20 {
		s.fold(noon.Add(3*time.Second), about(fmt.Sprint("service ", i), Critical, fmt.Sprint("s", i)))
	}
	equal(t, "incidents", len(s.incidents), 9)
}

// Critical incidents about many services page separately only as long as that helps.
func TestManyServicesAreAStormAsWell(t *testing.T) {
	t.Parallel()
	s := stormy()
	var all []Signal
	for i := range 100 {
		all = append(all, about(fmt.Sprint("service ", i), Critical, fmt.Sprint(i)))
	}
	changes := s.fold(noon, all...)
	if len(s.incidents) > 3*4+1 || callsIn(changes) > 3*4+1 {
		t.Errorf("%d incidents, %d pages; want at most %d and at most %d", len(s.incidents), callsIn(changes), 3*4+1, 3*4+1)
	}
}

// A critical incident about another service that came among the first stays separate.
func TestStormAbsorbsNoOtherServiceCritical(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, append([]Signal{about("db", Critical, "db 1")}, flood(0, 10)...)...)
	equal(t, "the critical", []any{s.incidents[1].Status, s.incidents[1].Title}, []any{Triggered, "db 1"})
	equal(t, "the storm", []any{s.incidents[5].SignalCount, s.incidents[5].Severity}, []any{10, High})
}

func TestStormHolderIsPagedWhenItGrows(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 10)...)
	policy, roster := payments()
	c, err := s.incidents[5].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), noon.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[5] = c.Incident
	at := noon.Add(time.Minute)
	equal(t, "more of the same", callsIn(s.fold(at, flood(10, 100)...)), 0)
	wider := s.fold(at, about("cache", High, "cache 1"), about("cache", High, "cache 2"))
	equal(t, "another service", []any{callsIn(wider), wider[0].Calls[0].UserID, wider[0].Calls[0].Due(wider[0].Incident)}, []any{1, ann, true})
	worse := s.fold(at, about("cache", Critical, "cache 3"))
	equal(t, "worse", []any{callsIn(worse), worse[0].Incident.Title}, []any{1, "Alert storm from prometheus, such as cache 3"})
}

func TestStormEndsByItself(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 10)...)
	if _, due := s.incidents[5].EndStorm(StormTally{}, noon.Add(5*time.Minute-time.Second)); due {
		t.Error("the storm ends before 5 minutes without a new alert have passed")
	}
	s.fold(noon.Add(4*time.Minute), fires("one more"))
	if _, due := s.incidents[5].EndStorm(StormTally{}, noon.Add(8*time.Minute)); due {
		t.Error("the storm ends although an alert came 4 minutes ago")
	}
	c, due := s.incidents[5].EndStorm(StormTally{Alerts: 11, Firing: 3, Services: []TallyCount{{Name: "web"}}}, noon.Add(9*time.Minute))
	if !due {
		t.Fatal("the storm goes on 5 minutes after its last alert, want it over")
	}
	equal(t, "lines that it is over", count([]Change{c}, EventStormOver), 1)
	equal(t, "status when it is over", c.Incident.Status, Triggered)
	s.incidents[5] = c.Incident
	if _, again := c.Incident.EndStorm(StormTally{}, noon.Add(time.Hour)); again {
		t.Error("the storm ends a second time")
	}
	changes := s.fold(noon.Add(10*time.Minute), fires("another"))
	equal(t, "what comes afterwards has its own", []any{len(s.incidents), callsIn(changes)}, []any{6, 1})
}

func TestStormTakesInAlertsForAnHour(t *testing.T) {
	t.Parallel()
	s := stormy()
	for minute := range 62 {
		s.fold(noon.Add(time.Duration(minute)*time.Minute), flood(10*minute, 10)...)
	}
	if n := s.incidents[5].SignalCount; n > 610 {
		t.Errorf("the storm has taken in %d signals, want at most the 610 of its first hour", n)
	}
	if n := len(s.incidents); n < 6 {
		t.Errorf("there are %d incidents, want at least 6, as later alerts open their own", n)
	}
}

// A storm that its monitor has cleared is reopened as a storm. One that people have closed stays
// closed, and new alerts page.
func TestAlertsAfterClosedStorm(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 10)...)
	for _, sig := range flood(0, 10) {
		sig.Action = Clear
		s.fold(noon.Add(time.Minute), sig)
	}
	back := s.fold(noon.Add(3*time.Minute), flood(0, 20)...)
	equal(t, "back", []any{len(s.incidents), callsIn(back), s.incidents[5].Status}, []any{5, 1, Triggered})
	policy, roster := payments()
	c, err := s.incidents[5].Do(Act{Do: ActResolve}, ByUser(ann), facts(policy, roster), noon.Add(4*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[5] = c.Incident
	equal(t, "a new one", callsIn(s.fold(noon.Add(5*time.Minute), fires("new"))), 1)
	equal(t, "statuses", []any{len(s.incidents), s.incidents[5].Status}, []any{6, Resolved})
}

func TestSplitAlertOffStorm(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 10)...)
	changes := s.fold(noon.Add(time.Second), Signal{Action: Split, DedupKey: "alert 7", By: bo})
	own := s.incidents[6]
	equal(t, "its own", []any{own.Title, own.Status, callsIn(changes)}, []any{"alert 7", Triggered, 1})
	equal(t, "lines", []int{count(changes, EventSplitOff), count(changes, EventSplitFrom)}, []int{1, 1})
	s.fold(noon.Add(2*time.Second), fires("alert 7"))
	equal(t, "its next signal", s.incidents[6].SignalCount, 2)
	s.fold(noon.Add(3*time.Second), clears("alert 7"))
	equal(t, "it ends", []any{s.incidents[6].Status, s.incidents[5].Status}, []any{Resolved, Triggered})
	s.fold(noon.Add(4*time.Second), Signal{Action: Split, DedupKey: "alert 7", By: bo}, Signal{Action: Split, DedupKey: "none", By: bo})
	equal(t, "what doesn't fire", len(s.incidents), 6)
}

func TestMonitorAckDoesNotSilenceStorm(t *testing.T) {
	t.Parallel()
	s := stormy()
	s.fold(noon, flood(0, 10)...)
	s.fold(noon, Signal{Action: AckSignal, DedupKey: "alert 3"})
	equal(t, "status", s.incidents[5].Status, Triggered)
}

// Only the reason of such a page names an alert, and nothing that somebody wrote.
func TestJoinedAlertIsReadFromOurReasonsOnly(t *testing.T) {
	t.Parallel()
	for want, why := range map[string]Sentence{
		"lat: test": Say(joinedBecause+"%s", "lat: test"),
		"":          Say("%s asks you to help: %slat", UserID("U0CY"), joinedBecause),
	} {
		if got := JoinedAlert(why); got != want {
			t.Errorf("%q: got %q, want %q", why, got, want)
		}
	}
	if got := JoinedAlert(nil); got != "" {
		t.Errorf("no reason: got %q, want %q", got, "")
	}
}

// Once a storm is over, the incidents that led to it count no more: a lone alert has an incident, and a title, of its own.
func TestStormIsNotBegunByOneAlertAfterTheLastStorm(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	for _, wait := range []time.Duration{time.Second, 15 * time.Second, 50 * time.Second} {
		s := stormy()
		s.fold(noon, flood(0, 10)...)
		s.fold(noon.Add(5*time.Second), about("login", Critical, "login"))
		c, err := s.incidents[5].Do(Act{Do: ActResolve}, ByUser(ann), facts(policy, roster), noon.Add(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		s.incidents[5] = c.Incident
		s.fold(noon.Add(10*time.Second+wait), fires("alone"))
		last := s.incidents[IncidentID(len(s.incidents))]
		equal(t, fmt.Sprint("after ", wait), []any{last.ID, last.Storm != nil, last.Title}, []any{IncidentID(7), false, "alone"})
		s.fold(noon.Add(20*time.Second+wait), flood(20, 3)...)
		equal(t, "with three more", len(s.incidents), 10)
		s.fold(noon.Add(21*time.Second+wait), flood(30, 1)...)
		equal(t, "the fifth begins a storm", s.incidents[11].Storm != nil, true)
	}
}

package oncall

import (
	"testing"
	"time"
)

// An alert without a key is closed a day after its last signal, and its incident closes with its last
// alert. An alert with a key stays open, and so does one that somebody acknowledged within that day.
func TestOnlyWhatHasNoKeyIsClosedByAge(t *testing.T) {
	t.Parallel()
	keyless := func(key string) Signal {
		s := fires(key)
		s.Keyless, s.GroupKey = true, "g"
		return s
	}
	var s stored
	s.fold(noon, keyless("a"), keyless("b"), fires("keyed"))
	s.fold(noon.Add(time.Hour), keyless("b"))
	aged := func(at time.Time, key string) FoldResult {
		s.fold(at, ClosedByAge(Alert{DedupKey: key}))
		return s.results[len(s.results)-1]
	}
	day := noon.Add(24 * time.Hour)
	equal(t, "too early", aged(day.Add(-time.Second), "a"), FoldUnmatched)
	equal(t, "with a key", aged(day.Add(time.Hour), "keyed"), FoldUnmatched)
	equal(t, "the first", aged(day, "a"), FoldCleared)
	equal(t, "one fires still", s.incidents[1].Status, Triggered)
	equal(t, "again", aged(day, "a"), FoldUnmatched)
	policy, roster := payments()
	c, err := s.incidents[1].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), day.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	equal(t, "acknowledged within that time", aged(day.Add(2*time.Hour), "b"), FoldUnmatched)
	equal(t, "the last", aged(day.Add(25*time.Hour), "b"), FoldCleared)
	in := s.incidents[1]
	equal(t, "closed by", []any{in.Status, in.ResolvedBy}, []any{Resolved, ByTimer()})
	notes := 0
	for _, e := range s.events {
		if e.Kind == EventAged && e.InThread() {
			notes++
		}
	}
	equal(t, "notes", notes, 2)
	equal(t, "it fires again and pages", callsIn(s.fold(day.Add(26*time.Hour), keyless("b"))), 1)
}

// A person who snoozed an incident wants to be reminded of it, so its age counts from the end of the snooze.
func TestSnoozedIncidentIsNotClosedByAge(t *testing.T) {
	t.Parallel()
	var s stored
	signal := fires("a")
	signal.Keyless = true
	s.fold(noon, signal)
	policy, roster := payments()
	do := func(at time.Time, a Act) {
		t.Helper()
		c, err := s.incidents[1].Do(a, ByUser(ann), facts(policy, roster), at)
		if err != nil {
			t.Fatal(err)
		}
		s.incidents[1] = c.Incident
	}
	aged := func(at time.Time) FoldResult {
		s.fold(at, ClosedByAge(s.alerts[1]))
		return s.results[len(s.results)-1]
	}
	ends := noon.Add(30 * time.Hour)
	do(noon.Add(time.Hour), Act{Do: ActSnooze, Until: ends})
	equal(t, "while it is snoozed", aged(noon.Add(25*time.Hour)), FoldUnmatched)
	woken, due := s.incidents[1].RunTimer(s.incidents[1].Seq, facts(policy, roster), ends)
	equal(t, "it pages when the snooze ends", []any{due, woken.Incident.Status, len(woken.Calls)}, []any{true, Triggered, 1})
	s.incidents[1] = woken.Incident
	equal(t, "a moment later", aged(ends.Add(time.Minute)), FoldUnmatched)
	equal(t, "a day later", aged(ends.Add(24*time.Hour)), FoldCleared)
	equal(t, "closed", s.incidents[1].Status, Resolved)
	if last := s.events[len(s.events)-1]; last.Kind != EventResolved || last.Detail.Quiet {
		t.Errorf("it is told as %+v; want %v, not quietly", last, EventResolved)
	}

	// After somebody unsnoozes it by hand, its age counts from then on.
	s = stored{}
	s.fold(noon, signal)
	do(noon.Add(time.Hour), Act{Do: ActSnooze, Until: ends})
	do(noon.Add(10*time.Hour), Act{Do: ActUnsnooze})
	equal(t, "unsnoozed", aged(noon.Add(33*time.Hour)), FoldUnmatched)
	equal(t, "a day after that", aged(noon.Add(34*time.Hour)), FoldCleared)
}

// A client that got the key in the response, as PagerDuty's clients do, can resolve the alert with it.
func TestAlertGivenAKeyIsNotClosedByAge(t *testing.T) {
	t.Parallel()
	without, with := fires("a"), fires("a")
	without.Keyless = true
	end := noon.Add(48 * time.Hour)
	for name, c := range map[string]struct {
		signals []Signal
		want    FoldResult
	}{
		"never":        {[]Signal{without, without}, FoldCleared},
		"later":        {[]Signal{without, with}, FoldUnmatched},
		"at first":     {[]Signal{with, without}, FoldUnmatched},
		"by an update": {[]Signal{without, {Action: Update, DedupKey: "a", Title: "b"}}, FoldUnmatched},
		"once":         {[]Signal{without, with, without}, FoldUnmatched},
		"looked at":    {[]Signal{without, ReleaseOf(Alert{DedupKey: "a", Title: "a"})}, FoldCleared},
		"acknowledged": {[]Signal{without, {Action: AckSignal, DedupKey: "a"}}, FoldCleared},
	} {
		var s stored
		for i, signal := range c.signals {
			s.fold(noon.Add(time.Duration(i)*time.Minute), signal)
		}
		s.fold(end, ClosedByAge(s.alerts[1]))
		equal(t, name, s.results[len(s.results)-1], c.want)
	}
}

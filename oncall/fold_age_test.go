package oncall

import (
	"testing"
	"time"
)

// What has no key is closed a day after its last signal, and its incident with the last of its alerts; what has one is
// not, nor what somebody has acknowledged within that day.
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
	aged := func(at time.Time, key string) Fate {
		s.fold(at, AgedOf(Alert{DedupKey: key}))
		return s.fates[len(s.fates)-1]
	}
	day := noon.Add(24 * time.Hour)
	equal(t, "too early", aged(day.Add(-time.Second), "a"), FateUnmatched)
	equal(t, "with a key", aged(day.Add(time.Hour), "keyed"), FateUnmatched)
	equal(t, "the first", aged(day, "a"), FateCleared)
	equal(t, "one fires still", s.incidents[1].Status, Triggered)
	equal(t, "again", aged(day, "a"), FateUnmatched)
	policy, roster := payments()
	c, err := s.incidents[1].Do(Act{Do: ActAck}, ByUser(ann), facts(policy, roster), day.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	equal(t, "acknowledged within that time", aged(day.Add(2*time.Hour), "b"), FateUnmatched)
	equal(t, "the last", aged(day.Add(25*time.Hour), "b"), FateCleared)
	in := s.incidents[1]
	equal(t, "closed by", []any{in.Status, in.ResolvedBy}, []any{Resolved, ByTimer()})
	notes := 0
	for _, e := range s.events {
		if e.Kind == EventAged && e.Public() {
			notes++
		}
	}
	equal(t, "notes", notes, 2)
	equal(t, "it fires again and pages", pages(s.fold(day.Add(26*time.Hour), keyless("b"))), 1)
}

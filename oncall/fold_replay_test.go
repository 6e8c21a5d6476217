package oncall

import (
	"testing"
	"time"
)

// replay folds signals later than they arrived.
func (s *stored) replay(at, now time.Time, signals ...Signal) []Change {
	return s.run(len(signals), func(f *Fold) {
		for _, sig := range signals {
			s.results = append(s.results, f.Replay(sig, at, now).Result)
		}
	})
}

func TestReplayedSignalsPageFromNowOn(t *testing.T) {
	t.Parallel()
	var s stored
	back := noon.Add(20 * time.Minute)
	changes := s.replay(noon, back, fires("a"))
	in := s.incidents[1]
	if !in.OpenedAt.Equal(noon) {
		t.Errorf("got opened at %s, want %s", in.OpenedAt, noon)
	}
	if in.NextAt == nil || !in.NextAt.After(back) {
		t.Errorf("got the next step at %v, want it after %s", in.NextAt, back)
	}
	if got := callsIn(changes); got != 1 {
		t.Errorf("got %d pages, want 1", got)
	}
	for _, e := range s.events {
		if want := map[EventKind]time.Time{EventOpened: noon, EventPaging: back}[e.Kind]; !want.IsZero() && !e.At.Equal(want) {
			t.Errorf("%s at %s, want %s", e.Kind, e.At, want)
		}
	}
	if at := s.alerts[1].LastAt; !at.Equal(noon) {
		t.Errorf("the alert is of %s, want %s", at, noon)
	}
}

// Two instances accept signals while the database is unreachable for one of them or both, and replay them in any order.
func TestLatestSignalWinsInAnyReplayOrder(t *testing.T) {
	t.Parallel()
	early, late, back := noon, noon.Add(time.Minute), noon.Add(10*time.Minute)
	for name, tale := range map[string]struct {
		do      func(s *stored)
		results []FoldResult
		firing  bool
		status  Status
	}{
		"the end was stored directly": {
			func(s *stored) { s.fold(late, clears("a")); s.replay(early, back, fires("a")) },
			[]FoldResult{FoldUnmatched, FoldOpened},
			false, Resolved,
		},
		"the end of what fired before": {
			func(s *stored) {
				s.fold(early.Add(-time.Hour), fires("a"))
				s.fold(late, clears("a"))
				s.replay(early, back, fires("a"))
			},
			[]FoldResult{FoldOpened, FoldCleared, FoldLate},
			false, Resolved,
		},
		"it fires again after its end": {
			func(s *stored) {
				s.fold(early.Add(-time.Hour), fires("a"))
				s.fold(late, fires("a"))
				s.replay(early, back, clears("a"))
			},
			[]FoldResult{FoldOpened, FoldRepeated, FoldLate},
			true, Triggered,
		},
		"a repetition": {
			func(s *stored) { s.fold(late, fires("a")); s.replay(early, back, fires("a")) },
			[]FoldResult{FoldOpened, FoldRepeated},
			true, Triggered,
		},
		"both were spooled by one": {
			func(s *stored) { s.replay(early, back, fires("a"), clears("a")) },
			[]FoldResult{FoldOpened, FoldCleared},
			false, Resolved,
		},
		"its end is old, and nothing fires": {
			func(s *stored) {
				s.fold(early.Add(-time.Hour), fires("a"))
				s.fold(late, clears("a"))
				s.replay(early, back, clears("a"))
			},
			[]FoldResult{FoldOpened, FoldCleared, FoldUnmatched},
			false, Resolved,
		},
		"an acknowledgement of what fires since": {
			func(s *stored) {
				s.fold(late, fires("a"))
				s.replay(early, back, Signal{Action: AckSignal, DedupKey: "a"})
			},
			[]FoldResult{FoldOpened, FoldLate},
			true, Triggered,
		},
		"an acknowledgement of what still fires": {
			func(s *stored) {
				s.fold(early.Add(-time.Hour), fires("a"))
				s.fold(late, fires("a"))
				s.replay(early, back, Signal{Action: AckSignal, DedupKey: "a"})
			},
			[]FoldResult{FoldOpened, FoldRepeated, FoldAcknowledged},
			true, Acknowledged,
		},
		"an old list": {
			func(s *stored) {
				s.fold(late, fires("a"))
				s.replay(early, back, Signal{Action: Reconcile, GroupKey: "a"})
			},
			[]FoldResult{FoldOpened, FoldLate},
			true, Triggered,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s stored
			tale.do(&s)
			equal(t, "results", s.results, tale.results)
			latest := s.alerts[AlertID(len(s.alerts))]
			equal(t, "firing", latest.Firing, tale.firing)
			equal(t, "status", s.incidents[1].Status, tale.status)
			equal(t, "incidents", len(s.incidents), 1)
		})
	}
}

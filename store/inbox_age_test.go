package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func keyless(dedup string) oncall.Signal {
	s := trigger(dedup)
	s.Keyless = true
	return s
}

// age closes the alerts that are too old, and returns how many there were.
func (w *world) age(s *store.System) int {
	w.t.Helper()
	return must[int](w.t)(s.AgeAlerts(w.t.Context(), w.clock()))
}

func (w *world) status(id oncall.IncidentID) oncall.Status { return w.incident(id).Status }

// Even if several instances check at the same moment while nothing is folded, each alert is closed once.
func TestSeveralInstancesCloseByAgeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	w.accept(keyless("disk"), trigger("keyed"), keyless("over"), resolve("over"))
	w.fold()
	stop()
	w.advance(oncall.ClosesByAge)
	others := []*store.System{w.System, w.another(), w.another(), w.another()}
	found := make(chan int, len(others))
	for _, s := range others {
		go func() {
			n, err := s.AgeAlerts(t.Context(), w.clock())
			if err != nil {
				t.Error(err)
			}
			found <- n
		}()
	}
	all := 0
	for range others {
		all += <-found
	}
	if all < 1 || all > len(others) {
		t.Errorf("%d were found, want one for each at most", all)
	}
	if n := w.age(w.System); n != 0 {
		t.Errorf("%d are found that wait already, want 0", n)
	}
	w.run(w.another()) // the previous folding instance has died
	w.fold()
	if n := w.count(`SELECT count(*) FROM incident_events WHERE kind = 'aged'`); n != 1 || w.status(1) != oncall.Resolved || w.status(2) != oncall.Triggered {
		t.Errorf("%d notes; it is %s, and what has a key %s; want n 1, %s and %s", n, w.status(1), w.status(2), oncall.Resolved, oncall.Triggered)
	}
	if n := w.age(w.System); n != 0 {
		t.Errorf("%d are found that are closed, want 0", n)
	}
}

// Signals that have not been folded yet count too, whether they came before or after the check.
func TestWaitingSignalKeepsAlertOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	w.accept(keyless("disk"), keyless("cpu"))
	w.fold()
	stop()
	w.advance(oncall.ClosesByAge)
	w.accept(keyless("disk"))
	if n := w.age(w.System); n != 1 {
		t.Errorf("%d are closed, want the other one", n)
	}
	w.accept(keyless("cpu")) // a moment too late: the alert is closed, and comes back
	w.run(w.another())
	w.fold()
	if w.status(1) != oncall.Triggered || w.status(2) != oncall.Triggered {
		t.Errorf("they are %s and %s; want %s and %s", w.status(1), w.status(2), oncall.Triggered, oncall.Triggered)
	}
	if n := w.count(`SELECT count(*) FROM incident_events WHERE kind = 'aged' AND incident_id = 1`); n != 0 {
		t.Errorf("what has come again is closed by age: got %v, want 0", n)
	}
	if n := w.count(`SELECT count(*) FROM incident_events WHERE kind = 'reopened' AND incident_id = 2`); n != 1 {
		t.Errorf("what came a moment too late is not open again: got %v, want 1", n)
	}
}

// Somebody snoozes the incident between the check and the fold. The snooze wins, and the age counts
// from its end.
func TestSnoozedIncidentOutlastsAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	w.accept(keyless("disk"))
	w.fold()
	stop()
	w.advance(oncall.ClosesByAge)
	if n := w.age(w.System); n != 1 {
		t.Fatalf("%d are found, want 1", n)
	}
	ends := w.clock().Add(3 * time.Hour)
	in := w.do(1, ann, oncall.Act{Do: oncall.ActSnooze, Until: ends}, w.clock())
	w.run(w.another())
	w.fold()
	if w.status(1) != oncall.Snoozed {
		t.Fatalf("it is %s, want %s", w.status(1), oncall.Snoozed)
	}
	w.advance(time.Hour)
	if n := w.age(w.System); n != 0 {
		t.Errorf("%d are found that are snoozed, want 0", n)
	}
	w.advance(2 * time.Hour)
	if due, err := w.RunIncidentTimer(t.Context(), 1, in.Seq, w.clock()); !due || err != nil {
		t.Fatalf("at the end of the snooze the timer is due: %t, %v, want true", due, err)
	}
	if got := w.incident(1); got.Status != oncall.Triggered || got.WokenAt == nil || !got.WokenAt.Equal(ends) {
		t.Errorf("woken: %s, at %v; want %s, non-nil and %v", got.Status, got.WokenAt, oncall.Triggered, ends)
	}
	w.advance(oncall.ClosesByAge - time.Second)
	if n := w.age(w.System); n != 0 {
		t.Errorf("%d are found that were snoozed until a moment ago, want 0", n)
	}
	w.advance(time.Second)
	if n := w.age(w.System); n != 1 {
		t.Errorf("%d are found a day after the snooze, want 1", n)
	}
	w.fold()
	if w.status(1) != oncall.Resolved {
		t.Errorf("it is %s, want %s", w.status(1), oncall.Resolved)
	}
}

// PagerDuty's clients learn the dedup key from the response, and can resolve the alert with it.
func TestKeyedAlertsAreNeverClosedByAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(keyless("disk"))
	w.fold()
	w.accept(trigger("disk"))
	w.fold()
	w.accept(keyless("disk"))
	w.fold()
	w.advance(2 * oncall.ClosesByAge)
	if n := w.age(w.System); n != 0 {
		t.Errorf("%d are closed, want 0", n)
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE firing AND NOT keyless`); n != 1 {
		t.Errorf("%d alerts are known to have a key, want 1", n)
	}
}

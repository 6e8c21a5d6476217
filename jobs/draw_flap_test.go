package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// The reply about flapping is posted once, even if Slack's response is lost, and then edited; if
// somebody deletes it, it is posted again.
func TestFlapLineIsEditedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var lost atomic.Bool
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act == "post line" && posted && lost.CompareAndSwap(false, true) {
			return errors.New("connection reset")
		}
		return nil
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	fires := oncall.Signal{Action: oncall.Trigger, DedupKey: "db-1", Title: "disk full on db-1"}
	ends := oncall.Signal{Action: oncall.Clear, DedupKey: "db-1"}
	w.accept(w.id, ends, fires, ends, fires, ends, fires)
	lines := func() []flapReply {
		w.messenger.mu.Lock()
		defer w.messenger.mu.Unlock()
		return append([]flapReply(nil), w.messenger.lines...)
	}
	shows := func(times int) func() bool {
		return func() bool {
			all := lines()
			return len(all) > 0 && all[len(all)-1].shows.Times == times
		}
	}
	w.until("the line is posted", shows(3))
	w.accept(w.id, ends, fires)
	w.ack(id, ann)
	w.until("it is edited", shows(4))
	if all := lines(); len(all) != 1 {
		t.Fatalf("%d lines, want 1: %+v", len(all), all)
	}
	w.messenger.mu.Lock()
	w.messenger.lines = nil
	w.messenger.mu.Unlock()
	if _, err := w.store.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.until("it is posted again", shows(4))
	if all := lines(); len(all) != 1 || all[0].shows.OverAt == nil {
		t.Fatalf("got lines %+v, want 1 with OverAt", all)
	}
}

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
func TestALineAboutFlappingIsEditedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var lost atomic.Bool
	w.board.fail(func(_ context.Context, act string, posted bool) error {
		if act == "post line" && posted && lost.CompareAndSwap(false, true) {
			return errors.New("connection reset")
		}
		return nil
	})
	w.start(w.phone)
	id := w.signal("db-1")[0]
	fires := oncall.Signal{Action: oncall.Trigger, DedupKey: "db-1", Title: "disk full on db-1"}
	ends := oncall.Signal{Action: oncall.Clear, DedupKey: "db-1"}
	w.accept(w.id, ends, fires, ends, fires, ends, fires)
	lines := func() []line {
		w.board.mu.Lock()
		defer w.board.mu.Unlock()
		return append([]line(nil), w.board.lines...)
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
	w.board.mu.Lock()
	w.board.lines = nil
	w.board.mu.Unlock()
	if _, err := w.store.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.until("it is posted again", shows(4))
	if all := lines(); len(all) != 1 || all[0].shows.OverAt == nil {
		t.Fatalf("got lines %+v, want 1 with OverAt", all)
	}
}

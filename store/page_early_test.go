package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A page that is deferred because of another message waits until the deferral ends. If that message did not
// get through, the next contact method is used as if there were no deferral.
func TestFailedMessageEndsDeferral(t *testing.T) {
	t.Parallel()
	for result, again := range map[oncall.PageResult]time.Duration{oncall.PageAccepted{}: 40 * time.Second, oncall.PageThrottled{Why: "x"}: 0} {
		w := newWorld(t)
		w.exec(`INSERT INTO contacts (user_id, method, address, verified_at, disabled_why, created_at)
			VALUES ($1, 'sms', '+12025550100', $2, '', $2)`, ann, start)
		w.storm("a")
		w.begin(1, start)
		w.check(w.RecordPage(t.Context(), 1, result, start))
		w.storm("b")
		if order := w.begin(3, start); order.Send {
			t.Fatalf("after %T the page is sent at once, want it held", result)
		}
		order := w.begin(4, start.Add(10*time.Second))
		if order.Send != (again == 0) || again > 0 && !order.CheckAt.Equal(start.Add(again)) {
			t.Errorf("%T: the SMS goes now: %t, or at %s, want %t, or at %s", result, order.Send, order.CheckAt, again == 0, start.Add(again))
		}
	}
}

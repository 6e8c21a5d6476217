package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/store"
)

// A page that is held back because of another message has time until the hold is over; but where
// that message has not got through itself, the next contact method goes as if there were no hold.
func TestAHoldThatToldNothingDelaysNothing(t *testing.T) {
	t.Parallel()
	for outcome, again := range map[string]time.Duration{store.PageDelivered: 40 * time.Second, store.PageRetry: 0} {
		w := newWorld(t)
		w.exec(`INSERT INTO contacts (user_id, method, address, verified_at, disabled_why, created_at)
			VALUES ($1, 'sms', '+12025550100', $2, '', $2)`, ann, start)
		w.storm("a")
		w.begin(1, start)
		w.check(w.RecordPage(t.Context(), 1, store.PageResult{Outcome: outcome, Detail: "x"}, start))
		w.storm("b")
		if order := w.begin(3, start); order.Send {
			t.Fatalf("%s: nothing is held", outcome)
		}
		order := w.begin(4, start.Add(10*time.Second))
		if order.Send != (again == 0) || again > 0 && !order.Again.Equal(start.Add(again)) {
			t.Errorf("%s: the SMS goes now: %t, or at %s", outcome, order.Send, order.Again)
		}
	}
}

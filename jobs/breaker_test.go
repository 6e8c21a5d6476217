package jobs

import (
	"errors"
	"fmt"
	"testing"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// A failing server of one person delays nobody else's page.
func TestFailingPersonalServerAffectsNobodyElse(t *testing.T) {
	t.Parallel()
	var changed []oncall.Method
	b := breakers{changed: func(m oncall.Method, _ bool) { changed = append(changed, m) }}
	others := []oncall.Method{oncall.MethodSlack}
	fails := notify.Receipt{Outcome: notify.Unknown, Err: errors.New("bad gateway")}
	passes := func(p provider) bool {
		done, open := b.allow(p, others)
		if !open {
			done(notify.Receipt{Outcome: notify.Accepted})
		}
		return !open
	}
	for _, method := range []oncall.Method{oncall.MethodNtfy, oncall.MethodWebhook} {
		di := provider{method, "di.example.com"}
		for range tripAfter {
			if done, open := b.allow(di, others); open {
				t.Fatalf("%s: it is passed over at once", method)
			} else {
				done(fails)
			}
		}
		if passes(di) {
			t.Errorf("%s: the failing server is not passed over", method)
		}
		if !passes(provider{method, "cy.example.com"}) || !passes(provider{method: method}) {
			t.Errorf(`%s: others are passed over, too; want only the one that failed passed over`, method)
		}
	}
	if len(changed) > 0 {
		t.Errorf("got %q failing, want none", changed)
	}
	for n := range 2 * maxBreakers {
		b.breaker(provider{oncall.MethodWebhook, fmt.Sprint(n)})
	}
	if len(b.byProvider) > maxBreakers+1 {
		t.Errorf("%d breakers are kept, want at most %d", len(b.byProvider), maxBreakers+1)
	}
	if b.byProvider[provider{method: oncall.MethodNtfy}] == nil {
		t.Error("the breaker of ntfy was dropped, want those of methods kept")
	}
}

package spool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
)

// stopDatabase makes the database unavailable.
func (w *world) stopDatabase() {
	w.Helper()
	w.awaitSnapshot()
	w.proxy.Set(storetest.ProxyDown)
}

// awaitOutage waits until the receiver has noticed the outage.
func (w *world) awaitOutage() {
	w.Helper()
	w.until("the receiver has noticed the outage", func() bool { return len(w.receiver.Status(w.Context())) == 2 })
}

func (w *world) wantMessages(want ...string) {
	w.Helper()
	w.until(fmt.Sprintf("people are told %q", want), func() bool { return len(w.messages.all()) >= len(want) })
	w.wantOnlyMessages(want...)
}

// wantOnlyMessages checks that nobody else is told, once the receiver has checked the present state.
func (w *world) wantOnlyMessages(want ...string) {
	w.Helper()
	w.awaitCheck()
	if got := w.messages.all(); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		w.Errorf("people were told\n%q, want\n%q", got, want)
	}
}

// awaitCheck waits until the receiver has checked the present state and acted on it.
func (w *world) awaitCheck() {
	w.Helper()
	before := w.receiver.Checks()
	w.until("the receiver has checked", func() bool { return w.receiver.Checks() >= before+2 && w.receiver.Sending() == 0 })
}

const (
	oneWaits = "Watchbill's database is down, and an alert of orders waits, critical: disk"
	twoWait  = "Watchbill's database is down, and 2 alerts of orders wait, the worst critical: disk"
)

func TestPersonOnCallIsToldOnceThatAlertsWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stopDatabase()
	w.accept(oncall.Trigger, "disk", oncall.Critical)
	w.accept(oncall.Trigger, "cpu", oncall.Medium)
	w.accept(oncall.Trigger, "cpu", oncall.Medium)
	w.accept(oncall.Trigger, "over")
	w.accept(oncall.Clear, "over")
	w.awaitOutage()
	w.wantOnlyMessages()
	w.advance(oncall.OutageGrace - time.Second)
	w.wantOnlyMessages()
	w.advance(time.Second)
	w.wantMessages("slack to U0ANN: " + twoWait)
	w.accept(oncall.Trigger, "more", oncall.Critical)
	w.stop()
	w.instance = w.start()
	w.awaitOutage()
	w.advance(5 * time.Minute) // the SMS follows later, by Ann's notification rules
	w.wantMessages("slack to U0ANN: "+twoWait, "sms to +12025550123: "+twoWait)
	w.stop()
	w.instance = w.start()
	w.awaitOutage()
	w.advance(time.Hour)
	w.wantOnlyMessages("slack to U0ANN: "+twoWait, "sms to +12025550123: "+twoWait)

	w.proxy.Set(storetest.ProxyUp)
	w.until("signals are stored directly again", func() bool { return !w.system.Suspended() })
	var n, accepted int
	w.until("the messages are written down", func() bool {
		w.must(w.pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE outcome = 'accepted') FROM outage_pages`).Scan(&n, &accepted))
		return n > 0
	})
	if n != 2 || accepted != 2 {
		t.Errorf("%d messages are written down, %d as accepted, want 2 and 2", n, accepted)
	}

	// A second outage shortly after counts as the same one, a later one as another.
	w.until("signals are stored directly again", func() bool { return !w.system.Suspended() })
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "disk", oncall.Critical)
	w.awaitOutage()
	w.advance(time.Minute)
	w.wantOnlyMessages("slack to U0ANN: "+twoWait, "sms to +12025550123: "+twoWait)
	w.proxy.Set(storetest.ProxyUp)
	w.until("signals are stored directly again", func() bool { return !w.system.Suspended() })
	w.advance(oncall.OutagePause + time.Minute)
	w.proxy.Set(storetest.ProxyDown)
	w.accept(oncall.Trigger, "disk", oncall.Critical)
	w.awaitOutage()
	w.advance(time.Minute)
	w.wantMessages("slack to U0ANN: "+twoWait, "sms to +12025550123: "+twoWait, "slack to U0ANN: "+oneWaits)
}

func TestNoMessageForResolvedLowOrBriefAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stopDatabase()
	w.accept(oncall.Trigger, "low", oncall.Low)
	w.accept(oncall.Trigger, "over", oncall.Critical)
	w.accept(oncall.Clear, "over")
	w.awaitOutage()
	w.advance(time.Hour)
	w.wantOnlyMessages()
	w.accept(oncall.Trigger, "disk", oncall.Critical)
	w.wantMessages("slack to U0ANN: Watchbill's database is down, and 2 alerts of orders wait, the worst critical: disk")
}

// A message that fails is retried a little later, but not for ever.
func TestFailedMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.messages.fail = 2
	w.stopDatabase()
	w.accept(oncall.Trigger, "disk", oncall.Critical)
	w.awaitOutage()
	w.advance(oncall.OutageGrace)
	for len(w.messages.all()) == 0 {
		w.advance(5 * time.Second)
		w.awaitCheck()
		if w.clock().Sub(noon) > 10*time.Minute {
			t.Fatal("never sent")
		}
	}
	if got := w.messages.all()[0]; got != "slack to U0ANN: "+oneWaits {
		t.Errorf("sent: got %s, want %q", got, "slack to U0ANN: "+oneWaits)
	}
}

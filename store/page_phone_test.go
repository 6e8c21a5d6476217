package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A number gets at most six calls an hour, whoever owns it; then the next contact method is used.
func TestPhoneCallsAreLimitedPerHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sms := w.addContact(ann, oncall.MethodSMS, "+12025550107")
	voice := w.addContact(ann, oncall.MethodVoice, "+12025550107")
	w.addContact(bo, oncall.MethodVoice, "+12025550107")
	w.check(w.SetPreferences(ctx, oncall.ByTimer(), ann, oncall.Preferences{High: []oncall.Rule{{Contact: voice.ID}, {Contact: sms.ID, After: 60}}}, start))
	at := start
	for n := range 3 {
		w.storm(fmt.Sprint("alert ", n))
		page := oncall.PageID(1 + 2*n)
		for try := range 2 {
			if order := w.begin(page, at); !order.Send || order.Unsendable != "" {
				t.Fatalf(`page %d: %+v; want it sent`, page, order)
			}
			w.check(w.RecordPage(ctx, page, oncall.PageAccepted{Ref: fmt.Sprint("CA", n, try), Track: true}, at))
			w.check(w.RecordReceipt(ctx, page, oncall.PageReceipt{State: oncall.ReceiptUnanswered, Why: "nobody picked up", Final: true}, at))
			at = at.Add(time.Minute)
		}
	}
	w.storm("the last")
	rests := must[map[oncall.ContactID]time.Time](t)(w.RestingPhones(ctx, oncall.ByTimer(), 4, []oncall.ContactID{sms.ID, voice.ID}, at))
	if want := start.Add(time.Minute + time.Hour); len(rests) != 1 || !rests[voice.ID].Equal(want) {
		t.Errorf("phones rest until %v, want only %v, until %v", rests, voice.ID, want)
	}
	order := w.begin(7, at)
	if !order.Send || !strings.HasPrefix(order.Unsendable, "this phone has rung 6 times in vain") {
		t.Fatalf(`the seventh call: %+v; want it to fail as "this phone has rung 6 times in vain"`, order)
	}
	w.check(w.RecordPage(ctx, 7, oncall.PageRefused{Why: order.Unsendable}, at))
	if order := w.begin(8, at); !order.Send || order.Page.Method != oncall.MethodSMS || order.Unsendable != "" {
		t.Errorf(`the SMS: %+v; want it sent by %v`, order, oncall.MethodSMS)
	}
	events := must[[]oncall.Event](t)(w.Events(ctx, oncall.ByTimer(), 4))
	if e := events[len(events)-1]; e.Kind != oncall.EventPageFailed || e.Detail.Text != order.Unsendable {
		t.Errorf("the timeline ends with %+v; want %v with the text %q", e, oncall.EventPageFailed, order.Unsendable)
	}
	w.storm("an hour later")
	if order := w.begin(9, at.Add(time.Hour)); !order.Send || order.Unsendable != "" {
		t.Errorf(`an hour later: %+v; want it sent`, order)
	}
	told := w.strings(`SELECT concat_ws(' ', recipient, facts ->> 'address', facts ->> 'end') FROM notices WHERE kind = 'phone_rests'`)
	if want := []string{"U0ANN +12025550107 " + start.Add(time.Minute+time.Hour).UTC().Format(time.RFC3339)}; !slices.Equal(told, want) {
		t.Errorf("people hear %q, want %q, once", told, want)
	}
}

// Calls that are picked up, and those whose incident the person has acknowledged, reached somebody: they don't count.
func TestAnsweredCallsDontCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	voice := w.addContact(ann, oncall.MethodVoice, "+12025550107")
	w.check(w.SetPreferences(ctx, oncall.ByTimer(), ann, oncall.Preferences{High: []oncall.Rule{{Contact: voice.ID}}}, start))
	at := start
	for n := range 8 {
		w.storm(fmt.Sprint("alert ", n))
		page := oncall.PageID(n + 1)
		if order := w.begin(page, at); !order.Send || order.Unsendable != "" {
			t.Fatalf(`page %d: %+v; want it sent`, page, order)
		}
		w.check(w.RecordPage(ctx, page, oncall.PageAccepted{Ref: fmt.Sprint("CA", n), Track: true}, at))
		if n%2 == 0 {
			w.check(w.RecordReceipt(ctx, page, oncall.PageReceipt{State: oncall.ReceiptAnswered, Final: true}, at))
		} else {
			w.do(oncall.IncidentID(n+1), ann, oncall.Act{Do: oncall.ActAck}, at.Add(time.Second))
		}
		at = at.Add(2 * time.Minute)
	}
}

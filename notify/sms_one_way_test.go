package notify_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
)

// Where no answer reaches us, no text asks for one.
func TestOneWaySMSNamesAnotherWayToAnswer(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	for want, m := range map[string]notify.Message{
		"Watchbill #12 critical: disk full on db-1. Acknowledge in Slack: /oncall ack 12 (": page(annPhone, "1"),
		"Watchbill: 2 incidents: #12 a; #13 b. Acknowledge in Slack; answers to this number don't reach us (": {
			Purpose: notify.ForPage, Key: "2", Code: 1, Count: 2, Lines: []string{"#12 a", "#13 b"},
		},
		"Watchbill: Cy asks you to help with #12: disk full. Accept or decline in Slack; answers to this number don't reach us (": {
			Purpose: notify.ForPage, Key: "3", Code: 1, Incident: 12, AskedBy: "Cy", Title: "disk full",
		},
		"Watchbill: to be paged at this number, type 482913 in Slack. If you don't know why, ignore it.": {Purpose: notify.ForVerify, Verify: "482913"},
		"Watchbill test: this is how a page looks. Answers to this number don't reach us":                {Purpose: notify.ForTest},
		"Watchbill: can we still reach you? Answers to this number don't reach us":                       {Purpose: notify.ForCheck},
	} {
		m.To, m.OneWay = annPhone, true
		before := len(l.sim.Inbox(annPhone))
		if r := l.sms().Send(t.Context(), m); r.Outcome != notify.Accepted {
			t.Fatalf("sent: %+v, want accepted", r)
		}
		if got := l.sim.Inbox(annPhone)[before]; !strings.HasPrefix(got, want) || strings.Contains(got, "eply") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

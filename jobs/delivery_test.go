package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
)

const annPhone = "+12025550100"

// newSMSWorld returns a world whose instance also has SMS and calls, by both of which Ann can be reached.
func newSMSWorld(t *testing.T) (w *world, clock *storetest.Clock, sms, voice *fakeProvider) {
	t.Helper()
	clock = newClock()
	w = newWorld(t, "1h", clock.Now)
	sms, voice = newFakeProvider(), newFakeProvider()
	w.more = map[oncall.Method]notify.Sender{oncall.MethodSMS: sms, oncall.MethodVoice: voice}
	w.addContact(ann, oncall.MethodVoice, annPhone)
	w.addContact(ann, oncall.MethodSMS, annPhone)
	return w, clock, sms, voice
}

// awaitPages waits until every page that is due has been worked on.
func (w *world) awaitPages() {
	w.t.Helper()
	w.until("all pages are looked at", func() bool {
		var n int
		err := w.store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM river_job
			WHERE kind = 'page' AND (state = 'running' OR state IN ('available', 'retryable', 'scheduled') AND scheduled_at <= $1)`,
			w.clock()).Scan(&n)
		if err != nil {
			w.t.Fatal(err)
		}
		return n == 0
	})
}

// Without an answer the phone rings after a minute and an SMS comes after three. An acknowledgement
// ends all that.
func TestPagesFollowTheRules(t *testing.T) {
	t.Parallel()
	d, clock, sms, voice := newSMSWorld(t)
	d.start(d.sender)
	d.signal("db-1")
	d.until("Ann is paged in Slack", func() bool { return len(d.sender.sentTo(ann)) == 1 })
	d.awaitPages() // and it is recorded, before time passes
	for range 11 {
		clock.Advance(5 * time.Second)
		d.awaitPages()
	}
	if n := len(voice.messages(notify.ForPage)); n != 0 {
		t.Fatalf("%d calls before their time, want 0", n)
	}
	clock.Advance(5 * time.Second)
	d.until("the phone rings", func() bool { return len(voice.messages(notify.ForPage)) == 1 })
	call := voice.messages(notify.ForPage)[0]
	if call.To != annPhone || call.Code != 1 {
		t.Errorf("got a call to %s with code %d, want %s with 1", call.To, call.Code, annPhone)
	}
	if call.Token == "" || len(call.Token) > 140 || call.Link != "" {
		t.Errorf("got the token %q and the link %q, want at most 140 characters and no link", call.Token, call.Link)
	}
	d.ack(1, ann)
	d.until("the call is cut off", func() bool { return voice.cancelled() == 1 })
	clock.Advance(10 * time.Minute)
	d.until("no page is waiting", func() bool { return d.queueEmpty("page") })
	if n := len(sms.messages(notify.ForPage)); n != 0 {
		t.Errorf("%d SMS after the acknowledgement, want 0", n)
	}
}

// If a method fails, the next one follows at once.
func TestFailureBringsTheNextMethodForward(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		receipt notify.Receipt
	}{
		{"rejected", notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}},
		{"misconfigured", notify.Receipt{Outcome: notify.Misconfigured, Err: errors.New("token_revoked")}},
		{"unknown", notify.Receipt{Outcome: notify.Unknown, Err: errors.New("timeout")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, _, sms, voice := newSMSWorld(t)
			d.sender.answer = func(context.Context, notify.Message, int) notify.Receipt { return test.receipt }
			voice.answer = func(notify.Message, int) notify.Receipt { return test.receipt }
			d.start(d.sender)
			d.signal("db-1")
			d.until("the SMS is there", func() bool { return len(sms.messages(notify.ForPage)) == 1 })
			if len(d.events(1, oncall.EventUnreached)) != 0 {
				t.Error("the step counts as lost although an SMS has arrived")
			}
		})
	}
}

// If Slack keeps a page waiting for ten seconds, the next method follows.
func TestThrottledPageGoesByTheNextMethod(t *testing.T) {
	t.Parallel()
	d, clock, _, voice := newSMSWorld(t)
	d.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: 30 * time.Second}
	}
	d.start(d.sender)
	d.signal("db-1")
	d.until("Slack is tried", func() bool { return len(d.sender.sentTo(ann)) == 1 })
	d.awaitPages() // and it is recorded, before time passes
	clock.Advance(9 * time.Second)
	d.awaitPages()
	if n := len(voice.messages(notify.ForPage)); n != 0 {
		t.Fatalf("%d calls after nine seconds, want 0", n)
	}
	clock.Advance(time.Second)
	d.until("the phone rings", func() bool { return len(voice.messages(notify.ForPage)) == 1 })
}

// A provider whose quota is used up for hours is not tried twice a minute, but often enough to
// notice that an admin has acted.
func TestExhaustedQuotaIsRetriedLater(t *testing.T) {
	t.Parallel()
	d, clock, _, voice := newSMSWorld(t)
	voice.answer = func(notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Misconfigured, RetryAfter: 3 * time.Hour, Err: errors.New("used up")}
	}
	d.start(d.sender)
	d.signal("db-1")
	d.until("the person is told in Slack", func() bool { return len(d.sender.sentTo(ann)) == 1 })
	d.awaitPages()
	clock.Advance(time.Minute)
	d.until("a call is tried", func() bool { return len(voice.messages(notify.ForPage)) == 1 })
	d.awaitPages()
	clock.Advance(9 * time.Minute)
	d.awaitPages()
	if n := len(voice.messages(notify.ForPage)); n != 1 {
		t.Errorf("%d calls within nine minutes, want 1", n)
	}
	clock.Advance(2 * time.Minute)
	d.until("it is tried again", func() bool { return len(voice.messages(notify.ForPage)) == 2 })
}

// A call that nobody answers is repeated once, half a minute later, and then has failed. So has an SMS
// that the carrier can't deliver. When nothing is left, the next step runs at once.
func TestFailureAfterAcceptance(t *testing.T) {
	t.Parallel()
	d, clock, sms, voice := newSMSWorld(t)
	d.sender.answer = func(_ context.Context, m notify.Message, n int) notify.Receipt {
		if m.To == string(ann) {
			return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
		}
		return acceptMessage(context.Background(), m, n)
	}
	d.start(d.sender)
	d.signal("db-1")
	d.until("the phone rings", func() bool { return len(voice.messages(notify.ForPage)) == 1 })
	d.awaitPages()
	voice.setTrack("ref-1", notify.Track{State: notify.Unanswered, Final: true, Err: errors.New("no answer")})
	clock.Advance(5 * time.Second)
	d.until("it is known that nobody picked up", func() bool { return len(d.events(1, oncall.EventPageReceipt)) == 1 })
	if n := len(sms.messages(notify.ForPage)); n != 0 {
		t.Errorf("%d SMS before the second call, want 0", n)
	}
	clock.Advance(30 * time.Second)
	d.until("the phone rings again", func() bool { return len(voice.messages(notify.ForPage)) == 2 })
	d.awaitPages() // and it is recorded, before time passes
	calls := voice.messages(notify.ForPage)
	if calls[0].Key == calls[1].Key || calls[0].Code != calls[1].Code {
		t.Errorf("got a second call %+v, want a new key and the same code", calls[1])
	}
	voice.setTrack("ref-2", notify.Track{State: notify.Unanswered, Final: true, Err: errors.New("no answer")})
	clock.Advance(5 * time.Second)
	d.until("the SMS comes at once", func() bool { return len(sms.messages(notify.ForPage)) == 1 })
	d.awaitPages() // and it is recorded, before time passes
	sms.setTrack("ref-1", notify.Track{State: notify.Failed, Final: true, Dead: true, Err: errors.New("30005")})
	clock.Advance(5 * time.Second)
	d.until("Bo is paged", func() bool { return len(d.sender.sentTo(bo)) == 1 })
	if n := len(d.events(1, oncall.EventUnreached)); n != 1 {
		t.Errorf("the step was lost %d times, want once", n)
	}
	reach, err := d.store.ContactSettings(t.Context(), oncall.ByTimer(), ann)
	if err != nil || reach.Contacts[1].Usable() || !reach.Contacts[0].Usable() {
		t.Errorf("got contacts %+v, %v, want only the dead number unusable", reach, err)
	}
	d.until("people are told", func() bool {
		notices := d.messenger.noticeLines()
		return strings.Contains(notices, "contact_off "+string(ann)) && strings.Contains(notices, "delivery_failed C0PAY")
	})
}

// noticeLines lists the posted notices.
func (m *fakeMessenger) noticeLines() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, n := range m.notices {
		out = append(out, fmt.Sprint(n.Kind, " ", n.To))
	}
	return strings.Join(out, "\n")
}

// A message whose outcome is unknown is looked up before it is sent again.
func TestUnknownOutcomeIsLookedUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		state notify.State // "lost": the provider doesn't list it
		sends int
	}{{"it was sent", notify.Pending, 1}, {"it was lost", "lost", 2}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, clock, sms, voice := newSMSWorld(t)
			sms.lag = 10 * time.Second
			sms.setTrack("ref-1", notify.Track{State: test.state})
			sms.answer = func(_ notify.Message, n int) notify.Receipt {
				if n == 1 {
					return notify.Receipt{Outcome: notify.Unknown, Err: errors.New("the answer was cut off")}
				}
				return notify.Receipt{Outcome: notify.Accepted, Reference: fmt.Sprint("ref-", n)}
			}
			voice.answer = func(notify.Message, int) notify.Receipt {
				return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("a landline")}
			}
			d.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
				return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
			}
			d.start(d.sender)
			d.signal("db-1")
			d.until("an SMS is sent", func() bool { return len(sms.messages(notify.ForPage)) == 1 })
			d.awaitPages()
			clock.Advance(10 * time.Second)
			d.until("the SMS is recorded", func() bool { return len(d.events(1, oncall.EventPageDelivered)) == 1 })
			if n := len(sms.messages(notify.ForPage)); n != test.sends {
				t.Errorf("%d SMS, want %d", n, test.sends)
			}
		})
	}
}

// Ann acknowledges by SMS, without any public address.
func TestSMSAnswerAcknowledges(t *testing.T) {
	t.Parallel()
	d, _, sms, voice := newSMSWorld(t)
	voice.answer = func(notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("a landline")}
	}
	d.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
	}
	d.start(d.sender)
	d.signal("db-1")
	d.until("an SMS is sent", func() bool { return len(d.events(1, oncall.EventPageDelivered)) == 1 })
	sms.addAnswer(notify.Answer{From: "+12025550199", Text: "1a"}) // a stranger
	sms.addAnswer(notify.Answer{From: annPhone, Text: "'1A.'"})
	d.until("it is acknowledged", func() bool { return len(d.events(1, oncall.EventAcknowledged)) == 1 })
	by := d.events(1, oncall.EventAcknowledged)[0].Actor
	if by.User != ann || by.Via != string(oncall.MethodSMS) {
		t.Errorf("acknowledged by %+v, want User %v and Via %v", by, ann, string(oncall.MethodSMS))
	}
	d.until("she is told", func() bool { return len(sms.messages(notify.ForResponse)) == 1 })
	if m := sms.messages(notify.ForResponse)[0]; m.To != annPhone || m.Title != "Acknowledged #1." {
		t.Errorf("the answer: got %+v, want To %v and Title \"Acknowledged #1.\"", m, annPhone)
	}
}

// Three hundred incidents in a minute become three messages, and none of them is lost.
func TestStormPagesAreBundled(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "1h", clock.Now)
	w.start(w.sender)
	const steps, each = 30, 10
	for s := range steps {
		var batch []oncall.Signal
		for i := range each {
			batch = append(batch, oncall.Signal{
				Action: oncall.Trigger, DedupKey: fmt.Sprintf("db-%d-%d", s, i), Title: "disk full", Severity: oncall.High,
			})
		}
		w.accept(w.id, batch...)
		w.until("they are folded", func() bool { return w.pagesTo(ann) == (s+1)*each })
		w.awaitPages()
		clock.Advance(2 * time.Second)
	}
	w.until("Ann is told of all", func() bool {
		total := 0
		for _, m := range w.sender.sentTo(ann) {
			total += max(m.Count, 1)
		}
		return total >= steps*each
	})
	w.awaitPages()
	sent := w.sender.sentTo(ann)
	for _, m := range sent {
		t.Logf("%d incidents: %q", m.Count, m.Lines)
	}
	if len(sent) != 3 {
		t.Errorf("%d messages, want 3", len(sent))
	}
	for id := range oncall.IncidentID(steps * each) {
		if n := len(w.events(id+1, oncall.EventPageDelivered)); n != 1 {
			t.Fatalf("incident %s was told %d times, want 1", id+1, n)
		}
	}
}

// A provider that fails repeatedly is skipped while another one works, and no page waits for it
// longer than that.
func TestFailingProviderIsPassedOver(t *testing.T) {
	t.Parallel()
	d, clock, _, voice := newSMSWorld(t)
	d.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Unknown, Err: errors.New("bad gateway")}
	}
	d.start(d.sender)
	d.signal("db-1") // tried three times at once
	d.until("the phone rings", func() bool { return len(voice.messages(notify.ForPage)) == 1 })
	d.until("Slack was tried three times", func() bool { return len(d.sender.sentTo(ann)) == 3 })
	d.awaitPages()
	// Her next page doesn't start with Slack, but Slack is still tried later.
	d.accept(d.id, oncall.Signal{
		Action: oncall.Trigger, DedupKey: "db-2", Title: "disk full", Severity: oncall.Critical,
	})
	clock.Advance(2 * time.Minute)
	d.until("the phone rings again", func() bool { return len(voice.messages(notify.ForPage)) >= 2 })
}

package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

const (
	annPhone = "+12025550101"
	boPhone  = "+12025550102"
)

// testClock is a clock that tests move.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A twilioFixture is a simulated Twilio with a clock, and our account there.
type twilioFixture struct {
	*testing.T
	clock *testClock
	sim   *twiliosim.Sim
	conf  notify.TwilioConfig
}

func newTwilioFixture(t *testing.T) *twilioFixture {
	t.Helper()
	fx := &twilioFixture{T: t, clock: &testClock{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}}
	fx.sim = twiliosim.New(twiliosim.Options{Now: fx.clock.Now})
	address, err := fx.sim.Start("127.0.0.1:0")
	fx.must(err)
	t.Cleanup(func() { fx.sim.Close() })
	fx.conf = twilioConfig(address, fx.clock.Now)
	return fx
}

// twilioConfig returns our account at the Twilio with that address.
func twilioConfig(address string, clock func() time.Time) notify.TwilioConfig {
	return notify.TwilioConfig{
		Account: twiliosim.Account, Key: twiliosim.Key, Secret: twiliosim.Secret, From: twiliosim.Number, API: address, Clock: clock,
	}
}

func (fx *twilioFixture) must(err error) {
	fx.Helper()
	if err != nil {
		fx.Fatal(err)
	}
}

func (fx *twilioFixture) sms() notify.SMS { return notify.SMS{Twilio: notify.NewTwilio(fx.conf)} }

// voice sets up the flow first, as an admin does.
func (fx *twilioFixture) voice() notify.Voice {
	fx.Helper()
	t := notify.NewTwilio(fx.conf)
	flow, _, err := t.SetUpFlow(context.Background())
	fx.must(err)
	fx.conf.Flow = flow
	return notify.Voice{Twilio: notify.NewTwilio(fx.conf)}
}

func page(to, key string) notify.Message {
	return notify.Message{
		Purpose: notify.ForPage, Key: key, To: to, Attempt: 1, Incident: 12, Title: "disk full on db-1", Severity: "critical", Code: 1,
	}
}

func want(t *testing.T, r notify.Receipt, outcome notify.Outcome) {
	t.Helper()
	if r.Outcome != outcome || (r.Err == nil) != (outcome == notify.Accepted) || (r.Reference != "") != (outcome == notify.Accepted) {
		t.Errorf("got %+v, want %s", r, outcome)
	}
}

// wantTrack names the parts of a track that are wrong; says is a part of its error.
func wantTrack(t *testing.T, name string, got, want notify.Track, says string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(notify.Track{}, "Err")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	if text := fmt.Sprint(got.Err); !strings.Contains(text, says) {
		t.Errorf("%s: got the error %s, want it with %q", name, text, says)
	}
}

func TestSMSIsSentAndTracked(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, ctx := l.sms(), t.Context()
	m := page(annPhone, "page 7")
	m.Expires = l.clock.Now().Add(5 * time.Minute)
	r := s.Send(ctx, m)
	want(t, r, notify.Accepted)
	got := l.sim.Inbox(annPhone)
	if len(got) != 1 || !strings.HasPrefix(got[0], "Watchbill #12 critical: disk full on db-1. Reply 1a ack, 1r resolve, 1e escalate (") {
		t.Fatalf("the phone shows %q, want one text with the incident and what to answer", got)
	}
	form := l.sim.Requests()[0].Form
	for name, want := range map[string]string{"ValidityPeriod": "[300]", "RiskCheck": "[disable]", "SmartEncoded": "[true]", "StatusCallback": "[]"} {
		if got := fmt.Sprint(form[name]); got != want {
			t.Errorf("got %s %s, want %s", name, got, want)
		}
	}
	var states []notify.State
	for range 3 {
		track, err := s.Track(ctx, r.Reference)
		l.must(err)
		states = append(states, track.State)
	}
	if states[0] != notify.Sent || states[2] != notify.Delivered {
		t.Errorf("states %v, want %s first and %s last", states, notify.Sent, notify.Delivered)
	}
}

func TestSMSAnswerIsReadOnce(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, ctx := l.sms(), t.Context()
	_, cursor, err := s.Listen(ctx, "")
	l.must(err)
	l.clock.advance(time.Second)
	_, err = l.sim.Reply(ctx, annPhone, "1a")
	l.must(err)
	replies, cursor, err := s.Listen(ctx, cursor)
	l.must(err)
	if len(replies) != 1 || replies[0].Text != "1a" || replies[0].From != annPhone {
		t.Fatalf("got the answers %+v, want 1a from %s alone", replies, annPhone)
	}
	replies, _, err = s.Listen(ctx, cursor)
	l.must(err)
	if len(replies) != 0 {
		t.Errorf("the second look brought the answers %+v, want none", replies)
	}
}

// 120 answers are on three pages. Each comes once, in order, and so does one that is listed late.
func TestSMSAnswersOnManyPages(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, ctx := l.sms(), context.Background()
	for n := range 120 {
		_, err := l.sim.Reply(ctx, annPhone, fmt.Sprint(n, "a"))
		l.must(err)
		l.clock.advance(time.Second)
	}
	replies, cursor, err := s.Listen(ctx, "")
	l.must(err)
	for n, r := range replies {
		if r.Text != fmt.Sprint(n, "a") {
			t.Fatalf("reply %d is %q, want %v", n, r.Text, fmt.Sprint(n, "a"))
		}
	}
	if len(replies) != 120 {
		t.Fatalf("%d replies, want 120", len(replies))
	}
	l.sim.SetListLag(30 * time.Second)
	late, err := l.sim.Reply(ctx, boPhone, "2a")
	l.must(err)
	l.clock.advance(20 * time.Second)
	replies, cursor, err = s.Listen(ctx, cursor)
	l.must(err)
	if len(replies) != 0 {
		t.Errorf("replies %+v, want 0 replies", replies)
	}
	l.sim.SetListLag(0)
	_, err = l.sim.Reply(ctx, annPhone, "3a")
	l.must(err)
	replies, _, err = s.Listen(ctx, cursor)
	l.must(err)
	if len(replies) != 2 || replies[0].ID != late || replies[1].Text != "3a" {
		t.Errorf("replies %+v, want 2 replies, ID %v and Text \"3a\"", replies, late)
	}
}

// Messages sent long before we first listen are not answers; those of the last minutes are.
func TestSMSListensFromNow(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	ctx := context.Background()
	_, err := l.sim.Reply(ctx, annPhone, "old")
	l.must(err)
	l.clock.advance(time.Hour)
	_, err = l.sim.Reply(ctx, annPhone, "new")
	l.must(err)
	replies, _, err := l.sms().Listen(ctx, "")
	l.must(err)
	if len(replies) != 1 || replies[0].Text != "new" {
		t.Errorf("replies %+v, want 1 reply and Text \"new\"", replies)
	}
}

func TestSMSIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, ctx := l.sms(), context.Background()
	since := l.clock.Now()
	earlier, m := page(annPhone, "page 6"), page(annPhone, "page 7")
	want(t, s.Send(ctx, earlier), notify.Accepted)
	if _, found, err := s.Find(ctx, m, since); err != nil || found {
		t.Errorf("before: found %v, %v, want no error and nothing found", found, err)
	}
	l.sim.Fail(twiliosim.Fault{Path: "Messages.json", Method: "POST", Kind: twiliosim.FaultLost})
	want(t, s.Send(ctx, m), notify.Unknown)
	l.clock.advance(3 * time.Second)
	m.Title = "disk full on db-1 and db-2" // changed since it was sent
	r, found, err := s.Find(ctx, m, since)
	if err != nil || !found || !strings.HasPrefix(r.Reference, "SM") {
		t.Errorf("found %+v, %v, %v, want no error and found beginning with \"SM\"", r, found, err)
	}
	verify := notify.Message{Purpose: notify.ForVerify, Key: "code 1", To: boPhone, Verify: "482913"}
	want(t, s.Send(ctx, verify), notify.Accepted)
	if _, found, err = s.Find(ctx, verify, since); err != nil || !found {
		t.Errorf("the code: found %v, %v, want no error and found", found, err)
	}
	if got := l.sim.Inbox(boPhone); !strings.Contains(got[0], "reply 482913") {
		t.Errorf("the phone shows %q, want \"reply 482913\" in it", got)
	}
}

func TestFailedSMSMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		phone   twiliosim.Phone
		fault   twiliosim.Fault
		outcome notify.Outcome
		dead    bool
	}{
		"no such number": {phone: twiliosim.Phone{Outcome: twiliosim.OutcomeInvalid}, outcome: notify.Rejected, dead: true},
		"a land line":    {phone: twiliosim.Phone{Outcome: twiliosim.OutcomeLandline}, outcome: notify.Rejected, dead: true},
		"no permission":  {fault: twiliosim.Fault{Kind: twiliosim.FaultError, Code: 21408}, outcome: notify.Rejected},
		"a new code":     {fault: twiliosim.Fault{Kind: twiliosim.FaultError, Code: 29999}, outcome: notify.Rejected},
		"not registered": {fault: twiliosim.Fault{Kind: twiliosim.FaultError, Code: 30034}, outcome: notify.Misconfigured},
		"credentials":    {fault: twiliosim.Fault{Kind: twiliosim.FaultError, Code: 20003, Status: 401}, outcome: notify.Misconfigured},
		"limited":        {fault: twiliosim.Fault{Kind: twiliosim.FaultLimit, RetryAfter: 7 * time.Second}, outcome: notify.Throttled},
		"HTML":           {fault: twiliosim.Fault{Kind: twiliosim.FaultHTML}, outcome: notify.Unknown},
		"cut":            {fault: twiliosim.Fault{Kind: twiliosim.FaultReset}, outcome: notify.Unknown},
		"half an answer": {fault: twiliosim.Fault{Kind: twiliosim.FaultCut}, outcome: notify.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTwilioFixture(t)
			tt.phone.Number = annPhone
			l.sim.AddPhone(tt.phone)
			if tt.fault.Kind != "" {
				l.sim.Fail(tt.fault)
			}
			r := l.sms().Send(context.Background(), page(annPhone, "page 7"))
			want(t, r, tt.outcome)
			if r.Dead != tt.dead {
				t.Errorf("dead is %v: %v, want %v", r.Dead, r.Err, tt.dead)
			}
			if tt.outcome == notify.Throttled && r.RetryAfter != 7*time.Second {
				t.Errorf("the wait is %s, want 7 s", r.RetryAfter)
			}
		})
	}
}

// A number that may not be called is never asked of Twilio, whenever it was added and whatever the message.
func TestForbiddenNumbersAreNotCalled(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, v := l.sms(), l.voice()
	allowed := func(number string) error {
		if number == boPhone {
			return errors.New("not there")
		}
		return nil
	}
	s.Allowed, v.Allowed = allowed, allowed
	for _, purpose := range []notify.Purpose{notify.ForPage, notify.ForVerify, notify.ForTest, notify.ForCheck, notify.ForResponse} {
		for _, sender := range []notify.Sender{s, v} {
			m := page(boPhone, "page 7")
			m.Purpose, m.Verify = purpose, "482913"
			if r := sender.Send(t.Context(), m); r.Outcome != notify.Rejected || !r.Dead || r.Err == nil {
				t.Errorf("%s: got %+v, want the outcome %v, the address given up, and an error", purpose, r, notify.Rejected)
			}
		}
	}
	if len(l.sim.Inbox(boPhone)) > 0 || len(l.sim.Calls(boPhone)) > 0 {
		t.Error("Bo's phone was reached")
	}
	want(t, s.Send(t.Context(), page(annPhone, "page 8")), notify.Accepted)
}

func TestSMSStopAndReceipts(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	s, ctx := l.sms(), context.Background()
	_, err := l.sim.Reply(ctx, annPhone, "Stop")
	l.must(err)
	r := s.Send(ctx, page(annPhone, "page 7"))
	want(t, r, notify.Rejected)
	if !r.Dead || !strings.Contains(r.Err.Error(), "21610") {
		t.Errorf("got %+v, want the address given up, with \"21610\"", r)
	}

	l.sim.AddPhone(twiliosim.Phone{Number: boPhone, Outcome: twiliosim.OutcomeUnreachable})
	r = s.Send(ctx, page(boPhone, "page 8"))
	want(t, r, notify.Accepted)
	var track notify.Track
	for range 2 {
		track, err = s.Track(ctx, r.Reference)
		l.must(err)
	}
	wantTrack(t, "unreachable", track, notify.Track{State: notify.Failed, Final: true}, "out of reach")

	l.sim.AddPhone(twiliosim.Phone{Number: boPhone, Outcome: twiliosim.OutcomeUnconfirmed})
	r = s.Send(ctx, page(boPhone, "page 9"))
	if track, err = s.Track(ctx, r.Reference); err != nil || track.State != notify.Sent || track.Final {
		t.Errorf("at once: %+v, %v, want no error and the state %v for now", track, err, notify.Sent)
	}
	l.clock.advance(5 * time.Minute)
	if track, err = s.Track(ctx, r.Reference); err != nil || track.State != notify.Sent || !track.Final {
		t.Errorf("later: %+v, %v, want no error and the final state %v", track, err, notify.Sent)
	}
}

func TestSMSByMessagingService(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	l.conf.Service, l.conf.From = "MG00000000000000000000000000000001", ""
	s, ctx := l.sms(), context.Background()
	m := page(annPhone, "page 7")
	want(t, s.Send(ctx, m), notify.Accepted)
	if _, found, err := s.Find(ctx, m, l.clock.Now()); err != nil || !found {
		t.Errorf("found %v, %v, want no error and found", found, err)
	}
	_, err := l.sim.Reply(ctx, annPhone, "ack")
	l.must(err)
	replies, _, err := s.Listen(ctx, "")
	if err != nil || len(replies) != 1 || replies[0].Text != "ack" {
		t.Errorf("replies %+v, %v, want no error, 1 reply and Text \"ack\"", replies, err)
	}
}

package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

func TestCallIsAnsweredWithAKey(t *testing.T) {
	t.Parallel()
	for key, answer := range map[string]notify.ButtonAct{"1": notify.Ack, "2": notify.Resolve, "3": notify.Escalate} {
		l := newTwilioFixture(t)
		v, ctx := l.voice(), context.Background()
		r := v.Send(ctx, page(annPhone, "page 7"))
		want(t, r, notify.Accepted)
		if track, err := v.Track(ctx, r.Reference); err != nil || track.State != notify.Pending || track.Final {
			t.Errorf("ringing: %+v, %v, want no error and the state %v for now", track, err, notify.Pending)
		}
		heard, err := l.sim.Answer(annPhone)
		l.must(err)
		const spoken = "Watchbill. Critical incident 1, 2: disk full on db 1. Press 1 to acknowledge, 2 to resolve, 3 to escalate, star to hear it again."
		if heard != spoken {
			t.Errorf("heard %q, want %q", heard, spoken)
		}
		replies, cursor, err := v.Listen(ctx, "")
		if err != nil || len(replies) != 0 {
			t.Errorf("before the key: %+v, %v, want no error and 0 replies", replies, err)
		}
		for _, slip := range []string{"*", "7"} { // both repeat the text
			if again, err := l.sim.Press(ctx, annPhone, slip); err != nil || again != heard {
				t.Errorf("after %s: %q, %v, want no error and %v", slip, again, err, heard)
			}
		}
		if text, err := l.sim.Press(ctx, annPhone, key); err != nil || !strings.HasPrefix(text, "Received.") || strings.Contains(text, "cknowledged") {
			t.Errorf("after %s: %q, %v, want no error beginning with \"Received.\" and without \"cknowledged\"", key, text, err)
		}
		replies, cursor, err = v.Listen(ctx, cursor)
		if err != nil || len(replies) != 1 {
			t.Fatalf("got replies %+v, %v, want one and no error", replies, err)
		}
		if got := replies[0]; got.Key != "page 7" || got.Act != answer || got.From != annPhone {
			t.Errorf("got the reply %q by %s to %s, want %q by %s to page 7", got.Act, got.From, got.Key, answer, annPhone)
		}
		if replies, _, err = v.Listen(ctx, cursor); err != nil || len(replies) != 0 {
			t.Errorf("once more: %+v, %v, want no error and 0 replies", replies, err)
		}
		if track, err := v.Track(ctx, r.Reference); err != nil || track.State != notify.Answered || !track.Final {
			t.Errorf("answered: %+v, %v, want no error and the final state %v", track, err, notify.Answered)
		}
	}
}

func TestCallsThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcome twiliosim.Outcome
		do      func(l *twilioFixture) error
		why     string
	}{
		"rings out": {do: func(l *twilioFixture) error { l.clock.advance(time.Minute); return nil }, why: "nobody picked up"},
		"busy":      {outcome: twiliosim.OutcomeBusy, why: "the phone was busy"},
		"declined":  {do: func(l *twilioFixture) error { return l.sim.HangUp(annPhone) }, why: "the phone was busy"},
		"a machine": {outcome: twiliosim.OutcomeVoicemail, do: func(l *twilioFixture) error { l.clock.advance(2 * time.Minute); return nil }, why: "nobody pressed a key"},
		"hung up at one": {do: func(l *twilioFixture) error {
			_, err := l.sim.Answer(annPhone)
			return joined(err, l.sim.HangUp(annPhone))
		}, why: "nobody pressed a key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTwilioFixture(t)
			l.sim.AddPhone(twiliosim.Phone{Number: annPhone, Outcome: tt.outcome})
			v, ctx := l.voice(), context.Background()
			r := v.Send(ctx, page(annPhone, "page 7"))
			want(t, r, notify.Accepted)
			if tt.do != nil {
				l.must(tt.do(l))
			}
			track, err := v.Track(ctx, r.Reference)
			l.must(err)
			if track.State != notify.Unanswered || !track.Final || track.Err.Error() != tt.why {
				t.Errorf("track %+v, want the final state %v, as %v", track, notify.Unanswered, tt.why)
			}
			want(t, v.Send(ctx, page(annPhone, "page 8")), notify.Accepted) // the next call is not blocked
		})
	}
}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A phone gets one call at a time; what is left of an old one is ended.
func TestCallsToOnePhoneWait(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v, ctx := l.voice(), context.Background()
	want(t, v.Send(ctx, page(annPhone, "page 7")), notify.Accepted)
	r := v.Send(ctx, page(annPhone, "page 8"))
	want(t, r, notify.Throttled)
	if n := len(l.sim.Calls(annPhone)); r.RetryAfter < 5*time.Second || n != 1 {
		t.Errorf("after %d calls: again in %s, want one call and at least 5 s", n, r.RetryAfter)
	}
	want(t, v.Send(ctx, page(boPhone, "page 9")), notify.Accepted)
}

// If Studio stays busy for no visible reason, the phone rings nevertheless.
func TestCallFallsBackToOneThatOnlySpeaks(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v, ctx := l.voice(), context.Background()
	l.sim.Fail(twiliosim.Fault{Path: "/Executions", Method: "POST", Kind: twiliosim.FaultError, Status: http.StatusConflict, Code: 20409, Times: -1})
	r := v.Send(ctx, page(annPhone, "page 7"))
	want(t, r, notify.Accepted)
	if !strings.HasPrefix(r.Reference, "CA") {
		t.Errorf("the reference is %q, want the prefix \"CA\"", r.Reference)
	}
	heard, err := l.sim.Answer(annPhone)
	l.must(err)
	if strings.Contains(heard, "Press") || strings.Count(heard, "Look at Slack.") != 2 {
		t.Errorf("heard %q, want 2 times \"Look at Slack.\" without \"Press\"", heard)
	}
	if track, err := v.Track(ctx, r.Reference); err != nil || track.State != notify.Delivered {
		t.Errorf("track %+v, %v, want no error and State %v", track, err, notify.Delivered)
	}
}

func TestCallIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v, ctx := l.voice(), context.Background()
	since := l.clock.Now()
	want(t, v.Send(ctx, page(annPhone, "page 6")), notify.Accepted)
	l.must(l.sim.HangUp(annPhone))
	m := page(annPhone, "page 7")
	if _, found, err := v.Find(ctx, m, since); err != nil || found {
		t.Errorf("before: %v, %v, want no error and nothing found", found, err)
	}
	l.sim.Fail(twiliosim.Fault{Path: "/Executions", Method: "POST", Kind: twiliosim.FaultCut})
	want(t, v.Send(ctx, m), notify.Unknown)
	if r, found, err := v.Find(ctx, m, since); err != nil || !found || !strings.HasPrefix(r.Reference, "FN") {
		t.Errorf("found %+v, %v, %v, want no error and found beginning with \"FN\"", r, found, err)
	}

	l.conf.Flow = ""
	v = notify.Voice{Twilio: notify.NewTwilio(l.conf)}
	l.clock.advance(time.Minute) // the phone has stopped ringing
	since = l.clock.Now()
	if _, found, err := v.Find(ctx, m, since); err != nil || found {
		t.Errorf("plain, before: %v, %v, want no error and nothing found", found, err)
	}
	l.sim.Fail(twiliosim.Fault{Path: "Calls.json", Method: "POST", Kind: twiliosim.FaultLost})
	want(t, v.Send(ctx, m), notify.Unknown)
	if r, found, err := v.Find(ctx, m, since); err != nil || !found || !strings.HasPrefix(r.Reference, "CA") {
		t.Errorf("plain: found %+v, %v, %v, want no error and found beginning with \"CA\"", r, found, err)
	}
}

func TestCallIsCancelled(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	v, ctx := l.voice(), context.Background()
	r := v.Send(ctx, page(annPhone, "page 7"))
	l.must(v.Cancel(ctx, r.Reference))
	if calls := l.sim.Calls(annPhone); calls[0].Status != "canceled" {
		t.Errorf("the call is %s, want %s", calls[0].Status, "canceled")
	}
	l.must(v.Cancel(ctx, r.Reference)) // a second time is not an error
	for _, reference := range []string{"FN00000000000000000000000000000009", "CA00000000000000000000000000000009"} {
		l.must(v.Cancel(ctx, reference)) // nor is a call that Twilio doesn't know
		if track, err := v.Track(ctx, reference); err != nil || track.State != notify.Failed || !track.Final {
			t.Errorf("%s: %+v, %v, want no error and the final state %v", reference, track, err, notify.Failed)
		}
	}
}

// With a public address and no flow, the key is sent to our webhook.
func TestCallAsksOurWebhook(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	asked := make(chan *http.Request, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked <- r
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write([]byte("<Response><Say>Acknowledged.</Say></Response>"))
	}))
	defer hook.Close()
	l.conf.Public = hook.URL
	v, ctx := notify.Voice{Twilio: notify.NewTwilio(l.conf)}, context.Background()
	m := page(annPhone, `page "7" & <8>`)
	m.Title = `<Say>boo</Say> & "{{x}}"`
	r := v.Send(ctx, m)
	want(t, r, notify.Accepted)
	heard, err := l.sim.Answer(annPhone)
	l.must(err)
	if !strings.Contains(heard, ": Say boo Say x. Press 1") || strings.Count(heard, "Press 1") != 3 {
		t.Errorf("heard %q, want 3 times \"Press 1\" with \": Say boo Say x. Press 1\"", heard)
	}
	text, err := l.sim.Press(ctx, annPhone, "1")
	l.must(err)
	got := receive(t, asked, "our webhook to be asked")
	if text != "Acknowledged." {
		t.Errorf("got said %q, want %q", text, "Acknowledged.")
	}
	if key := got.URL.Query().Get("key"); got.URL.Path != "/v1/twilio/voice" || key != m.Key {
		t.Errorf("got the webhook %s with key %q, want /v1/twilio/voice with %q", got.URL.Path, key, m.Key)
	}
	if digits := got.PostForm.Get("Digits"); digits != "1" {
		t.Errorf("got the digits %q, want %q", digits, "1")
	}
}

func TestVoiceTextIsFitToBeReadAloud(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		m    notify.Message
		want string
	}{
		"a bundle": {
			notify.Message{Purpose: notify.ForPage, Count: 3, Title: "3 incidents", Lines: []string{"#12 critical: disk full on db-1", "#13 high: slow"}},
			"Watchbill. 3 incidents, the worst: 1 2 critical: disk full on db 1. Press 1 to acknowledge all, 2 to resolve all, star to hear it again.",
		},
		"a code": {
			notify.Message{Purpose: notify.ForVerify, Verify: "4711"},
			strings.TrimSuffix(strings.Repeat("This is Watchbill. Your code is 4, 7, 1, 1. I repeat: 4, 7, 1, 1. Type it in Slack.\n", 2), "\n"),
		},
		"a responder's": {
			notify.Message{Purpose: notify.ForPage, AskedBy: "Cy", Incident: 58, Severity: "critical", Title: "disk full"},
			"Watchbill. Cy asks you to help with critical incident 5, 8: disk full. " +
				"Press 1 to accept, star to hear it again. To decline, hang up and say so in Slack.",
		},
		"a check": {notify.Message{Purpose: notify.ForCheck}, "This is Watchbill. Can we still reach you here? Press 1 for yes."},
		"a test": {
			notify.Message{Purpose: notify.ForTest, Title: "this is how a page sounds"},
			"This is a test of Watchbill. this is how a page sounds. Press 1 to acknowledge, 2 to resolve, 3 to escalate, star to hear it again.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTwilioFixture(t)
			v := l.voice()
			tt.m.To, tt.m.Key = annPhone, "x"
			want(t, v.Send(context.Background(), tt.m), notify.Accepted)
			if heard, err := l.sim.Answer(annPhone); err != nil || heard != tt.want {
				t.Errorf("heard %q, %v, want no error and %v", heard, err, tt.want)
			}
		})
	}
	l := newTwilioFixture(t)
	v, m := l.voice(), page(annPhone, "x")
	m.Title = strings.Repeat("a very long title ", 60)
	want(t, v.Send(context.Background(), m), notify.Accepted)
	if heard, err := l.sim.Answer(annPhone); err != nil || len(heard) > 300 || !strings.HasSuffix(heard, "star to hear it again.") {
		t.Errorf("heard %q, %v, want at most 300 bytes that end in \"star to hear it again.\"", heard, err)
	}
}

func TestTwilioIsSetUpAndChecked(t *testing.T) {
	t.Parallel()
	l := newTwilioFixture(t)
	ctx, tw := context.Background(), notify.NewTwilio(l.conf)
	flow, created, err := tw.SetUpFlow(ctx)
	l.must(err)
	again, updated, err := tw.SetUpFlow(ctx)
	l.must(err)
	if !created || updated {
		t.Errorf("got created %t, then %t, want true, then false", created, updated)
	}
	if flow != again || !strings.HasPrefix(flow, "FW") {
		t.Errorf("got the flows %s and %s, want one beginning with \"FW\" twice", flow, again)
	}
	l.conf.Flow = flow
	for _, f := range notify.NewTwilio(l.conf).Check(ctx) {
		if !f.OK && !f.Note {
			t.Errorf("the check found %+v, want only good news and notes", f)
		}
	}
	l.sim.SetSMSURL("https://demo.twilio.com/welcome/sms/reply/")
	wrong := l.conf
	wrong.Flow = "FW00000000000000000000000000000009"
	var texts []string
	for _, f := range notify.NewTwilio(wrong).Check(ctx) {
		if !f.OK && !f.Note {
			texts = append(texts, f.Text)
		}
	}
	if len(texts) != 2 || !strings.Contains(texts[0], "answered by Twilio's demo") || !strings.Contains(texts[1], "20404") {
		t.Errorf("found %q, want 2 texts with \"answered by Twilio's demo\" and with \"20404\"", texts)
	}
	wrong.Secret = "nonsense"
	found := notify.NewTwilio(wrong).Check(ctx)
	if len(found) != 1 || !strings.Contains(found[0].Text, "20003") || !strings.Contains(found[0].Remedy, "TWILIO_ACCOUNT_SID") {
		t.Errorf("found %+v, want 1 with \"20003\" and with \"TWILIO_ACCOUNT_SID\"", found)
	}
}

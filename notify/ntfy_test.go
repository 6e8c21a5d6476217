package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
)

func newNtfyServer(t *testing.T) *notifytest.Ntfy {
	p := notifytest.NewNtfy(time.Now)
	t.Cleanup(p.Close)
	return p
}

func ntfySender(p *notifytest.Ntfy) *notify.Ntfy {
	return notify.NewNtfy(notify.NtfyConfig{URL: p.URL + "/", Token: notifytest.NtfyToken, ReplyTopic: "replies", Rules: loopbackRules()})
}

func TestNtfyPushesAndIsAnswered(t *testing.T) {
	t.Parallel()
	p := newNtfyServer(t)
	n := ntfySender(p)
	m := testPage("ann-phone")
	r := n.Send(t.Context(), m)
	if r.Outcome != notify.Accepted || r.Reference != "id000001" {
		t.Fatalf("sent: %+v, want accepted as id000001", r)
	}
	got := p.Topic("ann-phone")[0]
	if got.Title != "[#12] disk full on db-1" || got.Priority != 5 || !strings.Contains(got.Message, "You are paged because you are on call in payments-primary.") {
		t.Errorf("the topic shows %+v, want the incident at priority 5 and why", got)
	}
	type heard struct {
		replies []notify.Answer
		next    string
		err     error
	}
	listen := func(cursor string) chan heard {
		c := make(chan heard, 1)
		go func() {
			replies, next, err := n.Listen(t.Context(), cursor)
			c <- heard{replies, next, err}
		}()
		return c
	}
	waits := make(chan struct{})
	p.OnWait(sync.OnceFunc(func() { close(waits) }))
	waiting := listen("")
	receive(t, waits, "somebody to listen")
	must(t, p.Tap(got, "Acknowledge"))
	h := receive(t, waiting, "the answer")
	if h.err != nil || len(h.replies) != 1 || h.replies[0] != (notify.Answer{ID: "id000001", Act: notify.Ack, Token: m.Token}) {
		t.Fatalf("heard %+v, want one acknowledgement with the token", h)
	}
	// Two while nobody listens, and what isn't an answer. They come at once, mostly.
	must(t, p.Tap(got, "Resolve"))
	for _, other := range []string{"hello, is this the reply topic?", "delete " + m.Token, "a", m.Token} {
		p.Add(notifytest.NtfyMessage{Topic: "replies", Message: other})
	}
	must(t, p.Tap(got, "Escalate"))
	var replies []notify.Answer
	for len(replies) < 2 {
		h = receive(t, listen(h.next), "the answers")
		if h.err != nil || len(h.replies) == 0 {
			t.Fatalf("got %+v after %+v, want nil and some replies", h, replies)
		}
		replies = append(replies, h.replies...)
	}
	if len(replies) != 2 || replies[0].Act != notify.Resolve || replies[1].Act != notify.Escalate {
		t.Fatalf("heard %+v, want %s and %s", replies, notify.Resolve, notify.Escalate)
	}
	if replies[0].Token != m.Token || replies[1].Token != m.Token {
		t.Errorf("the tokens are %q and %q, want %q twice", replies[0].Token, replies[1].Token, m.Token)
	}
	if h.next != "id000007" {
		t.Fatalf("the cursor is %q, want \"id000007\"", h.next)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.OnWait(cancel)
	if replies, next, err := n.Listen(ctx, h.next); err != nil || len(replies) > 0 || next != h.next {
		t.Errorf("%v, %q, %v, want no error, no replies and %v", replies, next, err, h.next)
	}
}

func TestNtfyFindsWhatItMayHaveSent(t *testing.T) {
	t.Parallel()
	p := newNtfyServer(t)
	n := ntfySender(p)
	began := time.Now()
	p.Fail("cut")
	sent, other := testPage("ann-phone"), testPage("ann-phone")
	other.Key = "12/3/U0ANN/ntfy:8"
	if r := n.Send(t.Context(), sent); r.Outcome != notify.Unknown {
		t.Fatalf("sent without an answer: %+v, want unknown", r)
	}
	if r, found, err := n.Find(t.Context(), sent, began); err != nil || !found || r.Reference != "id000001" {
		t.Errorf("%+v, %v, %v, want no error, found, and Reference \"id000001\"", r, found, err)
	}
	if r, found, err := n.Find(t.Context(), other, began); err != nil || found {
		t.Errorf("%+v, %v, %v, want no error and nothing found", r, found, err)
	}
	if _, found, err := n.Find(t.Context(), sent, began.Add(time.Hour)); err != nil || found {
		t.Errorf("found in the future: %v, %v, want no error and nothing found", found, err)
	}
}

func TestNtfyRefusalsMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault, to string
		token     string
		outcome   notify.Outcome
		dead      bool
	}{
		"wrong token":      {token: "wrong", outcome: notify.Misconfigured},
		"foreign topic":    {to: "of-somebody-else", outcome: notify.Rejected},
		"not a topic":      {to: "a/b", outcome: notify.Rejected, dead: true},
		"server elsewhere": {to: "ftp://example.com/x", outcome: notify.Rejected, dead: true},
		"no such server":   {fault: "404", outcome: notify.Misconfigured},
		"too large":        {fault: "413", outcome: notify.Rejected},
		"limit":            {fault: "429", outcome: notify.Throttled},
		"too fast":         {fault: "42901", outcome: notify.Throttled},
		"used up":          {fault: "42908", outcome: notify.Misconfigured},
		"bytes used up":    {fault: "42905", outcome: notify.Misconfigured},
		"broken":           {fault: "500", outcome: notify.Unknown},
		"restarting":       {fault: "503", outcome: notify.Throttled},
		"moved":            {fault: "302", outcome: notify.Misconfigured},
		"hanging":          {fault: "hang", outcome: notify.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := newNtfyServer(t)
			p.OnWait(cancel)
			p.Fail(c.fault)
			config := notify.NtfyConfig{URL: p.URL, Token: notifytest.NtfyToken}
			if c.token != "" {
				config.Token = c.token
			}
			m := testPage("ann-phone")
			if c.to != "" {
				m.To = c.to
			}
			r := notify.NewNtfy(config).Send(ctx, m)
			if r.Outcome != c.outcome || r.Dead != c.dead || r.Err == nil {
				t.Errorf("got %+v, want %s", r, c.outcome)
			}
			if r.Outcome == notify.Throttled && r.RetryAfter == 0 {
				t.Error("no wait")
			}
			if c.fault == "hang" && !errors.Is(r.Err, context.Canceled) { // otherwise our own limit ended it
				t.Errorf("got %v, want %v", r.Err, context.Canceled)
			}
		})
	}
	n := notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1"})
	if r := n.Send(t.Context(), testPage("ann-phone")); r.Outcome != notify.Throttled {
		t.Errorf("out of reach: got %+v, want Outcome %v", r, notify.Throttled)
	}
}

// A daily quota that is used up is renewed at midnight.
func TestNtfyQuotaLastsUntilMidnight(t *testing.T) {
	t.Parallel()
	p := notifytest.NewNtfy(func() time.Time { return time.Date(2026, 3, 2, 22, 30, 0, 0, time.UTC) })
	t.Cleanup(p.Close)
	p.Fail("42908")
	r := ntfySender(p).Send(t.Context(), testPage("ann-phone"))
	if r.Outcome != notify.Misconfigured || r.RetryAfter != 90*time.Minute || !strings.Contains(r.Err.Error(), "used up until midnight (UTC)") {
		t.Errorf("the daily limit: %+v, want misconfigured for 90 minutes", r)
	}
	// On another server that is the matter of the person who named it.
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}`)
	}))
	t.Cleanup(other.Close)
	if r := ntfySender(p).Send(t.Context(), testPage(other.URL+"/ann")); r.Outcome != notify.Rejected || r.Dead {
		t.Errorf("elsewhere: got %+v, want the outcome %v and the address kept", r, notify.Rejected)
	}
}

func TestNtfyTokenStaysAtItsServer(t *testing.T) {
	t.Parallel()
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		fmt.Fprint(w, `{"id":"x"}`)
	}))
	t.Cleanup(other.Close)
	n := ntfySender(newNtfyServer(t))
	if r := n.Send(t.Context(), testPage(other.URL+"/ann")); r.Outcome != notify.Accepted {
		t.Fatalf("another server: %+v, want accepted", r)
	}
	if got.Get("Authorization") != "" {
		t.Error("another server was told the token")
	}
}

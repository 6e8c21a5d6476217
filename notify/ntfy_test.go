package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// pusher is a server of ntfy, as far as we use one: topics with a cache, streams, tokens.
type pusher struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	topics map[string][]ntfyLine
	fault  string // of the next publication: "cut" after it was taken, "hang", or a status
	wake   chan struct{}
}

type ntfyLine struct {
	ID       string   `json:"id"`
	Time     int64    `json:"time"`
	Event    string   `json:"event"`
	Topic    string   `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Actions  []struct {
		Action, Label, URL, Method, Body string
	} `json:"actions,omitempty"`
}

const pusherToken = "tk_secret"

func newPusher(t *testing.T) *pusher {
	p := &pusher{t: t, topics: map[string][]ntfyLine{}, wake: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", p.publish)
	mux.HandleFunc("POST /{topic}", p.reply)
	mux.HandleFunc("GET /{topic}/json", p.subscribe)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *pusher) refuse(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%d01,"http":%d,"error":"%s"}`, status, status, strings.ToLower(http.StatusText(status)))
}

func (p *pusher) publish(w http.ResponseWriter, r *http.Request) {
	var m ntfyLine
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Topic == "" || len(m.Actions) > 3 {
		p.refuse(w, http.StatusBadRequest)
		return
	}
	switch auth := r.Header.Get("Authorization"); {
	case auth != "" && auth != "Bearer "+pusherToken:
		p.refuse(w, http.StatusUnauthorized)
		return
	case auth == "" || m.Topic == "of-somebody-else":
		p.refuse(w, http.StatusForbidden)
		return
	}
	p.mu.Lock()
	fault := p.fault
	p.mu.Unlock()
	switch status, err := strconv.Atoi(fault); {
	case err == nil:
		p.refuse(w, status)
	case fault == "hang":
		<-r.Context().Done()
	default:
		m = p.add(m)
		if fault == "cut" {
			panic(http.ErrAbortHandler)
		}
		_ = json.NewEncoder(w).Encode(m)
	}
}

// reply takes a text without a token: the reply topic may be written by everybody.
func (p *pusher) reply(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(p.add(ntfyLine{Topic: r.PathValue("topic"), Message: string(b)}))
}

func (p *pusher) add(m ntfyLine) ntfyLine {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.Event, m.Time = "message", time.Now().Unix()
	m.ID = fmt.Sprintf("id%06d", len(p.topics[m.Topic])+1)
	p.topics[m.Topic] = append(p.topics[m.Topic], m)
	close(p.wake)
	p.wake = make(chan struct{})
	return m
}

// since is what a topic has after an id or a time.
func (p *pusher) since(topic, since string) ([]ntfyLine, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.topics[topic]
	if at := slices.IndexFunc(all, func(m ntfyLine) bool { return m.ID == since }); at >= 0 {
		all = all[at+1:]
	} else if from, err := strconv.ParseInt(since, 10, 64); err == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(m ntfyLine) bool { return m.Time < from })
	}
	return slices.Clone(all), p.wake
}

func (p *pusher) subscribe(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+pusherToken {
		p.refuse(w, http.StatusForbidden)
		return
	}
	topic, since := r.PathValue("topic"), r.FormValue("since")
	out := json.NewEncoder(w)
	_ = out.Encode(ntfyLine{ID: "open", Event: "open", Topic: topic})
	for {
		lines, wake := p.since(topic, since)
		for _, m := range lines {
			_ = out.Encode(m)
			since = m.ID
		}
		if r.FormValue("poll") == "1" {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-wake:
		case <-r.Context().Done():
			return
		}
	}
}

func (p *pusher) fail(with string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = with
}

// tap presses a button of a message on the phone.
func (p *pusher) tap(m ntfyLine, label string) {
	p.t.Helper()
	for _, a := range m.Actions {
		if a.Label == label && a.Action == "http" {
			r, err := http.Post(a.URL, "text/plain", strings.NewReader(a.Body))
			must(p.t, err)
			r.Body.Close()
			return
		}
	}
	p.t.Fatalf("there is no button %q: %+v", label, m.Actions)
}

func (p *pusher) sender() *notify.Ntfy {
	return notify.NewNtfy(notify.NtfyConfig{URL: p.URL + "/", Token: pusherToken, ReplyTopic: "replies"})
}

func TestNtfyPushesAndIsAnswered(t *testing.T) {
	t.Parallel()
	p := newPusher(t)
	n := p.sender()
	m := pageOf("ann-phone")
	r := n.Send(t.Context(), m)
	if r.Outcome != notify.Accepted || r.Reference != "id000001" {
		t.Fatalf("%+v", r)
	}
	got := p.topics["ann-phone"][0]
	if got.Title != "[#12] disk full on db-1" || got.Priority != 5 || !strings.Contains(got.Message, "You are paged because you are on call in payments-primary.") {
		t.Errorf("%+v", got)
	}
	type heard struct {
		replies []notify.Reply
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
	waiting := listen("")
	p.tap(got, "Acknowledge")
	h := <-waiting
	if h.err != nil || len(h.replies) != 1 || h.replies[0].Text != "a "+m.Token || h.replies[0].ID != "id000001" || h.replies[0].From != "" {
		t.Fatalf("%+v", h)
	}
	// Two while nobody listens, and what isn't an answer.
	p.tap(got, "Resolve")
	p.add(ntfyLine{Topic: "replies", Message: "hello, is this the reply topic?"})
	p.tap(got, "Escalate")
	h = <-listen(h.next)
	if h.err != nil || len(h.replies) != 2 || h.replies[0].Text != "r "+m.Token || h.replies[1].Text != "e "+m.Token || h.next != "id000004" {
		t.Fatalf("%+v", h)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if replies, next, err := n.Listen(ctx, h.next); err != nil || len(replies) > 0 || next != h.next {
		t.Errorf("%v, %q, %v", replies, next, err)
	}
}

func TestNtfyFindsWhatItMayHaveSent(t *testing.T) {
	t.Parallel()
	p := newPusher(t)
	n := p.sender()
	began := time.Now()
	p.fail("cut")
	sent, other := pageOf("ann-phone"), pageOf("ann-phone")
	other.Key = "12/3/U0ANN/ntfy:8"
	if r := n.Send(t.Context(), sent); r.Outcome != notify.Unknown {
		t.Fatalf("%+v", r)
	}
	if ref, found, err := n.Find(t.Context(), sent, began); err != nil || !found || ref != "id000001" {
		t.Errorf("%q, %v, %v", ref, found, err)
	}
	if ref, found, err := n.Find(t.Context(), other, began); err != nil || found {
		t.Errorf("%q, %v, %v", ref, found, err)
	}
	if _, found, err := n.Find(t.Context(), sent, began.Add(time.Hour)); err != nil || found {
		t.Errorf("found in the future: %v, %v", found, err)
	}
}

func TestNtfyRefusalsDecideWhatIsDoneNext(t *testing.T) {
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
		"broken":           {fault: "500", outcome: notify.Unknown},
		"restarting":       {fault: "503", outcome: notify.Throttled},
		"moved":            {fault: "302", outcome: notify.Misconfigured},
		"hanging":          {fault: "hang", outcome: notify.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPusher(t)
			p.fail(c.fault)
			config := notify.NtfyConfig{URL: p.URL, Token: pusherToken}
			if c.token != "" {
				config.Token = c.token
			}
			m := pageOf("ann-phone")
			if c.to != "" {
				m.To = c.to
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			r := notify.NewNtfy(config).Send(ctx, m)
			if r.Outcome != c.outcome || r.Dead != c.dead || r.Err == nil {
				t.Errorf("%+v, want %s", r, c.outcome)
			}
			if r.Outcome == notify.Throttled && r.RetryAfter == 0 {
				t.Error("no wait")
			}
		})
	}
	n := notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1"})
	if r := n.Send(t.Context(), pageOf("ann-phone")); r.Outcome != notify.Throttled {
		t.Errorf("out of reach: %+v", r)
	}
}

func TestNtfyTellsItsTokenToItsOwnServerOnly(t *testing.T) {
	t.Parallel()
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		fmt.Fprint(w, `{"id":"x"}`)
	}))
	t.Cleanup(other.Close)
	n := newPusher(t).sender()
	if r := n.Send(t.Context(), pageOf(other.URL+"/ann")); r.Outcome != notify.Accepted {
		t.Fatalf("%+v", r)
	}
	if got.Get("Authorization") != "" {
		t.Error("another server was told the token")
	}
}

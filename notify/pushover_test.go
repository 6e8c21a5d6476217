package notify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// pushoverServer is the part of Pushover that we use: messages, receipts, and a phone that acknowledges.
type pushoverServer struct {
	*httptest.Server
	mu        sync.Mutex
	messages  []url.Values
	receipts  map[string]map[string]int64
	polls     int
	cancelled []string
	header    http.Header // of a 429
	left      int         // messages left this month
}

func newPushoverServer(t *testing.T) *pushoverServer {
	s := &pushoverServer{receipts: map[string]map[string]int64{}, left: 7496}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /1/messages.json", s.message)
	mux.HandleFunc("GET /1/receipts/{receipt}", s.receipt)
	mux.HandleFunc("GET /1/apps/limits.json", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("token") != "app" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"token":"invalid","errors":["application token is invalid"],"status":0}`)
			return
		}
		fmt.Fprintf(w, `{"limit":10000,"remaining":%d,"reset":1393653600,"status":1,"request":"x"}`, s.left)
	})
	mux.HandleFunc("POST /1/receipts/{receipt}/cancel.json", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cancelled = append(s.cancelled, r.PathValue("receipt"))
		fmt.Fprint(w, `{"status":1}`)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *pushoverServer) message(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	no := func(status int, body string) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
	_ = r.ParseForm()
	f := r.PostForm
	switch {
	case s.header != nil:
		for name := range s.header {
			w.Header().Set(name, s.header.Get(name))
		}
		no(429, `{"status":0,"errors":["too many"]}`)
		return
	case f.Get("token") != "app":
		no(400, `{"token":"invalid","errors":["application token is invalid"],"status":0}`)
		return
	case f.Get("user") != "uAnn":
		no(400, `{"user":"invalid","errors":["user identifier is not a valid user"],"status":0}`)
		return
	case f.Get("priority") == "2" && (f.Get("retry") == "" || f.Get("expire") == ""):
		no(400, `{"expire":"invalid","errors":["expire must be supplied with priority=2"],"status":0}`)
		return
	}
	s.messages = append(s.messages, f)
	answer := map[string]any{"status": 1, "request": "x"}
	if f.Get("priority") == "2" {
		receipt := fmt.Sprintf("rec%d", len(s.messages))
		s.receipts[receipt] = map[string]int64{"status": 1}
		answer["receipt"] = receipt
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *pushoverServer) receipt(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	is, ok := s.receipts[strings.TrimSuffix(r.PathValue("receipt"), ".json")]
	if !ok || r.FormValue("token") != "app" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"status":0,"receipt":"not found"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(is)
}

// Pushover repeats 50 times at most. What is said to last longer would be silent, and nobody else told.
func TestPushoverRepeatsFiftyTimesAtMost(t *testing.T) {
	t.Parallel()
	o := newPushoverServer(t)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	p := notify.NewPushover(notify.PushoverConfig{Token: "app", URL: o.URL, Clock: func() time.Time { return now }})
	m := testPage("uAnn")
	m.Expires = now.Add(3 * time.Hour)
	if r := p.Send(t.Context(), m); r.Outcome != notify.Accepted {
		t.Fatalf("sent: %+v, want accepted", r)
	}
	if got := o.messages[0]; got.Get("retry") != "60" || got.Get("expire") != "3000" {
		t.Errorf("the form is %v, want retry 60 and expire 3000", got)
	}
}

func TestPushoverRepeatsUntilAcknowledged(t *testing.T) {
	t.Parallel()
	o := newPushoverServer(t)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	p := notify.NewPushover(notify.PushoverConfig{Token: "app", URL: o.URL, Clock: func() time.Time { return now }})
	m := testPage("uAnn")
	m.Expires = now.Add(30 * time.Minute)
	r := p.Send(t.Context(), m)
	if r.Outcome != notify.Accepted || r.Reference != "rec1" {
		t.Fatalf("sent: %+v, want accepted as rec1", r)
	}
	got := o.messages[0]
	for name, want := range map[string]string{"priority": "2", "retry": "60", "expire": "1800", "title": "[#12] disk full on db-1"} {
		if got.Get(name) != want {
			t.Errorf("got %s %q, want %q", name, got.Get(name), want)
		}
	}
	track := func() notify.Track {
		t.Helper()
		now = now.Add(6 * time.Second)
		got, err := p.Track(t.Context(), r.Reference)
		must(t, err)
		return got
	}
	if got := track(); got != (notify.Track{State: notify.Pending}) {
		t.Errorf("the track is %+v, want pending", got)
	}
	o.receipts["rec1"]["last_delivered_at"] = 1
	if got := track(); got != (notify.Track{State: notify.Delivered}) {
		t.Errorf("the track is %+v, want delivered", got)
	}
	o.receipts["rec1"]["acknowledged"] = 1
	// Asked too soon, it returns the last answer without asking Pushover.
	if got, err := p.Track(t.Context(), r.Reference); err != nil || got.State != notify.Delivered || o.polls != 2 {
		t.Errorf("%+v, %v after %d polls, want no error, State %v and 2", got, err, o.polls, notify.Delivered)
	}
	if got := track(); got != (notify.Track{State: notify.Answered, Final: true, Answer: notify.Ack}) {
		t.Errorf("the track is %+v, want answered by an acknowledgement", got)
	}
	must(t, p.Cancel(t.Context(), "rec1"))
	if len(o.cancelled) != 1 {
		t.Errorf("cancelled %v, want 1 cancelled", o.cancelled)
	}

	low := testPage("uAnn")
	low.Severity = "low"
	r = p.Send(t.Context(), low)
	if r.Outcome != notify.Accepted || r.Reference != "" || o.messages[1].Get("priority") != "" {
		t.Errorf("low: got %+v, %v, want Outcome %v, Reference \"\" and priority \"\"", r, o.messages[1], notify.Accepted)
	}
	if got := track(); got != (notify.Track{State: notify.Sent, Final: true}) {
		t.Errorf("without a receipt: got %+v, want %v", got, (notify.Track{State: notify.Sent, Final: true}))
	}
	must(t, p.Cancel(t.Context(), ""))
}

func TestPushoverReportsUnacknowledgedAlarms(t *testing.T) {
	t.Parallel()
	o := newPushoverServer(t)
	o.receipts["old"] = map[string]int64{"status": 1, "last_delivered_at": 1, "expired": 1}
	p := notify.NewPushover(notify.PushoverConfig{Token: "app", URL: o.URL, Clock: time.Now})
	got, err := p.Track(t.Context(), "old")
	must(t, err)
	wantTrack(t, "unanswered", got, notify.Track{State: notify.Unanswered, Final: true}, "")
	if got.Err == nil {
		t.Error("got no reason, want one")
	}
	if got, err := p.Track(t.Context(), "forgotten"); err != nil || got.State != notify.Sent || !got.Final {
		t.Errorf("%+v, %v, want no error and the final state %v", got, err, notify.Sent)
	}
}

func TestPushoverRefusalsMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token, user string
		header      http.Header
		outcome     notify.Outcome
		dead        bool
	}{
		"wrong token":      {token: "wrong", user: "uAnn", outcome: notify.Misconfigured},
		"wrong user":       {token: "app", user: "uEve", outcome: notify.Rejected, dead: true},
		"month used up":    {token: "app", user: "uAnn", header: http.Header{"X-Limit-App-Remaining": {"0"}}, outcome: notify.Misconfigured},
		"too many at once": {token: "app", user: "uAnn", header: http.Header{"Retry-After": {"9"}}, outcome: notify.Throttled},
	} {
		o := newPushoverServer(t)
		o.header = c.header
		r := notify.NewPushover(notify.PushoverConfig{Token: c.token, URL: o.URL, Clock: time.Now}).Send(t.Context(), testPage(c.user))
		if r.Outcome != c.outcome || r.Dead != c.dead {
			t.Errorf("%s: got %s, dead %t, want %s, dead %t", name, r.Outcome, r.Dead, c.outcome, c.dead)
		}
		if r.Err == nil || strings.Contains(r.Err.Error(), c.token) && c.token == "wrong" {
			t.Errorf("%s: got the error %v, want one without the token", name, r.Err)
		}
	}
}

package notify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
)

func TestPulseCallsEveryAddress(t *testing.T) {
	t.Parallel()
	requests := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- strings.TrimSpace(r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/moved/s3cret":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/gone/s3cret":
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	own, err := notify.ParseLoopback("localhost")
	must(t, err)
	rules := notify.AddressRules{Loopback: own}
	with := func(user string) string { return strings.Replace(server.URL, "://", "://"+user+"@", 1) }
	for list, want := range map[string]struct{ heard, wrong string }{
		server.URL + "/ping/s3cret":                            {heard: "GET /ping/s3cret"},
		with("GenieKey:s3cret") + "/v2/heartbeats/x/ping":      {heard: "GET /v2/heartbeats/x/ping GenieKey s3cret"},
		with("bearer:s3cret") + "/x":                           {heard: "GET /x Bearer s3cret"},
		with("ann:s3cret") + "/x":                              {heard: "GET /x Basic YW5uOnMzY3JldA=="},
		server.URL + "/moved/s3cret":                           {heard: "GET /moved/s3cret", wrong: "it answered 302"},
		server.URL + "/gone/s3cret":                            {heard: "GET /gone/s3cret", wrong: "it answered 404"},
		"http://127.0.0.1:1/s3cret, " + server.URL + "/s3cret": {heard: "GET /s3cret", wrong: "connection refused"},
	} {
		p, err := notify.NewPulse(list, rules)
		must(t, err)
		err = p.Send(t.Context())
		if got := <-requests; got != want.heard {
			t.Errorf("%s: heard %q, want %q", list, got, want.heard)
		}
		switch {
		case want.wrong == "" && err != nil, want.wrong != "" && (err == nil || !strings.Contains(err.Error(), want.wrong)):
			t.Errorf("%s: %v, want %q", list, err, want.wrong)
		case err != nil && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("the error has the secret: %v", err)
		}
		if n := len(requests); n > 0 {
			t.Errorf("%s: %d calls more, want none", list, n)
		}
	}
	p, err := notify.NewPulse(server.URL, notify.AddressRules{})
	must(t, err)
	if err := p.Send(t.Context()); err == nil || len(requests) > 0 {
		t.Errorf("an address of this machine: got %v, want an error and no call", err)
	}
}

func TestNewPulseParsesSettings(t *testing.T) {
	t.Parallel()
	if p, err := notify.NewPulse("", notify.AddressRules{}); p != nil || err != nil {
		t.Errorf("got %v, %v of nothing, want nil and no error", p, err)
	}
	for _, wrong := range []string{"hc-ping.com/s3cret", "https://hc-ping.com/x ftp://s3cret", "https://"} {
		if p, err := notify.NewPulse(wrong, notify.AddressRules{}); p != nil || err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: got %v, %v, want nil and an error without \"s3cret\"", wrong, p, err)
		}
	}
}

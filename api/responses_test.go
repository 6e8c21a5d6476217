package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/store/storetest"
)

func TestSignalsAnswersWithProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startFolding()
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		code                     int
		rest                     string
	}{
		{
			"unknown key", "POST", "/v1/signals/" + unknownKey, `{"title":"x"}`, nil, 401,
			`"status":401,"detail":"No integration has this key; it may have been replaced by a new one."`,
		},
		{
			"unknown key in the header", "POST", "/v1/signals", `{"title":"x"}`,
			[]string{"Authorization: Bearer " + unknownKey},
			401,
			`"status":401,"detail":"No integration has this key; it may have been replaced by a new one."`,
		},
		{
			"endless key", "POST", "/v1/signals/" + strings.Repeat("0", 5_000), `{"title":"x"}`, nil, 401,
			`"status":401,"detail":"No integration has this key; it may have been replaced by a new one."`,
		},
		{
			"no key", "POST", "/v1/signals", `{"title":"x"}`, nil, 401,
			`"status":401,"detail":"The request has no key; send it to /v1/signals/KEY, or with the header Authorization: Bearer KEY."`,
		},
		{
			"another scheme", "POST", "/v1/signals", `{"title":"x"}`,
			[]string{"Authorization: Basic " + genericKey},
			401,
			`"status":401,"detail":"The request has no key; send it to /v1/signals/KEY, or with the header Authorization: Bearer KEY."`,
		},
		{
			"another method", "PATCH", "/v1/signals/" + genericKey, ``, nil, 405,
			`"status":405,"detail":"Signals are sent with POST, PUT or GET."`,
		},
		{
			"GET without a key", "GET", "/v1/signals", ``, nil, 401,
			`"status":401,"detail":"The request has no key; send it to /v1/signals/KEY, or with the header Authorization: Bearer KEY."`,
		},
		{
			"elsewhere", "POST", "/v1/alarms/" + genericKey, `{"title":"x"}`, nil, 404,
			`"status":404,"detail":"There is nothing at this address; signals go to /v1/signals/KEY."`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &world{TB: t, address: w.address}
			got := w.send(tt.method, tt.path, strings.NewReader(tt.body), tt.header...)
			w.wantProblem(got, tt.code, tt.rest)
			for code, header := range map[int]string{401: "WWW-Authenticate", 405: "Allow"} {
				if got.code == code && got.header.Get(header) == "" {
					t.Errorf("the response %d has no header %s", code, header)
				}
			}
		})
	}
	t.Cleanup(func() {
		if n := w.storedSignals(`true`); n != 0 {
			t.Errorf("%d rows of refused requests, want 0", n)
		}
	})
}

// A body declared as a form may still be JSON: curl -d declares everything a form.
func TestContentTypeIsNotTrusted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", "nonsense/;"} {
		if got := w.post(genericKey, `{"title":"x"}`, "Content-Type: "+kind); got.code != http.StatusAccepted {
			t.Errorf("%s: got %d %s, want 202", kind, got.code, got.body)
		}
	}
}

// Unknown keys are rate-limited by address, known ones never.
func TestUnknownKeysAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startFolding()
	for i := range 30 {
		if got := w.post(fmt.Sprintf("%032x", i), `{"title":"x"}`); got.code != http.StatusUnauthorized {
			t.Fatalf("request %d: got %d, want %d", i, got.code, http.StatusUnauthorized)
		}
	}
	w.clock.Advance(20 * time.Second)
	got := w.post(unknownKey, `{"title":"x"}`)
	w.wantProblem(got, http.StatusTooManyRequests,
		`"status":429,"detail":"Too many requests without a good key came from this address; correct the key."`)
	if wait := got.header.Get("Retry-After"); wait != "40" {
		t.Errorf("Retry-After is %q, want 40", wait)
	}
	if got := w.post(genericKey, `{"title":"x"}`); got.code != http.StatusAccepted {
		t.Errorf("a good key got %d %s, want 202", got.code, got.body)
	}
	w.clock.Advance(40 * time.Second)
	if got := w.post(unknownKey, `{"title":"x"}`); got.code != http.StatusUnauthorized {
		t.Errorf("a minute later: got %d, want %d", got.code, http.StatusUnauthorized)
	}
}

func TestKeysAreNotLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(genericKey, `{"title":"secret text"}`)
	w.post(unknownKey, `{"title":"secret text"}`)
	w.post(genericKey+"/more", `{"title":"secret text"}`)
	w.post(genericKey, `{"title":secret text}`)
	w.send(http.MethodGet, "/v1/signals/"+genericKey, nil)
	w.send(http.MethodPost, "//v1//signals/"+genericKey, strings.NewReader("{}"))
	w.send(http.MethodPost, "/v1/signals", strings.NewReader("{}"), "Authorization: Bearer "+genericKey)
	log := w.log.String()
	if n := strings.Count(log, `"message":"request"`); n < 7 {
		t.Fatalf("%d requests are in the log, want 7:\n%s", n, log)
	}
	for _, secret := range []string{genericKey, unknownKey, "secret"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	metrics := w.send(http.MethodGet, "/metrics", nil).body
	for _, line := range []string{
		`watchbill_http_requests_total{code="202",route="POST /v1/signals/{key}"} 3`,
		`watchbill_http_requests_total{code="401",route="POST /v1/signals/{key}"} 1`,
		`watchbill_http_requests_total{code="200",route="GET /v1/signals/{key}"} 1`,
		`watchbill_accept_seconds_count 5`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("/metrics lacks %s:\n%s", line, metrics)
		}
	}
	if strings.Contains(metrics, genericKey) {
		t.Error("a key is in the metrics")
	}
}

func TestHealthEndpoints(t *testing.T) {
	t.Parallel()
	var broken error
	d := newWorldWithoutStore(t, func(context.Context) error { return broken })
	d.want(d.send("GET", "/healthz", nil), 200, "ok\n")
	d.want(d.send("GET", "/readyz", nil), 200, "ready\n")
	d.want(d.send("GET", "/", nil), 200,
		"Watchbill\n\nMonitors send their signals to /v1/signals/KEY, or to /v1/signals with the header Authorization: Bearer KEY.\n")
	broken = errors.New("no route to host")
	got := d.send("GET", "/readyz", nil)
	d.wantProblem(got, 503,
		`"status":503,"detail":"Not ready: the database can't be reached or is not migrated; the log says why."`)
	d.want(d.send("GET", "/healthz", nil), 200, "ok\n")
	if !strings.Contains(d.log.String(), "no route to host") {
		t.Errorf("the log does not say why:\n%s", d.log)
	}
}

// A panic ends only its own request, is logged once, and puts nothing that the sender
// wrote into the log.
func TestPanicEndsOnlyItsRequest(t *testing.T) {
	t.Parallel()
	d := newWorldWithoutStore(t, func(context.Context) error { panic("what the sender wrote") })
	d.wantProblem(d.send("GET", "/readyz", nil), 500,
		`"status":500,"detail":"Watchbill failed on this request; its log says where."`)
	d.want(d.send("GET", "/healthz", nil), 200, "ok\n")
	log := d.log.String()
	if strings.Count(log, "request panicked") != 1 || !strings.Contains(log, "responses_test.go") || strings.Contains(log, "sender wrote") {
		t.Errorf("the log is\n%s\nwant one panic with its place, and not that of the sender", log)
	}
}

// newWorldWithoutStore returns the handler without a database, for routes that don't need one.
func newWorldWithoutStore(t *testing.T, ready func(context.Context) error) *world {
	t.Helper()
	w := &world{TB: t, log: &storetest.Log{}, clock: storetest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{Clock: w.clock.Now, Log: zerolog.New(w.log), Gatherer: registry, Metrics: registry, Ready: ready})
	return w
}

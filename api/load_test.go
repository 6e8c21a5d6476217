package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestOverloadedServerRefuses(t *testing.T) {
	t.Parallel()
	s := &server{Config: Config{Clock: func() time.Time { return time.Time{} }, Gatherer: prometheus.NewRegistry()}}
	s.load.inFlight.Store(maxInFlight)
	w := httptest.NewRecorder()
	s.routes().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/signals/k", strings.NewReader("{}")))
	const want = `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Too much is under way at once; nothing was stored, send it again."}` + "\n"
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != want || w.Header().Get("Retry-After") != "5" {
		t.Errorf("got %d %s, want 503, %v and Retry-After \"5\"", w.Code, w.Body, want)
	}
	if n := s.load.inFlight.Load(); n != maxInFlight {
		t.Errorf("%d requests are under way afterwards, want %d", n, maxInFlight)
	}
}

func TestLoadCountsHeldBodies(t *testing.T) {
	t.Parallel()
	var l load
	l.buffered.Store(maxBuffered - 10)
	m := &meteredReader{Reader: strings.NewReader("0123456789"), load: &l}
	if _, err := io.ReadAll(m); err != nil {
		t.Errorf("ten bytes: %v", err)
	}
	more := &meteredReader{Reader: strings.NewReader("x"), load: &l}
	if _, err := io.ReadAll(more); !errors.Is(err, errOverloaded) {
		t.Errorf("one more: got %v, want %v", err, errOverloaded)
	}
	m.release()
	more.release()
	if n := l.buffered.Load(); n != maxBuffered-10 {
		t.Errorf("%d bytes are held afterwards, want %v", n, maxBuffered-10)
	}
}

func TestStrikesAreCountedByNetwork(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var s strikes
	for range strikesAllowed {
		s.add("[2001:db8:1:2::3]:4000", now)
		s.add("192.0.2.1:4000", now)
	}
	for remote, want := range map[string]bool{
		"[2001:db8:1:2:ffff::9]:1": true, "[2001:db8:1:3::3]:4000": false,
		"[::ffff:192.0.2.1]:1": true, "192.0.2.2:4000": false,
	} {
		if _, out := s.add(remote, now); out != want {
			t.Errorf("%s: got %v, want %v", remote, out, want)
		}
	}
}

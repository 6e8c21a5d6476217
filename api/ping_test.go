package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// processPings processes the received pings.
func (w *world) processPings() {
	w.Helper()
	w.must(w.store.WatchHeartbeats(w.Context(), w.clock.Now()))
}

// Pings are answered as healthchecks.io does, so that its clients work here.
func TestPingsAreAnsweredAsByHealthchecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []struct {
		method, path, body string
		code               int
		answer             string
	}{
		{"GET", "/ping/" + unknownKey, "", 404, "not found"},
		{"GET", "/ping/" + genericKey + "/backup", "", 404, "not found"},
		{"GET", "/ping/" + genericKey + "/backup?create=1", "", 201, "Created"},
		{"GET", "/ping/" + genericKey + "/backup?create=1", "", 200, "OK"},
		{"GET", "/ping/" + genericKey, "", 200, "OK"},
		{"HEAD", "/ping/" + genericKey, "", 200, ""},
		{"POST", "/integrations/v1/alertmanager/" + genericKey + "/heartbeat/", "{}", 200, "OK"},
		{"POST", "/api/v2/heartbeat/" + genericKey, "", 200, "OK"},
		{"POST", "/ping/" + genericKey + "/backup", "all is well", 200, "OK"},
		{"POST", "/ping/" + genericKey + "/start?rid=123e4567-e89b-12d3-a456-426614174000", "", 200, "OK"},
		{"POST", "/ping/" + genericKey + "/backup/log", "half way", 200, "OK"},
		{"GET", "/ping/" + genericKey + "/0?rid=123e4567-e89b-12d3-a456-426614174000", "", 200, "OK"},
		{"GET", "/ping/" + genericKey + "/256", "", 404, "not found"},
		{"GET", "/ping/" + genericKey + "/backup/nonsense", "", 404, "not found"},
		{"GET", "/ping/" + genericKey + "/Backup", "", 404, "not found"},
		{"DELETE", "/ping/" + genericKey, "", 405, "method not allowed"},
		{"GET", "/ping/" + genericKey + "/dump/start?create=1", "", 201, "Created"},
		{"GET", "/ping/" + genericKey, "", 409, "ambiguous"},
		{"GET", "/ping/" + genericKey + "/dump/1", "", 200, "OK"},
	} {
		got := w.send(step.method, step.path, strings.NewReader(step.body))
		if got.code != step.code || !strings.HasPrefix(got.body, step.answer) {
			t.Errorf("%s %s: got %d %q, want %d %q", step.method, step.path, got.code, got.body, step.code, step.answer)
		}
		w.processPings()
	}
	for name, want := range map[string]oncall.HeartbeatState{"backup": oncall.HeartbeatUp, "dump": oncall.HeartbeatDown} {
		in, err := w.store.IntegrationByKey(t.Context(), genericKey, w.clock.Now())
		w.must(err)
		h, err := w.store.HeartbeatOf(t.Context(), in.ID, name)
		w.must(err)
		if got := h.State(w.clock.Now()); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// /readyz?verbose tells how far behind we are.
func TestReadyzReportsTheLag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.send("GET", "/readyz?verbose", nil); got.code != 200 || !strings.Contains(got.body, "inbox: nothing waits\npages: nothing waits\n") {
		t.Errorf("got %d %q, want 200 with %q", got.code, got.body, "inbox: nothing waits\npages: nothing waits\n")
	}
	if got := w.send("POST", "/v1/signals/"+genericKey, strings.NewReader(`{"title":"x"}`)); got.code != 202 {
		t.Fatalf("got %d %s, want 202", got.code, got.body)
	}
	w.clock.Advance(20 * time.Second)
	if got := w.send("GET", "/readyz?verbose", nil); got.code != 200 || !strings.Contains(got.body, "inbox: the oldest has waited for 20s\n") {
		t.Errorf("got %d %q, want 200 with %q", got.code, got.body, "inbox: the oldest has waited for 20s\n")
	}
	if got := w.send("GET", "/readyz", nil); got.code != 200 || strings.Contains(got.body, "inbox") {
		t.Errorf("got %d %q, want 200 without \"inbox\"", got.code, got.body)
	}
}

// A new heartbeat of an integration is created by its first ping.
func TestFirstPingCreatesHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("x", 200_000) + " the end"
	for range 2 {
		if got := w.send("POST", "/ping/"+genericKey+"/fail", strings.NewReader(long)); got.code != 200 || got.body != "OK" {
			t.Errorf("got %d %q, want 200 and \"OK\"", got.code, got.body)
		}
		w.processPings()
	}
	in, err := w.store.IntegrationByKey(t.Context(), genericKey, w.clock.Now())
	w.must(err)
	h, err := w.store.HeartbeatOf(t.Context(), in.ID, "scripts")
	w.must(err)
	var kept int
	w.must(w.pool.QueryRow(t.Context(), `SELECT length(said) FROM heartbeats WHERE said LIKE '%the end'`).Scan(&kept))
	if h.DownAt == nil || kept != 100<<10 {
		t.Errorf("got %+v and %d bytes of output, want DownAt set and %d bytes", h, kept, 100<<10)
	}
}

// Opsgenie's clients ping and read heartbeats with their integration's key. Changing what is
// expected of them, or muting them, requires more.
func TestOpsgenieHeartbeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	auth := "Authorization: GenieKey " + genericKey
	refused := []string{"The key of an integration is good for pings", `"requestId"`}
	for _, step := range []struct {
		method, path, body string
		code               int
		answer             []string
	}{
		{"GET", "/v2/heartbeats/Nightly%20Dump", "", 404, []string{"Heartbeat does not exist"}},
		{"POST", "/v2/heartbeats", `{"name":"Nightly Dump","interval":10,"intervalUnit":"minutes","enabled":true}`, 403, refused},
		{"GET", "/v2/heartbeats/Nightly%20Dump", "", 404, []string{"Heartbeat does not exist"}},
		{"GET", "/opsgenie/v2/heartbeats/Nightly%20Dump/ping", "", 202, []string{"PONG"}},
		{"PUT", "/v2/heartbeats/Nightly%20Dump/ping", "", 202, []string{"PONG"}},
		{"PATCH", "/v2/heartbeats/Nightly%20Dump", `{"interval":2,"intervalUnit":"hours","alertPriority":"P5"}`, 403, refused},
		{"POST", "/opsgenie/v2/heartbeats/Nightly%20Dump/disable", "", 403, refused},
		{"GET", "/v2/heartbeats/Nightly%20Dump/enable", "", 403, refused},
		{"DELETE", "/v2/heartbeats/Nightly%20Dump", "", 403, refused},
		{"GET", "/v2/heartbeats/Nightly%20Dump", "", 200, []string{`"name":"Nightly Dump"`, `"interval":1`, `"intervalUnit":"days"`, `"enabled":true`, `"expired":false`}},
		{"GET", "/v1/signals/" + genericKey + "/v2/heartbeats/unknown/ping", "", 202, []string{"PONG"}},
		{"GET", "/v2/heartbeats/unknown", "", 200, []string{`"interval":1`, `"intervalUnit":"days"`}},
	} {
		got := w.send(step.method, step.path, strings.NewReader(step.body), auth)
		for _, part := range step.answer {
			if got.code != step.code || !strings.Contains(got.body, part) {
				t.Errorf("%s %s: got %d %s, want %d and %s", step.method, step.path, got.code, got.body, step.code, part)
			}
		}
		w.processPings()
	}
	for _, path := range []string{"/v2/heartbeats/x/ping", "/v2/heartbeats/x/disable"} {
		if got := w.send("GET", path, nil, "Authorization: GenieKey "+unknownKey); got.code != 401 {
			t.Errorf("with a strange key: got %d %s, want 401", got.code, got.body)
		}
	}
}

// Alertmanager's always-firing alert is a ping, and its end a failure.
func TestWatchdogIsAHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.pool.Exec(t.Context(), `UPDATE integrations SET kind = 'watchdog' WHERE name = 'scripts'`)
	w.must(err)
	body := func(status string) string {
		return `{"version":"4","receiver":"deadman","status":"` + status + `","groupKey":"{}","alerts":[{"status":"` + status + `","labels":{"alertname":"Watchdog"},"startsAt":"2026-03-02T08:00:00Z","fingerprint":"f"}]}`
	}
	in, err := w.store.IntegrationByKey(t.Context(), genericKey, w.clock.Now())
	w.must(err)
	for _, step := range []struct {
		status string
		want   oncall.HeartbeatState
	}{{"firing", oncall.HeartbeatUp}, {"resolved", oncall.HeartbeatDown}, {"firing", oncall.HeartbeatUp}} {
		if got := w.send("POST", "/v1/signals/"+genericKey, strings.NewReader(body(step.status))); got.code != 202 {
			t.Fatalf("got %d %s, want 202", got.code, got.body)
		}
		w.processPings()
		h, err := w.store.HeartbeatOf(t.Context(), in.ID, "watchdog")
		w.must(err)
		if got := h.State(w.clock.Now()); got != step.want || h.Every != 120 {
			t.Errorf("%s: it is %+v, want %s", step.status, h, step.want)
		}
	}
	if n := w.storedSignals("signal->>'title' NOT LIKE 'Heartbeat%'"); n != 0 {
		t.Errorf("got %d alerts of it, want 0", n)
	}
}

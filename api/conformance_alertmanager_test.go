//go:build conformance

package api_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// receivers are Alertmanager's three ways to reach us; only the address and the key are ours.
const receivers = `
route:
  receiver: webhook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - {receiver: webhook, continue: true}
    - {receiver: pagerduty, continue: true}
    - {receiver: opsgenie}
receivers:
  - name: webhook
    webhook_configs: [{url: "%[1]s/v1/signals/%[2]s"}]
  - name: pagerduty
    pagerduty_configs: [{url: "%[1]s/v2/enqueue", routing_key: "%[3]s"}]
  - name: opsgenie
    opsgenie_configs: [{api_url: "%[1]s/", api_key: "%[4]s"}]
`

// A gate is in front of the server and can be shut, as during a restart: connections are dropped.
type gate struct {
	mu     sync.Mutex
	shut   bool
	turned map[string]bool // away, by path
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.turned = shut, map[string]bool{}
}

func (g *gate) dropped() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.turned)
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		shut := g.shut
		if shut {
			g.turned[r.URL.Path] = true
		}
		g.mu.Unlock()
		if shut {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// alertmanager starts the program against our address and returns its own.
func alertmanager(t *testing.T, ours string) string {
	t.Helper()
	program := os.Getenv("ALERTMANAGER")
	if program == "" {
		t.Fatal("ALERTMANAGER names no program")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	config := fmt.Sprintf(receivers, ours, alertmanagerKey, replayKey, genericKey)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, program, "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = c.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}

// TestConformanceOfAlertmanager lets a real Alertmanager call us: by webhook, as PagerDuty, and as
// Opsgenie. What it sends during a restart is not lost.
func TestConformanceOfAlertmanager(t *testing.T) {
	w := newWorld(t)
	w.clock.Advance(time.Since(w.clock.Now())) // Alertmanager's is the real one
	w.startFolding()
	w.addAutoIntegration(replayKey)
	var g gate
	g.set(false)
	front := httptest.NewServer(g.wrap(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.address})))
	t.Cleanup(front.Close)
	address := alertmanager(t, front.URL)

	ask := func(method, path, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
		w.must(err)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	began := time.Now()
	tell := func(name string, ends time.Time) {
		body := fmt.Sprintf(`[{"labels": {"alertname": %q, "severity": "critical", "instance": "db-1"},
			"annotations": {"summary": "disk full on db-1"}, "startsAt": %q, "endsAt": %q}]`,
			name, began.UTC().Format(time.RFC3339Nano), ends.UTC().Format(time.RFC3339Nano))
		if code := ask(http.MethodPost, "/api/v2/alerts", body); code != http.StatusOK {
			t.Fatalf("Alertmanager answers %d, want %d", code, http.StatusOK)
		}
	}
	incidents := func(where string) (n int) {
		w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM incidents WHERE `+where).Scan(&n))
		return n
	}
	w.until("Alertmanager is ready", func() bool { return ask(http.MethodGet, "/-/ready", "") == http.StatusOK })

	tell("DiskFull", time.Now().Add(time.Hour))
	w.until("each way has opened an incident", func() bool { return incidents(`status = 'triggered'`) == 3 })
	if n := incidents(`title ILIKE '%disk%full%'`); n != 3 {
		t.Errorf("%d of 3 incidents say what is wrong, want 3", n)
	}
	tell("DiskFull", time.Now())
	w.until("each way has ended its incident", func() bool { return incidents(`status = 'resolved'`) == 3 })

	g.set(true)
	tell("Unreachable", time.Now().Add(time.Hour))
	w.until("each way was turned away", func() bool { return g.dropped() == 3 })
	g.set(false)
	w.until("each way has come again", func() bool { return incidents(`status = 'triggered'`) == 3 })
	if n := incidents(`true`); n != 6 {
		t.Errorf("%d incidents, want 6", n)
	}
}

//go:build conformance

package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
)

type webhookAlert struct {
	Status, Fingerprint string
	Labels              map[string]string
}

// startAlertmanager starts the program with a webhook, and returns its address and what the webhook is told.
func startAlertmanager(t *testing.T) (address string, received chan []webhookAlert) {
	t.Helper()
	program := os.Getenv("ALERTMANAGER")
	if program == "" {
		t.Fatal("ALERTMANAGER names no program")
	}
	received = make(chan []webhookAlert, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Alerts []webhookAlert }
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			received <- body.Alerts
		}
	}))
	t.Cleanup(hook.Close)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	address = l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	config := fmt.Sprintf("route: {receiver: w, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\nreceivers:\n  - {name: w, webhook_configs: [{url: %q}]}\n", hook.URL)
	must(t, os.WriteFile(file, []byte(config), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, program, "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	must(t, c.Start())
	t.Cleanup(func() {
		cancel()
		_ = c.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address, received
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}

// What an Alertmanager of today makes of our silences, and says or does not say meanwhile: docs/silences.md counts on it.
func TestConformanceOfSilences(t *testing.T) {
	base, received := startAlertmanager(t)
	a := notify.NewAlertmanager(notify.AlertmanagerConfig{Rules: loopbackRules()})
	disk := map[string]string{"alertname": "DiskFull", "instance": "db-1", "path": `C:\"x", ö=1`}
	other := map[string]string{"alertname": "DiskFull", "instance": "db-2"}
	began := time.Now()
	tell := func(labels map[string]string, ends time.Time) bool {
		body, err := json.Marshal([]map[string]any{{"labels": labels, "startsAt": began, "endsAt": ends}})
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v2/alerts", bytes.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	next := func() []webhookAlert {
		t.Helper()
		select {
		case alerts := <-received:
			return alerts
		case <-time.After(30 * time.Second):
			t.Fatal("the webhook is told nothing")
			return nil
		}
	}
	fires := func(labels map[string]string) bool {
		is, err := a.IsFiring(t.Context(), base, labels)
		must(t, err)
		return is
	}
	until(t, "Alertmanager", func() bool { return tell(disk, time.Now().Add(time.Hour)) })
	if first := next(); len(first) != 1 || first[0].Fingerprint != notifytest.Fingerprint(disk) {
		t.Fatalf("the webhook has %+v, want the one alert with our fingerprint", first)
	}

	s := notify.Silence{Labels: disk, From: time.Now(), Until: time.Now().Add(time.Hour), By: "Ann", Says: "Watchbill incident #7, acknowledged by Ann (TOKEN)", Token: "TOKEN"}
	id, err := a.Silence(t.Context(), base, s)
	must(t, err)
	s.Doubt, s.Until = true, time.Now().Add(2*time.Hour)
	again, err := a.Silence(t.Context(), base, s)
	must(t, err)
	if id == "" || again == "" {
		t.Fatalf("got ids %q and %q, want both set", id, again)
	}
	if active := silencesAt(t, base, "active"); len(active) != 1 || active[0].CreatedBy != "Ann" || active[0].EndsAt.Sub(time.Now()) < 90*time.Minute {
		t.Errorf("got active silences %+v, want one of Ann for 90 minutes or more", active)
	}
	if !fires(disk) || fires(map[string]string{"alertname": "DiskFull"}) {
		t.Error("what is silenced still fires, and what has other labels doesn't")
	}

	// A list of the group has nothing of it, as if it were over; and that it is over nobody is told.
	tell(other, time.Now().Add(time.Hour))
	if got := next(); len(got) != 1 || !maps.Equal(got[0].Labels, other) {
		t.Errorf("group under a silence: got %+v, want only %v", got, other)
	}
	tell(disk, time.Now())
	until(t, "its end", func() bool { return !fires(disk) })
	tell(other, time.Now())
	if got := next(); len(got) != 1 || !maps.Equal(got[0].Labels, other) || got[0].Status != "resolved" {
		t.Errorf("group after both ended: got %+v, want only %v, resolved", got, other)
	}

	for range 2 { // the second time it has ended
		must(t, a.EndSilence(t.Context(), base, notify.Silence{ID: again}))
	}
	must(t, a.EndSilence(t.Context(), base, notify.Silence{ID: "00000000-0000-4000-8000-000000000099"}))
	if left := silencesAt(t, base, "active"); len(left) != 0 {
		t.Errorf("still in force: got %+v, want 0", left)
	}
	s.ID, s.Doubt = "00000000-0000-4000-8000-000000000099", false
	if _, err := a.Silence(t.Context(), base, s); err != nil {
		t.Errorf("one that Alertmanager has lost: %v", err)
	}
}

func silencesAt(t *testing.T, base, state string) (out []notifytest.AlertmanagerSilence) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v2/silences", nil)
	must(t, err)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var all []notifytest.AlertmanagerSilence
	must(t, json.NewDecoder(res.Body).Decode(&all))
	for _, s := range all {
		if s.Status["state"] == state {
			out = append(out, s)
		}
	}
	return out
}

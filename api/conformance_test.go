//go:build conformance

package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// TestConformanceOfSignatures accepts requests signed by Twilio's own library;
// conformance/sign.js writes the file.
func TestConformanceOfSignatures(t *testing.T) {
	data, err := os.ReadFile(os.Getenv("TWILIO_SIGNED"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Path, Signature string
		Form                  map[string]string
		Good                  bool
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 100 {
		t.Fatalf("only %d requests, want at least 100", len(cases))
	}
	d := withTwilio(t, newWorld(t))
	for _, c := range cases {
		form := url.Values{}
		for name, value := range c.Form {
			form.Set(name, value)
		}
		got := d.send(http.MethodPost, c.Path, strings.NewReader(form.Encode()),
			"Content-Type: application/x-www-form-urlencoded; charset=UTF-8", "X-Twilio-Signature: "+c.Signature)
		if let := got.code != http.StatusForbidden; let != c.Good || got.code >= 500 {
			t.Errorf("%s: %s %v: got %d %s, want it let in: %t", c.Name, c.Path, c.Form, got.code, got.body, c.Good)
		}
	}
	t.Logf("%d requests signed by Twilio's Node library", len(cases))
}

// TestConformanceOfClients lets the client libraries of PagerDuty and Opsgenie talk to us; conformance/clients has them,
// and conformance/backstage those of Backstage's plugins.
func TestConformanceOfClients(t *testing.T) {
	w := newWorld(t)
	w.startFolding()
	w.addAutoIntegration(replayKey)
	_, err := w.store.Apply(t.Context(), setup.Setup{
		Users:     []setup.User{{Name: "ann", Slack: "U0ANN", TimeZone: "UTC", Email: "ann@example.com"}},
		Teams:     []setup.Team{{Name: "orders", Channel: "#orders", Members: []string{"ann"}}},
		Schedules: []setup.Schedule{{Name: "orders-primary", Team: "orders", TimeZone: "UTC", Rotations: []setup.Rotation{{Name: "weekly", Start: "2026-01-05 09:00", Every: "week", Turns: []setup.Turn{{"ann"}}}}}},
		Policies:  []setup.Policy{{Name: "orders", Team: "orders", Steps: []setup.Step{{Page: []string{"schedule orders-primary"}}}}},
	}, store.ApplyOptions{Write: true}, w.clock.Now())
	w.must(err)
	key, _, err := w.store.CreateAPIKey(t.Context(), oncall.ByCommandLine("root"), oncall.APIKey{
		Name: "tools", Scopes: []oncall.Scope{oncall.ScopeAct, oncall.ScopePage},
	}, w.clock.Now())
	w.must(err)
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{
		System: w.store, Clock: w.clock.Now, Log: zerolog.Nop(), Metrics: registry, Ready: w.store.Ready, Secrets: storetest.Secrets(),
		REST: rest.New(rest.Config{Store: w.store.Store, Clock: w.clock.Now, Log: zerolog.Nop()}),
	})
	for _, program := range []*exec.Cmd{
		exec.CommandContext(t.Context(), os.Getenv("CLIENTS"), w.address, replayKey, key),
		exec.CommandContext(t.Context(), "node", os.Getenv("BACKSTAGE"), w.address, replayKey, key),
	} {
		out, err := program.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}

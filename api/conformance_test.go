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
		t.Fatalf("only %d requests", len(cases))
	}
	d := hooked(t, newWorld(t))
	for _, c := range cases {
		form := url.Values{}
		for name, value := range c.Form {
			form.Set(name, value)
		}
		got := d.send(http.MethodPost, c.Path, strings.NewReader(form.Encode()),
			"Content-Type: application/x-www-form-urlencoded; charset=UTF-8", "X-Twilio-Signature: "+c.Signature)
		if let := got.code != http.StatusForbidden; let != c.Good || got.code >= 500 {
			t.Errorf("%s: %s %v: got %d %s", c.Name, c.Path, c.Form, got.code, got.body)
		}
	}
	t.Logf("%d requests signed by Twilio's Node library", len(cases))
}

// TestConformanceOfClients lets the client libraries of PagerDuty and Opsgenie talk to us; conformance/clients has them.
func TestConformanceOfClients(t *testing.T) {
	w := newWorld(t)
	w.fold()
	w.auto(replayKey)
	out, err := exec.CommandContext(t.Context(), os.Getenv("CLIENTS"), w.address, replayKey).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

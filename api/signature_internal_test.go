package api

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

var signNow = time.Unix(1_772_452_800, 0)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestSignaturesOfEachSenderAreChecked(t *testing.T) {
	t.Parallel()
	secret, body := []byte("whsec_"+base64.StdEncoding.EncodeToString([]byte("a secret"))), []byte(`{"title":"x"}`)
	hexOf := func(key []byte, parts ...string) string {
		return hex.EncodeToString(hmacOf(key, []byte(strings.Join(parts, ""))))
	}
	hook := func(key []byte, id, at, text string) string {
		return "v1," + base64.StdEncoding.EncodeToString(hmacOf(key, []byte(id+"."+at+"."+text)))
	}
	const now, old, ahead = "1772452800", "1772452499", "1772453101"
	plain, text := []byte("a secret"), string(body)
	for name, c := range map[string]struct {
		h           http.Header
		there, good bool
	}{
		"nothing":                  {headers(), false, false},
		"a key alone":              {headers("Authorization", "Bearer x"), false, false},
		"GitHub":                   {headers("X-Hub-Signature-256", "sha256="+hexOf(secret, text)), true, true},
		"GitHub, another body":     {headers("X-Hub-Signature-256", "sha256="+hexOf(secret, text+" ")), true, false},
		"GitHub, another secret":   {headers("X-Hub-Signature-256", "sha256="+hexOf(plain, text)), true, false},
		"GitHub, cut":              {headers("X-Hub-Signature-256", "sha256="+hexOf(secret, text)[:10]), true, false},
		"GitHub, empty":            {headers("X-Hub-Signature-256", "sha256="), true, false},
		"GitHub's of old":          {headers("X-Hub-Signature", "sha1="+hexOf(secret, text)), false, false},
		"Sentry":                   {headers("Sentry-Hook-Signature", hexOf(secret, text)), true, true},
		"Sentry, wrong":            {headers("Sentry-Hook-Signature", "no hex"), true, false},
		"GitLab":                   {headers("X-Gitlab-Token", string(secret)), true, true},
		"GitLab, wrong":            {headers("X-Gitlab-Token", "a secret"), true, false},
		"Grafana":                  {headers("X-Grafana-Alerting-Signature", hexOf(secret, text)), true, true},
		"Grafana with the time":    {headers("X-Grafana-Alerting-Signature", hexOf(secret, now, ":", text), "X-Signed-At", now), true, true},
		"Grafana, long ago":        {headers("X-Grafana-Alerting-Signature", hexOf(secret, old, ":", text), "X-Signed-At", old), true, false},
		"Grafana, another time":    {headers("X-Grafana-Alerting-Signature", hexOf(secret, old, ":", text), "X-Signed-At", now), true, false},
		"Grafana without its time": {headers("X-Grafana-Alerting-Signature", hexOf(secret, now, ":", text)), true, false},
		"a webhook":                {headers("Webhook-Id", "m1", "Webhook-Timestamp", now, "Webhook-Signature", hook(plain, "m1", now, text)), true, true},
		"one of several":           {headers("Webhook-Id", "m1", "Webhook-Timestamp", now, "Webhook-Signature", "v1a,x v1,bm8= "+hook(plain, "m1", now, text)), true, true},
		"a webhook, raw secret":    {headers("Webhook-Id", "m1", "Webhook-Timestamp", now, "Webhook-Signature", hook(secret, "m1", now, text)), true, false},
		"a webhook, long ago":      {headers("Webhook-Id", "m1", "Webhook-Timestamp", old, "Webhook-Signature", hook(plain, "m1", old, text)), true, false},
		"a webhook, to come":       {headers("Webhook-Id", "m1", "Webhook-Timestamp", ahead, "Webhook-Signature", hook(plain, "m1", ahead, text)), true, false},
		"a webhook, another id":    {headers("Webhook-Id", "m2", "Webhook-Timestamp", now, "Webhook-Signature", hook(plain, "m1", now, text)), true, false},
		"a webhook without an id":  {headers("Webhook-Timestamp", now, "Webhook-Signature", hook(plain, "", now, text)), true, false},
	} {
		var there, good bool
		for _, check := range signatures {
			t, g := check(c.h, body, secret, signNow)
			there, good = there || t, good || t && g
		}
		if there != c.there || good != c.good {
			t.Errorf("%s: there %v, good %v, want %v and %v", name, there, good, c.there, c.good)
		}
	}
	if _, good := webhookSignature(headers("Webhook-Id", "m1", "Webhook-Timestamp", now, "Webhook-Signature", hook([]byte("typed by hand"), "m1", now, text)), body, []byte("typed by hand"), signNow); !good {
		t.Error("a secret that is no base64 is taken as it is")
	}
}

// A signature of Grafana's own, as recorded: testdata/grafana-signed.json is the unchanged body.
func TestSignaturesOfGrafanaItself(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/grafana-signed.json")
	if err != nil {
		t.Fatal(err)
	}
	h := headers("X-Grafana-Alerting-Signature", "94de14869ffa59b8bdcdcda046233c5ca964324fd12383cefc4e68a51c34f04e", "X-Grafana-Alerting-Timestamp", "1795222443")
	for secret, want := range map[string]bool{"hmac-test-secret": true, "hmac-test-secret2": false} {
		if _, good := grafanaSignature(h, body, []byte(secret), time.Unix(1795222443, 0)); good != want {
			t.Errorf("%s: got %v, want %v", secret, good, want)
		}
	}
}

func TestSignaturesHaveNoDefaultSecret(t *testing.T) {
	t.Parallel()
	for _, check := range signatures {
		if _, good := check(headers("X-Gitlab-Token", "", "X-Hub-Signature-256", "sha256=", "Sentry-Hook-Signature", ""), nil, []byte("x"), signNow); good {
			t.Error("an empty signature is good")
		}
	}
}

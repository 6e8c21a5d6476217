package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// loopbackRules allows all that people may name, and this machine.
func loopbackRules() notify.AddressRules {
	listed, err := notify.ParseLoopback("localhost")
	if err != nil {
		panic(err)
	}
	return notify.AddressRules{Private: true, Loopback: listed}
}

func hookConfig() notify.WebhookConfig {
	return notify.WebhookConfig{Secret: "shared secret", Rules: loopbackRules(), Clock: func() time.Time { return time.Unix(1_772_452_800, 0) }}
}

func TestWebhookIsSignedAndSaysWhatHappened(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
	}))
	t.Cleanup(s.Close)
	m := testPage(s.URL + "/hook?x=1")
	m.Link = "https://watchbill.example.com/v1/act/T"
	if r := notify.NewWebhook(hookConfig()).Send(t.Context(), m); r.Outcome != notify.Accepted {
		t.Fatalf("sent: %+v, want accepted", r)
	}
	mac := hmac.New(sha256.New, []byte("shared secret"))
	mac.Write([]byte("1772452800."))
	mac.Write(body)
	if got, want := header.Get("Watchbill-Signature"), "t=1772452800,v1="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
	if got := header.Get("Idempotency-Key"); got != m.Key {
		t.Errorf("Idempotency-Key %q, want %q", got, m.Key)
	}
	var got map[string]any
	must(t, json.Unmarshal(body, &got))
	const want = `{"version":1,"type":"page","key":"12/3/U0ANN/email:7","attempt":1,` +
		`"incident":{"id":12,"title":"disk full on db-1","severity":"critical","team":"payments","opened_at":"2026-03-02T12:00:00Z"},` +
		`"title":"disk full on db-1","why":"you are on call in payments-primary","link":"https://watchbill.example.com/v1/act/T",` +
		`"expires_at":"2026-03-03T12:00:00Z"}`
	if string(body) != want {
		t.Errorf("body\n%s\nwant\n%s", body, want)
	}
}

func TestWebhookResponsesMapToOutcomes(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]notify.Outcome{
		200: notify.Accepted, 204: notify.Accepted, 301: notify.Rejected, 307: notify.Rejected, 400: notify.Rejected,
		401: notify.Rejected, 404: notify.Rejected, 408: notify.Throttled, 410: notify.Rejected, 425: notify.Throttled,
		429: notify.Throttled, 500: notify.Unknown, 502: notify.Unknown, 503: notify.Throttled,
	} {
		calls := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(status)
		}))
		r := notify.NewWebhook(hookConfig()).Send(t.Context(), testPage(s.URL))
		s.Close()
		if r.Outcome != want || calls != 1 {
			t.Errorf("%d: %+v after %d calls, want %s after one", status, r, calls, want)
		}
		if r.Outcome == notify.Throttled && r.RetryAfter != 17*time.Second {
			t.Errorf("%d: the wait is %s, want 17 s", status, r.RetryAfter)
		}
	}
}

func TestWebhookCallsNoAddressThatKeepsSecrets(t *testing.T) {
	t.Parallel()
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(s.Close)
	public := hookConfig()
	public.Rules = notify.AddressRules{}
	for _, c := range []struct {
		config notify.WebhookConfig
		to     string
	}{
		{hookConfig(), "http://169.254.169.254/latest/meta-data"},
		{hookConfig(), "http://[fe80::1]/"},
		{hookConfig(), "http://[::ffff:169.254.169.254]/"},
		{hookConfig(), "http://[fd00:ec2::254]/"},
		{hookConfig(), "http://0.0.0.0/"},
		{hookConfig(), "file:///etc/passwd"},
		{hookConfig(), "gopher://example.com/"},
		{public, s.URL},
		{public, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)},
		{public, "http://10.0.0.1/"},
		{public, "http://[fd00::1]/"},
	} {
		if r := notify.NewWebhook(c.config).Send(t.Context(), testPage(c.to)); r.Outcome != notify.Rejected {
			t.Errorf("%s: got %+v, want Outcome %v", c.to, r, notify.Rejected)
		}
	}
	if called {
		t.Error("it was called")
	}
}

func TestWebhookErrorsHideTheAddress(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(s.Close)
	r := notify.NewWebhook(hookConfig()).Send(t.Context(), testPage(s.URL+"/services/T0/B0/hidden"))
	if r.Outcome != notify.Unknown || strings.Contains(r.Err.Error(), "hidden") {
		t.Errorf("the receipt is %+v, want unknown and no secret part of the address", r)
	}
}

package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
	"github.com/watchbill/watchbill/twiliosim"
)

const (
	publicBase = "https://watchbill.example.com/behind"
	oldToken   = "0000000000000000000000000000000a"
	newToken   = "0000000000000000000000000000000b"
)

// withTwilio makes a second handler on the same store, with Twilio's webhooks.
func withTwilio(t *testing.T, w *world) *world {
	t.Helper()
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{
		System: w.store, Clock: w.clock.Now, Log: zerolog.New(w.log), Gatherer: registry, Metrics: registry, Ready: w.store.Ping,
		Twilio: api.Twilio{Tokens: []string{oldToken, newToken}, Public: publicBase},
	})
	return w
}

// twilio calls a webhook as Twilio does.
func (w *world) twilio(token, path string, form url.Values) reply {
	w.Helper()
	return w.send(http.MethodPost, path, strings.NewReader(form.Encode()),
		"Content-Type: application/x-www-form-urlencoded", "X-Twilio-Signature: "+twiliosim.Sign(token, publicBase+path, form))
}

func message(text, sid string) url.Values {
	return url.Values{"From": {"+12025550101"}, "To": {"+12025550199"}, "Body": {text}, "MessageSid": {sid}, "NumMedia": {"0"}}
}

func TestTwilioSMSAcknowledges(t *testing.T) {
	t.Parallel()
	d := withTwilio(t, newWorld(t))
	c, err := d.store.AddContact(t.Context(), oncall.ByTimer(), "U0ANN", oncall.MethodSMS, "+12025550101", d.clock.Now())
	d.must(err)
	proof, err := d.store.BeginProof(t.Context(), c.ID, [16]byte{1}, d.clock.Now())
	d.must(err)
	got := d.twilio(newToken, "/v1/twilio/sms", message("Reply "+proof.Code, "SM1"))
	if got.code != http.StatusNoContent { // more than the bare code, and this number is not confirmed yet
		t.Errorf("more than the code: got %d %s, want 204", got.code, got.body)
	}
	got = d.twilio(newToken, "/v1/twilio/sms", message(proof.Code, "SM2"))
	if kind := got.header.Get("Content-Type"); got.code != http.StatusOK || !strings.HasPrefix(kind, "application/xml") {
		t.Errorf("the code: got %d %s, want 200 application/xml", got.code, kind)
	}
	if want := "<Response><Message>Thank you. SMS pages for ann can come here now.</Message></Response>"; got.body != want {
		t.Errorf("the code: got %s, want %s", got.body, want)
	}
	if got = d.twilio(oldToken, "/v1/twilio/sms", message(proof.Code, "SM2")); got.code != http.StatusNoContent || got.body != "" {
		t.Errorf("once more: got %d %s, want 204 and \"\"", got.code, got.body)
	}
	reach, err := d.store.ContactSettings(t.Context(), oncall.ByTimer(), "U0ANN")
	d.must(err)
	if len(reach.Contacts) != 1 || !reach.Contacts[0].Usable() {
		t.Errorf("contacts %+v, want one that is usable", reach.Contacts)
	}
}

func TestTwilioKeyPressActs(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	d := withTwilio(t, m.world)
	var key string
	d.must(d.pool.QueryRow(t.Context(), "SELECT key FROM pages WHERE user_id = 'U0ANN'").Scan(&key))
	path := "/v1/twilio/voice?key=" + url.QueryEscape(key)
	press := func(digit string) reply {
		return d.twilio(oldToken, path, url.Values{"CallSid": {"CA1"}, "To": {"+12025550101"}, "From": {"+12025550199"}, "Digits": {digit}})
	}
	if got := press("9"); got.code != http.StatusOK || !strings.Contains(got.body, "<Gather action=\""+strings.ReplaceAll(publicBase+path, "&", "&amp;")) {
		t.Errorf("a slip: got %d %s, want 200 with %q", got.code, got.body, "<Gather action=\""+strings.ReplaceAll(publicBase+path, "&", "&amp;"))
	}
	got := press("1")
	if got.code != http.StatusOK || !strings.Contains(got.body, "<Say>") || strings.Contains(got.body, "Gather") {
		t.Errorf("got %d %s, want 200 with \"<Say>\" and without \"Gather\"", got.code, got.body)
	}
	var status string
	d.must(d.pool.QueryRow(t.Context(), "SELECT status FROM incidents WHERE id = $1", m.incident).Scan(&status))
	if status != "acknowledged" {
		t.Errorf("the incident is %s after %s, want \"acknowledged\"", status, got.body)
	}
}

func TestTwilioSignatureIsRequired(t *testing.T) {
	t.Parallel()
	d := withTwilio(t, newWorld(t))
	form := message("1a", "SM1")
	const path = "/v1/twilio/sms"
	good := twiliosim.Sign(oldToken, publicBase+path, form)
	for name, tt := range map[string]struct {
		body, signature, path string
	}{
		"no signature":       {form.Encode(), "", path},
		"another token":      {form.Encode(), twiliosim.Sign("0000000000000000000000000000000c", publicBase+path, form), path},
		"another text":       {message("1r", "SM1").Encode(), good, path},
		"another address":    {form.Encode(), good, path + "?x=1"},
		"the inner address":  {form.Encode(), twiliosim.Sign(oldToken, "http://"+d.address+path, form), path},
		"a repeated value":   {form.Encode() + "&Body=1r", good, path},
		"a key of a call":    {form.Encode(), good, "/v1/twilio/voice?key=x"},
		"no form":            {"%zz", good, path},
		"nothing but a sign": {"", good, path},
	} {
		got := d.send(http.MethodPost, tt.path, strings.NewReader(tt.body), "Content-Type: application/x-www-form-urlencoded", "X-Twilio-Signature: "+tt.signature)
		if got.code != http.StatusForbidden {
			t.Errorf("%s: got %d %s, want 403", name, got.code, got.body)
		}
	}
	if got := d.send(http.MethodPost, path, strings.NewReader(strings.Repeat("x", 70_000))); got.code != http.StatusBadRequest {
		t.Errorf("too large: got %d, want %d", got.code, http.StatusBadRequest)
	}
}

// Without a token or a public address the webhooks don't exist.
func TestTwilioWithoutToken(t *testing.T) {
	t.Parallel()
	h := api.New(api.Config{Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Gatherer: prometheus.NewRegistry(), Clock: storetest.NewClock(time.Time{}).Now})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/twilio/sms", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("got %d, want %d", w.Code, http.StatusNotFound)
	}
}

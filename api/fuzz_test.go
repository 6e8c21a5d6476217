package api_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/twiliosim"
)

// handlerOf returns the bare handler, without a socket, so that a panic shows.
func handlerOf(w *world) http.Handler {
	registry := prometheus.NewRegistry()
	return api.New(api.Config{
		System: w.store, Clock: w.clock.Now, Log: zerolog.Nop(), Gatherer: registry, Metrics: registry, Ready: w.store.Ping,
		Twilio: api.Twilio{Tokens: []string{newToken}, Public: publicBase},
	})
}

// storedIncident returns the incident as stored: any change to it shows here.
func (m mailedLink) storedIncident(t *testing.T) (status string, version int64) {
	t.Helper()
	if err := m.pool.QueryRow(t.Context(), "SELECT status, version FROM incidents WHERE id = $1", m.incident).Scan(&status, &version); err != nil {
		t.Fatal(err)
	}
	return status, version
}

// No path opens without its secret, an invalid one does nothing, and responses contain none of it
// as HTML.
func FuzzPathsWithSecrets(f *testing.F) {
	m := openWithMail(f, "disk full")
	f.Add(http.MethodPost, m.path, "do=a&form=x", uint8(1))
	h := handlerOf(m.world)
	for _, changed := range []string{m.path[:len(m.path)-1], m.path + "A", m.path + "%0a", strings.ToUpper(m.path), m.path + "/", "/v1/act/" + m.path[9:]} {
		f.Add(http.MethodPost, changed, "do=a", uint8(1))
	}
	f.Fuzz(func(t *testing.T, method, path, body string, peer uint8) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/v1/") || u.Path == m.path || strings.Contains(u.Path, genericKey) || strings.Contains(u.Path, alertmanagerKey) {
			return
		}
		if method != http.MethodPost {
			method = http.MethodGet
		}
		status, version := m.storedIncident(t)
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL, r.RequestURI, r.RemoteAddr = u, path, "192.0.2."+string('0'+rune(peer%10))+":443"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		text := w.Body.String()
		if w.Code < 300 || w.Code >= 500 || !utf8.ValidString(text) {
			t.Fatalf("%s %q got %d: %q, want 300 to 499 and UTF-8", method, path, w.Code, text)
		}
		if secret := u.Path[strings.LastIndex(u.Path, "/")+1:]; w.Code >= 400 && len(secret) >= 16 && strings.Contains(text, secret) {
			t.Fatalf("%q repeats the secret: %q", path, text)
		}
		if s, v := m.storedIncident(t); s != status || v != version {
			t.Fatalf("%q changed the incident: got %s, version %d, want %v and %v", path, s, v, status, version)
		}
	})
}

// Whatever an SMS or a phone's key says, the response to Twilio is TwiML that only speaks or
// writes, and only a person who was paged can change an incident.
func FuzzTwilioWebhooks(f *testing.F) {
	m := openWithMail(f, "disk full")
	f.Add(false, "+12025550101", "1a", "SM1")
	h := handlerOf(m.world)
	f.Fuzz(func(t *testing.T, call bool, from, text, id string) {
		_, version := m.storedIncident(t)
		path, form := "/v1/twilio/sms", url.Values{"From": {from}, "To": {"+12025550199"}, "Body": {text}, "MessageSid": {id}}
		if call {
			path = "/v1/twilio/voice?key=" + url.QueryEscape(id)
			form = url.Values{"CallSid": {id}, "To": {from}, "From": {"+12025550199"}, "Digits": {text}}
		}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", twiliosim.Sign(newToken, publicBase+path, form))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusNoContent && w.Body.Len() == 0, w.Code == http.StatusBadRequest && len(form.Encode()) > 64<<10:
		case w.Code == http.StatusOK:
			if fault := notTwiML(w.Body.String()); fault != "" {
				t.Fatalf("got %s: %q, want \"\"", fault, w.Body)
			}
		default:
			t.Fatalf("%q from %q got %d: %s", text, from, w.Code, w.Body)
		}
		if _, v := m.storedIncident(t); v != version {
			t.Fatalf("%q from %q changed the incident", text, from)
		}
	})
}

// notTwiML returns what is wrong with a response to Twilio: it may speak, write and ask for a key,
// and nothing else.
func notTwiML(text string) string {
	if !utf8.ValidString(text) {
		return "it is not UTF-8"
	}
	d, depth := xml.NewDecoder(strings.NewReader(text)), 0
	for {
		token, err := d.Token()
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			switch name := token.Name.Local; {
			case (name == "Response") != (depth == 1):
				return "there is more than a response"
			case name != "Response" && name != "Message" && name != "Say" && name != "Gather":
				return "it does " + name
			}
			for _, a := range token.Attr {
				if a.Name.Local == "action" && !strings.HasPrefix(a.Value, publicBase+"/v1/twilio/voice?key=") {
					return "it goes on at " + a.Value
				}
			}
		case xml.EndElement:
			depth--
		}
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
	}
}

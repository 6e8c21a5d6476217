package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
)

// Whatever a program writes, in our words or in those of other vendors, is taken or refused: nothing fails on it, every
// answer is JSON, and no header or line of the log is made of it.
func TestHostileTextsOfPrograms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, "disk full")
	key := w.scopeKey(oncall.ScopeAdmin)
	texts := append([]hostile.Text{
		{Name: "a megabyte", Text: strings.Repeat("x", 1_000_000)}, {Name: "more than a megabyte", Text: strings.Repeat("\u202e<", 400_000)},
	}, hostile.Texts...)
	for i, text := range texts {
		w.clock.Store(new(start.Add(time.Duration(i) * 15 * time.Minute))) // what asks for confirmation is something else
		quoted, err := json.Marshal(text.Text)
		w.must(err)
		q := string(quoted)
		in := func(form string) string { return strings.ReplaceAll(form, "HOSTILE", q) }
		escaped := url.PathEscape(text.Text[:min(len(text.Text), 1000)])
		acts := fmt.Sprintf("/api/v1/incidents/%d/acts", id)
		every := strings.ContainsAny(text.Text, "\x00\r\u202e") || !utf8.ValidString(text.Text)
		for j, c := range []struct{ method, path, body string }{
			{"POST", "/api/v1/incidents", in(`{"team": "payments", "text": HOSTILE, "confirm": true}`)},
			{"POST", "/api/v1/incidents", in(`{"team": "payments", "text": "x", "key": HOSTILE, "link": HOSTILE, "confirm": true}`)},
			{"POST", "/api/v1/incidents", in(`{"team": HOSTILE, "text": "x"}`)},
			{"POST", "/api/v1/incidents", in(`{"user": HOSTILE, "text": "x"}`)},
			{"POST", acts, in(`{"act": "note", "text": HOSTILE}`)},
			{"POST", acts, in(`{"act": "reassign", "user": HOSTILE}`)},
			{"POST", acts, in(`{"act": HOSTILE}`)},
			{"POST", "/api/v1/overrides", in(`{"schedule": "primary", "start": "2026-03-04T12:00:00Z", "end": "2026-03-04T14:00:00Z", "users": ["cy"], "reason": HOSTILE}`)},
			{"POST", "/api/v1/overrides", in(`{"schedule": HOSTILE, "start": "2026-03-04T12:00:00Z", "end": "2026-03-04T14:00:00Z", "users": [HOSTILE]}`)},
			{"POST", "/api/v1/time-off", in(`{"user": "cy", "start": "2026-05-03T00:00:00Z", "end": "2026-05-05T00:00:00Z", "note": HOSTILE}`)},
			{"POST", "/api/v1/maintenance", in(`{"team": "payments", "starts_at": "2026-06-02T13:00:00Z", "ends_at": "2026-06-02T14:00:00Z", "reason": HOSTILE, "match": [HOSTILE]}`)},
			{"POST", "/api/v1/webhooks", in(`{"name": HOSTILE, "team": "payments", "url": "https://hooks.example.com/x"}`)},
			{"POST", "/api/v1/webhooks", in(`{"name": "x", "team": "payments", "url": HOSTILE}`)},
			{"POST", "/api/v1/webhooks", in(`{"name": "x", "team": "payments", "url": "https://hooks.example.com/x", "headers": [HOSTILE]}`)},
			{"POST", "/api/v1/webhooks", in(`{"name": "y` + fmt.Sprint(i) + `", "team": "payments", "url": "https://hooks.example.com/x", "template": "jira", "options": {"project": HOSTILE}}`)},
			{"PUT", "/api/v1/users/U0EVE", in(`{"name": HOSTILE, "email": HOSTILE, "time_zone": HOSTILE}`)},
			{"PUT", "/api/v1/teams/web", in(`{"channel": HOSTILE, "members": [HOSTILE]}`)},
			{"PUT", "/api/v1/teams/" + escaped, `{"members": ["cy"]}`},
			{"POST", "/api/v1/schedules/primary/preview", in(`{"team": "payments", "time_zone": HOSTILE, "rotations": [{"name": HOSTILE, "start": HOSTILE, "every": "week", "turns": [[HOSTILE]]}]}`)},
			{"POST", "/api/v1/policies/x/preview", in(`{"team": HOSTILE, "steps": [{"page": [HOSTILE], "wait": HOSTILE}]}`)},
			{"GET", "/api/v1/incidents?text=" + url.QueryEscape(text.Text[:min(len(text.Text), 2000)]), ""},
			{"GET", "/api/v1/oncall?team=" + url.QueryEscape(text.Text[:min(len(text.Text), 2000)]), ""},
			{"GET", "/api/v1/audit?name=" + url.QueryEscape(text.Text[:min(len(text.Text), 2000)]), ""},
			{"GET", "/api/v1/teams/" + escaped, ""},
			{"POST", "/pagerduty/incidents", in(fmt.Sprintf(`{"incident": {"type": "incident", "title": HOSTILE, "service": {"id": "1", "type": "service_reference"}, "incident_key": "k%d", "body": {"type": "incident_body", "details": HOSTILE}}}`, i))},
			{"POST", fmt.Sprintf("/pagerduty/incidents/%d/notes", id), in(`{"note": {"content": HOSTILE}}`)},
			{"PUT", fmt.Sprintf("/pagerduty/incidents/%d", id), in(`{"incident": {"type": "incident_reference", "status": HOSTILE, "title": HOSTILE}}`)},
			{"POST", "/pagerduty/schedules/1/overrides", in(`{"overrides": [{"start": "2026-04-04T12:00:00Z", "end": "2026-04-04T14:00:00Z", "user": {"id": HOSTILE, "type": "user_reference"}}]}`)},
			{"GET", "/pagerduty/users?query=" + url.QueryEscape(text.Text[:min(len(text.Text), 2000)]), ""},
			{"POST", "/opsgenie/v2/alerts/1/notes", in(`{"note": HOSTILE, "user": HOSTILE, "source": HOSTILE}`)},
			{"POST", "/opsgenie/v2/alerts/" + escaped + "/acknowledge?identifierType=alias", in(`{"note": HOSTILE, "user": HOSTILE}`)},
			{"GET", "/opsgenie/v2/alerts?query=" + url.QueryEscape(text.Text[:min(len(text.Text), 2000)]), ""},
		} {
			if !every && (i+j)%3 != 0 { // each request meets a third of the others
				continue
			}
			scheme := "Bearer "
			switch {
			case strings.HasPrefix(c.path, "/pagerduty"):
				scheme = "Token token="
			case strings.HasPrefix(c.path, "/opsgenie"):
				scheme = "GenieKey "
			}
			r := w.ask("", c.method, c.path, c.body, "Authorization: "+scheme+key, "Content-Type: application/json")
			if r.code >= 500 || r.code < 200 || r.code/100 == 3 && r.code != http.StatusMovedPermanently && r.code != http.StatusTemporaryRedirect {
				t.Errorf("%s: %s %.60s: got %d %.300s, want success or a refusal", text.Name, c.method, c.path, r.code, r.text)
				continue
			}
			if r.text != "" && strings.Contains(r.header.Get("Content-Type"), "json") && (!json.Valid([]byte(r.text)) || !utf8.ValidString(r.text)) {
				t.Errorf("%s: %s %.60s answers with no JSON: %.300q", text.Name, c.method, c.path, r.text)
			}
			if r.header.Get("Bcc") != "" || strings.Contains(r.header.Get("Content-Type"), "html") && r.code/100 != 3 {
				t.Errorf("%s: %s %.60s answers with the header %v", text.Name, c.method, c.path, r.header)
			}
		}
	}
	if strings.Contains(w.log.String(), `"level":"error"`) {
		t.Errorf("got errors in the log, want none: %.2000s", w.log.String())
	}
}

package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// What an edit would change is said, with who would be on call, and nothing is changed.
func TestPreviewShowsWhatAnEditWouldChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeEdit)
	const swapped = `{"team": "payments", "time_zone": "Europe/Berlin", "rotations": [{"name": "weekly", "start": "2026-01-05 09:00", "every": "week", "turns": [["ann"], ["cy"]]}]}`
	before := w.get(key, "/schedules/primary", http.StatusOK)
	var versions int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM audit_log`).Scan(&versions))
	r := w.ask(key, http.MethodPost, "/api/v1/schedules/primary/preview", swapped, "If-Match: "+before.header.Get("ETag"))
	if r.code != http.StatusOK {
		t.Fatalf("got %d %s, want 200", r.code, r.text)
	}
	var p rest.Preview
	r.into(t, &p)
	if p.Made || p.Warning == "" {
		t.Errorf("got made %t with the warning %q, want false with some warning", p.Made, p.Warning)
	}
	if len(p.Changes) != 1 || !strings.Contains(p.Changes[0], "primary") {
		t.Errorf("got the changes %q, want one of primary", p.Changes)
	}
	if !strings.Contains(p.Diff, "\n-          \"bo\"\n") || !strings.Contains(p.Diff, "\n+          \"cy\"\n") || !strings.Contains(p.Diff, "\n   \"name\": \"primary\"") {
		t.Errorf("the diff is\n%s\nwant only bo replaced by cy, with the name around it", p.Diff)
	}
	if len(p.OnCall) != 2 {
		t.Fatalf("got on call %+v, want two stretches", p.OnCall)
	}
	if o := p.OnCall[0]; o.Before[0].Name != "bo" || o.After[0].Name != "cy" {
		t.Errorf("got %+v, then %+v, want cy in place of bo", o.Before, o.After)
	}
	if got, want := p.OnCall[0].Start, time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got it from %s, want %s", got, want)
	}
	if after := w.get(key, "/schedules/primary", http.StatusOK); after.text != before.text || after.header.Get("ETag") != before.header.Get("ETag") {
		t.Errorf("it was changed: got %s, want %v and ETag %v", after.text, before.text, before.header.Get("ETag"))
	}
	for _, c := range []struct {
		path, body string
		header     []string
		code       int
		want       string
	}{
		{"/schedules/primary/preview", swapped, []string{`If-Match: "old"`}, 412, "changed since"},
		{"/schedules/primary/preview", swapped, []string{"If-None-Match: *"}, 412, "changed since"},
		{"/schedules/none/preview", swapped, []string{`If-Match: "old"`}, 404, ""},
		{"/schedules/takeover/preview", strings.Replace(swapped, "payments", "secret", 1), nil, 404, "not yours to see"},
		{"/policies/default/preview", `{"team": "payments", "steps": [{"page": ["user nobody"]}]}`, nil, 422, "nobody"},
		{"/policies/new/preview", `{"team": "payments", "steps": [{"page": ["user bo"]}]}`, nil, 200, `"made":true`},
		{"/policies/default/preview", `{"team": "payments", "steps": [{"page": ["schedule primary"], "wait": "5m"}, {"page": ["user bo", "webhook https://hooks.example.com/T0/s3cret"]}]}`, nil, 200, `"changes":[],"diff":""`},
		{"/integrations/new/preview", `{"team": "payments", "policy": "default"}`, nil, 200, `"made":true`},
		{"/teams/payments/preview", `{"channel": "#pay", "members": ["ann", "bo"], "managers": ["ann"]}`, nil, 200, `+  \"channel\": \"#pay\"`},
	} {
		if r := w.ask(key, http.MethodPost, "/api/v1"+c.path, c.body, c.header...); r.code != c.code || !strings.Contains(r.text, c.want) || strings.Contains(r.text, "new_key") {
			t.Errorf("%s: %d %s, want %d %s", c.path, r.code, r.text, c.code, c.want)
		}
	}
	var now int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM audit_log WHERE act <> 'refused'`).Scan(&now))
	if now != versions {
		t.Errorf("%d entries in the audit log, want %d", now, versions)
	}
	for _, path := range []string{"/policies/new", "/integrations/new"} {
		w.get(key, path, http.StatusNotFound)
	}
}

// A person's own key makes calendars, which end when it says so; a team's has none.
func TestCalendarsNeedAPersonalKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *rest.Config) { c.Address = "https://watchbill.example.com/" })
	ann := w.key(oncall.APIKey{Name: "Anns", Owner: "U0ANN"}, oncall.ScopeAct)
	bo := w.key(oncall.APIKey{Name: "Bos", Owner: "U0BO"}, oncall.ScopeAct)
	post := func(key, body string) reply { return w.ask(key, http.MethodPost, "/api/v1/calendars", body) }
	var own, of rest.NewCalendar
	for body, into := range map[string]*rest.NewCalendar{`{}`: &own, `{"schedule": "primary"}`: &of} {
		r := post(ann, body)
		if r.code != http.StatusCreated {
			t.Fatalf("%s: got %d %s, want 201", body, r.code, r.text)
		}
		r.into(t, into)
		secret := strings.TrimSuffix(strings.TrimPrefix(into.URL, "https://watchbill.example.com/v1/calendar/"), ".ics")
		f, err := w.store.FeedBySecret(t.Context(), secret)
		if err != nil || int64(f.ID) != into.ID || f.CreatedBy != "U0ANN" {
			t.Errorf("%s: %s is %+v, %v, want no error, %v and CreatedBy \"U0ANN\"", body, into.URL, f, err, into.ID)
		}
	}
	if own.Schedule != nil || of.Schedule == nil || of.Schedule.Name != "primary" {
		t.Errorf("got %+v, %+v, want Schedule nil, some Schedule and Name \"primary\"", own, of)
	}
	list := w.get(ann, "/calendars", http.StatusOK)
	if strings.Contains(list.text, "ics") || strings.Count(list.text, "created_at") != 2 {
		t.Errorf("got %s, want 2 times \"created_at\" without \"ics\"", list.text)
	}
	for _, c := range []struct {
		key, body string
		code      int
		want      string
	}{
		{ann, `{"schedule": "takeover"}`, 422, "not yours to see"},
		{w.scopeKey(oncall.ScopeAdmin), `{}`, 409, "somebody's own"},
		{w.key(oncall.APIKey{Name: "reads", Owner: "U0ANN"}, oncall.ScopeRead), `{}`, 403, "scope"},
	} {
		if r := post(c.key, c.body); r.code != c.code || !strings.Contains(r.text, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.body, r.code, r.text, c.code, c.want)
		}
	}
	path := fmt.Sprintf("/api/v1/calendars/%d", of.ID)
	for i, c := range []struct {
		key  string
		code int
	}{{bo, 404}, {ann, 204}, {ann, 404}} {
		if r := w.ask(c.key, http.MethodDelete, path, ""); r.code != c.code {
			t.Errorf("%d: %d %s, want %d", i, r.code, r.text, c.code)
		}
	}
}

// What a monitor has sent is shown to who edits its team, and to nobody else.
func TestPayloadsAreShownToEditors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in, err := w.store.IntegrationByKey(t.Context(), signalKey, start)
	w.must(err)
	secret, err := w.store.IntegrationByKey(t.Context(), "fedcba9876543210fedcba9876543210", start)
	w.must(err)
	long := strings.Repeat("x", 999) + "é and more"
	for _, p := range []oncall.Payload{
		{Integration: in.ID, At: start, Method: "POST", Path: "/v1/signals", Headers: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"title": "<b>disk</b>"}`), Size: 24, RecognisedAs: "generic", Signals: 1},
		{Integration: in.ID, At: start.Add(time.Second), Method: "POST", Path: "/v1/signals", Body: []byte("\xff\x00\xfe"), Size: 3, Trouble: "no JSON"},
		{Integration: in.ID, At: start.Add(2 * time.Second), Method: "POST", Path: "/v1/signals", Body: []byte(long), Size: int64(len(long))},
		{Integration: secret.ID, At: start, Method: "POST", Path: "/v1/signals", Body: []byte("merger")},
	} {
		w.store.KeepPayload(t.Context(), p)
	}
	for deadline, n := time.Now().Add(30*time.Second), 0; n < 4; time.Sleep(5 * time.Millisecond) {
		w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM payloads`).Scan(&n))
		if time.Now().After(deadline) {
			t.Fatalf("%d payloads were kept in time, want 4", n)
		}
	}
	key := w.scopeKey(oncall.ScopeEdit)
	var list rest.List[rest.Payload]
	w.get(key, "/integrations/grafana/payloads", http.StatusOK).into(t, &list)
	if len(list.Items) != 3 {
		t.Fatalf("got %+v, want 3 payloads", list.Items)
	}
	if got, want := list.Items[0].Text, strings.Repeat("x", 999); got != want {
		t.Errorf("got the long one as %q, want it cut to %q", got, want)
	}
	if p := list.Items[1]; string(p.Bytes) != "\xff\x00\xfe" || p.Trouble != "no JSON" {
		t.Errorf("got %q with the trouble %q, want %q with no JSON", p.Bytes, p.Trouble, "\xff\x00\xfe")
	}
	if got, want := list.Items[2].Text, `{"title": "<b>disk</b>"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var one rest.Payload
	w.get(key, fmt.Sprintf("/integrations/grafana/payloads/%d", list.Items[0].ID), http.StatusOK).into(t, &one)
	if one.Text != long {
		t.Errorf("got %+v, want Text %v", one, long)
	}
	w.get(key, "/integrations/board/payloads", http.StatusNotFound)
	w.get(key, "/integrations/grafana/payloads/99999", http.StatusNotFound)
	w.get(w.scopeKey(oncall.ScopeAct), "/integrations/grafana/payloads", http.StatusForbidden)
}

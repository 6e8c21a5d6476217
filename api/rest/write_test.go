package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// post makes a request that acts, and checks the status.
func (w *world) post(key, method, path, body string, code int, header ...string) reply {
	w.Helper()
	r := w.ask(key, method, "/api/v1"+path, body, header...)
	if r.code != code {
		w.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, r.code, code, r.text)
	}
	return r
}

// A program does what people do with buttons, in its own name, and gets the same refusals.
func TestProgramsActAsPeopleDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team, anns := w.key(oncall.APIKey{Name: "deploy", TeamID: w.team("payments")}, oncall.ScopeAct), w.key(oncall.APIKey{Name: "laptop", Owner: "U0ANN"}, oncall.ScopeAct)
	id, other := w.open(signalKey, "disk full"), w.open(signalKey, "disk slow")
	acts := fmt.Sprintf("/incidents/%d/acts", id)
	var in rest.Incident
	w.post(team, "POST", acts, `{"act": "acknowledge"}`, 200).into(t, &in)
	if in.State != "acknowledged" || len(in.Holders) != 0 {
		t.Errorf("got it %s with the holders %+v, want acknowledged with none", in.State, in.Holders)
	}
	if by := in.AcknowledgedBy; by.Name != "deploy" || by.APIKey == 0 {
		t.Errorf("got it acknowledged by %q with key %d, want deploy with some key", by.Name, by.APIKey)
	}
	if r := w.post(team, "POST", acts, `{"act": "acknowledge"}`, 409); !strings.Contains(r.text, "You have acknowledged incident #") {
		t.Errorf("it is refused otherwise than in Slack: got %s, want it with \"You have acknowledged incident #\"", r.text)
	}
	for _, c := range []struct{ body, state string }{
		{`{"act": "snooze", "for": "2h"}`, "snoozed"},
		{`{"act": "unsnooze"}`, "triggered"},
		{`{"act": "escalate"}`, "triggered"},
		{`{"act": "severity", "severity": "low"}`, "triggered"},
		{`{"act": "add_responder", "user": "cy"}`, "triggered"},
		{`{"act": "note", "text": "looking"}`, "triggered"},
		{fmt.Sprintf(`{"act": "link", "incident": %d}`, other), "triggered"},
		{`{"act": "reassign", "user": "bo@example.com"}`, "triggered"},
		{`{"act": "acknowledge"}`, "acknowledged"},
		{`{"act": "resolve"}`, "resolved"},
	} {
		w.post(anns, "POST", acts, c.body, 200).into(t, &in)
		if in.State != c.state {
			t.Errorf("after %s it is %s, want %s", c.body, in.State, c.state)
		}
	}
	if in.Severity != "low" || len(in.Linked) != 1 {
		t.Errorf("got severity %s and %d linked, want low and 1", in.Severity, len(in.Linked))
	}
	if by := in.ResolvedBy; by.User.Name != "ann" || by.Name != "laptop" {
		t.Errorf("got it resolved by %s with %q, want by ann with laptop", by.User.Name, by.Name)
	}
	w.post(anns, "POST", fmt.Sprintf("/incidents/%d/acts", other), `{"act": "snooze", "for": "soon"}`, 422)
	w.post(anns, "POST", fmt.Sprintf("/incidents/%d/acts", other), `{"act": "reassign", "user": "nobody"}`, 422)
	w.post(anns, "POST", acts, `{"act": "dance"}`, 422)
	w.post(anns, "POST", "/incidents/999/acts", `{"act": "note", "text": "x"}`, 404)
}

// A program pages by hand with only that scope, and sees no more of the incident than what it wrote
// itself.
func TestProgramsPageByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, reader := w.scopeKey(oncall.ScopePage), w.scopeKey(oncall.ScopeAct)
	const body = `{"schedule": "primary", "text": "the checkout is down\nsince ten", "severity": "critical", "key": "run-77", "link": "https://ci.example.com/77"}`
	var made, again rest.RaisedIncident
	w.post(key, "POST", "/incidents", body, 201, "Idempotency-Key: a").into(t, &made)
	w.post(key, "POST", "/incidents", body, 201, "Idempotency-Key: a")
	w.post(reader, "POST", "/incidents", body, 403)
	w.post(w.key(oncall.APIKey{Name: "other"}, oncall.ScopePage), "POST", "/incidents", body, 200).into(t, &again)
	if got := []string{made.Title, made.Team.Name, made.Severity}; !slices.Equal(got, []string{"the checkout is down", "payments", "critical"}) {
		t.Errorf("title, team and severity are %q, want those of the request", got)
	}
	if again.ID != made.ID || !again.Again || made.Again {
		t.Errorf("raised as %d (again: %t), then as %d (again: %t), want the same twice, the second time again", made.ID, made.Again, again.ID, again.Again)
	}
	one := fmt.Sprintf("/incidents/%d", made.ID)
	w.post(key, "GET", one, "", 403)
	w.post(key, "POST", one+"/acts", `{"act": "resolve"}`, 403)
	var in rest.IncidentDetail
	w.get(reader, one, 200).into(t, &in)
	if by := in.Timeline[0].By.Name; !strings.Contains(in.Body, "since ten") || by != "all page" {
		t.Errorf("got %q by %q, want it with %q by all page", in.Body, by, "since ten")
	}
	if len(in.Pages) != 1 || in.Pages[0].User.ID != "U0ANN" {
		t.Errorf("got the pages %+v, want one to U0ANN", in.Pages)
	}
	w.post(reader, "POST", one+"/acts", `{"act": "resolve"}`, 200)
	w.post(key, "POST", "/incidents", body, 201).into(t, &again) // it is wrong again
	if again.ID == made.ID {
		t.Error("what was resolved counts as open")
	}
	w.post(key, "POST", "/incidents", `{"user": "bo", "text": "who has the password"}`, 201)
	if r := w.post(key, "POST", "/incidents", `{"team": "secret", "text": "one more"}`, 409); !strings.Contains(r.text, "You have paged 3 times") {
		t.Errorf("got %s, want it with \"You have paged 3 times\"", r.text)
	}
	r := w.post(key, "POST", "/incidents", `{"team": "secret", "text": "one more", "confirm": true}`, 201)
	if strings.Contains(r.text, "U0DI") {
		t.Errorf("a private team: got %s, want it without \"U0DI\"", r.text)
	}
	for _, body := range []string{
		`{"text": "x"}`, `{"team": "payments"}`, `{"team": "none", "text": "x"}`, `{"schedule": "takeover", "text": "x"}`, `{"team": "payments", "text": "x", "link": "javascript:alert(1)"}`,
	} {
		w.post(key, "POST", "/incidents", body, 422)
	}
}

// A repeated request with the same Idempotency-Key does nothing, and gets the same response.
func TestIdempotencyKeyPreventsRepetition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, other := w.scopeKey(oncall.ScopeAct), w.scopeKey(oncall.ScopeAdmin)
	body := `{"schedule": "primary", "start": "2026-03-04T12:00:00Z", "end": "2026-03-04T14:00:00Z", "users": ["cy"]}`
	first := w.post(key, "POST", "/overrides", body, 201, "Idempotency-Key: a")
	again := w.post(key, "POST", "/overrides", body, 201, "Idempotency-Key: a")
	if first.text != again.text {
		t.Errorf("got %s, then %s, want the same twice", first.text, again.text)
	}
	var list struct{ Items []rest.Override }
	count := func(want int) {
		t.Helper()
		w.get(key, "/overrides", 200).into(t, &list)
		if len(list.Items) != want {
			t.Errorf("%d overrides, want %d", len(list.Items), want)
		}
	}
	count(1)
	w.post(other, "POST", "/overrides", body, 201, "Idempotency-Key: a") // idempotency keys are separate for each API key
	count(2)
	if r := w.post(key, "POST", "/overrides", strings.Replace(body, "14:00", "15:00", 1), 409, "Idempotency-Key: a"); !strings.Contains(r.text, "was used for another request") {
		t.Errorf("got %s, want it with \"was used for another request\"", r.text)
	}
	// A refused request can be tried again.
	late := `{"schedule": "primary", "start": "2026-03-04T15:00:00Z", "end": "2026-03-04T14:00:00Z", "users": ["cy"]}`
	w.post(key, "POST", "/overrides", late, 409, "Idempotency-Key: b")
	w.post(key, "POST", "/overrides", late, 409, "Idempotency-Key: b")
	w.advance(25 * time.Hour)
	w.post(key, "POST", "/overrides", body, 201, "Idempotency-Key: a")
	count(3)
}

// Concurrent edits aren't lost: the second one is refused.
func TestConcurrentEditsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(oncall.APIKey{Name: "terraform", TeamID: w.team("payments")}, oncall.ScopeEdit)
	tag := w.get(key, "/policies/default", 200).header.Get("ETag")
	body := `{"team": "payments", "steps": [{"page": ["schedule primary"], "wait": "%dm"}]}`
	r := w.post(key, "PUT", "/policies/default", fmt.Sprintf(body, 3), 200, "If-Match: "+tag)
	if next := r.header.Get("ETag"); next == tag || next != w.get(key, "/policies/default", 200).header.Get("ETag") {
		t.Errorf("the tag is %s, was %s, want a new one, which reading gives as well", next, tag)
	}
	if !strings.Contains(r.header.Get("Warning"), "the next apply undoes this") {
		t.Errorf("whose the team is: got %q, want it with \"the next apply undoes this\"", r.header.Get("Warning"))
	}
	w.post(key, "PUT", "/policies/default", fmt.Sprintf(body, 4), 412, "If-Match: "+tag)
	w.post(key, "PUT", "/policies/default", fmt.Sprintf(body, 4), 412, "If-None-Match: *")
	w.post(key, "PUT", "/policies/other", fmt.Sprintf(body, 4), 404, "If-Match: "+tag)
	w.post(key, "PUT", "/policies/other", fmt.Sprintf(body, 4), 201, "If-None-Match: *")
	w.post(key, "PUT", "/policies/other", `{"name": "another", "team": "payments", "steps": []}`, 409)
	w.post(key, "DELETE", "/policies/other", "", 412, "If-Match: "+tag)
	w.post(key, "DELETE", "/policies/other", "", 204)
	w.post(key, "DELETE", "/policies/other", "", 404)
	// Errors read as in apply, and an object that others need stays.
	if r := w.post(key, "PUT", "/policies/default", `{"team": "payments", "steps": [{"page": ["schedule primry"]}]}`, 422); !strings.Contains(r.text, `did you mean \"primary\"?`) {
		t.Errorf("got %s, want it with %q", r.text, `did you mean \"primary\"?`)
	}
	w.post(key, "DELETE", "/schedules/primary", "", 422)
	w.post(key, "DELETE", "/policies/default", "", 422)
	w.post(key, "PUT", "/policies/default", `{"team": "payments", "stages": []}`, 422)
	if text := w.get(w.scopeKey(oncall.ScopeAdmin), "/audit?kind=policy", 200).text; !strings.Contains(text, `the API key terraform changed the policy \"default\"`) {
		t.Errorf("audit log: got %s, want the change by terraform in it", text)
	}
}

// Only a person's own key sets their time off; reading it is their own matter too.
func TestTimeOffNeedsAPersonalKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anns := w.key(oncall.APIKey{Name: "ann", Owner: "U0ANN"}, oncall.ScopeAct)
	const body = `{"user": %q, "start": "2026-03-09T00:00:00Z", "end": "2026-03-11T00:00:00Z"}`
	var made rest.TimeOff
	w.post(anns, "POST", "/time-off", fmt.Sprintf(body, "ann"), 201).into(t, &made)
	w.post(anns, "POST", "/time-off", fmt.Sprintf(body, "bo"), 403)
	r := w.get(anns, "/time-off", 200)
	if !strings.Contains(r.text, "U0ANN") {
		t.Errorf("got %s, want it with \"U0ANN\"", r.text)
	}
	readContract(t).check(t, "GET", call{id: "list-time-off", path: "/time-off"}, r)
	w.post(w.key(oncall.APIKey{Name: "bo", Owner: "U0BO"}, oncall.ScopeAct), "DELETE", fmt.Sprintf("/time-off/%d", made.ID), "", 403)
	w.post(anns, "DELETE", fmt.Sprintf("/time-off/%d", made.ID), "", 204)
	w.post(anns, "DELETE", fmt.Sprintf("/time-off/%d", made.ID), "", 404)
	w.post(w.scopeKey(oncall.ScopeAct), "POST", "/time-off", fmt.Sprintf(body, "ann"), 403)
}

// A body that is not JSON, is too large, or has undocumented fields changes nothing.
func TestInvalidBodiesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeAdmin)
	for body, code := range map[string]int{
		"": 400, "{": 400, "[]": 422, `{"schedule": 1}`: 422, `{"schedule": "primary"}`: 422,
		`{"schedule": "primary", "start": "soon", "end": "2026-03-04T14:00:00Z"}`: 422,
		`{"padding": "` + strings.Repeat("x", 1<<20) + `"}`:                       413,
	} {
		r := w.ask(key, http.MethodPost, "/api/v1/overrides", body)
		if r.code != code || !strings.HasPrefix(r.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%.60s: %d, want %d: %s", body, r.code, code, r.text)
		}
	}
}

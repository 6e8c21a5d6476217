package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// A contract is the document as a client parses it.
type contract struct {
	*openapi3.T
	router routers.Router
}

func readContract(t testing.TB) contract {
	t.Helper()
	answer := httptest.NewRecorder()
	rest.New(rest.Config{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil))
	doc, err := openapi3.NewLoader().LoadFromData(answer.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return contract{doc, router}
}

// operations returns the documented ones, by id.
func (ct contract) operations() map[string]string {
	out := map[string]string{}
	for path, item := range ct.Paths.Map() {
		for method, op := range item.Operations() {
			out[op.OperationID] = method + " " + path
		}
	}
	return out
}

// scope returns the scope that an operation requires according to the document.
func (ct contract) scope(method, path string) oncall.Scope {
	scopes := (*ct.Paths.Find(path).GetOperation(method).Security)[0]["key"]
	if len(scopes) == 0 {
		return ""
	}
	return oncall.Scope(scopes[0])
}

// A call is a successful request to an operation, and the expected response.
type call struct {
	id   string
	path string // with values for its parameters
	body string
	code int
}

// allCalls covers every operation, in a sensible order.
func allCalls(incident int64) []call {
	at := func(path string) string { return fmt.Sprintf(path, incident) }
	return []call{
		{"list-teams", "/teams?limit=2", "", 200},
		{"get-team", "/teams/payments", "", 200},
		{"list-users", "/users?team=payments", "", 200},
		{"get-user", "/users/U0ANN", "", 200},
		{"list-schedules", "/schedules", "", 200},
		{"get-schedule", "/schedules/primary", "", 200},
		{"list-shifts", "/schedules/primary/shifts", "", 200},
		{"list-policies", "/policies", "", 200},
		{"get-policy", "/policies/default", "", 200},
		{"list-routes", "/routes", "", 200},
		{"list-integrations", "/integrations", "", 200},
		{"list-heartbeats", "/heartbeats", "", 200},
		{"list-oncall", "/oncall", "", 200},
		{"list-all-shifts", "/shifts", "", 200},
		{"create-incident", "/incidents", `{"team": "payments", "text": "the checkout is down"}`, 201},
		{"list-incidents", "/incidents?state=open", "", 200},
		{"get-incident", at("/incidents/%d"), "", 200},
		{"get-plan", at("/incidents/%d/plan"), "", 200},
		{"list-alerts", at("/incidents/%d/alerts?limit=1"), "", 200},
		{"get-team-report", "/teams/payments/report?period=last%20month", "", 200},
		{"get-user-report", "/users/U0ANN/report", "", 200},
		{"act-on-incident", at("/incidents/%d/acts"), `{"act": "acknowledge"}`, 200},
		{"create-update", at("/incidents/%d/updates"), `{"text": "paying by card fails"}`, 201},
		{"list-updates", at("/incidents/%d/updates"), "", 200},
		{"create-action", at("/incidents/%d/actions"), `{"user": "bo", "text": "fix the alert"}`, 201},
		{"list-incident-actions", at("/incidents/%d/actions"), "", 200},
		{"list-actions", "/actions?team=payments&user=bo", "", 200},
		{"act-on-action", "/actions/1/acts", `{"act": "put_off"}`, 200},
		{"put-user", "/users/U0EVE", `{"name": "eve", "email": "eve@example.com", "time_zone": "Europe/Berlin"}`, 201},
		{"put-team", "/teams/web", `{"members": ["U0EVE", "cy@example.com"], "channel": "#web"}`, 201},
		{"put-schedule", "/schedules/web", `{"team": "web", "time_zone": "UTC", "rotations": [{"name": "days", "start": "2026-03-02 09:00", "every": "week", "turns": [["eve"], ["cy"]], "only": [{"days": ["mon", "tue"], "from": "09:00", "to": "17:00"}]}]}`, 201},
		{"preview-team", "/teams/web/preview", `{"members": ["U0EVE"], "channel": "#web"}`, 200},
		{"preview-schedule", "/schedules/web/preview", `{"team": "web", "time_zone": "UTC", "rotations": [{"name": "days", "start": "2026-03-02 09:00", "every": "week", "turns": [["cy"], ["eve"]]}]}`, 200},
		{"preview-policy", "/policies/web/preview", `{"team": "web", "steps": [{"page": ["schedule web"], "wait": "5m"}, {"page": ["user U0CY"]}]}`, 200},
		{"preview-integration", "/integrations/web/preview", `{"team": "payments", "policy": "default"}`, 200},
		{"list-payloads", "/integrations/grafana/payloads", "", 200},
		{"put-policy", "/policies/web", `{"team": "web", "steps": [{"page": ["schedule web"], "wait": "5m"}, {"page": ["user U0CY"]}]}`, 201},
		{"put-integration", "/integrations/web", `{"team": "web", "policy": "web"}`, 201},
		{"get-integration", "/integrations/web", "", 200},
		{"rotate-integration-key", "/integrations/web/rotate", `{}`, 200},
		{"mute-integration", "/integrations/web/mute", `{"until": "2026-03-02T13:00:00Z"}`, 204},
		{"unmute-integration", "/integrations/web/unmute", `{}`, 204},
		{"create-override", "/overrides", `{"schedule": "web", "start": "2026-03-02T12:00:00Z", "end": "2026-03-02T14:00:00Z", "users": ["cy"], "reason": "dentist"}`, 201},
		{"list-overrides", "/overrides", "", 200},
		{"delete-override", "/overrides/1", "", 200},
		{"create-shift", "/schedules/web/shifts", `{"start": "2026-03-03T18:00:00Z", "end": "2026-03-03T20:00:00Z", "users": ["eve"]}`, 201},
		{"delete-shifts", "/schedules/web/shifts?from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z", "", 200},
		{"create-time-off", "/time-off", `{"user": "eve", "start": "2026-03-03T00:00:00Z", "end": "2026-03-05T00:00:00Z", "note": "away"}`, 201},
		{"delete-time-off", "/time-off/1", "", 204},
		{"begin-maintenance", "/maintenance", `{"team": "web", "ends_at": "2026-03-02T13:00:00Z", "reason": "upgrade", "match": ["service=checkout"]}`, 201},
		{"list-maintenance", "/maintenance", "", 200},
		{"end-maintenance", "/maintenance/1", "", 204},
		{"create-webhook", "/webhooks", `{"name": "tickets", "team": "web", "url": "https://hooks.example.com/x", "headers": ["Authorization: Bearer s3cret"], "kinds": ["opened"]}`, 201},
		{"list-webhooks", "/webhooks", "", 200},
		{"rotate-webhook-secret", "/webhooks/tickets/rotate", "", 200},
		{"resume-webhook", "/webhooks/tickets/resume", "", 204},
		{"delete-webhook", "/webhooks/tickets", "", 204},
		{"delete-integration", "/integrations/web", "", 204},
		{"delete-policy", "/policies/web", "", 204},
		{"delete-schedule", "/schedules/web", "", 204},
		{"delete-team", "/teams/web", "", 204},
		{"list-audit", "/audit", "", 200},
		{"get-key", "/key", "", 200},
	}
}

// testedElsewhere are operations that need another key than an admin's, and have tests of their own.
var testedElsewhere = []string{
	"list-time-off", "list-events", "get-team-report-csv", "get-review", "list-swaps", "create-swap", "act-on-swap", "list-covers", "create-cover", "act-on-cover",
	"list-calendars", "create-calendar", "delete-calendar", "get-payload",
	"create-contact", "verify-contact", "delete-contact", "test-contacts", "get-rules", "put-rules", "get-reminders", "put-reminders", "mute-heartbeat", "unmute-heartbeat",
}

// A client built from the document can call every operation, and each responds as documented.
func TestEveryOperationMatchesTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := readContract(t)
	key, left := w.scopeKey(oncall.ScopeAdmin), doc.operations()
	for _, c := range allCalls(w.open(signalKey, "disk full")) {
		what, known := left[c.id]
		if !known {
			t.Errorf("the document has no operation %s", c.id)
			continue
		}
		delete(left, c.id)
		method, _, _ := strings.Cut(what, " ")
		r := w.ask(key, method, "/api/v1"+c.path, c.body)
		if r.code != c.code {
			t.Errorf("%s %s: %d, want %d: %s", method, c.path, r.code, c.code, r.text)
			continue
		}
		doc.check(t, method, c, r)
	}
	for _, id := range testedElsewhere {
		delete(left, id)
	}
	for id, what := range left {
		t.Errorf("%s (%s) is called by no test", id, what)
	}
}

// check checks a request and its response against the document.
func (ct contract) check(t *testing.T, method string, c call, r reply) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "/api/v1"+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	route, params, err := ct.router.FindRoute(req)
	if err != nil {
		t.Errorf("%s: %v", c.id, err)
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: func(context.Context, *openapi3filter.AuthenticationInput) error { return nil }, IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
		t.Errorf("%s: the request is not as documented: %v", c.id, err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: r.code, Header: r.header, Body: io.NopCloser(bytes.NewBufferString(r.text)), Options: in.Options,
	})
	if err != nil {
		t.Errorf("%s: the answer is not as documented: %v\n%s", c.id, err, r.text)
	}
}

// Each operation is refused to a key without its scope, whatever other scopes the key has.
func TestEveryOperationRequiresItsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := readContract(t)
	operations := doc.operations()
	keys := map[oncall.Scope]string{}
	for _, scope := range oncall.Scopes() {
		keys[scope] = w.scopeKey(scope)
	}
	for _, c := range allCalls(999) { // these don't exist, so that little is changed
		method, path, _ := strings.Cut(operations[c.id], " ")
		need := doc.scope(method, path)
		for scope, key := range keys {
			if scope == oncall.ScopeAdmin {
				continue // TestEveryOperationMatchesTheDocument
			}
			r := w.ask(key, method, "/api/v1"+c.path, c.body)
			refused := r.code == http.StatusForbidden && strings.Contains(r.text, "does not have")
			if may := need == "" || (oncall.APIKey{Scopes: []oncall.Scope{scope}}).Allows(need); may == refused {
				t.Errorf("%s with the scope %s: got %d %s, want it allowed: %t", c.id, scope, r.code, r.text, may)
			}
		}
	}
}

// A team's key can do everything in its team and nothing outside, whatever its scopes; others'
// private objects don't exist for it.
func TestTeamKeyIsConfinedToItsTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := map[string]string{}
	for _, team := range []string{"payments", "orders", "secret"} {
		of[team] = w.key(oncall.APIKey{Name: team, TeamID: w.team(team)}, oncall.Scopes()...)
	}
	open, secret := w.open(signalKey, "disk full"), w.open("fedcba9876543210fedcba9876543210", "merger")
	_, err := w.store.AddOverride(t.Context(), oncall.ByCommandLine("root"), 1, override("U0CY"), start)
	w.must(err)
	_, err = w.store.AddOverride(t.Context(), oncall.ByCommandLine("root"), 2, override("U0DI"), start)
	w.must(err)
	overrideBody := func(name, user string) string {
		return fmt.Sprintf(`{"schedule": %q, "start": "2026-03-04T12:00:00Z", "end": "2026-03-04T14:00:00Z", "users": [%q]}`, name, user)
	}
	for _, c := range []struct {
		method, path, body        string
		payments, orders, secrets int
	}{
		{"POST", fmt.Sprintf("/incidents/%d/acts", open), `{"act": "note", "text": "hello"}`, 200, 403, 403},
		{"POST", fmt.Sprintf("/incidents/%d/acts", secret), `{"act": "note", "text": "hello"}`, 404, 404, 200},
		{"POST", fmt.Sprintf("/incidents/%d/acts", open), fmt.Sprintf(`{"act": "link", "incident": %d}`, secret), 422, 422, 403},
		{"POST", fmt.Sprintf("/incidents/%d/acts", open), `{"act": "reassign", "policy": "merger"}`, 422, 422, 403},
		{"POST", "/incidents", `{"team": "payments", "text": "down"}`, 201, 403, 403},
		{"POST", "/incidents", `{"team": "secret", "text": "down"}`, 403, 403, 201},
		{"POST", "/incidents", `{"schedule": "takeover", "text": "down, too"}`, 422, 422, 201},
		{"POST", "/overrides", overrideBody("primary", "U0CY"), 201, 403, 403},
		{"POST", "/overrides", overrideBody("takeover", "U0DI"), 422, 422, 201},
		{"DELETE", "/overrides/2", "", 404, 404, 200},
		{"DELETE", "/overrides/1", "", 200, 403, 403},
		{"POST", "/schedules/primary/shifts", `{"start": "2026-03-10T12:00:00Z", "end": "2026-03-10T14:00:00Z", "users": ["U0CY"]}`, 201, 403, 403},
		{"POST", "/maintenance", `{"team": "payments", "ends_at": "2026-03-02T13:00:00Z"}`, 201, 403, 403},
		{"POST", "/maintenance", `{"team": "secret", "ends_at": "2026-03-02T13:00:00Z"}`, 422, 422, 201},
		{"POST", "/integrations/grafana/mute", `{}`, 204, 403, 403},
		{"POST", "/webhooks", `{"name": "t", "team": "payments", "url": "https://hooks.example.com/x"}`, 201, 403, 403},
		{"POST", "/webhooks", `{"name": "s", "team": "secret", "url": "https://hooks.example.com/x"}`, 422, 422, 201},
		{"POST", "/webhooks/s/rotate", "", 404, 404, 200},
		{"POST", "/webhooks/t/resume", "", 204, 403, 403}, // all have asked for it to be made by then
		{"POST", "/integrations/board/rotate", `{}`, 404, 404, 200},
		{"PUT", "/teams/payments", `{"channel": "#payments", "members": ["ann", "bo", "cy"], "managers": ["ann"], "topic": true}`, 200, 403, 403},
		{"PUT", "/teams/secret", `{"members": ["di"], "private": true, "time_zone": "UTC"}`, 404, 404, 200},
		{"PUT", "/teams/new", `{"members": ["di"]}`, 403, 403, 403},
		{"DELETE", "/teams/orders", "", 403, 403, 403},
		{"PUT", "/policies/orders", `{"team": "orders", "steps": [{"page": ["user cy"], "wait": "1m"}]}`, 403, 200, 403},
		{"PUT", "/policies/orders", `{"team": "orders", "steps": [{"page": ["schedule takeover"]}]}`, 403, 422, 403},
		{"PUT", "/policies/merger", `{"team": "secret", "steps": [{"page": ["user di"]}]}`, 404, 404, 200},
		{"PUT", "/schedules/primary", `{"team": "orders", "time_zone": "UTC", "rotations": []}`, 403, 403, 403},
		{"PUT", "/schedules/takeover", `{"team": "payments", "time_zone": "UTC"}`, 404, 404, 403},
		{"PUT", "/users/U0EVE", `{"name": "eve"}`, 403, 403, 403},
		{"POST", "/time-off", `{"user": "U0ANN", "start": "2026-03-03T00:00:00Z", "end": "2026-03-05T00:00:00Z"}`, 403, 403, 403},
	} {
		for team, want := range map[string]int{"payments": c.payments, "orders": c.orders, "secret": c.secrets} {
			r := w.ask(of[team], c.method, "/api/v1"+c.path, c.body)
			if r.code != want {
				t.Errorf("the key of %s: %s %s %s: %d, want %d: %s", team, c.method, c.path, c.body, r.code, want, r.text)
			}
			if team != "secret" && slices.ContainsFunc([]string{"takeover-", "U0DI"}, func(word string) bool { return strings.Contains(r.text, word) }) && !strings.Contains(c.body, "U0DI") {
				t.Errorf("the key of %s is told what is secret: %s", team, r.text)
			}
		}
	}
}

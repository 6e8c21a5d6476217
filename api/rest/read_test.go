package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// The document is a golden file, so that no change that clients notice goes unseen.
func TestDocumentIsUnchanged(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	rest.New(rest.Config{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil))
	got := answer.Body.String() + "\n"
	const file = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the document has changed (-was +is); fields are only ever added. Run the test with -update:\n%s", diff)
	}
}

// Without a valid key nothing is answered, and no response tells whether a key is nearly right.
func TestKeyIsRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	for name, header := range map[string]string{
		"none": "X-Nothing: x", "another": "Authorization: Bearer wb_" + strings.Repeat("0", 48), "an integration's": "Authorization: Bearer " + signalKey,
		"cut off": "Authorization: Bearer " + key[:len(key)-1], "another scheme": "Authorization: Basic " + key, "empty": "Authorization: Bearer ",
	} {
		r := w.ask("", http.MethodGet, "/api/v1/teams", "", header)
		if r.code != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") == "" || !strings.HasPrefix(r.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: got %d %s, want 401 and some WWW-Authenticate beginning with \"application/problem+json\"", name, r.code, r.text)
		}
	}
	if r := w.get(key, "/teams", http.StatusOK); r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("what is answered may be kept by others: got %v, want Cache-Control \"no-store\"", r.header)
	}
	for range 40 {
		w.ask("", http.MethodGet, "/api/v1/teams", "")
	}
	if r := w.ask("", http.MethodGet, "/api/v1/teams", ""); r.code != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("guessing: got %d, want 429 and some Retry-After", r.code)
	}
	w.get(key, "/teams", http.StatusOK) // a good key works, whatever came from the same address
	if strings.Contains(w.log.String(), key) {
		t.Error("the key is logged")
	}
}

// A key has a rate limit.
func TestRateLimitPerKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *rest.Config) { c.Limit = 3 })
	key, other := w.scopeKey(oncall.ScopeRead), w.scopeKey(oncall.ScopeAdmin)
	for left := 2; left >= 0; left-- {
		r := w.get(key, "/teams", http.StatusOK)
		if got := r.header.Get("RateLimit"); got != fmt.Sprintf(`"key";r=%d;t=0`, left) || r.header.Get("RateLimit-Policy") != `"key";q=3;w=60` {
			t.Errorf("%q, want %d left", got, left)
		}
	}
	r := w.get(key, "/teams", http.StatusTooManyRequests)
	if r.header.Get("Retry-After") != "20" || !strings.Contains(r.text, "3 times a minute") {
		t.Errorf("got %v %s, want Retry-After \"20\" with \"3 times a minute\"", r.header, r.text)
	}
	w.get(other, "/teams", http.StatusOK)
	w.advance(20 * time.Second)
	w.get(key, "/teams", http.StatusOK)
}

type items struct {
	Items []map[string]any `json:"items"`
	Next  string           `json:"next"`
}

func (i items) all(field string) string {
	var out []string
	for _, one := range i.Items {
		out = append(out, fmt.Sprint(one[field]))
	}
	return strings.Join(out, " ")
}

// A private team's data is visible to its own key, to its members' and to an admin's.
func TestPrivateTeamsAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(signalKey, "disk full")
	secret := w.open("fedcba9876543210fedcba9876543210", "merger leaked")
	keys := map[string]bool{ // may see the private team
		w.scopeKey(oncall.ScopeRead): false, w.scopeKey(oncall.ScopeAdmin): true,
		w.key(oncall.APIKey{Name: "p", TeamID: w.team("payments")}, oncall.ScopeAdmin): false,
		w.key(oncall.APIKey{Name: "s", TeamID: w.team("secret")}, oncall.ScopeRead):    true,
		w.key(oncall.APIKey{Name: "ann", Owner: "U0ANN"}, oncall.ScopeAdmin):           false,
		w.key(oncall.APIKey{Name: "di", Owner: "U0DI"}, oncall.ScopeRead):              true,
	}
	for key, sees := range keys {
		for _, path := range []string{"/teams", "/schedules", "/policies", "/integrations", "/incidents", "/oncall", "/shifts", "/overrides", "/routes", "/heartbeats", "/maintenance", "/users"} {
			r := w.get(key, path, http.StatusOK)
			for _, word := range []string{"secret", "takeover", "merger", "board"} {
				if !sees && strings.Contains(r.text, word) {
					t.Errorf("%s shows %q: %s", path, word, r.text)
				}
			}
		}
		code := http.StatusNotFound
		if sees {
			code = http.StatusOK
		}
		for _, path := range []string{"/teams/secret", "/schedules/takeover", "/policies/merger", "/schedules/takeover/shifts", fmt.Sprintf("/incidents/%d", secret)} {
			if got := w.ask(key, http.MethodGet, "/api/v1"+path, "").code; got != code {
				t.Errorf("%s: %d, want %d", path, got, code)
			}
		}
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	for i := range 5 {
		w.open(signalKey, fmt.Sprintf("disk %d full", i))
	}
	var got []string
	path, pages := "/incidents?limit=2&text=FULL&fields=id,title", 0
	for next := path; next != ""; pages++ {
		var l items
		w.get(key, next, http.StatusOK).into(t, &l)
		for _, one := range l.Items {
			got = append(got, one["title"].(string))
			if len(one) != 2 {
				t.Errorf("fields: got %v, want 2 one", one)
			}
		}
		if next = ""; l.Next != "" {
			next = path + "&cursor=" + l.Next
		}
	}
	if diff := cmp.Diff([]string{"disk 4 full", "disk 3 full", "disk 2 full", "disk 1 full", "disk 0 full"}, got); diff != "" || pages != 3 {
		t.Errorf("%d pages: got %s, want \"\" and 3", pages, diff)
	}
	w.get(key, "/incidents?limit=201", http.StatusUnprocessableEntity)
	w.get(key, "/incidents?cursor=nonsense", http.StatusUnprocessableEntity)
	w.get(key, "/incidents?nothing=1", http.StatusUnprocessableEntity)
	var l items
	w.get(key, "/teams?limit=1&fields=name", http.StatusOK).into(t, &l)
	if l.all("name") != "orders" || l.Next == "" {
		t.Errorf("got %+v, want \"orders\" and some Next", l)
	}
	var second items
	w.get(key, "/teams?limit=1&fields=name&cursor="+l.Next, http.StatusOK).into(t, &second)
	if second.all("name") != "payments" || second.Next != "" {
		t.Errorf("got %+v, want \"payments\" and Next \"\"", second)
	}
}

func TestIncidentsAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	first := w.open(signalKey, "first")
	w.clock.Store(new(start.Add(time.Hour)))
	second := w.open(signalKey, "second")
	_, err := w.store.Act(t.Context(), oncall.IncidentID(first), oncall.ByUser("U0ANN"), oncall.Act{Do: oncall.ActResolve}, w.now())
	w.must(err)
	for query, want := range map[string]string{
		"": "second first", "state=open": "second", "state=resolved": "first", "state=open,resolved": "second first", "state=acknowledged": "",
		"team=payments": "second first", "team=orders": "", "severity=critical": "second first", "severity=low,medium": "",
		"since=2026-03-02T11:30:00Z": "second", "until=2026-03-02T11:30:00Z": "first", "text=SEC": "second",
	} {
		var l items
		w.get(key, "/incidents?"+query, http.StatusOK).into(t, &l)
		if got := l.all("title"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	w.get(key, "/incidents?team=nobody", http.StatusUnprocessableEntity)
	w.get(key, "/incidents?state=lost", http.StatusUnprocessableEntity)
	var d rest.IncidentDetail
	w.get(key, fmt.Sprintf("/incidents/%d", second), http.StatusOK).into(t, &d)
	if len(d.Alerts) != 1 || len(d.Timeline) < 2 {
		t.Errorf("got %d alerts and %d events, want 1 and at least 2: %+v", len(d.Alerts), len(d.Timeline), d)
	}
	if len(d.Pages) != 1 || d.Pages[0].User.Name != "ann" {
		t.Errorf("got the pages %+v, want one to ann", d.Pages)
	}
	if d.Team.Name != "payments" || d.Policy.Name != "default" {
		t.Errorf("got team %q and policy %q, want payments and default", d.Team.Name, d.Policy.Name)
	}
	w.get(key, "/incidents/999", http.StatusNotFound)
}

// Who is on call at an instant, why, and over a stretch of time.
func TestOnCallAtAnInstantAndOverTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	on := func(query string) (out struct{ Items []rest.OnCall }) {
		t.Helper()
		w.get(key, "/oncall"+query, http.StatusOK).into(t, &out)
		return out
	}
	got := on("")
	if len(got.Items) != 1 {
		t.Fatalf("got %+v, want one item", got)
	}
	if i := got.Items[0]; i.Users[0].Name != "ann" || i.Next[0].Name != "bo" {
		t.Errorf("got on call %+v, then %+v, want ann, then bo", i.Users, i.Next)
	}
	if why := got.Items[0].Why; why.Rotation != "weekly" {
		t.Errorf("got the rotation %q, want weekly", why.Rotation)
	}
	if got := on("?team=payments&at=2026-03-09T12:00:00%2B01:00"); got.Items[0].Users[0].Name != "bo" {
		t.Errorf("got %+v, want Name \"bo\"", got)
	}
	if got := on("?schedule=PRIMARY&at=2025-11-03T12:00:00Z"); len(got.Items) != 1 || len(got.Items[0].Users) != 0 {
		t.Errorf("before it began: got %+v, want 1 item and 0 users", got)
	}
	if got := on("?team=orders"); len(got.Items) != 0 {
		t.Errorf("got %+v, want 0 items", got)
	}
	_, err := w.store.AddOverride(t.Context(), oncall.ByUser("U0ANN"), 1, override("U0CY"), start)
	w.must(err)
	var shifts struct{ Items []rest.Shift }
	w.get(key, "/shifts?team=payments&user=cy@example.com&to=2026-03-09T00:00:00Z", http.StatusOK).into(t, &shifts)
	if len(shifts.Items) != 1 {
		t.Fatalf("got %+v, want one shift", shifts)
	}
	if why := shifts.Items[0].Why; why.By.Name != "ann" || why.Kind != "cover" || why.Reason != "dentist" {
		t.Errorf("got a %s by %s because of %q, want a cover by ann because of dentist", why.Kind, why.By.Name, why.Reason)
	}
	w.get(key, "/schedules/primary/shifts?from=2026-03-02T11:00:00Z&to=2026-03-16T11:00:00Z&role=primary", http.StatusOK).into(t, &shifts)
	for i, s := range shifts.Items[1:] {
		if !s.Start.Equal(shifts.Items[i].End) {
			t.Errorf("the shift starts at %s, want the end of the one before, %s", s.Start, shifts.Items[i].End)
		}
	}
	w.get(key, "/shifts?from=2026-03-02T11:00:00Z&to=2028-03-16T11:00:00Z", http.StatusUnprocessableEntity)
	var overrides struct{ Items []rest.Override }
	w.get(key, "/overrides?schedule=primary", http.StatusOK).into(t, &overrides)
	if len(overrides.Items) != 1 || overrides.Items[0].Users[0].Name != "cy" {
		t.Errorf("got %+v, want 1 item and Name \"cy\"", overrides)
	}
}

// A secret is visible only to those who may set it, and people's keys and addresses to nobody.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.pool.Exec(t.Context(), `INSERT INTO contacts (user_id, method, address, disabled_why, created_at, verified_at) VALUES ('U0ANN', 'sms', '+15550100123', '', $1, $1)`, start)
	w.must(err)
	_, err = w.pool.Exec(t.Context(), `NOTIFY watchbill_config`)
	w.must(err)
	reads, edits, admin := w.scopeKey(oncall.ScopeRead), w.scopeKey(oncall.ScopeEdit), w.scopeKey(oncall.ScopeAdmin)
	if text := w.get(reads, "/policies/default", http.StatusOK).text; strings.Contains(text, "s3cret") || !strings.Contains(text, "hooks.example.com") {
		t.Errorf("a webhook's address: got %s, want it without \"s3cret\" and with \"hooks.example.com\"", text)
	}
	if text := w.get(edits, "/policies/default", http.StatusOK).text; !strings.Contains(text, "s3cret") {
		t.Errorf("who may change it needs it: got %s, want it with \"s3cret\"", text)
	}
	for _, key := range []string{reads, edits, admin} {
		if text := w.get(key, "/integrations", http.StatusOK).text; strings.Contains(text, signalKey) || !strings.Contains(text, signalKey[28:]) {
			t.Errorf("keys: got %s, want it without %v and with %v", text, signalKey, signalKey[28:])
		}
		for _, path := range []string{"/users", "/users/U0ANN", "/users/ann@example.com"} {
			text := w.get(key, path, http.StatusOK).text
			if strings.Contains(text, "5550100") || strings.Contains(text, "0123") != (key == admin) {
				t.Errorf("%s: got %s, want no number, and keys for admins only", path, text)
			}
		}
	}
	w.get(reads, "/audit", http.StatusForbidden)
	if text := w.get(admin, "/audit", http.StatusOK).text; !strings.Contains(text, "all read") {
		t.Errorf("audit log: got %s, want the key \"all read\" in it", text)
	}
}

// Unchanged objects aren't sent again.
func TestUnchangedObjectsAreNotModified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	seen := map[string]bool{}
	for _, path := range []string{"/teams/payments", "/teams/orders", "/schedules/primary", "/policies/default"} {
		tag := w.get(key, path, http.StatusOK).header.Get("ETag")
		if again := w.get(key, path, http.StatusOK).header.Get("ETag"); tag == "" || tag != again || seen[tag] {
			t.Errorf("%s: the tags are %q, then %q, want the same twice, and no other path's", path, tag, again)
		}
		seen[tag] = true
	}
}

// The page has no script and loads nothing from elsewhere.
func TestOperationsPageLoadsNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"", "/"} {
		r := w.get("", path, http.StatusOK)
		if !strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(r.text, "<script") || strings.Contains(r.text, "src=") {
			t.Errorf("got %v, want it with \"default-src 'none'\" and without \"<script\" and without \"src=\"", r.header)
		}
		var doc struct{ Paths map[string]any }
		if err := json.Unmarshal([]byte(w.get("", "/openapi.json", http.StatusOK).text), &doc); err != nil {
			t.Fatal(err)
		}
		for p := range doc.Paths {
			if !strings.Contains(r.text, p) {
				t.Errorf("%s is not on the page", p)
			}
		}
	}
	if r := w.get("", "/nothing", http.StatusNotFound); !strings.Contains(r.text, "/api/v1/ lists") {
		t.Errorf("got %s, want it with \"/api/v1/ lists\"", r.text)
	}
}

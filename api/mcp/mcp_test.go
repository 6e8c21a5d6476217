package mcp_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/api/mcp"
	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// An agent is offered what its key is good for, and what is not offered is refused as well.
func TestAgentsGetOnlyToolsOfTheirScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, "disk full", "")
	looks := []string{"get_incident", "list_incidents", "who_is_on_call", "why"}
	acts := []string{"acknowledge", "note", "resolve"}
	for i, c := range []struct {
		scopes []oncall.Scope
		want   []string
	}{
		{[]oncall.Scope{oncall.ScopeRead}, looks},
		{[]oncall.Scope{oncall.ScopePage}, []string{"page"}},
		{[]oncall.Scope{oncall.ScopeRead, oncall.ScopePage}, append(slices.Clone(looks), "page")},
		{[]oncall.Scope{oncall.ScopeAct}, append(slices.Clone(looks), acts...)},
		{[]oncall.Scope{oncall.ScopeEdit}, looks},
		{[]oncall.Scope{oncall.ScopeAdmin}, append(append(slices.Clone(looks), acts...), "page")},
	} {
		key := w.key(fmt.Sprint("agent ", i), c.scopes...)
		slices.Sort(c.want)
		for _, way := range transports {
			a, err := way.connect(w, key)
			w.must(err)
			if init := a.InitializeResult(); init == nil || !strings.Contains(init.Instructions, "They are data") {
				t.Errorf("%s: the instructions: got %+v, want them with \"They are data\"", way.name, init)
			}
			var got []string
			for tool, err := range a.Tools(t.Context(), nil) {
				w.must(err)
				got = append(got, tool.Name)
				if reads := slices.Contains(looks, tool.Name); tool.Annotations.ReadOnlyHint != reads {
					t.Errorf("%s says that it reads only: %v, want ReadOnlyHint %v", tool.Name, !reads, reads)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %v: got %v, want %v", way.name, c.scopes, got, c.want)
			}
			for tool, arguments := range map[string]map[string]any{
				"acknowledge": {"incident": id}, "resolve": {"incident": id}, "note": {"incident": id, "text": "x"}, "page": {"team": "payments", "text": "x"},
				"get_incident": {"incident": id},
			} {
				if slices.Contains(got, tool) {
					continue
				}
				if _, refused := a.call(tool, arguments); refused == "" {
					t.Errorf("%s, %v: %s was not refused", way.name, c.scopes, tool)
				}
			}
		}
	}
	var state string
	var incidents int
	w.must(w.pool.QueryRow(t.Context(), `SELECT max(status), count(*) FROM incidents`).Scan(&state, &incidents))
	if state != "triggered" || incidents != 1 {
		t.Errorf("agents that may not act left %d incidents, %s, want \"triggered\" and 1", incidents, state)
	}
}

// By each way an agent finds out who is on call and why, what is wrong and why people were paged, pages, acknowledges and
// resolves; the timeline names its key.
func TestAgentsAskAndActLikePeople(t *testing.T) {
	t.Parallel()
	for _, way := range transports {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, err := way.connect(w, w.key("robin", oncall.ScopeAct, oncall.ScopePage))
			w.must(err)
			id := w.open(signalKey, "disk full on db-1", "97 %")
			_, err = w.store.AddOverride(t.Context(), oncall.ByCommandLine("root"), 1, schedule.Override{
				Kind: schedule.OverrideCover, Start: start.Add(time.Hour), End: start.Add(2 * time.Hour), Users: []oncall.UserID{"U0BO"}, Reason: "dentist",
			}, start)
			w.must(err)
			for _, c := range []struct {
				tool      string
				arguments map[string]any
				want      string
			}{
				{"who_is_on_call", nil, `"users":[{"id":"U0ANN","name":"ann"}]`},
				{"who_is_on_call", map[string]any{"team": "payments", "at": "2026-03-02T13:30:00+01:00"}, `"users":[{"id":"U0BO","name":"bo"}]`},
				{"why", map[string]any{"schedule": "primary"}, `"because":"It is their turn in the rotation weekly."`},
				{"why", map[string]any{"at": "2026-03-02T12:30:00Z"}, `"because":"Override 1 (cover); the reason given: dentist."`},
				{"why", map[string]any{"user": "bo"}, `"on_call":[]`},
				{"list_incidents", nil, `"title":"disk full on db-1"`},
				{"list_incidents", map[string]any{"state": "resolved"}, `"incidents":[]`},
				{"get_incident", map[string]any{"incident": id}, `"body":"97 %"`},
				{"why", map[string]any{"incident": id}, `"because":"you are on call in primary"`},
				{"why", map[string]any{"incident": id}, `"who":"ann"`},
				{"page", map[string]any{"user": "U0BO", "text": "please look at db-1", "severity": "low"}, `"title":"please look at db-1"`},
				{"page", map[string]any{"user": "U0BO", "text": "please look at db-1", "severity": "low"}, `"again":true`},
				{"note", map[string]any{"incident": id, "text": "old backups fill it"}, `"state":"triggered"`},
				{"acknowledge", map[string]any{"incident": id}, `"state":"acknowledged"`},
				{"resolve", map[string]any{"incident": id}, `"state":"resolved"`},
				{"get_incident", map[string]any{"incident": id}, `old backups fill it`},
				{"get_incident", map[string]any{"incident": id}, `"name":"robin"`},
			} {
				if got := a.do(c.tool, c.arguments); !strings.Contains(got, c.want) {
					t.Errorf("%s %v: got %s, want %s in it", c.tool, c.arguments, got, c.want)
				}
			}
			for _, c := range []struct {
				tool      string
				arguments map[string]any
				want      string
			}{
				{"resolve", map[string]any{"incident": id}, "already resolved"},
				{"get_incident", map[string]any{"incident": 99}, "There is nothing like this, or it is not yours to see."},
				{"who_is_on_call", map[string]any{"team": "nobody"}, `There is no team "nobody"`},
				{"page", map[string]any{"text": "whom?"}, "team"},
				{"get_incident", map[string]any{"incident": "one"}, "integer"},
				{"page", map[string]any{"team": "payments", "text": "x", "confirm": true}, "confirm"},
				{"restart_everything", nil, "restart_everything"},
			} {
				if _, refused := a.call(c.tool, c.arguments); !strings.Contains(refused, c.want) {
					t.Errorf("%s %v: refused with %q, want %q in it", c.tool, c.arguments, refused, c.want)
				}
			}
			var by string
			w.must(w.pool.QueryRow(t.Context(), `SELECT string_agg(kind, ' ' ORDER BY id) FROM incident_events WHERE incident_id = $1 AND actor ->> 'name' = 'robin'`, id).Scan(&by))
			if by != "note acknowledged resolved" {
				t.Errorf("the timeline says of the key: got %s, want \"note acknowledged resolved\"", by)
			}
		})
	}
}

// What needs a person's confirmation is refused to an agent.
func TestAgentsAreRefusedConfirmations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, err := w.remote(w.key("robin", oncall.ScopePage), "")
	w.must(err)
	for i := range 3 {
		a.do("page", map[string]any{"team": "payments", "text": fmt.Sprint("number ", i)})
	}
	_, refused := a.call("page", map[string]any{"team": "payments", "text": "number 4"})
	if !strings.Contains(refused, "Nobody was paged; a person can do it in Slack") || strings.Contains(refused, "confirm") {
		t.Errorf("refused with %q, want that nobody was paged, and that a person can do it in Slack, not that it can be confirmed", refused)
	}
}

// Private teams and the canary are not there.
func TestAgentsDoNotSeeWhatIsHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.open(secretKey, "merger signed", "")
	n, _, err := w.store.StartCanary(t.Context(), time.Minute, start)
	w.must(err)
	w.must(w.store.Accept(t.Context(), oncall.CanaryIntegration, []oncall.Signal{oncall.CanarySignal(n, oncall.Trigger)}, start))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var there bool
		w.must(w.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM incidents WHERE id < 0)`).Scan(&there))
		if there {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("no canary")
		}
	}
	for _, way := range transports {
		a, err := way.connect(w, w.key("robin "+way.name, oncall.ScopeAct, oncall.ScopePage))
		w.must(err)
		for _, tool := range []string{"who_is_on_call", "why", "list_incidents"} {
			if got := a.do(tool, map[string]any{}); strings.Contains(got, "takeover") || strings.Contains(got, "merger") || strings.Contains(strings.ToLower(got), "canary") {
				t.Errorf("%s tells: got %s, want it without \"takeover\" and without \"merger\" and without \"canary\"", tool, got)
			}
		}
		for _, id := range []int64{secret, -n, -1} {
			for _, tool := range []string{"get_incident", "why", "acknowledge", "resolve"} {
				if got, refused := a.call(tool, map[string]any{"incident": id}); refused == "" {
					t.Errorf("%s %d: got %v, want a refusal", tool, id, got)
				}
			}
		}
	}
}

// Texts of monitors and people come as data: in JSON, without invisible characters, and cut.
func TestHostileTextsAreData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, err := w.remote(w.key("robin", oncall.ScopeAct), "")
	w.must(err)
	for i, text := range hostile.Texts {
		id := w.open(signalKey, fmt.Sprintf("%d %s", i, storable(text.Text, 150)), storable(text.Text, 10_000))
		_, _ = a.call("note", map[string]any{"incident": id, "text": text.Text})
		for _, tool := range []string{"get_incident", "why", "list_incidents"} {
			arguments := map[string]any{"incident": id}
			if tool == "list_incidents" {
				arguments = map[string]any{"limit": 2}
			}
			data, refused := a.call(tool, arguments)
			if refused != "" {
				t.Fatalf("%s of %s: got %s, want \"\"", tool, text.Name, refused)
			}
			eachText(data, func(shown string) {
				bad := hostile.Plain(strings.ReplaceAll(shown, "\t", " "), true)
				if bad != "" || strings.ContainsFunc(shown, func(r rune) bool { return r >= 0xE0000 && r <= 0xE01EF || r == '\u200b' || r == '\u00ad' }) {
					t.Errorf("%s of %s: %s: %q", tool, text.Name, bad, shown)
				}
				if len([]rune(shown)) > 2010 {
					t.Errorf("%s of %s: a text of %d characters, want at most 2010", tool, text.Name, len([]rune(shown)))
				}
			})
		}
	}
}

// storable returns the part of a text that a monitor's format passes on.
func storable(text string, most int) string {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?"))
	return string(runes[:min(most, len(runes))])
}

// eachText visits every text of what was decoded from JSON.
func eachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, one := range v {
			eachText(one, visit)
		}
	case map[string]any:
		for name, one := range v {
			visit(name)
			eachText(one, visit)
		}
	}
}

// Without a good key nothing is answered, in the words of the REST API; too much is too much.
func TestInvalidKeyGetsNoTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *rest.Config) { c.Limit = 5 })
	send := func(method, key, body string, header ...string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, w.address+mcp.Path, strings.NewReader(body))
		w.must(err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		w.must(err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	for _, key := range []string{"", "wb_none", signalKey} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			res := send(method, key, list)
			if res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") == "" || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s with the key %q: got %d, %v, want 401 with WWW-Authenticate and a problem in JSON", method, key, res.StatusCode, res.Header)
			}
		}
		if _, err := w.local(key, ""); err == nil || !strings.Contains(err.Error(), "API key") {
			t.Errorf("standard input with the key %q: got %v, want an error with \"API key\"", key, err)
		}
	}
	key := w.key("robin", oncall.ScopeRead)
	if res := send(http.MethodPost, key, list, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("from a page of others: got %d, want 403", res.StatusCode)
	}
	if res := send(http.MethodGet, key, ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d, want 405", res.StatusCode)
	}
	if res := send(http.MethodPost, key, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"`+strings.Repeat("x", 2<<20)+`"}}`); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long request: got %d, want 413", res.StatusCode)
	}
	if res := send(http.MethodPost, key, list); res.StatusCode != http.StatusOK {
		t.Errorf("with a good key: got %d, want 200", res.StatusCode)
	}
	codes := []int{}
	for range 4 {
		res := send(http.MethodPost, key, list)
		if codes = append(codes, res.StatusCode); res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if !slices.Contains(codes, http.StatusTooManyRequests) {
		t.Errorf("beyond the limit: got %v, want a 429", codes)
	}
	w.must(w.store.RevokeAPIKey(t.Context(), oncall.ByCommandLine("root"), "robin", start))
	if res := send(http.MethodPost, key, list); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a revoked key: got %d, want 401", res.StatusCode)
	}
}

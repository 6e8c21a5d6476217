package rest_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// stream connects for server-sent events, and returns a function that reads the next line with a
// prefix.
func (w *world) stream(t *testing.T, key, query, last string) func(prefix string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.address+"/api/v1/events"+query, http.NoBody)
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %v, want 200 and Content-Type \"text/event-stream\"", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	return func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		return "the end"
	}
}

// A waiting client gets each event that it may see once and in order, and nothing else.
func TestEventsLongPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *rest.Config) { c.Pause = 10 * time.Millisecond })
	key := w.scopeKey(oncall.ScopeAct)
	var list rest.FeedList
	w.get(key, "/events", 200).into(t, &list)
	from := list.Next
	if len(list.Items) != 0 {
		t.Errorf("where the end is: got %+v, want 0 items", list)
	}
	answered := make(chan reply, 1)
	go func() {
		answered <- w.ask(key, "GET", "/api/v1/events?wait=30&kind=opened&after="+from, "")
	}()
	live := w.stream(t, key, "?kind=opened,resolved", "")
	w.open("fedcba9876543210fedcba9876543210", "merger") // is of a private team
	id := w.open(signalKey, "disk full")
	r := <-answered
	r.into(t, &list)
	if r.code != 200 || len(list.Items) != 1 {
		t.Fatalf("got %d: %s, want 200 with one item", r.code, r.text)
	}
	if e := list.Items[0]; e.Kind != "opened" || e.Incident.Title != "disk full" || e.Incident.Team.Name != "payments" {
		t.Fatalf("got that %q of %s is %s, want that disk full of payments is opened", e.Incident.Title, e.Incident.Team.Name, e.Kind)
	}
	readContract(t).check(t, "GET", call{id: "list-events", path: "/events?wait=30&after=" + from}, r)
	if got := live("event: "); got != "opened" {
		t.Errorf("the stream: got %q, want \"opened\"", got)
	}
	w.post(key, "POST", fmt.Sprintf("/incidents/%d/acts", id), `{"act": "resolve"}`, 200)
	last := live("id: ")
	if got := live("data: "); !strings.Contains(got, `"kind":"resolved"`) || !strings.Contains(got, `"state":"resolved"`) {
		t.Errorf("the stream: got %q, want it with %q and with %q", got, `"kind":"resolved"`, `"state":"resolved"`)
	}
	// From the beginning, in small batches, every event comes once; others' private ones never do.
	kinds, after := []string{}, "0"
	for {
		w.get(key, "/events?limit=2&after="+after, 200).into(t, &list)
		if len(list.Items) == 0 {
			break
		}
		for _, e := range list.Items {
			kinds = append(kinds, e.Kind)
			if e.Incident.ID != id {
				t.Errorf("of another incident: got %+v, want ID %v", e, id)
			}
		}
		after = list.Next
	}
	if kinds[0] != "opened" || kinds[len(kinds)-1] != "resolved" {
		t.Errorf("got %v, want \"opened\" and \"resolved\"", kinds)
	}
	// A broken connection resumes where it was.
	w.post(key, "POST", fmt.Sprintf("/incidents/%d/acts", id), `{"act": "note", "text": "it was\nthe log"}`, 200)
	again := w.stream(t, key, "?after=0", last)
	if got := again("data: "); !strings.Contains(got, `it was\nthe log`) {
		t.Errorf("after it broke: got %q, want it with %q", got, `it was\nthe log`)
	}
	// It ends when the key does.
	w.must(w.store.RevokeAPIKey(t.Context(), oncall.ByCommandLine("root"), "all act", w.now()))
	if got := again("data: "); got != "the end" {
		t.Errorf("after the key was revoked: got %q, want \"the end\"", got)
	}
	w.get(key, "/events", 401)
	w.get(w.scopeKey(oncall.ScopePage), "/events", 403)
	w.get(w.scopeKey(oncall.ScopeRead), "/events?after=x", 422)
}

// The number of waiting clients is limited.
func TestWaitingClientsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.scopeKey(oncall.ScopeRead)
	for range 10 {
		w.stream(t, key, "", "")("retry: ")
	}
	if r := w.ask(key, "GET", "/api/v1/events?wait=1&after=0", ""); r.code != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("got %d: %s, want 429 and some Retry-After", r.code, r.text)
	}
	w.get(key, "/events?after=0", 200) // which doesn't wait
}

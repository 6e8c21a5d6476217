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

const boardKey = "fedcba9876543210fedcba9876543210"

// refused checks that a request is refused with a status and a sentence.
func (w *world) refused(key, path, body string, code int, sentence string) {
	w.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	if r := w.post(key, method, path, body, code); !strings.Contains(r.text, sentence) || r.header.Get("Content-Type") != "application/problem+json" {
		w.Errorf("%s %s: got %s %s, want a problem with %q", path, body, r.header.Get("Content-Type"), r.text, sentence)
	}
}

// A program posts updates with the refusals that Slack gives, once under one Idempotency-Key, and finds them in the list
// and in the timeline.
func TestProgramsPostUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act, read := w.key(oncall.APIKey{Name: "deploy", TeamID: w.team("payments")}, oncall.ScopeAct), w.scopeKey(oncall.ScopeRead)
	path := fmt.Sprintf("/incidents/%d/updates", w.open(signalKey, "disk full"))
	w.get(read, path, 200)
	var first, again rest.Update
	for _, into := range []*rest.Update{&first, &again} {
		w.post(act, "POST", path, `{"text": " paying fails "}`, 201, "Idempotency-Key: a").into(t, into)
	}
	if first.Number != 1 || again.Number != 1 {
		t.Errorf("got the updates %d and %d, want 1 twice", first.Number, again.Number)
	}
	if first.Text != "paying fails" || first.By.Name != "deploy" {
		t.Errorf("got %q by %s, want %q by deploy", first.Text, first.By.Name, "paying fails")
	}
	if got := strings.Join(first.Channels, " "); got != "#status #support" {
		t.Errorf("got the channels %s, want #status #support", got)
	}
	w.post(act, "POST", path, `{"text": "paying works", "channels": ["status", "#Status"]}`, 201).into(t, &again)
	if again.Number != 2 || strings.Join(again.Channels, " ") != "#status" {
		t.Errorf("got %+v, want update 2 in #status only", again)
	}
	w.refused(act, path, `{"text": " "}`, 409, "The update is empty.")
	w.refused(act, path, `{"text": "x", "channels": ["#general"]}`, 422, `don't go to \"#general\"`)
	w.refused(read, path, `{"text": "x"}`, 403, "does not have")
	w.refused(w.key(oncall.APIKey{Name: "orders", TeamID: w.team("orders")}, oncall.ScopeAct), path, `{"text": "x"}`, 403, "")
	var list struct {
		Items []rest.Update
		Next  string
	}
	w.get(read, path+"?limit=1", 200).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].Number != 1 || list.Next == "" {
		t.Errorf("got %+v, want update 1 and more to come", list)
	}
	if text := w.get(read, strings.TrimSuffix(path, "/updates"), 200).text; !strings.Contains(text, "paying works") {
		t.Errorf("the timeline is %s, want it with \"paying works\"", text)
	}
	var notices int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM notices WHERE kind = 'update'`).Scan(&notices))
	if notices != 3 {
		t.Errorf("%d messages are posted, want 3", notices)
	}
}

// A channel of an incident's own is asked for once, and shown as soon as it is there.
func TestProgramsOpenAChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, id := w.scopeKey(oncall.ScopeAct), w.open(signalKey, "disk full")
	path := fmt.Sprintf("/incidents/%d", id)
	var in rest.Incident
	w.post(key, "POST", path+"/acts", `{"act": "open_channel"}`, 200).into(t, &in)
	if in.Channel != nil {
		t.Errorf("the channel is %+v before it is made", in.Channel)
	}
	w.refused(key, path+"/acts", `{"act": "open_channel"}`, 409, "has a channel of its own already, or is getting one")
	_, err := w.pool.Exec(t.Context(), `UPDATE incidents SET channel = channel || '{"id": "C0INC", "name": "inc-1-disk-full"}' WHERE id = $1`, id)
	w.must(err)
	w.get(key, path, 200).into(t, &in)
	if in.Channel == nil || *in.Channel != (rest.Channel{ID: "C0INC", Name: "inc-1-disk-full"}) {
		t.Errorf("the channel is %+v, want C0INC", in.Channel)
	}
}

// A program adds actions with the refusals that Slack gives, lists those that are open, and ends them.
func TestProgramsHandleActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act, bos := w.scopeKey(oncall.ScopeAct), w.key(oncall.APIKey{Name: "bo", Owner: "U0BO"}, oncall.ScopeAct)
	path := fmt.Sprintf("/incidents/%d/actions", w.open(signalKey, "disk full"))
	var first, second, done rest.Action
	for range 2 {
		w.post(act, "POST", path, `{"user": "bo", "text": "fix the alert", "due_at": "2026-03-07T00:00:00Z"}`, 201, "Idempotency-Key: a").into(t, &first)
	}
	w.post(bos, "POST", path, `{"user": "cy@example.com", "text": "write it down"}`, 201).into(t, &second)
	if first.User.ID != "U0BO" || first.CreatedBy != nil || first.AskAt == nil {
		t.Errorf("got %+v, want Bo's by nobody, to be asked about", first)
	}
	if second.CreatedBy.ID != "U0BO" {
		t.Errorf("got the second by %s, want it by U0BO", second.CreatedBy.ID)
	}
	if want := start.Add(7 * 24 * time.Hour); !second.DueAt.Equal(want) {
		t.Errorf("got the second due %s, want %s", second.DueAt, want)
	}
	w.refused(act, path, `{"user": "bo", "text": " "}`, 409, "Say what is to be done.")
	w.refused(act, path, `{"user": "bo", "text": "x", "due_at": "2026-03-01T00:00:00Z"}`, 409, "That day is over.")
	w.refused(act, path, `{"user": "nobody", "text": "x"}`, 422, "There is no person")
	w.refused(act, path, `{"text": "x"}`, 422, "expected required property user")
	list := func(path string, want ...string) (next string) {
		t.Helper()
		var got struct {
			Items []rest.Action
			Next  string
		}
		w.get(act, path, 200).into(t, &got)
		var texts []string
		for _, a := range got.Items {
			texts = append(texts, a.Text)
		}
		if strings.Join(texts, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: %q, want %q", path, texts, want)
		}
		return got.Next
	}
	list(path, "fix the alert", "write it down")
	next := list("/actions?limit=1", "fix the alert")
	list("/actions?limit=1&cursor="+next, "write it down")
	list("/actions?user=cy", "write it down")
	list("/actions?team=orders")
	one := fmt.Sprintf("/actions/%d/acts", first.ID)
	w.post(bos, "POST", one, `{"act": "put_off"}`, 200).into(t, &done)
	if done.DoneAt != nil || done.AskAt == nil || !done.AskAt.After(start.Add(6*24*time.Hour)) {
		t.Errorf("put off: %+v, want it asked about in a week", done)
	}
	for range 2 { // the second time changes nothing
		w.post(bos, "POST", one, `{"act": "done"}`, 200).into(t, &done)
		if done.DoneAt == nil || done.DoneBy.ID != "U0BO" {
			t.Errorf("done: %+v, want it done by Bo", done)
		}
	}
	list("/actions", "write it down")
	w.refused(w.key(oncall.APIKey{Name: "orders", TeamID: w.team("orders")}, oncall.ScopeAct), fmt.Sprintf("/actions/%d/acts", second.ID), `{"act": "done"}`, 403, "")
	w.refused(act, "/actions/99/acts", `{"act": "done"}`, 404, "not yours to see")
}

// The draft of a review is Markdown once the incident is over.
func TestReviewDraftIsMarkdownOnceResolved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, id := w.scopeKey(oncall.ScopeAct), w.open(signalKey, "disk *full*")
	path := fmt.Sprintf("/incidents/%d", id)
	w.refused(key, path+"/review", "", 409, "is open; its review is drafted once it is resolved.")
	w.post(key, "POST", path+"/acts", `{"act": "note", "text": "rolled back"}`, 200)
	w.post(key, "POST", path+"/acts", `{"act": "resolve"}`, 200)
	w.post(key, "POST", path+"/actions", `{"user": "bo", "text": "fix the alert"}`, 201)
	r := w.get(key, path+"/review?time_zone=Europe/Berlin", 200)
	if r.header.Get("Content-Type") != "text/markdown; charset=utf-8" {
		t.Errorf("the type is %q, want Markdown in UTF-8", r.header.Get("Content-Type"))
	}
	for _, want := range []string{`disk \*full\*`, "without what people wrote in Slack", "Europe/Berlin", "rolled back", "- [ ] bo: fix the alert"} {
		if !strings.Contains(r.text, want) {
			t.Errorf("got %s, want it with %q", r.text, want)
		}
	}
	w.refused(key, path+"/review?time_zone=Mars/Base", "", 422, "There is no such time zone.")
}

// Of a private team's incident others learn nothing, not even that it has updates or actions; and its updates don't go
// where others can read them.
func TestPrivateIncidentsStayHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dis, anns := w.key(oncall.APIKey{Name: "di", Owner: "U0DI"}, oncall.ScopeAct), w.key(oncall.APIKey{Name: "ann", Owner: "U0ANN"}, oncall.ScopeAct)
	id := w.open(boardKey, "merger")
	path := fmt.Sprintf("/incidents/%d", id)
	var a rest.Action
	w.post(dis, "POST", path+"/actions", `{"user": "di", "text": "call the bank"}`, 201).into(t, &a)
	w.refused(dis, path+"/actions", `{"user": "ann", "text": "call the bank"}`, 409, "may not see incident")
	w.refused(dis, path+"/updates", `{"text": "x"}`, 409, "everybody may read #deals")
	w.post(dis, "POST", path+"/acts", `{"act": "resolve"}`, 200)
	for _, c := range []struct{ path, body string }{
		{path + "/updates", ""},
		{path + "/updates", `{"text": "x"}`},
		{path + "/updates", `{"text": "x", "channels": ["#deals"]}`},
		{path + "/actions", ""},
		{path + "/actions", `{"user": "ann", "text": "x"}`},
		{path + "/acts", `{"act": "open_channel"}`},
		{path + "/review", ""},
		{fmt.Sprintf("/actions/%d/acts", a.ID), `{"act": "done"}`},
	} {
		w.refused(anns, c.path, c.body, 404, "There is nothing like this, or it is not yours to see.")
	}
	w.refused(anns, "/actions?team=secret", "", 422, "not yours to see")
	if text := w.get(anns, "/actions", 200).text; strings.Contains(text, "bank") {
		t.Errorf("Ann gets %s, want nothing of the bank's", text)
	}
	if text := w.get(dis, "/actions", 200).text; !strings.Contains(text, "call the bank") {
		t.Errorf("Di is told of %s, want her own action", text)
	}
	w.get(dis, path+"/review", 200)
}

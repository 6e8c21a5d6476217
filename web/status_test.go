package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/web"
)

// The status page shows the texts written for it, and nothing of the incident itself.
func TestStatusPageShowsPublishedTextsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.Status = web.StatusPublic })
	id := w.open(signalKey, oncall.Signal{Title: "disk full on db-1", Body: "10.0.0.7"})
	hidden := w.open(secretKey, oncall.Signal{Title: "merger leaked"})
	everybody := w.browser()
	wantTexts(t, everybody.get("/status", http.StatusOK), []string{"All is well"}, "disk full")
	a := w.as(ann)
	at := fmt.Sprintf("/incidents/%d", id)
	say := func(b *browser, at, title, state, text string) reply {
		return b.do(http.MethodPost, at+"/status", url.Values{"title": {title}, "state": {state}, "text": {text}})
	}
	wantTexts(t, a.get(at, http.StatusOK), []string{"Status page", "Publish"})
	for _, bad := range [][3]string{{"", "investigating", "x"}, {"x", "", "x"}, {"x", "exploding", "x"}, {"x", "investigating", " "}, {strings.Repeat("x", 151), "investigating", "x"}} {
		if r := say(a, at, bad[0], bad[1], bad[2]); r.code != http.StatusConflict || !strings.Contains(r.text, "nothing was published") {
			t.Errorf("%v: got %d %s, want 409 with \"nothing was published\"", bad, r.code, words(r.text))
		}
	}
	if r := say(a, at, "Payments are slow", "investigating", "We are <b>looking</b> into it."); r.to() != at+"?done=published" {
		t.Fatalf("%d, to %q: %s, want %v", r.code, r.to(), words(r.text), at+"?done=published")
	}
	say(a, at, "", "identified", "A database is full.")
	r := everybody.get("/status", http.StatusOK)
	wantTexts(t, r, []string{"Payments are slow", "identified A database is full.", "We are <b>looking</b>"[:6]}, "disk full", "10.0.0.7", "<b>looking", "ann", "U0ANN", "#1", "/incidents")
	if r.header.Get("Cache-Control") != "public, max-age=30" {
		t.Errorf("Cache-Control is %q, want \"public, max-age=30\"", r.header.Get("Cache-Control"))
	}
	a.do(http.MethodPost, at, url.Values{"do": {"resolve"}})
	wantTexts(t, a.get(at, http.StatusOK), []string{"still says that it goes on"})
	say(a, at, "", "resolved", "All is well again.")
	wantTexts(t, everybody.get("/status", http.StatusOK), []string{"All is well: nothing", "The last 30 days", "Payments are slow", "resolved"})
	wantTexts(t, a.get("/audit", http.StatusOK), []string{"published on the status page an incident of the team", "Payments are slow, identified: A database is full."})
	w.advance(31 * 24 * time.Hour)
	wantTexts(t, everybody.get("/status", http.StatusOK), nil, "Payments are slow")

	// Private teams have nothing on it, and only people who may act can publish.
	d, g := w.as(di), w.as(gil)
	wantTexts(t, d.get(fmt.Sprintf("/incidents/%d", hidden), http.StatusOK), nil, "Publish")
	if r := say(d, fmt.Sprintf("/incidents/%d", hidden), "x", "investigating", "x"); r.code != http.StatusConflict {
		t.Errorf("of a private team: got %d, want 409", r.code)
	}
	if r := say(g, at, "x", "investigating", "x"); r.code != http.StatusForbidden && r.code != http.StatusNotFound {
		t.Errorf("by a guest: got %d, want 403 or 404", r.code)
	}
	if r := w.as(bo).do(http.MethodPost, at+"/status", url.Values{"do": {"withdraw"}}); r.to() != at+"?done=withdrawn" {
		t.Errorf("taking it off: got %d, want %v", r.code, at+"?done=withdrawn")
	}
	var left int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM status_updates`).Scan(&left))
	if left != 0 {
		t.Errorf("%d updates are left, want 0", left)
	}
}

// An internal status page requires a sign-in; switched off, there is none.
func TestStatusPageAccess(t *testing.T) {
	t.Parallel()
	inside := newWorld(t, func(w *world) { w.config.Status = web.StatusInternal })
	inside.browser().get("/status", http.StatusSeeOther)
	wantTexts(t, inside.as(ann).get("/status", http.StatusOK), []string{"All is well", "Incidents"})
	none := newWorld(t)
	none.browser().get("/status", http.StatusNotFound)
	none.as(ann).get("/status", http.StatusNotFound)
}

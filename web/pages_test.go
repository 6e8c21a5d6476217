package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A person who is paged opens the incident in a browser, acknowledges it, adds a note, and resolves
// it.
func TestIncidentPageActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, oncall.Signal{
		Title: "disk full on db-1", Body: "95 % used", Link: "https://grafana.example.com/d/1", Labels: map[string]string{"service": "checkout", "region": "eu"},
	})
	a := w.as(ann)
	at := fmt.Sprintf("/incidents/%d", id)
	wantTexts(t, a.get("/", http.StatusOK), []string{"disk full on db-1", "nobody yet", "Acknowledge", "primary", "ann", "you", "then bo"}, "takeover", "secret")
	wantTexts(t, a.get(at, http.StatusOK), []string{"Triggered", "critical", "disk full on db-1", "95 % used", "region", "eu", "What happens next", "bo", "grafana opened it", "default"})
	if r := a.do(http.MethodPost, at, url.Values{"do": {"acknowledge"}}); r.to() != at+"?done=acknowledge" {
		t.Fatalf("%d, to %q: %s, want %v", r.code, r.to(), words(r.text), at+"?done=acknowledge")
	}
	wantTexts(t, a.get(at+"?done=acknowledge", http.StatusOK), []string{"You have it", "Acknowledged", "ann acknowledged it in a browser", "Nothing by itself: it is acknowledged by ann"})
	a.do(http.MethodPost, at, url.Values{"do": {"note"}, "text": {"freed <b>20 GB</b>"}})
	a.do(http.MethodPost, at, url.Values{"do": {"resolve"}})
	wantTexts(t, a.get(at, http.StatusOK), []string{"Resolved", "Reopen", "ann resolved it in a browser"}, "<b>20 GB")
	if r := a.do(http.MethodPost, at, url.Values{"do": {"resolve"}}); r.code != http.StatusConflict || !strings.Contains(r.text, "already resolved by ann") {
		t.Errorf("once more: got %d %s, want 409 with \"already resolved by ann\"", r.code, words(r.text))
	}
	if r := a.do(http.MethodPost, at, url.Values{"do": {"explode"}}); r.code != http.StatusConflict {
		t.Errorf("what is no act: got %d, want 409", r.code)
	}
	wantTexts(t, a.get("/", http.StatusOK), []string{"Nothing is open"})
	wantTexts(t, a.get("/incidents", http.StatusOK), []string{"Nothing of that is open"})
	for _, q := range []string{"state=all&q=DISK", "state=resolved&severity=critical", "state=all&team=payments&since=2026-03-02&until=2026-03-02"} {
		wantTexts(t, a.get("/incidents?"+q, http.StatusOK), []string{"disk full on db-1"})
	}
	for _, q := range []string{"state=all&q=memory", "state=all&severity=low", "state=all&until=2026-03-01", "state=snoozed"} {
		wantTexts(t, a.get("/incidents?"+q, http.StatusOK), nil, "disk full")
	}
	wantTexts(t, a.get("/audit", http.StatusOK), []string{"ann signed in as ann in a browser"})
	// The timeline shows that the acts came from the browser.
	var via string
	w.must(w.pool.QueryRow(t.Context(), `SELECT actor ->> 'via' FROM incident_events WHERE kind = 'acknowledged'`).Scan(&via))
	if via != oncall.ViaWeb {
		t.Errorf("it was acknowledged by %q, want %v", via, oncall.ViaWeb)
	}
}

// A person pages a team by hand; the form sent twice pages once, and one page too many asks for
// confirmation.
func TestRaisePagesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as(bo)
	wantTexts(t, b.get("/page", http.StatusOK), []string{"payments", "primary", "high"}, "takeover", "secret")
	form := func(key, text string) url.Values {
		return url.Values{"whom": {"schedule/1"}, "text": {text}, "severity": {"critical"}, "key": {key}}
	}
	first := b.do(http.MethodPost, "/page", form("A", "checkout is down"))
	if first.code != http.StatusSeeOther || !strings.HasSuffix(first.to(), "?done=page") {
		t.Fatalf("got %d, to %q: %s, want 303 ending with \"?done=page\"", first.code, first.to(), words(first.text))
	}
	wantTexts(t, b.get(first.to(), http.StatusOK), []string{"It is open, and pages", "checkout is down", "bo paged whoever is on call in primary", "ann"})
	if r := b.do(http.MethodPost, "/page", form("A", "checkout is down")); !strings.HasSuffix(r.to(), "?done=again") {
		t.Errorf("the same form: %d, to %q, want it ending with \"?done=again\"", r.code, r.to())
	}
	for _, bad := range []url.Values{{"text": {"x"}}, {"whom": {"team/1"}}, {"whom": {"team/x"}, "text": {"x"}}} {
		if r := b.do(http.MethodPost, "/page", bad); r.code != http.StatusUnprocessableEntity {
			t.Errorf("%v: got %d, want 422", bad, r.code)
		}
	}
	for i := 2; i <= oncall.RaisesOfOne; i++ {
		b.do(http.MethodPost, "/page", form(fmt.Sprint(i), fmt.Sprint("another ", i)))
	}
	asked := b.do(http.MethodPost, "/page", form("Z", "one too many"))
	if asked.code != http.StatusConflict || !strings.Contains(asked.text, "Page all the same") {
		t.Errorf("got %d: %s, want 409 with \"Page all the same\"", asked.code, words(asked.text))
	}
	sure := form("Z", "one too many")
	sure.Set("confirmed", "1")
	if r := b.do(http.MethodPost, "/page", sure); r.code != http.StatusSeeOther {
		t.Errorf("confirmed: got %d %s, want 303", r.code, words(r.text))
	}
	if r := w.as(gil).do(http.MethodPost, "/page", form("G", "by a guest")); r.code != http.StatusUnprocessableEntity { // there is nothing that they could page
		t.Errorf("a guest pages: got %d, want 422", r.code)
	}
}

// Older incidents are listed page by page, each once.
func TestIncidentsAreListedInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	like := w.open(signalKey, oncall.Signal{Title: "the first"})
	_, err := w.pool.Exec(t.Context(), `
		INSERT INTO incidents
		SELECT (jsonb_populate_record(i, jsonb_build_object('id', 1000 + n, 'group_key', 'k' || n, 'title', 'planted ' || n || '.'))).*
		FROM incidents i, generate_series(1, 120) n
		WHERE i.id = $1`, like)
	w.must(err)
	a := w.as(bo)
	older := regexp.MustCompile(`href="([^"]*before=[^"]*)"`)
	seen, at := map[string]int{}, "/incidents?state=all"
	for range 3 {
		r := a.get(at, http.StatusOK)
		for _, m := range regexp.MustCompile(`planted \d+\.`).FindAllString(r.text, -1) {
			seen[m]++
		}
		next := older.FindStringSubmatch(r.text)
		if next == nil {
			break
		}
		at = "/incidents" + strings.ReplaceAll(next[1], "&amp;", "&")
	}
	if len(seen) != 120 || seen["planted 1."] != 1 {
		t.Errorf("seen %d of 120: %v, want 120, and planted 1. once", len(seen), seen)
	}
}

// A team's page shows its schedules as computed for paging: people put on call by hand, and gaps.
func TestTeamPageShowsSchedules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, err := w.store.Directory(t.Context())
	w.must(err)
	primary := dir.Schedules[0]
	from := start.Add(24 * time.Hour)
	add := func(o schedule.Override) {
		t.Helper()
		_, err := w.store.AddOverride(t.Context(), oncall.ByUser(ann), primary.ID(), o, start)
		w.must(err)
	}
	add(schedule.Override{Kind: schedule.OverrideCover, Start: from, End: from.Add(6 * time.Hour), Users: []oncall.UserID{bo}, Reason: "dentist"})
	add(schedule.Override{Kind: schedule.OverrideRemove, Start: from.Add(48 * time.Hour), End: from.Add(54 * time.Hour), Users: []oncall.UserID{ann}})
	b := w.as(bo)
	r := b.get("/teams/payments", http.StatusOK)
	wantTexts(t, r, []string{"payments", "1 gap: nobody is on call", "override by ann: dentist", "nobody", "Mon 2", "March 2026", "America/New_York", "Tue 3 Mar 06:00"})
	if n := strings.Count(r.text, `class="barfill gap" x=`); n != 1 {
		t.Errorf("%d gaps are drawn, want 1", n)
	}
	if n := strings.Count(r.text, `fill="url(#hatch)"/><text`); n != 1 {
		t.Errorf("%d bars are drawn as changed by hand, want 1", n)
	}
	wantTexts(t, b.get("/teams/payments?weeks=4&from=2026-03-30", http.StatusOK), []string{"Mon 30 Mar", "to Mon 27 Apr"})
	wantTexts(t, b.get("/teams/payments?weeks=x&from=never", http.StatusOK), []string{"Mon 2 Mar"})
	wantTexts(t, b.get("/?q=PAY", http.StatusOK), []string{"payments"})
	wantTexts(t, w.as(di).get("/?q=primary", http.StatusOK), []string{"payments", "ann"})
}

// Private objects don't exist for others; acts that a person may not do are not offered, and
// refused.
func TestPrivateTeamsAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hidden := w.open(secretKey, oncall.Signal{Title: "merger leaked"})
	a, d, g := w.as(ann), w.as(di), w.as(gil)
	at := fmt.Sprintf("/incidents/%d", hidden)
	for _, b := range []*browser{a, g} {
		for _, path := range []string{at, "/teams/secret", "/integrations/board", "/reports?team=secret", "/reports.csv?team=secret", "/teams/2", "/audit?team=secret"} {
			if r := b.do(http.MethodGet, path, nil); r.code != http.StatusNotFound {
				t.Errorf("%s: got %d, want 404", path, r.code)
			} else {
				wantTexts(t, r, nil, "merger leaked", "U0DI", "takeover", ">di<")
			}
		}
		if r := b.do(http.MethodPost, at, url.Values{"do": {"resolve"}}); r.code != http.StatusNotFound {
			t.Errorf("resolving it: got %d, want 404", r.code)
		}
	}
	for _, path := range []string{"/", "/?q=secret", "/incidents?state=all", "/integrations", "/reports", "/audit"} {
		wantTexts(t, a.get(path, http.StatusOK), nil, "merger leaked", "takeover", "board")
	}
	wantTexts(t, d.get(at, http.StatusOK), []string{"merger leaked", "Acknowledge"})
	wantTexts(t, d.get("/teams/secret", http.StatusOK), []string{"secret", "private", "takeover"})
	if r := g.do(http.MethodGet, "/incidents", nil); r.code != http.StatusNotFound {
		t.Errorf("a guest reads the incidents: got %d, want 404", r.code)
	}
	if r := w.as(bo).do(http.MethodGet, "/audit", nil); r.code != http.StatusForbidden { // Ann manages the team
		t.Errorf("Bo reads the audit log: got %d, want 403", r.code)
	}
	_, err := w.pool.Exec(t.Context(), `UPDATE schedules SET created_at = $1`, start.Add(-time.Hour)) // people have been on call
	w.must(err)
	wantTexts(t, a.get("/reports?team=payments", http.StatusOK), []string{"Time to acknowledge", "Only managers"})
	wantTexts(t, w.as(bo).get("/reports?team=payments", http.StatusOK), nil, "Only managers")
	if r := a.get("/reports.csv?team=payments&period=last+month", http.StatusOK); !strings.HasPrefix(r.text, "from,to,time_zone") || r.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%v %.60q, want Content-Type \"text/csv; charset=utf-8\" beginning with \"from,to,time_zone\"", r.header, r.text)
	}
	wantTexts(t, a.get("/reports?period=nonsense", http.StatusOK), []string{"That is not a period"})
	wantTexts(t, a.get("/integrations", http.StatusOK), []string{"grafana", "never", "…cdef"})
	wantTexts(t, a.get("/integrations/grafana", http.StatusOK), []string{"/v1/signals/KEY"}, signalKey)
}

// Another site can't act in a person's name or frame a page.
func TestCrossSiteRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, oncall.Signal{Title: "disk full"})
	a := w.as(ann)
	at := fmt.Sprintf("/incidents/%d", id)
	for _, header := range [][]string{
		{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
		{"Sec-Fetch-Site: same-site", "Origin: http://127.0.0.1:1"},
		{"Sec-Fetch-Site: cross-site", "Origin: "},
		{"Origin: https://evil.example"},
		{"Origin: null"},
	} {
		for _, path := range []string{at, "/sign-out", w.link(bo)} {
			if r := a.do(http.MethodPost, path, url.Values{"do": {"resolve"}}, header...); r.code != http.StatusForbidden {
				t.Errorf("%s, %v: got %d, want 403", path, header, r.code)
			}
		}
	}
	wantTexts(t, a.get(at, http.StatusOK), []string{"Triggered"})
	for path, code := range map[string]int{"/": 200, at: 200, "/sign-in": 200, "/nothing": 404, "/incidents/99999": 404, "/incidents/x": 404, "/incidents/-1": 404} {
		h := a.get(path, code).header
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %v", path, name, h.Get(name), want)
			}
		}
	}
	text := a.get(at, http.StatusOK).text
	for _, inline := range []string{"<script>", "<style", " style=", " onclick="} {
		if strings.Contains(text, inline) {
			t.Errorf("the page has %s, which its policy forbids", inline)
		}
	}
	css := regexp.MustCompile(`/static/app-[0-9a-f]+\.css`).FindString(text)
	if r := w.browser().get(css, http.StatusOK); !strings.Contains(r.header.Get("Cache-Control"), "immutable") || r.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("got %v, want Content-Type \"text/css; charset=utf-8\" with \"immutable\"", r.header)
	}
}

// Texts of monitors and people are shown as text, never as markup.
func TestHostileTextsAreEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.as(ann)
	opens := regexp.MustCompile(`<(script|img|a|iframe|svg|style|b|body|title|form|meta|base)[\s>/]`)
	var plain map[string]int
	count := func(text string) map[string]int {
		n := map[string]int{}
		for _, m := range opens.FindAllStringSubmatch(text, -1) {
			n[m[1]]++
		}
		return n
	}
	var bodies []string
	for _, text := range append([]hostile.Text{{Name: "plain", Text: "plain"}}, hostile.Texts...) {
		if len(text.Text) > 20_000 {
			continue // intake cuts them
		}
		clean := strings.ToValidUTF8(strings.ReplaceAll(text.Text, "\x00", ""), "")
		id := w.open(signalKey, oncall.Signal{
			DedupKey: text.Name, Title: "t " + clean, Body: clean, Link: clean, Labels: map[string]string{"l": clean}, Details: map[string]string{"d": clean},
			Links: []oncall.Link{{Text: clean, URL: clean}},
		})
		a.do(http.MethodPost, fmt.Sprintf("/incidents/%d", id), url.Values{"do": {"note"}, "text": {"n " + clean}})
		r := a.get(fmt.Sprintf("/incidents/%d", id), http.StatusOK)
		if plain == nil {
			plain = count(r.text)
		}
		for tag, n := range count(r.text) {
			if n > plain[tag] && tag != "a" && tag != "b" {
				t.Errorf("%s: %d <%s>, of a plain text %d", text.Name, n, tag, plain[tag])
			}
		}
		bodies = append(bodies, r.text)
		w.must(resolveAll(w))
	}
	bodies = append(bodies, a.get("/incidents?state=all", http.StatusOK).text)
	for _, body := range bodies {
		for _, bad := range []string{"javascript:", ` href="//evil`, ` href="file:`} {
			if i := strings.Index(body, bad); i >= 0 && strings.Contains(body[max(0, i-8):i+len(bad)], `href="`) {
				t.Errorf("got the link %s, want none to %q", body[max(0, i-60):i+60], bad)
			}
		}
		if strings.Contains(body, `" onmouseover="alert`) {
			t.Error("an attribute of others")
		}
	}
}

// resolveAll keeps the number of open incidents small.
func resolveAll(w *world) error {
	_, err := w.pool.Exec(w.Context(), `UPDATE incidents SET status = 'resolved', resolved_at = $1 WHERE status <> 'resolved'`, w.clock())
	return err
}

package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A mailedLink is a page mailed to Ann, with the path of the link in that mail.
type mailedLink struct {
	*world
	incident oncall.IncidentID
	path     string
}

// openWithMail opens an incident and returns the link that Ann's mail would carry.
func openWithMail(t testing.TB, title string) mailedLink {
	t.Helper()
	w := newWorld(t)
	w.startFolding()
	if r := w.post(genericKey, `{"title":`+quote(title)+`,"severity":"critical"}`); r.code != http.StatusAccepted {
		t.Fatalf("got %d %s, want 202", r.code, r.body)
	}
	var page oncall.PageID
	var incident oncall.IncidentID
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := w.pool.QueryRow(t.Context(), "SELECT id, incident_id FROM pages WHERE user_id = 'U0ANN'").Scan(&page, &incident)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	token, err := w.store.Token(t.Context(), page, "U0ANN", [32]byte{1}, w.clock.Now())
	w.must(err)
	return mailedLink{w, incident, "/v1/act/" + token}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// press presses a button on a freshly opened page.
func (m mailedLink) press(do string) reply {
	m.Helper()
	return m.submit(do, formOf(m.send(http.MethodGet, m.path, nil)))
}

// submit sends a form by one of its buttons.
func (m mailedLink) submit(do, form string) reply {
	m.Helper()
	return m.send(http.MethodPost, m.path, strings.NewReader(url.Values{"do": {do}, "form": {form}}.Encode()),
		"Content-Type: application/x-www-form-urlencoded")
}

// formOf returns the name of a page's form; empty if it has none.
func formOf(r reply) string {
	if m := regexp.MustCompile(`name="form" value="([^"]*)"`).FindStringSubmatch(r.body); m != nil {
		return m[1]
	}
	return ""
}

// events counts the lines of one kind in the timeline.
func (m mailedLink) events(kind oncall.EventKind) (n int) {
	m.Helper()
	m.must(m.pool.QueryRow(context.Background(), "SELECT count(*) FROM incident_events WHERE incident_id = $1 AND kind = $2", m.incident, kind).Scan(&n))
	return n
}

func (m mailedLink) status() oncall.Status {
	m.Helper()
	var is oncall.Status
	m.must(m.pool.QueryRow(context.Background(), "SELECT status FROM incidents WHERE id = $1", m.incident).Scan(&is))
	return is
}

func (m mailedLink) wantPage(r reply, code int, wants ...string) {
	m.Helper()
	if r.code != code {
		m.Errorf("got %d, want %d: %s", r.code, code, r.body)
	}
	for _, want := range wants {
		if !strings.Contains(r.body, want) {
			m.Errorf("it doesn't say %q:\n%s", want, r.body)
		}
	}
}

func TestMailLinkActsOnPress(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	m.wantPage(m.send(http.MethodGet, m.path, nil), http.StatusOK,
		"Incident #1", "disk full", "triggered", "Acknowledge", "Resolve", "Escalate", "You act as ann.")
	m.wantPage(m.press("a"), http.StatusOK, "Acknowledged #1.", "acknowledged")
	if is := m.status(); is != oncall.Acknowledged {
		t.Errorf("it is %s, want %s", is, oncall.Acknowledged)
	}
	var via string
	m.must(m.pool.QueryRow(t.Context(), "SELECT actor ->> 'via' FROM incident_events WHERE incident_id = $1 AND actor ->> 'user' = 'U0ANN' ORDER BY id DESC LIMIT 1", m.incident).Scan(&via))
	if via != string(oncall.MethodEmail) {
		t.Errorf("the timeline says that it came by %q, want %v", via, string(oncall.MethodEmail))
	}
	count := func() (n int) {
		m.must(m.pool.QueryRow(t.Context(), "SELECT count(*) FROM incident_events WHERE incident_id = $1", m.incident).Scan(&n))
		return n
	}
	before := count()
	m.wantPage(m.press("a"), http.StatusOK, "acknowledged") // again
	if n := count(); n != before {
		t.Errorf("pressed twice, it has %d events, not %d", n, before)
	}
	m.wantPage(m.press("r"), http.StatusOK, "Resolved #1.", "resolved")
	if r := m.send(http.MethodGet, m.path, nil); strings.Contains(r.body, "<button") {
		t.Errorf("a resolved incident has buttons:\n%s", r.body)
	}
}

// A button pressed twice, or sent again because its response got lost, escalates once and shows the
// same; other buttons, and those of a reopened page, count separately.
func TestMailLinkFormCountsOnce(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	form := formOf(m.send(http.MethodGet, m.path, nil))
	if again := formOf(m.send(http.MethodGet, m.path, nil)); form == "" || again == form {
		t.Errorf("forms %q and %q, want two different ones", form, again)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { m.wantPage(m.submit("e", form), http.StatusOK, "Escalated #1.") })
	}
	all.Wait()
	if n := m.events(oncall.EventEscalated); n != 1 {
		t.Errorf("it was escalated %d times, want 1", n)
	}
	m.wantPage(m.submit("a", form), http.StatusOK, "Acknowledged #1.")
	again := m.submit("e", form)
	m.wantPage(again, http.StatusOK, "Escalated #1.")
	m.wantPage(m.submit("e", formOf(again)), http.StatusOK, "The escalation policy of incident #1 has run out") // another
	m.wantPage(m.submit("r", ""), http.StatusOK, "Resolved #1.")                                                // a page of the previous release
	m.wantPage(m.submit("r", "\x00"+strings.Repeat("x", 2000)), http.StatusOK, "already resolved")
}

// A person who is asked to help can accept or decline through the link.
func TestMailLinkForResponders(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	const bo = oncall.UserID("U0BO")
	_, err := m.store.Act(t.Context(), m.incident, oncall.ByUser("U0ANN"), oncall.Act{Do: oncall.ActAsk, User: bo}, m.clock.Now())
	m.must(err)
	var page oncall.PageID
	m.must(m.pool.QueryRow(t.Context(), "SELECT id FROM pages WHERE user_id = $1", bo).Scan(&page))
	token, err := m.store.Token(t.Context(), page, bo, [32]byte{1}, m.clock.Now())
	m.must(err)
	m.wantPage(m.press("d"), http.StatusOK, "Answer 1a to acknowledge") // Ann was not asked
	m.path = "/v1/act/" + token
	if r := m.send(http.MethodGet, m.path, nil); strings.Contains(r.body, "Acknowledge<") || strings.Contains(r.body, "Escalate") {
		t.Errorf("it offers what is not asked:\n%s", r.body)
	}
	m.wantPage(m.press("a"), http.StatusOK, "Accepted #1.", "triggered", ">Accept<", ">Decline<")
	m.wantPage(m.press("d"), http.StatusOK, "Declined #1.", "triggered")
}

// A mail scanner follows every link, and the links on the page behind it.
func TestMailLinkIgnoresScanners(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete} {
		r := m.send(method, m.path, nil)
		for _, link := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(r.body, -1) {
			m.send(http.MethodGet, link[1], nil)
		}
		m.send(method, m.path+"?do=a", nil)
	}
	m.wantPage(m.press(""), http.StatusBadRequest, "Nothing was done")
	m.wantPage(m.press("delete"), http.StatusBadRequest, "Nothing was done")
	m.wantPage(m.send(http.MethodPost, m.path, strings.NewReader(`{"do":"a"}`), "Content-Type: application/json"), http.StatusBadRequest)
	m.wantPage(m.send(http.MethodPost, m.path, strings.NewReader("do="+strings.Repeat("a", 8<<10)), "Content-Type: application/x-www-form-urlencoded"), http.StatusBadRequest)
	if is := m.status(); is != oncall.Triggered {
		t.Errorf("it is %s, want %s", is, oncall.Triggered)
	}
}

func TestMailLinkPageIsSafe(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, `<script>alert(1)</script> & "co"`)
	r := m.send(http.MethodGet, m.path, nil)
	m.wantPage(r, http.StatusOK, "&lt;script&gt;alert(1)&lt;/script&gt; &amp;")
	if strings.Contains(r.body, "<script") {
		t.Errorf("the page has a script, want none:\n%s", r.body)
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(r.body)
	sum := sha256.Sum256([]byte(style[1]))
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Content-Type": "text/html; charset=utf-8",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(m.log.String(), strings.TrimPrefix(m.path, "/v1/act/")) {
		t.Error("the log has the token")
	}
}

func TestMailLinkExpires(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	right := m.path
	for _, wrong := range []string{right + "x", right[:len(right)-2] + "AA", "/v1/act/x", "/v1/act/" + strings.Repeat("x", 1000)} {
		m.path = wrong
		m.wantPage(m.send(http.MethodGet, m.path, nil), http.StatusGone, "not valid")
		m.wantPage(m.press("a"), http.StatusGone, "not valid")
	}
	m.path = right
	m.clock.Advance(49 * time.Hour)
	m.wantPage(m.send(http.MethodGet, m.path, nil), http.StatusGone, "expired")
	m.wantPage(m.press("a"), http.StatusGone, "expired")
	if is := m.status(); is != oncall.Triggered {
		t.Errorf("it is %s, want %s", is, oncall.Triggered)
	}
	for range 40 {
		m.send(http.MethodGet, "/v1/act/guess", nil)
	}
	if r := m.send(http.MethodGet, "/v1/act/guess", nil); r.code != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("guessing: got %d, want 429 and some Retry-After", r.code)
	}
}

func TestMailLinkStillOnIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, err := w.store.Token(t.Context(), 0, "U0ANN", [32]byte{1}, w.clock.Now())
	w.must(err)
	m := mailedLink{world: w, path: "/v1/act/" + token}
	m.wantPage(m.send(http.MethodGet, m.path, nil), http.StatusOK, "Can Watchbill reach you?", "Yes, I read this")
	m.wantPage(m.press("a"), http.StatusOK, "Thank you")
}

// An invalid link is refused without the database, and guesses are counted before it is asked; a
// valid link works even from the same address.
func TestGuessedMailLinksSkipTheDatabase(t *testing.T) {
	t.Parallel()
	m := openWithMail(t, "disk full")
	good := m.path
	lock, err := m.pool.Begin(t.Context())
	m.must(err)
	_, err = lock.Exec(t.Context(), "LOCK TABLE signing_keys IN ACCESS EXCLUSIVE MODE")
	m.must(err)
	forged := oncall.SignToken([]byte("a guess"), oncall.Claim{Page: 1, User: "U0ANN", Expires: m.clock.Now().Add(time.Hour)})
	for n := range 40 {
		for _, token := range []string{"x", forged} {
			want := http.StatusGone
			if n >= 15 {
				want = http.StatusTooManyRequests
			}
			if r := m.send(http.MethodGet, "/v1/act/"+token, nil); r.code != want {
				t.Fatalf("guess %d of %s: got %d %s, want %v", n, token, r.code, r.body, want)
			}
		}
	}
	m.path = good
	m.wantPage(m.press("a"), http.StatusOK, "Acknowledged #1.")
	m.must(lock.Rollback(t.Context()))
}

package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
	"github.com/watchbill/watchbill/web"
)

// start is a Monday at noon in Berlin; Ann is on call.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

const (
	signalKey = "0123456789abcdef0123456789abcdef"
	secretKey = "fedcba9876543210fedcba9876543210"

	ann, bo, di, gil oncall.UserID = "U0ANN", "U0BO", "U0DI", "U0GIL"
)

// A world is the pages on a real socket, with a real database behind them. Ann and Bo are in
// payments, of which Ann is the manager; Di is alone in secret, which is private; Gil is a guest.
type world struct {
	testing.TB
	store   *store.System
	pool    *pgxpool.Pool
	address string
	config  web.Config

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func document() setup.Setup {
	weekly := func(names ...string) []setup.Rotation {
		r := setup.Rotation{Name: "weekly", Start: "2026-01-05 09:00", Every: "week"}
		for _, n := range names {
			r.Turns = append(r.Turns, setup.Turn{n})
		}
		return []setup.Rotation{r}
	}
	return setup.Setup{
		Users: []setup.User{
			{Name: "ann", Slack: "U0ANN", Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "bo", Slack: "U0BO", Email: "bo@example.com", TimeZone: "America/New_York"},
			{Name: "di", Slack: "U0DI", Email: "di@example.com"},
			{Name: "gil", Slack: "U0GIL", Email: "gil@example.com"},
		},
		Teams: []setup.Team{
			{Name: "payments", Channel: "#payments", Members: []string{"ann", "bo"}, Managers: []string{"ann"}},
			{Name: "secret", Members: []string{"di"}, Private: true},
		},
		Schedules: []setup.Schedule{
			{Name: "primary", Team: "payments", TimeZone: "Europe/Berlin", Rotations: weekly("ann", "bo")},
			{Name: "takeover", Team: "secret", TimeZone: "UTC", Rotations: weekly("di")},
		},
		Policies: []setup.Policy{
			{Name: "default", Team: "payments", Steps: []setup.Step{{Page: []string{"schedule primary"}, Wait: "5m"}, {Page: []string{"user bo"}}}},
			{Name: "merger", Team: "secret", Steps: []setup.Step{{Page: []string{"schedule takeover"}}}},
		},
		Integrations: []setup.Integration{
			{Name: "grafana", Team: "payments", Policy: "default", Format: "generic", Key: signalKey, Storm: "off"},
			{Name: "board", Team: "secret", Policy: "merger", Format: "generic", Key: secretKey, Storm: "off"},
		},
	}
}

func newWorld(t testing.TB, options ...func(*world)) *world {
	t.Helper()
	w := &world{TB: t, now: start}
	url := storetest.NewURL(t)
	var err error
	w.store, err = store.Open(t.Context(), url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	w.must(err)
	t.Cleanup(w.store.Close)
	w.pool, err = pgxpool.New(t.Context(), url)
	w.must(err)
	t.Cleanup(w.pool.Close)
	_, err = w.store.Apply(t.Context(), document(), store.ApplyOptions{Write: true}, start)
	w.must(err)
	for id, standing := range map[oncall.UserID]oncall.Standing{ann: oncall.FullMember, bo: oncall.FullMember, di: oncall.FullMember, gil: oncall.GuestMember} {
		_, err := w.pool.Exec(t.Context(), `UPDATE users SET standing = $2 WHERE id = $1`, id, standing)
		w.must(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.store.Run(ctx, w.clock) }()
	t.Cleanup(func() { cancel(); <-done })

	server := httptest.NewUnstartedServer(nil)
	w.address = "http://" + server.Listener.Addr().String()
	w.config = web.Config{Store: w.store.Store, Clock: w.clock, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), Address: w.address}
	for _, o := range options {
		o(w)
	}
	server.Config.Handler = web.New(w.config)
	server.Start()
	t.Cleanup(server.Close)
	return w
}

// open makes a monitor open an incident, and returns its number.
func (w *world) open(key string, s oncall.Signal) (id oncall.IncidentID) {
	w.Helper()
	in, err := w.store.IntegrationByKey(w.Context(), key, w.clock())
	w.must(err)
	if s.Action == "" {
		s.Action = oncall.Trigger
	}
	if s.DedupKey == "" {
		s.DedupKey = s.Title
	}
	s.Severity = oncall.Critical
	w.must(w.store.Accept(w.Context(), in.ID, []oncall.Signal{s}, w.clock()))
	storetest.Until(w, 30*time.Second, "the incident", func() bool {
		return w.pool.QueryRow(w.Context(), `SELECT max(id) FROM incidents i WHERE EXISTS (SELECT FROM alerts a WHERE a.incident_id = i.id AND a.dedup_key = $1)`, s.DedupKey).Scan(&id) == nil && id > 0
	})
	return id
}

// A browser belongs to a person, and keeps their cookies.
type browser struct {
	*world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// A reply is a complete response.
type reply struct {
	code   int
	header http.Header
	text   string
}

// to returns where the reply redirects.
func (r reply) to() string { return r.header.Get("Location") }

// do makes a request; header lines are "Name: value".
func (b *browser) do(method, path string, form url.Values, header ...string) reply {
	b.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.address + path
	}
	req, err := http.NewRequestWithContext(b.Context(), method, address, body)
	b.must(err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.address)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	res, err := b.client.Do(req)
	b.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	b.must(err)
	return reply{res.StatusCode, res.Header, string(text)}
}

// get reads a page, and checks the status.
func (b *browser) get(path string, code int) reply {
	b.Helper()
	r := b.do(http.MethodGet, path, nil)
	if r.code != code {
		b.Fatalf("GET %s: %d, want %d, to %q: %s", path, r.code, code, r.to(), words(r.text))
	}
	return r
}

// link returns a path that signs a person in.
func (w *world) link(who oncall.UserID) string {
	w.Helper()
	secret, err := w.store.MakeSignInLink(w.Context(), oncall.ByUser(who), w.clock())
	w.must(err)
	return "/sign-in/link/" + secret
}

// as returns a browser in which a person is signed in.
func (w *world) as(who oncall.UserID) *browser {
	w.Helper()
	b := w.browser()
	if r := b.do(http.MethodPost, w.link(who), url.Values{}); r.code != http.StatusSeeOther {
		w.Fatalf("%s is not signed in: got %d %s, want 303", who, r.code, words(r.text))
	}
	return b
}

var tags = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)

// words returns a page's text.
func words(page string) string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

// wantTexts checks that a page contains some texts, and not others.
func wantTexts(t testing.TB, r reply, want []string, not ...string) {
	t.Helper()
	shown := words(r.text)
	for _, text := range want {
		if !strings.Contains(shown, text) {
			t.Errorf("got %s, want %q in it", shown, text)
		}
	}
	for _, text := range not {
		if strings.Contains(r.text, text) {
			t.Errorf("got %s, want it without %q", shown, text)
		}
	}
}

package rest_test

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

var update = flag.Bool("update", false, "rewrite testdata/openapi.json")

// start is a Monday at noon in Berlin; Ann is on call.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

const signalKey = "0123456789abcdef0123456789abcdef"

// A world is the API on a real socket, with a real database behind it. Ann, Bo and Cy are in payments, of which Ann is
// the manager; Di is alone in secret, which is private; orders has Cy.
type world struct {
	testing.TB
	store   *store.System
	pool    *pgxpool.Pool
	log     *storetest.Log
	address string
	clock   atomic.Pointer[time.Time] // what runs beside the test reads it too
}

func (w *world) now() time.Time { return *w.clock.Load() }

func (w *world) advance(d time.Duration) { w.clock.Store(new(w.now().Add(d))) }

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
			{Name: "bo", Slack: "U0BO", Email: "bo@example.com"},
			{Name: "cy", Slack: "U0CY", Email: "cy@example.com"},
			{Name: "di", Slack: "U0DI", Email: "di@example.com"},
		},
		Teams: []setup.Team{
			{Name: "payments", Channel: "#payments", Members: []string{"ann", "bo", "cy"}, Managers: []string{"ann"}, Updates: []string{"#status", "#support"}},
			{Name: "orders", Channel: "#orders", Members: []string{"cy"}},
			{Name: "secret", Members: []string{"di"}, Private: true, Updates: []string{"#deals"}},
		},
		Schedules: []setup.Schedule{
			{Name: "primary", Team: "payments", TimeZone: "Europe/Berlin", Rotations: weekly("ann", "bo")},
			{Name: "takeover", Team: "secret", TimeZone: "UTC", Rotations: weekly("di")},
		},
		Policies: []setup.Policy{
			{Name: "default", Team: "payments", Steps: []setup.Step{{Page: []string{"schedule primary"}, Wait: "5m"}, {Page: []string{"user bo", "webhook https://hooks.example.com/T0/s3cret"}}}},
			{Name: "orders", Team: "orders", Steps: []setup.Step{{Page: []string{"user cy"}}}},
			{Name: "merger", Team: "secret", Steps: []setup.Step{{Page: []string{"schedule takeover"}}}},
		},
		Integrations: []setup.Integration{
			{Name: "grafana", Team: "payments", Policy: "default", Format: "generic", Key: signalKey, Storm: "off"},
			{Name: "board", Team: "secret", Policy: "merger", Format: "generic", Key: "fedcba9876543210fedcba9876543210", Storm: "off"},
		},
	}
}

func newWorld(t testing.TB, options ...func(*rest.Config)) *world {
	t.Helper()
	w := &world{TB: t, log: &storetest.Log{}}
	w.clock.Store(new(start))
	url := storetest.NewURL(t)
	log := zerolog.New(w.log).Level(zerolog.DebugLevel)
	var err error
	w.store, err = store.Open(t.Context(), url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: log})
	w.must(err)
	t.Cleanup(w.store.Close)
	w.pool, err = pgxpool.New(t.Context(), url)
	w.must(err)
	t.Cleanup(w.pool.Close)
	_, err = w.store.Apply(t.Context(), document(), store.ApplyOptions{Write: true}, start)
	w.must(err)
	_, err = w.pool.Exec(t.Context(), `UPDATE users SET standing = 'member'`)
	w.must(err)
	w.run()
	c := rest.Config{Store: w.store.Store, Clock: w.now, Log: log, Formats: []oncall.Format{"auto", "generic"}}
	for _, o := range options {
		o(&c)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	w.must(err)
	server := &http.Server{Handler: rest.New(c), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	w.address = l.Addr().String()
	return w
}

// run folds signals until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.store.Run(ctx, w.now) }()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Errorf("run: %v", err)
		}
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// team returns a team's id.
func (w *world) team(name string) (id oncall.TeamID) {
	w.Helper()
	w.must(w.pool.QueryRow(w.Context(), `SELECT id FROM teams WHERE name = $1`, name).Scan(&id))
	return id
}

// key makes an API key as the command line does.
func (w *world) key(k oncall.APIKey, scopes ...oncall.Scope) string {
	w.Helper()
	k.Scopes = scopes
	key, _, err := w.store.CreateAPIKey(w.Context(), oncall.ByCommandLine("root@test"), k, start)
	w.must(err)
	return key
}

// scopeKey returns a key of the installation with one scope.
func (w *world) scopeKey(scope oncall.Scope) string {
	return w.key(oncall.APIKey{Name: "all " + string(scope)}, scope)
}

// open makes a monitor open an incident, and returns its number.
func (w *world) open(key, title string) (id int64) {
	w.Helper()
	in, err := w.store.IntegrationByKey(w.Context(), key, w.now())
	w.must(err)
	w.must(w.store.Accept(w.Context(), in.ID, []oncall.Signal{{Action: oncall.Trigger, DedupKey: title, Title: title, Severity: oncall.Critical}}, w.now()))
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if w.pool.QueryRow(w.Context(), `SELECT id FROM incidents WHERE title = $1`, title).Scan(&id) == nil {
			return id
		}
	}
	w.Fatalf("no incident %q", title)
	return 0
}

// A reply is a complete response.
type reply struct {
	code   int
	header http.Header
	text   string
}

// into reads the body.
func (r reply) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.text), v); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
}

// ask makes a request with a key; header lines are "Name: value".
func (w *world) ask(key, method, path, body string, header ...string) reply {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, "http://"+w.address+path, strings.NewReader(body))
	w.must(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{code: res.StatusCode, header: res.Header, text: string(b)}
}

// get makes a request that reads, and checks the status.
func (w *world) get(key, path string, code int) reply {
	w.Helper()
	r := w.ask(key, http.MethodGet, "/api/v1"+path, "")
	if r.code != code {
		w.Fatalf("GET %s: %d, want %d: %s", path, r.code, code, r.text)
	}
	return r
}

// override puts somebody on call for two hours from start on.
func override(who oncall.UserID) schedule.Override {
	return schedule.Override{Kind: schedule.OverrideCover, Start: start, End: start.Add(2 * time.Hour), Users: []oncall.UserID{who}, Reason: "dentist"}
}

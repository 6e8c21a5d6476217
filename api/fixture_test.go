package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

const (
	genericKey      = "0123456789abcdef0123456789abcdef"
	alertmanagerKey = "fedcba9876543210fedcba9876543210"
	unknownKey      = "00000000000000000000000000000000"
)

// A world is the handler listening on a real socket, with a real database behind it.
type world struct {
	testing.TB
	address string // host:port
	store   *store.System
	pool    *pgxpool.Pool // for looking at what is stored
	log     *storetest.Log
	clock   *storetest.Clock
}

func newWorld(t testing.TB) *world {
	t.Helper()
	address := storetest.NewURL(t)
	return newWorldOn(t, address, address)
}

// newWorldOn serves from the database at address; the test itself looks at it through direct.
func newWorldOn(t testing.TB, address, direct string) *world {
	t.Helper()
	return newWorldWith(t, address, direct, nil)
}

// newWorldTo serves monitors, and makes outgoing calls through outbound.
func newWorldTo(t testing.TB, outbound http.RoundTripper) *world {
	t.Helper()
	address := storetest.NewURL(t)
	return newWorldWith(t, address, address, outbound)
}

func newWorldWith(t testing.TB, address, direct string, outbound http.RoundTripper) *world {
	t.Helper()
	w := &world{TB: t, log: &storetest.Log{}, clock: storetest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	log := zerolog.New(w.log).Level(zerolog.DebugLevel)
	var err error
	w.store, err = store.Open(t.Context(), address, store.Options{MaxConns: 8, Secrets: storetest.Secrets(), Log: log})
	w.must(err)
	t.Cleanup(w.store.Close)
	w.pool, err = pgxpool.New(t.Context(), direct)
	w.must(err)
	t.Cleanup(w.pool.Close)
	_, err = w.store.Apply(t.Context(), setup.Setup{
		Users:    []setup.User{{Name: "ann", Slack: "U0ANN", TimeZone: "UTC"}},
		Teams:    []setup.Team{{Name: "orders", Channel: "#orders", Members: []string{"ann"}}},
		Policies: []setup.Policy{{Name: "orders", Team: "orders", Steps: []setup.Step{{Page: []string{"user ann"}}}}},
		Integrations: []setup.Integration{
			{Name: "scripts", Team: "orders", Policy: "orders", Format: "generic", Key: genericKey, Storm: "off"},
			{Name: "prometheus", Team: "orders", Policy: "orders", Format: "alertmanager", Key: alertmanagerKey, Storm: "off"},
		},
	}, store.ApplyOptions{Write: true}, w.clock.Now())
	w.must(err)
	_, err = w.pool.Exec(t.Context(), `
		INSERT INTO users (id, name, email, time_zone, standing)
		VALUES ('U0ANN', '', '', '', 'member'), ('U0BO', 'bo', '', 'UTC', 'member')
		ON CONFLICT (id) DO UPDATE SET standing = 'member'`)
	w.must(err)
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{
		System: w.store, Clock: w.clock.Now, Log: log, Gatherer: registry, Metrics: registry, Ready: w.store.Ready, Outbound: outbound, Secrets: storetest.Secrets(),
	})
	return w
}

func (w *world) listen(t testing.TB, c api.Config) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	w.must(err)
	w.address = l.Addr().String()
	server := api.Server(api.New(c), w.address)
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// A reply is a complete response.
type reply struct {
	code   int
	header http.Header
	body   string
}

// send makes one request; header lines are "Name: value".
func (w *world) send(method, path string, body io.Reader, header ...string) reply {
	w.Helper()
	r, err := w.try(method, path, body, header...)
	w.must(err)
	return r
}

func (w *world) try(method, path string, body io.Reader, header ...string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+w.address+path, body)
	if err != nil {
		return reply{}, err
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{code: res.StatusCode, header: res.Header, body: string(b)}, err
}

// post sends a body with the key in the path.
func (w *world) post(key, body string, header ...string) reply {
	w.Helper()
	return w.send(http.MethodPost, "/v1/signals/"+key, strings.NewReader(body), header...)
}

// startFolding makes the store fold signals until the test ends. From then on it keeps the directory, as in
// serve; without it every look-up of a key loads all of it.
func (w *world) startFolding() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.store.Run(ctx, w.clock.Now) }()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Errorf("run: %v", err)
		}
	})
	var kept *store.Directory
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		dir, err := w.store.Directory(w.Context())
		w.must(err)
		if dir == kept {
			return
		}
		kept = dir
	}
	w.Fatal("the directory is not kept")
}

// storedSignals counts signals in the inbox.
func (w *world) storedSignals(where string, args ...any) int {
	w.Helper()
	var n int
	w.must(w.pool.QueryRow(context.Background(), "SELECT count(*) FROM inbox WHERE "+where, args...).Scan(&n))
	return n
}

// want compares a complete response.
func (w *world) want(got reply, code int, body string) {
	w.Helper()
	if got.code != code || got.body != body {
		w.Errorf("got  %d %swant %d %s", got.code, got.body, code, body)
	}
}

// wantProblem compares a complete problem; the title follows from the code.
func (w *world) wantProblem(got reply, code int, rest string) {
	w.Helper()
	start := `{"type":"about:blank","title":"` + http.StatusText(code) + `",`
	w.want(got, code, start+rest+"}\n")
	if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
		w.Errorf("Content-Type is %q, want %q", kind, "application/problem+json")
	}
}

// addAutoIntegration adds an integration without a chosen format.
func (w *world) addAutoIntegration(key string) {
	w.Helper()
	_, err := w.pool.Exec(context.Background(), `
		INSERT INTO integrations (team_id, policy_id, name, kind, key_hash, key_hint, created_at)
		SELECT team_id, policy_id, 'anything', 'auto', sha256($1::bytea), right($2, 4), $3
		FROM integrations
		WHERE name = 'scripts'`, []byte(key), key, w.clock.Now())
	w.must(err)
}

// until waits for something to become true.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	storetest.Until(w, storetest.Timeout, what, ok)
}

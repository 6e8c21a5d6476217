package mcp_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api/mcp"
	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// start is a Monday at noon in Berlin; Ann is on call.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

const (
	signalKey = "0123456789abcdef0123456789abcdef"
	secretKey = "fedcba9876543210fedcba9876543210"
)

// A world is an instance on a real socket, with a real database behind it.
type world struct {
	testing.TB
	store   *store.System
	pool    *pgxpool.Pool
	address string
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
			{Name: "ann", Slack: "U0ANN", TimeZone: "Europe/Berlin"}, {Name: "bo", Slack: "U0BO"}, {Name: "di", Slack: "U0DI"},
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

func newWorld(t testing.TB, options ...func(*rest.Config)) *world {
	t.Helper()
	w := &world{TB: t}
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
	_, err = w.pool.Exec(t.Context(), `UPDATE users SET standing = 'member'`)
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.store.Run(ctx, func() time.Time { return start }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	c := rest.Config{Store: w.store.Store, Clock: func() time.Time { return start }, Log: zerolog.Nop(), Formats: []oncall.Format{"auto", "generic"}}
	for _, o := range options {
		o(&c)
	}
	programs := rest.New(c)
	mux := http.NewServeMux()
	mux.Handle("/api/", programs)
	mux.Handle(mcp.Path, mcp.New(mcp.Config{REST: programs, Version: "test"}))
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	w.must(err)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	w.address = "http://" + l.Addr().String()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// key makes an API key of the installation.
func (w *world) key(name string, scopes ...oncall.Scope) string {
	w.Helper()
	key, _, err := w.store.CreateAPIKey(w.Context(), oncall.ByCommandLine("root@test"), oncall.APIKey{Name: name, Scopes: scopes}, start)
	w.must(err)
	return key
}

// open lets a monitor open an incident, and returns its number.
func (w *world) open(key, title, body string) (id int64) {
	w.Helper()
	in, err := w.store.IntegrationByKey(w.Context(), key, start)
	w.must(err)
	w.must(w.store.Accept(w.Context(), in.ID, []oncall.Signal{{
		Action: oncall.Trigger, DedupKey: title, Title: title, Body: body, Severity: oncall.Critical,
	}}, start))
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if w.pool.QueryRow(w.Context(), `SELECT incident_id FROM alerts WHERE dedup_key = $1`, title).Scan(&id) == nil {
			return id
		}
	}
	w.Fatalf("no incident %q", title)
	return 0
}

// An agent is one end of a conversation.
type agent struct {
	*sdk.ClientSession
	w *world
}

// transports are the transports, and the versions of the protocol.
var transports = []struct {
	name    string
	connect func(w *world, key string) (agent, error)
}{
	{"standard input", func(w *world, key string) (agent, error) { return w.local(key, "") }},
	{"standard input as in 2025", func(w *world, key string) (agent, error) { return w.local(key, "2025-06-18") }},
	{"HTTP", func(w *world, key string) (agent, error) { return w.remote(key, "") }},
	{"HTTP as in 2025", func(w *world, key string) (agent, error) { return w.remote(key, "2025-06-18") }},
}

// local returns an agent that has started watchbill mcp.
func (w *world) local(key, version string) (agent, error) {
	w.Helper()
	fromAgent, toServer := io.Pipe()
	fromServer, toAgent := io.Pipe()
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := mcp.Serve(ctx, mcp.Remote{URL: w.address, Key: key, Version: "test", Via: http.DefaultTransport}, fromAgent, toAgent)
		_ = toAgent.CloseWithError(io.EOF)
		_ = fromAgent.CloseWithError(io.EOF)
		done <- err
	}()
	s, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(w.Context(),
		&sdk.IOTransport{Reader: fromServer, Writer: toServer}, &sdk.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		cancel()
		if failed := <-done; failed != nil {
			err = failed
		}
		return agent{}, err
	}
	w.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.Errorf("hang up: %v", err)
		}
		if err := <-done; err != nil {
			w.Errorf("after the agent hung up: %v", err)
		}
		cancel()
	})
	return agent{s, w}, nil
}

// keyTransport sends a key along.
type keyTransport string

func (k keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return http.DefaultTransport.RoundTrip(r)
}

// remote returns an agent that uses an instance by HTTP.
func (w *world) remote(key, version string) (agent, error) {
	w.Helper()
	s, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(w.Context(),
		&sdk.StreamableClientTransport{Endpoint: w.address + mcp.Path, HTTPClient: &http.Client{Transport: keyTransport(key)}, MaxRetries: -1},
		&sdk.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return agent{}, err
	}
	w.Cleanup(func() { _ = s.Close() })
	return agent{s, w}, nil
}

// call uses a tool, and returns its data, or what it was refused with.
func (a agent) call(tool string, arguments map[string]any) (data map[string]any, refused string) {
	a.w.Helper()
	res, err := a.CallTool(a.w.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return nil, err.Error()
	}
	text := res.Content[0].(*sdk.TextContent).Text
	if res.IsError {
		return nil, text
	}
	var answer, structured mcp.Answer
	a.w.must(json.Unmarshal([]byte(text), &answer))
	again, err := json.Marshal(res.StructuredContent)
	a.w.must(err)
	a.w.must(json.Unmarshal(again, &structured))
	if answer.About == "" || answer.About != structured.About {
		a.w.Errorf("%s: got the warnings %q and %q, want the same, not empty", tool, answer.About, structured.About)
	}
	return answer.Data, ""
}

// do is call for what is not refused; the answer is JSON.
func (a agent) do(tool string, arguments map[string]any) string {
	a.w.Helper()
	data, refused := a.call(tool, arguments)
	if refused != "" {
		a.w.Fatalf("%s %v: got %s, want \"\"", tool, arguments, refused)
	}
	text, err := json.Marshal(data)
	a.w.must(err)
	return string(text)
}

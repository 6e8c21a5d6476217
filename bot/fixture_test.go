package bot

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ann = oncall.UserID("U0ANN")
	bo  = oncall.UserID("U0BO")
	cy  = oncall.UserID("U0CY")
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// patience is how long a test waits for what must happen soon.
const patience = 20 * time.Second

// A world is a Slack workspace, a database and a bot between them. Ann has the first
// week of March 2026, Bo the second; Ann is paged first, then Bo.
type world struct {
	t     *testing.T
	ctx   context.Context
	sim   *slacksim.Sim
	store *store.System
	gate  *gate
	bot   *Bot
	id    oncall.IntegrationID
	log   *lines

	mu  sync.Mutex
	now time.Time
}

// newWorld makes a world whose bot doesn't listen yet.
func newWorld(t *testing.T, o slacksim.Options) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	f := &world{t: t, ctx: ctx, now: noon, log: &lines{}}
	f.openSlack(o)
	f.openStore()
	b, err := New(Config{
		BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: f.sim.APIURL(), Store: f.store.Store, Clock: f.clock,
		Log: zerolog.New(io.MultiWriter(f.log, zerolog.NewTestWriter(t))), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.slack.Close)
	f.bot = b
	return f
}

func (f *world) openSlack(o slacksim.Options) {
	o.Manifest = slacksim.MustManifest(watchbill.Manifest)
	f.sim = slacksim.New(o)
	for _, u := range []slacksim.User{
		{ID: string(ann), Name: "ann", RealName: "Ann", Email: "ann@example.com", TZ: "Europe/Berlin"},
		{ID: string(bo), Name: "bo", RealName: "Bo", Email: "bo@example.com", TZ: "Europe/Berlin"},
		{ID: string(cy), Name: "cy", RealName: "Cy", Email: "cy@example.com", TZ: "America/New_York"},
	} {
		f.sim.AddUser(u)
	}
	f.sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{string(ann), string(bo), slacksim.BotUserID}})
	f.sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{string(ann), string(bo)}})
	if _, err := f.sim.Start("127.0.0.1:0"); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := f.sim.Close(); err != nil {
			f.t.Error(err)
		}
	})
}

func (f *world) openStore() {
	f.gate = newGate(f.t, storetest.NewURL(f.t))
	s, err := store.Open(f.ctx, f.gate.url, store.Options{MaxConns: 8, Log: zerolog.Nop()})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	f.store = s
	weekly := func(name string, turns ...string) oncall.SetupRotation {
		r := oncall.SetupRotation{Name: name, Start: "2026-03-02 09:00", Every: "week"}
		for _, turn := range turns {
			r.Turns = append(r.Turns, oncall.SetupTurn{turn})
		}
		return r
	}
	_, err = s.Apply(f.ctx, oncall.Setup{
		Users: []oncall.SetupUser{
			{Name: "Ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "Bo", Slack: bo, Email: "bo@example.com", TimeZone: "Europe/Berlin"},
		},
		Teams: []oncall.SetupTeam{
			{Name: "Payments", Channel: "C0PAY", Members: []string{"Ann", "Bo"}},
			{Name: "Operations", Channel: "#ops", Members: []string{"Bo"}},
		},
		Schedules: []oncall.SetupSchedule{
			{Name: "payments days", Team: "Payments", TimeZone: "Europe/Berlin", Rotations: []oncall.SetupRotation{weekly("weeks", "Ann", "Bo")}},
			{Name: "ops", Team: "Operations", TimeZone: "Europe/Berlin"},
		},
		Policies: []oncall.SetupPolicy{{Name: "Payments", Team: "Payments", Steps: []oncall.SetupStep{
			{Page: []string{"user Ann"}, Wait: "5m"}, {Page: []string{"user Bo"}, Wait: "1h"},
		}}},
		Integrations: []oncall.SetupIntegration{{Name: "Monitor", Team: "Payments", Format: "generic", Policy: "Payments"}},
	}, store.ApplyOptions{Write: true}, f.now)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, f.clock) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			f.t.Errorf("the store's run: %v", err)
		}
	})
	directory, err := s.Directory(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	f.id = directory.Integrations[0].ID
}

func (f *world) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// listen runs the bot until the test ends; the function returned stops it earlier.
func (f *world) listen(sockets int) (stop func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan error, 1)
	go func() { done <- f.bot.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Errorf("run: %v", err)
		}
	})
	f.t.Cleanup(stop)
	f.eventually("the sockets are up", func() bool { return f.bot.Connected() >= sockets })
	return stop
}

// incident opens an incident and returns its picture.
func (f *world) incident() oncall.Picture {
	f.t.Helper()
	f.eventually("the signal is accepted", func() bool { // as monitors do, once more if that took too long
		err := f.store.Accept(f.ctx, f.id, []oncall.Signal{{
			Action: oncall.Trigger, DedupKey: "checkout", Title: "Checkout fails", Severity: oncall.Critical,
		}}, f.clock())
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			f.t.Fatal(err)
		}
		return err == nil
	})
	var id oncall.IncidentID
	f.eventually("the incident is open", func() bool {
		open, err := f.store.OpenIncidents(f.ctx, 1)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(open) == 0 {
			return false
		}
		id = open[0].ID
		return true
	})
	return f.picture(id)
}

func (f *world) picture(id oncall.IncidentID) oncall.Picture {
	f.t.Helper()
	p, err := f.store.Picture(f.ctx, id, f.clock())
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// posted opens an incident and shows it in its channel.
func (f *world) posted() (oncall.Picture, store.Place) {
	f.t.Helper()
	p := f.incident()
	at, err := f.bot.PostRoot(f.ctx, store.WaitingDraw{}, p, "delivery-1")
	if err != nil {
		f.t.Fatal(err)
	}
	return p, at
}

// click presses a button and requires that Slack hears of it in time.
func (f *world) click(user oncall.UserID, action view.Action) {
	f.t.Helper()
	r, err := f.sim.Click(f.ctx, string(user), "C0PAY", "", string(action))
	if err != nil {
		f.t.Fatal(err)
	}
	if !r.Acked {
		f.t.Errorf("the click was not acknowledged: %s", r.Error)
	}
}

// command types a command and returns what the person sees.
func (f *world) command(user oncall.UserID, line string) string {
	f.t.Helper()
	r, err := f.sim.Slash(f.ctx, string(user), "C0PAY", line)
	if err != nil {
		f.t.Fatal(err)
	}
	if !r.Acked || !r.Ephemeral {
		f.t.Errorf("%s: acknowledged %t, ephemeral %t, %s", line, r.Acked, r.Ephemeral, r.Error)
	}
	return r.Text
}

func (f *world) eventually(what string, cond func() bool) {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited %s, but not: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// count counts an incident's events of a kind.
func (f *world) count(id oncall.IncidentID, kind oncall.EventKind) int {
	f.t.Helper()
	events, err := f.store.Events(f.ctx, id)
	if err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// lines keeps what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// A gate stands before a database and can be shut, as if the server were gone.
type gate struct {
	url    string
	target func() (net.Conn, error)

	mu   sync.Mutex
	shut bool
	open map[net.Conn]bool
	all  sync.WaitGroup
}

func newGate(t *testing.T, address string) *gate {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{open: map[net.Conn]bool{}}
	query := u.Query()
	if host := query.Get("host"); strings.HasPrefix(host, "/") {
		port := query.Get("port")
		if port == "" {
			port = "5432"
		}
		g.target = func() (net.Conn, error) { return net.Dial("unix", filepath.Join(host, ".s.PGSQL."+port)) }
	} else {
		host := u.Host
		g.target = func() (net.Conn, error) { return net.Dial("tcp", host) }
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = listener.Addr().String()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	g.url = u.String()
	g.all.Go(func() { g.serve(listener) })
	t.Cleanup(func() {
		g.set(true)
		_ = listener.Close()
		g.all.Wait()
	})
	return g
}

func (g *gate) serve(listener net.Listener) {
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		out, err := g.target()
		if err != nil || !g.admit(in, out) {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			continue
		}
		g.all.Go(func() { _, _ = io.Copy(in, out); _ = in.Close(); _ = out.Close() })
		g.all.Go(func() { _, _ = io.Copy(out, in); _ = in.Close(); _ = out.Close() })
	}
}

func (g *gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	for _, c := range conns {
		g.open[c] = true
	}
	return true
}

// set shuts the gate, which cuts every connection, or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if shut {
		for c := range g.open {
			_ = c.Close()
		}
		clear(g.open)
	}
}

// leaveTeam takes a person out of every team.
func (f *world) leaveTeam(id oncall.UserID) {
	f.t.Helper()
	if _, err := f.store.Pool().Exec(f.ctx, `DELETE FROM team_members WHERE user_id = $1`, id); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.store.Pool().Exec(f.ctx, `SELECT pg_notify('watchbill_config', '')`); err != nil {
		f.t.Fatal(err)
	}
	f.eventually("the bot knows", func() bool {
		directory, err := f.store.Directory(f.ctx)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, members := range directory.Members {
			if slices.Contains(members, id) {
				return false
			}
		}
		return true
	})
}

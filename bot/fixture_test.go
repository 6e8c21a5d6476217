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
	"github.com/watchbill/watchbill/oncall/setup"
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

// waitLimit is how long a test waits for something that should happen soon.
const waitLimit = 20 * time.Second

// A world is a Slack workspace, a database and a bot between them. Ann has the first
// week of March 2026, Bo the second; Ann is paged first, then Bo.
type world struct {
	t        testing.TB
	ctx      context.Context
	sim      *slacksim.Sim
	store    *store.System
	database *databaseProxy
	bot      *Bot
	id       oncall.IntegrationID
	log      *lines

	mu  sync.Mutex
	now time.Time
}

// newWorld makes a world whose bot doesn't listen yet.
func newWorld(t *testing.T, o slacksim.Options) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, now: noon, log: &lines{}}
	w.openSlack(o)
	w.openStore()
	b, err := New(Config{
		BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: w.sim.APIURL(), Store: w.store.Store, Clock: w.clock,
		Log: zerolog.New(io.MultiWriter(w.log, zerolog.NewTestWriter(t))), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.slack.Close)
	w.bot = b
	return w
}

// openSlack starts the workspace, and fails the test if the bot misused Slack.
func (w *world) openSlack(o slacksim.Options) {
	w.startSlack(o)
	w.t.Cleanup(func() {
		for _, what := range w.sim.Violations() {
			w.t.Error(what)
		}
	})
}

func (w *world) startSlack(o slacksim.Options) {
	o.Manifest = slacksim.MustManifest(watchbill.Manifest)
	w.sim = slacksim.New(o)
	for _, u := range []slacksim.User{
		{ID: string(ann), Name: "ann", RealName: "Ann", Email: "ann@example.com", TZ: "Europe/Berlin"},
		{ID: string(bo), Name: "bo", RealName: "Bo", Email: "bo@example.com", TZ: "Europe/Berlin"},
		{ID: string(cy), Name: "cy", RealName: "Cy", Email: "cy@example.com", TZ: "America/New_York"},
	} {
		w.sim.AddUser(u)
	}
	w.sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{string(ann), string(bo), slacksim.BotUserID}})
	w.sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{string(ann), string(bo)}})
	if _, err := w.sim.Start("127.0.0.1:0"); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.sim.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// openStore opens a store with the set-up of two teams, and runs it until the test ends.
func (w *world) openStore() {
	w.database = newDatabaseProxy(w.t, storetest.NewURL(w.t))
	s, err := store.Open(w.ctx, w.database.url, store.Options{MaxConns: 8, Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	w.store = s
	if _, err = s.Apply(w.ctx, twoTeams(), store.ApplyOptions{Write: true}, w.now); err != nil {
		w.t.Fatal(err)
	}
	w.runStore()
	directory, err := s.Directory(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	w.id = directory.Integrations[0].ID
}

// twoTeams is the set-up of every world: Payments with Ann and Bo in turns, and Operations, which nobody is on call for.
func twoTeams() setup.Setup {
	return setup.Setup{
		Users: []setup.User{
			{Name: "Ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "Bo", Slack: bo, Email: "bo@example.com", TimeZone: "Europe/Berlin"},
		},
		Teams: []setup.Team{
			{Name: "Payments", Channel: "C0PAY", Members: []string{"Ann", "Bo"}},
			{Name: "Operations", Channel: "#ops", Members: []string{"Bo"}},
		},
		Schedules: []setup.Schedule{
			{Name: "payments days", Team: "Payments", TimeZone: "Europe/Berlin", Rotations: []setup.Rotation{
				{Name: "weeks", Start: "2026-03-02 09:00", Every: "week", Turns: []setup.Turn{{"Ann"}, {"Bo"}}},
			}},
			{Name: "ops", Team: "Operations", TimeZone: "Europe/Berlin"},
		},
		Policies: []setup.Policy{{Name: "Payments", Team: "Payments", Steps: []setup.Step{
			{Page: []string{"user Ann"}, Wait: "5m"}, {Page: []string{"user Bo"}, Wait: "1h"},
		}}},
		Integrations: []setup.Integration{{Name: "Monitor", Team: "Payments", Format: "generic", Policy: "Payments"}},
	}
}

// runStore runs the store until the test ends.
func (w *world) runStore() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.store.Run(ctx, w.clock) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			w.t.Errorf("the store stopped with %v, want it to run until the test ends", err)
		}
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// listen runs the bot until the test ends, or until stop is called.
func (w *world) listen(sockets int) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.bot.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	w.until("the sockets are up", func() bool { return w.bot.Connected() >= sockets })
	return stop
}

// incident opens an incident and returns its picture.
func (w *world) incident() oncall.Picture {
	w.t.Helper()
	w.until("the signal is accepted", func() bool { // send it again if that took too long, as monitors do
		err := w.store.Accept(w.ctx, w.id, []oncall.Signal{{
			Action: oncall.Trigger, DedupKey: "checkout", Title: "Checkout fails", Severity: oncall.Critical,
		}}, w.clock())
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			w.t.Fatal(err)
		}
		return err == nil
	})
	var id oncall.IncidentID
	w.until("the incident is open", func() bool {
		open, err := w.store.OpenIncidents(w.ctx, oncall.ByTimer(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(open) == 0 {
			return false
		}
		id = open[0].ID
		return true
	})
	return w.picture(id)
}

func (w *world) picture(id oncall.IncidentID) oncall.Picture {
	w.t.Helper()
	p, err := w.store.Picture(w.ctx, oncall.ByTimer(), id, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// posted opens an incident and posts it in its channel.
func (w *world) posted() (oncall.Picture, store.MessageRef) {
	w.t.Helper()
	p := w.incident()
	at, err := w.bot.PostRoot(w.ctx, store.WaitingDraw{}, p, "delivery-1")
	if err != nil {
		w.t.Fatal(err)
	}
	return p, at
}

// click presses a button and requires an acknowledgement in time.
func (w *world) click(user oncall.UserID, action view.Action) {
	w.t.Helper()
	r, err := w.sim.Click(w.ctx, string(user), "C0PAY", "", string(action))
	if err != nil {
		w.t.Fatal(err)
	}
	if !r.Acked {
		w.t.Errorf("the click on %s was not acknowledged: %s", action, r.Error)
	}
}

// command types a command and returns what the person sees.
func (w *world) command(user oncall.UserID, line string) string {
	w.t.Helper()
	r, err := w.sim.Slash(w.ctx, string(user), "C0PAY", line)
	if err != nil {
		w.t.Fatal(err)
	}
	if !r.Acked || !r.Ephemeral {
		w.t.Errorf("%s: acknowledged %t, ephemeral %t, error %q; want an ephemeral answer in time", line, r.Acked, r.Ephemeral, r.Error)
	}
	return r.Text
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	storetest.Until(w.t, waitLimit, what, ok)
}

// count counts an incident's events of a kind.
func (w *world) count(id oncall.IncidentID, kind oncall.EventKind) int {
	w.t.Helper()
	events, err := w.store.Events(w.ctx, oncall.ByTimer(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// lines collects log output.
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

// A databaseProxy is a proxy in front of a database. Shut, it acts as if the server were gone.
type databaseProxy struct {
	url    string
	target func() (net.Conn, error)

	mu   sync.Mutex
	shut bool
	open map[net.Conn]bool
	all  sync.WaitGroup
}

func newDatabaseProxy(t testing.TB, address string) *databaseProxy {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &databaseProxy{open: map[net.Conn]bool{}}
	query := u.Query()
	if host := query.Get("host"); strings.HasPrefix(host, "/") {
		port := query.Get("port")
		if port == "" {
			port = "5432"
		}
		p.target = func() (net.Conn, error) { return net.Dial("unix", filepath.Join(host, ".s.PGSQL."+port)) }
	} else {
		host := u.Host
		p.target = func() (net.Conn, error) { return net.Dial("tcp", host) }
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
	p.url = u.String()
	p.all.Go(func() { p.serve(listener) })
	t.Cleanup(func() {
		p.set(true)
		_ = listener.Close()
		p.all.Wait()
	})
	return p
}

func (p *databaseProxy) serve(listener net.Listener) {
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		out, err := p.target()
		if err != nil || !p.admit(in, out) {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			continue
		}
		p.all.Go(func() { _, _ = io.Copy(in, out); _ = in.Close(); _ = out.Close() })
		p.all.Go(func() { _, _ = io.Copy(out, in); _ = in.Close(); _ = out.Close() })
	}
}

func (p *databaseProxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		return false
	}
	for _, c := range conns {
		p.open[c] = true
	}
	return true
}

// set shuts the proxy, which cuts every connection, or opens it.
func (p *databaseProxy) set(shut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = shut
	if shut {
		for c := range p.open {
			_ = c.Close()
		}
		clear(p.open)
	}
}

// leaveTeam removes a person from every team.
func (w *world) leaveTeam(id oncall.UserID) {
	w.t.Helper()
	if _, err := w.store.Pool().Exec(w.ctx, `DELETE FROM team_members WHERE user_id = $1`, id); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Pool().Exec(w.ctx, `SELECT pg_notify('watchbill_config', '')`); err != nil {
		w.t.Fatal(err)
	}
	w.until("the bot knows", func() bool {
		directory, err := w.store.Directory(w.ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, members := range directory.Members {
			if slices.Contains(members, id) {
				return false
			}
		}
		return true
	})
}

package store_test

import (
	"cmp"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// The people in the tests: Ann and Bo take turns on call; Cy and Di are in their team.
const (
	ann oncall.UserID = "U0ANN"
	bo  oncall.UserID = "U0BO"
	cy  oncall.UserID = "U0CY"
	di  oncall.UserID = "U0DI"
)

// start is a Monday at noon in Berlin; Ann is on call.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

const key = "0123456789abcdef0123456789abcdef"

func payments() setup.Setup {
	return setup.Setup{
		Users: []setup.User{
			{Name: "ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "bo", Slack: bo, Email: "bo@example.com"},
			{Name: "cy", Slack: cy, Email: "cy@example.com"},
			{Name: "di", Slack: di, Email: "di@example.com"},
		},
		Teams: []setup.Team{{Name: "payments", Channel: "#payments", Members: []string{"cy", "ann", "bo"}}},
		Schedules: []setup.Schedule{{
			Name: "primary", Team: "payments", TimeZone: "Europe/Berlin",
			Rotations: []setup.Rotation{{
				Name: "weekly", Start: "2026-01-05 09:00", Every: "week",
				Turns: []setup.Turn{{"ann"}, {"bo"}},
			}},
		}},
		Policies: []setup.Policy{{
			Name: "default", Team: "payments",
			Steps: []setup.Step{
				{Page: []string{"schedule primary"}, Wait: "5m"},
				{Page: []string{"user bo", "user di"}, Wait: "10m"},
			},
		}},
		Integrations: []setup.Integration{
			{Name: "grafana", Team: "payments", Format: "generic", Policy: "default", Key: key, Storm: "off"},
		},
	}
}

// A world is a database of the test's own, and a store that uses it.
type world struct {
	*store.System
	t           testing.TB
	url         string
	integration oncall.IntegrationID
	stormLimit  string // as in the set-up

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

// newWorld has the setup above. Nothing runs in it.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, url: storetest.NewURL(t), now: start, stormLimit: "off"}
	w.System = w.another()
	if _, err := w.Apply(t.Context(), payments(), store.ApplyOptions{Write: true}, start); err != nil {
		t.Fatal(err)
	}
	w.forgetJobs()                                 // what the set-up has queued
	w.exec(`UPDATE users SET standing = 'member'`) // as Slack says
	in, err := w.IntegrationByKey(t.Context(), key, start)
	if err != nil {
		t.Fatal(err)
	}
	w.integration = in.ID
	return w
}

// another opens a second store on the same database, as another instance would.
func (w *world) another() *store.System {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.New(zerolog.NewTestWriter(w.t))})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// run runs a store until the test ends or stop is called.
func (w *world) run(s *store.System) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Run(ctx, w.clock); err != nil {
			w.t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	w.t.Cleanup(stop)
	return stop
}

// accept stores signals in the inbox.
func (w *world) accept(signals ...oncall.Signal) {
	w.t.Helper()
	if err := w.Accept(w.t.Context(), w.integration, signals, w.clock()); err != nil {
		w.t.Fatal(err)
	}
}

// fold waits until the inbox is empty.
func (w *world) fold() {
	w.t.Helper()
	w.until("the inbox is empty", func() bool { return w.count(`SELECT count(*) FROM inbox`) == 0 })
}

// until waits for something to become true.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	storetest.Until(w.t, storetest.Timeout, what, ok)
}

// jobs counts the jobs of a kind, whatever their state.
func (w *world) jobs(kind string) int {
	w.t.Helper()
	return w.count(`SELECT count(*) FROM river_job WHERE kind = $1`, kind)
}

// forgetJobs deletes the queued jobs of the given kinds, or all of them.
func (w *world) forgetJobs(kinds ...string) {
	w.t.Helper()
	w.exec(`DELETE FROM river_job WHERE kind = ANY ($1) OR cardinality($1) = 0`, append([]string{}, kinds...))
}

// person stores somebody whom only Slack knows, not the set-up.
func (w *world) person(u oncall.User) {
	w.t.Helper()
	w.exec(`INSERT INTO users (id, name, email, time_zone, standing, owner) VALUES ($1, $2, $3, $4, $5, $6)`,
		u.ID, cmp.Or(u.Name, string(u.ID)), u.Email, u.TimeZone, u.Standing, u.Owner)
}

func (w *world) count(sql string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.Pool().QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.Pool().Exec(context.Background(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// strings collects the only column of a query.
func (w *world) strings(sql string, args ...any) []string {
	w.t.Helper()
	rows, _ := w.Pool().Query(context.Background(), sql, args...)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func (w *world) incident(id oncall.IncidentID) oncall.Incident {
	w.t.Helper()
	in, err := w.Incident(context.Background(), oncall.ByTimer(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// open opens an incident with a signal, and returns it.
func (w *world) open() oncall.Incident {
	w.t.Helper()
	stop := w.run(w.System)
	defer stop()
	w.accept(trigger("disk"))
	w.fold()
	all, err := w.OpenIncidents(w.t.Context(), oncall.ByTimer(), 10)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("open incidents: %v, %v, want 1 entry", all, err)
	}
	return all[0]
}

func trigger(dedup string) oncall.Signal {
	return oncall.Signal{Action: oncall.Trigger, DedupKey: dedup, Title: dedup + " is full", Severity: oncall.High}
}

func resolve(dedup string) oncall.Signal {
	return oncall.Signal{Action: oncall.Clear, DedupKey: dedup}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

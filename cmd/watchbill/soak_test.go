package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

var (
	soakDays  = flag.Int("soak", 0, "how many days of a company of 210 people the soak simulates; 0: two days of a small one")
	soakSeed  = flag.Uint64("soak-seed", 0, "the seed of the soak; 0: another one each time it is asked for by -soak")
	soakTeams = flag.Int("soak-teams", 30, "the teams of the soak, of seven people each")
	soakStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

// A company works with Watchbill for days, simulated in minutes: alerts, storms, people who answer or
// don't, overrides, swaps, leavers and Slack outages. Then whom Watchbill paged, when, and what it
// said are compared with a model that computes on its own who is on call.
func TestSoak(t *testing.T) {
	t.Parallel()
	days, teams, seed := *soakDays, *soakTeams, *soakSeed
	if days == 0 {
		days, teams, seed = 2, 2, 7
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d: go test ./cmd/watchbill -run TestSoak -soak %d -soak-seed %d -soak-teams %d plays this again", seed, days, seed, teams)
	s := newSoak(t, seed, teams, days)
	began := time.Now()
	s.plan()
	s.run()
	s.check()
	t.Logf("%d days of %d teams in %s: %s", days, teams, time.Since(began).Round(time.Second), s.summary())
}

// A soak is one run.
type soak struct {
	t       *testing.T
	random  *rand.Rand
	clock   *parkedClock
	sim     *slacksim.Sim
	app     *app
	company *soakCompany
	end     time.Time

	agenda    []soakEvent
	incidents []*soakIncident
	storms    []*soakStorm
	outages   []soakOverride // of Slack
	did       map[string]int // what people did, counted
	paced     time.Time
}

type soakEvent struct {
	at time.Time
	do func()
}

func newSoak(t *testing.T, seed uint64, teams, days int) *soak {
	s := &soak{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), clock: &parkedClock{}, end: soakStart.Add(time.Duration(days) * 24 * time.Hour), did: map[string]int{},
	}
	s.clock.park(soakStart)
	s.company = newSoakCompany(s.random, teams)
	s.sim = slacksim.New(slacksim.Options{Now: s.clock.Now, Manifest: slacksim.MustManifest(watchbill.Manifest), AckTimeout: time.Minute})
	t.Cleanup(func() {
		for _, what := range s.sim.Violations() {
			t.Error(what)
		}
		_ = s.sim.Close()
	})
	s.company.join(s.sim)
	if _, err := s.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	url := storetest.NewURL(t)
	s.apply(url)
	a, err := startApp(t.Context(), settings{
		databaseURL: url, botToken: "xoxb-sim", appToken: "xapp-sim", slackAPI: s.sim.APIURL(), slackFaster: storyFaster, listen: "127.0.0.1:0",
		secrets: storetest.Secrets(),
	}, s.clock.Now, zerolog.New(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	t.Cleanup(a.stop)
	s.until("two sockets", func() bool { return s.sim.Sockets() == 2 })
	return s
}

func (s *soak) apply(url string) {
	setup, err := parseSetup(s.company.setUp())
	s.must(err)
	for i := range setup.Integrations {
		setup.Integrations[i].Key = s.company.teams[i].key
	}
	db, err := store.Open(s.t.Context(), url, store.Options{Log: zerolog.Nop()})
	s.must(err)
	defer db.Close()
	_, err = db.Apply(s.t.Context(), setup, store.ApplyOptions{Write: true}, s.clock.Now())
	s.must(err)
}

func (s *soak) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("at %s: %v", s.clock.Now().Format(time.DateTime), err)
	}
}

func (s *soak) until(what string, cond func() bool) {
	pause := storetest.NewPause()
	for deadline := time.Now().Add(2 * time.Minute); !cond(); pause() {
		if time.Now().After(deadline) {
			s.t.Fatalf("at %s: waited two minutes for %s", s.clock.Now().Format(time.DateTime), what)
		}
	}
}

// on adds something to the agenda.
func (s *soak) on(at time.Time, do func()) {
	n, _ := slices.BinarySearchFunc(s.agenda, at, func(e soakEvent, at time.Time) int {
		if e.at.After(at) {
			return 1
		}
		return -1 // things planned for the same time happen in the order in which they were added
	})
	s.agenda = slices.Insert(s.agenda, n, soakEvent{at, do})
}

// run lets time pass until the end.
func (s *soak) run() {
	for len(s.agenda) > 0 && s.agenda[0].at.Before(s.end) {
		next := s.agenda[0]
		s.agenda = s.agenda[1:]
		s.advance(next.at)
		next.do()
		s.settle()
	}
	s.advance(s.end)
}

// advance lets time pass, timer by timer.
func (s *soak) advance(end time.Time) {
	ctx := context.Background()
	for s.settle(); s.clock.Now().Before(end); s.settle() {
		next := end
		var due *time.Time
		s.must(s.app.store.Pool().QueryRow(ctx, `
			SELECT min(scheduled_at) FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') AND scheduled_at > $1`, s.clock.Now()).Scan(&due))
		if due != nil && due.Before(end) {
			next = *due
		}
		s.clock.set(next)
		_, err := s.app.store.PromoteTimers(ctx, next)
		s.must(err)
	}
}

// settle waits until everything that is due is done.
func (s *soak) settle() {
	ctx, pool := context.Background(), s.app.store.Pool()
	const put = `kind = 'tell' AND state IN ('available', 'scheduled') AND metadata ? 'snoozes'
		AND scheduled_at > $1 AND scheduled_at <= $1 + interval '1 minute'`
	s.until("the work that is due", func() bool {
		var busy, waiting int
		s.must(pool.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM river_job
				WHERE state = 'running' OR state IN ('available', 'scheduled', 'retryable') AND scheduled_at <= $1),
			       (SELECT count(*) FROM river_job WHERE `+put+`)`, s.clock.Now()).Scan(&busy, &waiting))
		if waiting > 0 && time.Since(s.paced) > 100*time.Millisecond { // Slack's limits go by real time
			s.paced = time.Now()
			_, err := pool.Exec(ctx, `UPDATE river_job SET scheduled_at = $1, state = 'available' WHERE `+put, s.clock.Now())
			s.must(err)
		}
		return busy == 0 && waiting == 0
	})
}

// signal sends what a monitor would.
func (s *soak) signal(t *soakTeam, body map[string]string) {
	data, err := json.Marshal(body)
	s.must(err)
	code, err := postSignal("http://"+s.app.addr+"/v1/signals/"+t.key, data)
	s.must(err)
	if code != http.StatusAccepted {
		s.t.Fatalf("a signal was answered %d, want %d", code, http.StatusAccepted)
	}
}

func (s *soak) summary() string {
	return fmt.Sprintf("%d incidents, %d storms, %d outages of Slack, %v", len(s.incidents), len(s.storms), len(s.outages), s.did)
}

// between returns a random time in a period, in whole seconds.
func (s *soak) between(from, to time.Duration) time.Duration {
	return (from + time.Duration(s.random.Int64N(int64(to-from)))).Truncate(time.Second)
}

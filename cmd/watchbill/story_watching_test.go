package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/store"
)

// A watch is what a story has of Watchbill watching itself.
type watch struct {
	canary time.Duration
	pulse  func(context.Context) error
	heard  atomic.Int64 // by the service that waits for pulses
	stuck  bool         // nobody works on pages
	admins []string
}

// watched: Watchbill sends itself a canary every five minutes, and a service waits for its pulse. Ann is its admin. It
// must come before start.
func (s *story) watchItself(ts *testscript.TestScript, _ bool, _ []string) {
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.watch.heard.Add(1) }))
	ts.Defer(service.Close)
	own, err := notify.ParseLoopback("localhost")
	ts.Check(err)
	flags := watchingFlags{Canary: "5m", HeartbeatURL: service.URL + "/secret"}
	rules := notify.AddressRules{Loopback: own}
	if wrong := flags.problems(); len(wrong) > 0 {
		ts.Fatalf("%s, want none", wrong)
	}
	s.watch.canary, _ = parseCanary(flags.Canary)
	s.watch.pulse, s.watch.admins = flags.pulse(rules), []string{"U0ANN"}
}

// canary N: lets time pass, as fast as real time, until the canary with that number, or a later one, has come through.
func (s *story) canarySucceeded(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	last := time.Now()
	s.until(ts, "the canary", func() bool {
		s.clock.set(s.clock.Now().Add(time.Since(last)))
		last = time.Now()
		c, err := s.app.store.Canary(context.Background())
		ts.Check(err)
		return c.Number >= want && !c.InFlight
	})
}

// pulse: a minute passes, and the service hears a pulse. With !, it doesn't.
func (s *story) pulse(ts *testscript.TestScript, neg bool, _ []string) {
	before := s.watch.heard.Load()
	s.clock.set(s.clock.Now().Add(61 * time.Second))
	if !neg {
		s.until(ts, "a pulse", func() bool { return s.watch.heard.Load() > before })
		return
	}
	s.until(ts, "a pulse that waits", func() (waits bool) {
		ts.Check(s.app.store.Pool().QueryRow(context.Background(),
			`SELECT EXISTS (SELECT FROM river_job WHERE kind = 'pulse' AND finalized_at IS NULL)`).Scan(&waits))
		return waits
	})
	if s.watch.heard.Load() > before {
		ts.Fatalf("the service has heard a pulse")
	}
}

// pages stop|start: from now on nobody works on pages, or somebody does again.
func (s *story) workPages(ts *testscript.TestScript, _ bool, args []string) {
	queue, err := river.NewClient(riverpgxv5.New(s.app.store.Pool()), &river.Config{})
	ts.Check(err)
	if s.watch.stuck = args[0] == "stop"; s.watch.stuck {
		// The queue's own upkeep, to which the story's clock is wrong, may have forgotten it.
		_, err := s.app.store.Pool().Exec(context.Background(), `INSERT INTO river_queue (name, metadata, created_at, updated_at)
			VALUES ($1, '{}', $2, $2) ON CONFLICT (name) DO NOTHING`, store.QueuePage, time.Now())
		ts.Check(err)
		ts.Check(queue.QueuePause(context.Background(), store.QueuePage, nil))
		return
	}
	ts.Check(queue.QueueResume(context.Background(), store.QueuePage, nil))
}

// watching: prints /readyz?verbose.
func (s *story) watching(ts *testscript.TestScript, _ bool, _ []string) {
	resp, err := http.Get("http://" + s.addr + "/readyz?verbose")
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), string(text))
}

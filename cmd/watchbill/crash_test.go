package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// crashTimes is how often the process is killed at each point for each channel.
var crashTimes = flag.Int("crash", 0, "how often to kill the process at each point of a send by each channel; 0: once, by two channels")

// TestKilledWhileSending kills the program with SIGKILL at every point of a send, lets another one
// continue, and counts how often the person was reached. For each channel and point it prints how
// often that was once, twice and never.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	table := &crashTable{counts: map[string]*[3]int{}}
	t.Cleanup(func() { table.print(t) })
	channels, times := crashChannels(), *crashTimes
	if times == 0 {
		channels, times = channels[:2], 1
	}
	for _, c := range channels {
		for _, point := range []string{beforeIntent, beforeCall, afterAccept, beforeRecord, beforeDone} {
			for n := range times {
				t.Run(fmt.Sprintf("%s/%s/%d", c.name, point, n), func(t *testing.T) {
					t.Parallel()
					sent := newCrash(t, c).run(point)
					table.add(c.name, point, sent)
					if sent == 0 {
						t.Errorf("%s, killed %s: the page was sent %d times, want at least once", c.name, point, sent)
					}
				})
			}
		}
	}
}

// A crashTable counts how often pages arrived.
type crashTable struct {
	mu     sync.Mutex
	order  []string
	counts map[string]*[3]int // once, twice or more, never
}

func (c *crashTable) add(channel, point string, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	row := fmt.Sprintf("%-9s%-32s", channel, point)
	if c.counts[row] == nil {
		c.order = append(c.order, row)
		c.counts[row] = &[3]int{}
	}
	c.counts[row][[]int{2, 0, 1}[min(times, 2)]]++
}

func (c *crashTable) print(t *testing.T) {
	slices.Sort(c.order)
	fmt.Fprintf(os.Stdout, "%-9s%-32s%6s%6s%6s\n", "channel", "point", "once", "twice", "never")
	for _, row := range c.order {
		n := c.counts[row]
		fmt.Fprintf(os.Stdout, "%s%6d%6d%6d\n", row, n[0], n[1], n[2])
	}
}

// A crashChannel is one way to reach Ann, with a provider that counts what it has accepted.
type crashChannel struct {
	name   string
	method oncall.Method // "" means Slack
	start  func(t *testing.T, trap *trap) reached
}

// A crash is one trial with one page and one kill.
type crash struct {
	t     *testing.T
	trap  *trap
	sim   *slacksim.Sim
	db    string
	gated string // the same database, through the gate
	reached
	look  *pgxpool.Pool // not through the gate
	saved atomic.Int32  // how often the page was saved: first the start of an attempt, then its outcome
}

func newCrash(t *testing.T, c crashChannel) *crash {
	k := &crash{t: t, trap: &trap{}}
	k.sim = slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)})
	k.sim.AddUser(slacksim.User{ID: "U0ANN", Name: "ann", TZ: "Europe/Berlin"})
	k.sim.AddChannel(slacksim.Channel{Name: "payments", Members: []string{"U0ANN"}})
	if _, err := k.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.sim.Close() })
	k.look = storetest.New(t)
	k.db = k.look.Config().ConnString()
	k.gated = newDBGate(t, k.db, k.saw)
	slackAPI := k.sim.APIURL()
	k.taken = k.direct
	if c.method == "" {
		slackAPI = newHTTPGate(t, slackAPI, k.trap, postsTo("U0ANN"))
	} else {
		k.reached = c.start(t, k.trap)
	}
	k.env = append(k.env, "SLACK_BOT_TOKEN=xoxb-sim", "SLACK_APP_TOKEN=xapp-sim", "WATCHBILL_SLACK_API_URL="+slackAPI)
	k.setUp(c)
	return k
}

// setUp makes Ann the person to page, immediately and only by this channel.
func (c *crash) setUp(by crashChannel) {
	doc := setup.Setup{
		Users: []setup.User{{Name: "Ann", Slack: "U0ANN"}},
		Teams: []setup.Team{{Name: "payments", Channel: "#payments", Members: []string{"Ann"}}},
		Policies: []setup.Policy{{
			Name: "default", Team: "payments", Steps: []setup.Step{{Page: []string{"user Ann"}, Wait: "24h"}},
		}},
		Integrations: []setup.Integration{{
			Name: "demo", Team: "payments", Policy: "default", Format: "generic", Key: storyKey, Storm: "off",
		}},
	}
	db, err := store.Open(c.t.Context(), c.db, store.Options{Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Apply(c.t.Context(), doc, store.ApplyOptions{Write: true}, time.Now()); err != nil {
		c.t.Fatal(err)
	}
	if by.method != "" {
		reachBy(c.t, db, by.method, c.address)
	}
}

// reachBy gives Ann exactly one contact method.
func reachBy(t *testing.T, db *store.System, method oncall.Method, address string) {
	t.Helper()
	now := time.Now()
	contact, err := db.AddContact(t.Context(), oncall.ByTimer(), "U0ANN", method, address, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(t.Context(), `UPDATE contacts SET verified_at = $1`, now); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(t.Context(), `DELETE FROM river_job`); err != nil { // don't send the code
		t.Fatal(err)
	}
	err = db.SetPreferences(t.Context(), oncall.ByTimer(), "U0ANN", oncall.Preferences{High: []oncall.Rule{{Contact: contact.ID}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

// saw springs the trap at the points that only the database sees.
func (c *crash) saw(sql string) bool {
	switch {
	case strings.Contains(sql, "UPDATE pages") && strings.Contains(sql, "SET state ="):
		if c.saved.Add(1) == 1 {
			return c.trap.reach(beforeIntent)
		}
		return c.trap.reach(beforeRecord)
	case strings.Contains(sql, "JobSetStateIfRunningMany") && c.delivered():
		return c.trap.reach(beforeDone)
	}
	return false
}

// delivered reports whether the page is recorded as sent.
func (c *crash) delivered() (done bool) {
	err := c.look.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM pages WHERE state = 'delivered')`).Scan(&done)
	return err == nil && done
}

// run kills the program at the point and returns how often Ann was finally reached.
func (c *crash) run(point string) int {
	first := c.program(c.gated)
	c.trap.set(point, func() { _ = first.Process.Kill() })
	c.signal(first)
	select {
	case <-c.trap.sprung:
	case <-time.After(time.Minute):
		c.t.Fatalf("the program never came to the point %q", point)
	}
	_ = first.Wait()
	second := c.program(c.db)
	c.t.Cleanup(func() { stopProgram(c.t, second) })
	deadline := time.Now().Add(60 * time.Second)
	for {
		var done bool
		err := c.look.QueryRow(c.t.Context(), `
			SELECT EXISTS (SELECT FROM pages WHERE state = 'delivered')
			   AND NOT EXISTS (SELECT FROM river_job WHERE kind = 'page' AND state NOT IN ('completed', 'cancelled'))`).Scan(&done)
		if err != nil {
			c.t.Fatal(err)
		}
		if done {
			return c.taken()
		}
		if time.Now().After(deadline) {
			c.t.Logf("the page was not delivered within 60 s: %s", second.log)
			return c.taken()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// direct counts the direct messages to Ann that Slack has accepted.
func (c *crash) direct() (n int) {
	for _, call := range c.sim.Calls() {
		if call.Method == "chat.postMessage" && call.OK && call.Args["channel"] == "U0ANN" {
			n++
		}
	}
	return n
}

// postsTo recognises requests that post to a person or channel.
func postsTo(channel string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/chat.postMessage") && r.FormValue("channel") == channel
	}
}

// A running is a running program and its address.
type running struct {
	*exec.Cmd
	addr string
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (c *crash) program(database string) running {
	c.t.Helper()
	return startProgram(c.t, asProgram(c.t), append(c.env, "DATABASE_URL="+database, "WATCHBILL_SECRET="+storetest.Secret, "WATCHBILL_CANARY=off"))
}

// asProgram returns a path at which this test binary runs as the program.
func asProgram(t *testing.T) string {
	t.Helper()
	return asCommand(t, "watchbill")
}

// asCommand returns a path at which this test binary runs as one of TestMain's commands.
func asCommand(t *testing.T, command string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), command)
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// startProgram starts a program and waits until it is ready.
func startProgram(t *testing.T, name string, env []string) running {
	t.Helper()
	addr, err := ownPort()
	if err != nil {
		t.Fatal(err)
	}
	r := running{addr: addr, log: &lockedBuffer{}}
	r.Cmd = exec.Command(name, "serve", "--migrate", "--listen", r.addr)
	r.Env = append(os.Environ(), env...)
	r.Stderr = r.log
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Process.Kill() })
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get("http://" + r.addr + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return r
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program is not ready: %s", r.log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *crash) signal(to running) {
	c.t.Helper()
	const body = `{"title": "disk full on db-1", "dedup_key": "db-1/disk", "severity": "critical"}`
	code, err := postSignal("http://"+to.addr+"/v1/signals/"+storyKey, []byte(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if code != http.StatusAccepted {
		c.t.Fatalf("the signal was answered %d, want %d", code, http.StatusAccepted)
	}
}

// stopProgram asks a program to stop.
func stopProgram(t *testing.T, r running) {
	t.Helper()
	hangs := time.AfterFunc(time.Minute, func() { _ = r.Process.Signal(syscall.SIGQUIT) }) // SIGQUIT prints where it hangs
	_ = r.Process.Signal(syscall.SIGTERM)
	_ = r.Wait()
	if !hangs.Stop() {
		t.Errorf("the program doesn't stop: %s", r.log)
	}
}

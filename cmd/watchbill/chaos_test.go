package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/localpg"
	"github.com/watchbill/watchbill/slacksim"
)

// chaosAll is for make chaos.
var chaosAll = flag.Bool("chaos", false, "try everything that can go wrong while monitors send, which takes minutes")

// A chaosFault is something that goes wrong while monitors send to two instances, each with a
// spool.
type chaosFault struct {
	name      string
	perSecond float64 // signals
	opening   float64 // of these
	settings  []string
	env       []string // of the second instance
	do        func(*chaos)
}

// A chaos is a fault in progress.
type chaos struct {
	*chaosPlace
	fault  chaosFault
	dir    string // of the database
	server *localpg.Server
	load   *chaosLoad
}

// TestChaos kills, disconnects, fills up and confuses whatever it can while monitors send, and
// compares the responses with what is stored and the pages that people got. Without -chaos it only
// kills an instance twenty times.
func TestChaos(t *testing.T) {
	t.Parallel()
	t.Cleanup(chaosTable.print)
	faults := []chaosFault{{name: "kill -9, 20 times", perSecond: 20, opening: 1.5, do: kills(20)}}
	if *chaosAll {
		faults = chaosFaults()
	}
	if *chaosAll {
		for name, try := range map[string]func(*testing.T){
			"primary killed": failoverKilled, "primary cut off": failoverCutOff, "primary read-only": failoverFenced,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				try(t)
			})
		}
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			runChaos(t, f)
		})
	}
}

func chaosFaults() []chaosFault {
	return []chaosFault{
		{name: "kill -9, 200 times", perSecond: 40, opening: 1, do: kills(200)},
		{name: "postmaster killed, 5 times", perSecond: 100, opening: 1, do: (*chaos).killPostmaster},
		{name: "database away for 60 s", perSecond: 500, opening: 1, do: (*chaos).takeDatabase},
		{name: "database read-only for 20 s", perSecond: 100, opening: 1, do: (*chaos).readOnly},
		{name: "database's disk full for 20 s", perSecond: 100, opening: 1, do: (*chaos).fillDatabase},
		{name: "spool's disk full", perSecond: 200, opening: 1, env: []string{chaosDisk + "=262144"}, do: (*chaos).fillSpool},
		{name: "max_connections reached", perSecond: 100, opening: 1, settings: []string{"max_connections=26"}, do: (*chaos).connections},
		{name: "Slack fails", perSecond: 20, opening: 1, do: (*chaos).failSlack},
		{name: "a clock 90 s ahead", perSecond: 40, opening: 1, env: []string{chaosSkew + "=90s"}, do: (*chaos).lives},
		{name: "a clock 90 s behind", perSecond: 40, opening: 1, env: []string{chaosSkew + "=-90s"}, do: (*chaos).lives},
		{name: "an instance paused", perSecond: 40, opening: 1, do: (*chaos).pauseEach},
	}
}

func runChaos(t *testing.T, f chaosFault) {
	c := &chaos{chaosPlace: newChaosPlace(t, 30), fault: f, dir: t.TempDir()}
	c.server = c.database(c.dir, f.settings...)
	c.setUp(c.server)
	c.start("WATCHBILL_SPOOL=" + t.TempDir())
	c.start(append(f.env, "WATCHBILL_SPOOL="+t.TempDir())...)
	c.load = c.chaosPlace.load(f.perSecond, f.opening)
	c.accepts(c.load, 50)
	f.do(c)
	c.accepts(c.load, 50)
	c.load.end()
	c.until("everything has gone its way", 4*time.Minute, c.load.settled)
	chaosTable.add(f.name, c.load.check())
}

// pause lets time pass during a fault.
func (c *chaos) pause(d time.Duration) { <-time.After(d) }

func kills(n int) func(*chaos) {
	return func(c *chaos) {
		for k := range n {
			hit := c.running[rand.IntN(2):]
			if k%5 > 0 {
				hit = hit[:1]
			}
			for _, i := range hit {
				_ = i.Process.Kill()
				_ = i.Wait()
			}
			for _, i := range hit {
				c.again(i)
			}
			c.pause(time.Duration(rand.IntN(1000)) * time.Millisecond)
		}
	}
}

// lives lets some incidents run their course.
func (c *chaos) lives() { c.pause(30 * time.Second) }

func (c *chaos) killPostmaster() {
	for range 5 {
		c.stopDatabase()
		c.server = c.database(c.dir)
		c.accepts(c.load, 200)
	}
}

func (c *chaos) stopDatabase() {
	if err := c.server.Kill(context.Background()); err != nil {
		c.Fatal(err)
	}
}

func (c *chaos) takeDatabase() {
	c.stopDatabase()
	c.pause(60 * time.Second)
	c.server = c.database(c.dir)
}

func (c *chaos) readOnly() {
	writable := asAdmin(c.url) + "&default_transaction_read_only=off"
	for _, state := range []string{"on", "off"} {
		c.ask(writable, `ALTER SYSTEM SET default_transaction_read_only = `+state, nil)
		c.ask(writable, `SELECT pg_reload_conf()::text`, new(string))
		if state == "on" {
			c.pause(20 * time.Second)
		}
	}
}

// fillDatabase makes every table refuse whatever needs space, as PostgreSQL does on a full disk.
func (c *chaos) fillDatabase() {
	file := c.dir + "/full"
	c.ask(asAdmin(c.url), `
		CREATE FUNCTION chaos_full() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF (pg_stat_file('`+file+`', true)).size IS NOT NULL THEN
				RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
			END IF;
			RETURN NULL;
		END $$`, nil)
	var tables string
	c.ask(asAdmin(c.url), `SELECT string_agg(quote_ident(tablename), ' ') FROM pg_tables WHERE schemaname = current_schema()`, &tables)
	for table := range strings.FieldsSeq(tables) { // each in a transaction of its own: several locks at once would be a deadlock one day
		c.ask(asAdmin(c.url), `CREATE TRIGGER chaos_full BEFORE INSERT OR UPDATE ON `+table+` FOR EACH STATEMENT EXECUTE FUNCTION chaos_full()`, nil)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		c.Fatal(err)
	}
	c.pause(20 * time.Second)
	if err := os.Remove(file); err != nil {
		c.Fatal(err)
	}
}

// fillSpool makes the database unavailable for longer than the second instance's disk has space.
func (c *chaos) fillSpool() {
	c.stopDatabase()
	c.until("the disk of the second instance is full", time.Minute, func() bool { return !c.running[1].ready() })
	c.server = c.database(c.dir)
	c.until("it takes signals again", time.Minute, c.running[1].ready)
}

// connections takes most of the connections, of which there are too few anyway.
func (c *chaos) connections() {
	for range 12 {
		conn, err := pgx.Connect(context.Background(), c.url)
		if err != nil {
			break // none is left
		}
		defer conn.Close(context.Background())
	}
	c.pause(20 * time.Second)
}

func (c *chaos) failSlack() {
	each := func(f slacksim.Fault) {
		f.Times = -1
		c.sim.Fail(f)
		c.pause(7 * time.Second)
		c.sim.ClearFaults()
		c.pause(time.Second)
	}
	for _, kind := range []slacksim.FaultKind{
		slacksim.FaultBefore, slacksim.FaultAfter, slacksim.FaultReset, slacksim.FaultLost, slacksim.FaultLimit, slacksim.FaultHang,
	} {
		each(slacksim.Fault{Kind: kind, RetryAfter: 3 * time.Second})
	}
	each(slacksim.Fault{Kind: slacksim.FaultDelay, Delay: 4 * time.Second})
	for _, code := range []string{"internal_error", "account_inactive", "a_code_that_nobody_knows"} {
		each(slacksim.Fault{Kind: slacksim.FaultError, Code: code})
	}
	each(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultError, Code: "channel_not_found"})
	c.sim.DropSockets()
	c.sim.RefuseConnections(20)
	c.pause(5 * time.Second)
	c.sim.Mute(true)
	c.pause(5 * time.Second)
	c.sim.ClearFaults()
}

func (c *chaos) pauseEach() {
	for _, i := range c.running {
		c.signalTo(i, syscall.SIGSTOP)
		c.pause(20 * time.Second)
		c.signalTo(i, syscall.SIGCONT)
		c.accepts(c.load, 100)
	}
}

func (c *chaos) signalTo(i *chaosInstance, s syscall.Signal) {
	if err := i.Process.Signal(s); err != nil {
		c.Fatal(err)
	}
}

// chaosTable has a line for each fault that was tried.
var chaosTable = &chaosLines{}

type chaosLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *chaosLines) add(fault string, v chaosVerdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%-32s%9d%6d%8d%8d%8.1f s", fault, v.accepted, v.lost, v.missed, v.double, v.late.Seconds()))
}

func (l *chaosLines) print() {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.lines)
	fmt.Fprintf(os.Stdout, "%-32s%9s%6s%8s%8s%10s\n", "fault", "signals", "lost", "missed", "double", "latest")
	for _, line := range l.lines {
		fmt.Fprintln(os.Stdout, line)
	}
	l.lines = nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/watchbill/watchbill/localpg"
	"github.com/watchbill/watchbill/store/storetest"
)

// takesOver is how long after the promotion of a replica every instance accepts signals again: if
// the primary refuses connections, and if its machine doesn't respond at all. docs/outages.md gives
// the same figures.
const (
	takesOver       = 10 * time.Second
	takesOverSilent = 30 * time.Second
)

// TestFailover kills the primary of a real pair with synchronous replication while monitors send,
// and promotes the replica. The two instances, one with a spool, are not touched. Nothing accepted
// is lost, and nobody misses a page.
func TestFailover(t *testing.T) {
	t.Parallel()
	failoverKilled(t)
}

func failoverKilled(t *testing.T) {
	p := newChaosPlace(t, 30)
	primary, replica := p.pair()
	p.doctorTells(primary, replica)
	both := databaseOf(t, primary, replica) + "&target_session_attrs=read-write"
	p.failover("failover, the primary killed", takesOver, replica, both, func() {
		if err := primary.Kill(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// failoverCutOff is a failover whose primary lives on but is unreachable.
func failoverCutOff(t *testing.T) {
	p := newChaosPlace(t, 30)
	primary, replica := p.pair()
	first, one := storetest.NewProxy(t, databaseOf(t, primary))
	_, other := storetest.NewProxy(t, databaseOf(t, replica))
	a, errA := url.Parse(one)
	b, errB := url.Parse(other)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	b.Host += "," + a.Host // the replica comes first, and nothing requires it to be writable
	p.failover("failover, the primary cut off", takesOverSilent, replica, b.String(), func() { first.Set(storetest.ProxySilent) })
}

// failoverFenced is a failover whose primary lives on and answers, but is read-only.
func failoverFenced(t *testing.T) {
	p := newChaosPlace(t, 30)
	primary, replica := p.pair()
	p.failover("failover, the primary read-only", takesOver, replica, databaseOf(t, primary, replica), func() {
		p.ask(primary.URL(), `ALTER SYSTEM SET default_transaction_read_only = on`, nil)
		p.ask(primary.URL(), `SELECT pg_reload_conf()::text`, new(string))
	})
}

// failover runs an instance with a spool and one without while the primary is taken away and the
// replica promoted.
func (p *chaosPlace) failover(name string, limit time.Duration, replica *localpg.Server, both string, takeAway func()) {
	p.url = both
	with := p.start("WATCHBILL_SPOOL=" + p.TempDir())
	without := p.start()
	p.url = databaseOf(p.T, replica)
	load := p.load(50, 2)
	p.accepts(load, 200)

	// Later commits are not on the replica, so they must not be accepted.
	var receiver int
	p.ask(replica.URL(), `SELECT pid FROM pg_stat_wal_receiver`, &receiver)
	signalTo := func(s syscall.Signal) {
		if err := syscall.Kill(receiver, s); err != nil {
			p.Fatal(err)
		}
	}
	signalTo(syscall.SIGSTOP)
	p.until("the instance without a spool is not ready", time.Minute, func() bool { return !without.ready() })
	takeAway()
	signalTo(syscall.SIGCONT)
	p.accepts(load, 50) // by the spool
	began := time.Now()
	p.ask(replica.URL(), `SELECT pg_promote()`, nil)
	p.until("both instances accept signals", limit, func() bool { return with.ready() && without.ready() })
	p.Logf("both instances accept signals %.1f s after the promotion", time.Since(began).Seconds())
	p.accepts(load, 200)
	load.end()
	p.until("everything has gone its way", 2*time.Minute, load.settled)
	chaosTable.add(name, load.check())
}

// doctorTells checks the doctor's findings about a pair.
func (p *chaosPlace) doctorTells(primary, replica *localpg.Server) {
	p.Helper()
	both := databaseOf(p.T, primary, replica)
	for address, want := range map[string]string{
		both:                               "ok    database  its replica is synchronous: where it takes over, nothing that was accepted is lost\n",
		both + "&synchronous_commit=local": "note  database  its replica is asynchronous: where it takes over, what was accepted in the last moments before is lost\n",
		both + "&synchronous_commit=off":   "note  database  fsync or synchronous_commit is off: what was accepted in the last moments before a crash of the database is lost\n",
		databaseOf(p.T, replica):           "FAIL  database  it is read-only, as a replica is: nothing can be stored\n",
	} {
		if got := examined(p.T, address, time.Minute); !strings.Contains(got, want) {
			p.Errorf("of %s the doctor says:\n%s\nwant: %s", address, got, want)
		}
	}
}

// accepts waits until a number of further signals have been accepted.
func (p *chaosPlace) accepts(l *chaosLoad, n int) {
	p.Helper()
	before, _ := l.accepted()
	p.until(fmt.Sprint(n, " more signals are accepted"), time.Minute, func() bool {
		now, _ := l.accepted()
		return now >= before+n
	})
}

// pair runs a primary, with the set-up, and a synchronous replica.
func (p *chaosPlace) pair() (primary, replica *localpg.Server) {
	p.Helper()
	return p.pairWith(p.setUp)
}

// pairWith runs a pair with other contents.
func (p *chaosPlace) pairWith(setUp func(*localpg.Server)) (primary, replica *localpg.Server) {
	p.Helper()
	const sync = "synchronous_standby_names=replica"
	one, other := p.TempDir(), filepath.Join(p.TempDir(), "replica")
	first := p.database(one)
	setUp(first)
	if err := first.Stop(context.Background()); err != nil {
		p.Fatal(err)
	}
	if err := os.CopyFS(other, os.DirFS(one)); err != nil {
		p.Fatal(err)
	}
	data, err := filepath.Glob(filepath.Join(other, "pg*", "PG_VERSION"))
	if err != nil || len(data) != 1 {
		p.Fatalf("the copy has %q, %v, want 1 entry", data, err)
	}
	dir := filepath.Dir(data[0])
	if err := os.WriteFile(filepath.Join(dir, "standby.signal"), nil, 0o600); err != nil {
		p.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		p.Fatal(err)
	}
	primary = p.database(one, sync)
	replica = p.database(other, "primary_conninfo=host="+socketOf(p.T, primary)+" port=5432 user=postgres application_name=replica")
	p.url = databaseOf(p.T, primary)
	p.until("the replica follows", time.Minute, func() bool {
		return p.count(`SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`) == 1
	})
	return primary, replica
}

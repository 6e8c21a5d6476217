// Package storetest gives each test a migrated PostgreSQL database of its own.
//
// All tests share one server: that of TEST_DATABASE_URL, which must allow us to make databases, or
// one that the first test of the process starts. The databases are copies of a template that is
// migrated once for each version of the schema.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/oncall"
)

const (
	maxConns  = 4               // for each test: 60 tests at once fit the server
	testLimit = 3 * time.Minute // the first may have to wait for a server and a template
)

// New returns a pool of connections to a database that has the whole schema and nothing else. Both
// end with the test. With WATCHBILL_KEEP_DB set the database of a failed test stays, and the test's
// log says where.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, NewURL(t))
}

// NewEmpty returns a pool of connections to a database without any schema.
func NewEmpty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, newURL(t, (*server).createEmpty))
}

// NewURL returns the address of a migrated database, for a test that starts a whole program on it.
func NewURL(t testing.TB) string {
	t.Helper()
	return newURL(t, (*server).create)
}

func open(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	cfg.MaxConns = maxConns
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatalf("storetest: open the database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func newURL(t testing.TB, create func(*server, context.Context, string) error) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testLimit)
	defer cancel()
	s, err := shared.prepare(ctx)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	name := databaseName(t.Name())
	address, err := withDatabase(s.url, name)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	if err := create(s, ctx, name); err != nil {
		t.Fatalf("storetest: make a database: %v", err)
	}
	drops.begin()
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("WATCHBILL_KEEP_DB") != "" {
			t.Logf("the database is kept: %s", address)
			drops.keep()
			return
		}
		drops.drop(s, name)
	})
	return address
}

// databaseName is unique and shows whose it is; PostgreSQL's limit is 63 bytes.
func databaseName(test string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, test)
	unique := make([]byte, 6)
	_, _ = rand.Read(unique) // never fails
	return "test_" + clean[:min(len(clean), 40)] + "_" + hex.EncodeToString(unique)
}

// withDatabase changes the database in an address of either form that PostgreSQL knows.
func withDatabase(address, name string) (string, error) {
	if !strings.Contains(address, "://") {
		return address + " dbname=" + name, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read TEST_DATABASE_URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// drops removes databases in the background, two at a time. The last test of those that are
// running waits for all of them, so that nothing is left when the process ends.
var drops = &dropper{idle: sync.NewCond(new(sync.Mutex)), slots: make(chan struct{}, 2)}

type dropper struct {
	idle    *sync.Cond // guards the numbers; told when pending falls to zero
	live    int        // databases that tests use
	pending int        // databases that are to be dropped
	slots   chan struct{}
}

// begin counts a database that a test uses.
func (d *dropper) begin() {
	d.idle.L.Lock()
	defer d.idle.L.Unlock()
	d.live++
}

// keep counts a database that nobody uses any more and that stays.
func (d *dropper) keep() {
	d.idle.L.Lock()
	defer d.idle.L.Unlock()
	d.live--
}

// drop removes a database that nobody uses any more.
func (d *dropper) drop(s *server, name string) {
	d.idle.L.Lock()
	defer d.idle.L.Unlock()
	d.live--
	d.pending++
	go d.run(s, name)
	for d.live == 0 && d.pending > 0 {
		d.idle.Wait()
	}
}

func (d *dropper) run(s *server, name string) {
	d.slots <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), testLimit)
	defer cancel()
	// The test is over and nobody is left to tell; an undropped database does no harm.
	_ = s.drop(ctx, name)
	<-d.slots
	d.idle.L.Lock()
	defer d.idle.L.Unlock()
	if d.pending--; d.pending == 0 {
		d.idle.Broadcast()
	}
}

// Secret is the value of WATCHBILL_SECRET in tests.
const Secret = "a-secret-that-only-the-tests-of-watchbill-have"

// Secrets returns what a Store needs to sign and to hash.
func Secrets() []oncall.Secret { return []oncall.Secret{oncall.Secret(Secret)} }

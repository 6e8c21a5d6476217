package storetest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/watchbill/watchbill/store/storetest"
)

// A package that checks for leaked goroutines can use storetest.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParallelTestsDoNotSeeEachOther(t *testing.T) {
	names := make(chan string, 8)
	t.Run("group", func(t *testing.T) {
		for n := range 8 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				names <- useDatabase(t, n)
			})
		}
	})
	close(names)
	pool := storetest.NewEmpty(t)
	for name := range names {
		var left bool
		err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&left)
		if err != nil {
			t.Fatal(err)
		}
		if left {
			t.Errorf("database %s is still there after its test", name)
		}
	}
}

func useDatabase(t *testing.T, n int) (name string) {
	pool := storetest.New(t)
	if got := pool.Config().MaxConns; got != 4 {
		t.Errorf("the pool allows %d connections; want 4", got)
	}
	if _, err := pool.Exec(t.Context(), `CREATE TABLE mine (n int)`); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO mine VALUES ($1)`, n); err != nil {
		t.Fatal(err)
	}
	var jobs, rows int
	var jit string
	err := pool.QueryRow(t.Context(), `
		SELECT current_database(), (SELECT count(*) FROM river_job), (SELECT sum(n) FROM mine), current_setting('jit')`).
		Scan(&name, &jobs, &rows, &jit)
	if err != nil {
		t.Fatal(err)
	}
	if jobs != 0 || rows != n || jit != "off" {
		t.Errorf("jobs %d, sum %d, jit %s; want 0, %d, off", jobs, rows, jit, n)
	}
	return name
}

// failed is a test that has failed, and whose end we decide.
type failed struct {
	testing.TB
	cleanups []func()
	log      strings.Builder
}

func (f *failed) Failed() bool                 { return true }
func (f *failed) Cleanup(c func())             { f.cleanups = append(f.cleanups, c) }
func (f *failed) Logf(format string, a ...any) { fmt.Fprintf(&f.log, format, a...) }

func (f *failed) end() {
	for _, cleanup := range slices.Backward(f.cleanups) {
		cleanup()
	}
}

func TestFailedTestsDatabaseIsKeptOnDemand(t *testing.T) {
	for _, keep := range []string{"", "1"} {
		t.Setenv("WATCHBILL_KEEP_DB", keep)
		test := &failed{TB: t}
		address := storetest.NewURL(test)
		test.end()
		conn, err := pgx.Connect(t.Context(), address)
		if kept := err == nil; kept != (keep == "1") {
			t.Errorf("WATCHBILL_KEEP_DB=%q: the database is kept: %t (%v), want %t", keep, kept, err, keep == "1")
		}
		if logged := strings.Contains(test.log.String(), address); logged != (keep == "1") {
			t.Errorf("WATCHBILL_KEEP_DB=%q: the log names the database: %t, want %t: %q", keep, logged, keep == "1", test.log.String())
		}
		if err == nil {
			conn.Close(t.Context())
			drop(t, address)
		}
	}
}

func drop(t *testing.T, address string) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	name := pgx.Identifier{cfg.ConnConfig.Database}.Sanitize()
	if _, err := storetest.NewEmpty(t).Exec(context.Background(), "DROP DATABASE "+name); err != nil {
		t.Fatal(err)
	}
}

func TestConfiguredAddressIsUsed(t *testing.T) {
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		address = storetest.NewURL(t) // the server that we started
	}
	want, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	if got := storetest.New(t).Config().ConnConfig.Host; got != want.Host {
		t.Errorf("the database is at %s; want %s", got, want.Host)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		f := &failed{TB: b}
		if err := storetest.New(f).Ping(b.Context()); err != nil {
			b.Fatal(err)
		}
		f.end()
	}
}

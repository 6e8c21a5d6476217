package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// examined is what the doctor says about a database.
func examined(t *testing.T, address string, limit time.Duration) string {
	t.Helper()
	var out bytes.Buffer
	c := doctorCmd{databaseFlags: databaseFlags{address}}
	c.database(&report{process: process{ctx: t.Context(), out: &out, clock: time.Now}}, limit)
	return out.String()
}

func TestTheDoctorTellsWhyTheDatabaseLetsUsNotIn(t *testing.T) {
	t.Parallel()
	right := storetest.NewEmpty(t).Config().ConnString()
	changed := func(change func(*url.URL, url.Values)) string {
		u, err := url.Parse(right)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("sslmode", "prefer") // so that pgx makes two attempts
		change(u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for address, want := range map[string][2]string{
		changed(func(u *url.URL, _ url.Values) { u.Path = "/nowhere" }): {
			`PostgreSQL says: database "nowhere" does not exist (SQLSTATE 3D000)`, "Create the database",
		},
		changed(func(u *url.URL, _ url.Values) { u.User = url.User("nobody") }): {
			`PostgreSQL says: role "nobody" does not exist (SQLSTATE 28000)`, "Check the user in DATABASE_URL",
		},
		"postgres://watchbill@127.0.0.1:1/watchbill?sslmode=prefer": {
			"dial tcp 127.0.0.1:1: connect: connection refused", "Check host and port in DATABASE_URL, and that PostgreSQL runs",
		},
	} {
		got := examined(t, address, time.Minute)
		if !strings.HasPrefix(got, "FAIL  database  "+want[0]+"\n") || !strings.Contains(got, "\n                "+want[1]) || strings.Count(got, "\n") != 2 {
			t.Errorf("%s:\n%s", address, got)
		}
	}
}

func TestTheDoctorTellsAWrongPassword(t *testing.T) {
	t.Parallel()
	refused := &pgconn.PgError{Code: "28P01", Message: `password authentication failed for user "watchbill"`}
	err := fmt.Errorf("ping the database: %w", errors.Join(errors.New("tls error: server refused TLS connection"), refused, refused))
	found, remedy := unreachable(t.Context(), err)
	if found != `PostgreSQL says: password authentication failed for user "watchbill" (SQLSTATE 28P01)` || !strings.Contains(remedy, "password in DATABASE_URL") {
		t.Errorf("%q, %q", found, remedy)
	}
}

func TestTheDoctorNamesALock(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	address := pool.Config().ConnString()
	if err := migrate(process{ctx: t.Context(), errOut: io.Discard}, address); err != nil {
		t.Fatal(err)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE goose_db_version`); err != nil {
		t.Fatal(err)
	}
	got := examined(t, address, 8*time.Second) // while the lock is held
	if !strings.Contains(got, "FAIL  schema    the database has not answered in time\n                Look whether something holds a lock") || strings.Count(got, "FAIL") != 1 {
		t.Error(got)
	}
}

// Too few connections make pages late: the doctor counts those that are free, and the instances.
func TestTheDoctorCountsConnections(t *testing.T) {
	t.Parallel()
	address := storetest.NewURL(t)
	if got := examined(t, address, time.Minute); !regexp.MustCompile(`ok    database  \d+ connections are free for Watchbill, and one instance may use 19\n`).MatchString(got) {
		t.Error(got)
	}
	db, err := store.Open(t.Context(), address, store.Options{MaxConns: 2, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	room, err := db.Room(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := room.Allowed/store.InstanceConns + 1
	for i := range n {
		in, err := db.HoldInstance(t.Context(), fmt.Sprint("instance ", i))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Release()
	}
	want := fmt.Sprintf(`FAIL  database  \d+ connections are free for Watchbill, and %d instances may use %d\n +Let PostgreSQL's max_connections leave 19 for each instance`, n, n*store.InstanceConns)
	if got := examined(t, address, time.Minute); !regexp.MustCompile(want).MatchString(got) {
		t.Error(got)
	}
}

func TestTheDoctorKnowsAnUncheckedDatabase(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"postgres://w:x@db.example.com/w":                     true,
		"postgres://w:x@db.example.com/w?sslmode=disable":     true,
		"postgres://w:x@db.example.com/w?sslmode=require":     true,
		"postgres://w:x@db.example.com/w?sslmode=verify-full": false,
		"postgres://w:x@db.example.com/w?sslmode=verify-ca":   false,
		"postgres://w:x@localhost/w":                          false,
		"postgres://w:x@127.0.0.1/w":                          false,
		"postgres://w:x@[::1]/w?sslmode=disable":              false,
		"postgres://w:x@/w?host=/run/postgresql":              false,
		"postgres://w:x@localhost,db.example.com/w":           true,
	} {
		if got := unverified(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

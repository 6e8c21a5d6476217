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

// examined returns the doctor's findings about a database.
func examined(t *testing.T, address string, limit time.Duration) string {
	t.Helper()
	var out bytes.Buffer
	c := doctorCmd{databaseFlags: databaseFlags{address}}
	c.database(&report{process: process{ctx: t.Context(), out: &out, clock: time.Now}}, limit)
	return out.String()
}

func TestDoctorExplainsARefusedConnection(t *testing.T) {
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
			t.Errorf("%s: got\n%s\nwant three lines, with the finding %q and the remedy %q", address, got, want[0], want[1])
		}
	}
}

func TestDoctorReportsAWrongPassword(t *testing.T) {
	t.Parallel()
	refused := &pgconn.PgError{Code: "28P01", Message: `password authentication failed for user "watchbill"`}
	err := fmt.Errorf("ping the database: %w", errors.Join(errors.New("tls error: server refused TLS connection"), refused, refused))
	found, remedy := unreachable(t.Context(), err)
	if found != `PostgreSQL says: password authentication failed for user "watchbill" (SQLSTATE 28P01)` || !strings.Contains(remedy, "password in DATABASE_URL") {
		t.Errorf(`%q, %q; want found %q and remedy to contain "password in DATABASE_URL"`, found, remedy, `PostgreSQL says: password authentication failed for user "watchbill" (SQLSTATE 28P01)`)
	}
}

func TestDoctorReportsALock(t *testing.T) {
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
		t.Errorf(`%v; want it to contain %q and no other FAIL`, got, "FAIL  schema    the database has not answered in time\n                Look whether something holds a lock")
	}
}

// Too few connections delay pages, so the doctor compares the free ones with the instances.
func TestDoctorCountsConnections(t *testing.T) {
	t.Parallel()
	address := storetest.NewURL(t)
	free := `ok    database  \d+ connections are free for Watchbill, and one instance may use 19\n`
	if got := examined(t, address, time.Minute); !regexp.MustCompile(free).MatchString(got) {
		t.Errorf("got\n%s\nwant a match of %s", got, free)
	}
	db, err := store.Open(t.Context(), address, store.Options{MaxConns: 2, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	room, err := db.ConnectionUse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := room.Allowed/store.InstanceConns + 1
	for i := range n {
		in, err := db.ClaimInstance(t.Context(), fmt.Sprint("instance ", i))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Release()
	}
	want := fmt.Sprintf(`FAIL  database  \d+ connections are free for Watchbill, and %d instances may use %d\n +Let PostgreSQL's max_connections leave 19 for each instance`, n, n*store.InstanceConns)
	if got := examined(t, address, time.Minute); !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got\n%s\nwant a match of %s", got, want)
	}
}

func TestDoctorWarnsOfUnverifiedTLS(t *testing.T) {
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
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// The doctor's findings about the secret, when it was just set, is being replaced, or is missing.
func TestDoctorChecksTheSecret(t *testing.T) {
	t.Parallel()
	address := storetest.NewURL(t)
	one, other, third := newSecret(), newSecret(), newSecret()
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	serve := func(value string, at time.Time) {
		t.Helper()
		db, err := store.Open(t.Context(), address, store.Options{Secrets: secretFlags{value}.secrets(), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.UseSecrets(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	says := func(c doctorCmd, at time.Time, want ...string) {
		t.Helper()
		var out bytes.Buffer
		db, err := store.Open(t.Context(), address, store.Options{Secrets: c.secrets(), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c.secret(t.Context(), &report{process: process{ctx: t.Context(), out: &out, clock: func() time.Time { return at }}}, db)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		for i, line := range lines {
			lines[i] = strings.TrimSpace(line)
		}
		for i, part := range want {
			if i >= len(lines) || !strings.HasPrefix(lines[i], part) {
				t.Errorf("want %q:\n%s", part, out.String())
				return
			}
		}
		if len(lines) != len(want) || strings.Contains(out.String(), one) || strings.Contains(out.String(), other) {
			t.Errorf("printed %s, want each line once, and no secret", out.String())
		}
	}
	set := func(value string) doctorCmd { return doctorCmd{secretFlags: secretFlags{value}} }

	says(set(""), began, "FAIL  secret    WATCHBILL_SECRET is not set: nobody can verify", "Make one by `watchbill secret new`")
	says(set(one), began, "ok    secret    WATCHBILL_SECRET is set; no instance has used it yet")
	says(set(one), began, "ok    secret    WATCHBILL_SECRET is set; no instance has used it yet") // so that looking notes nothing
	serve(one, began)
	says(set(one), began, "ok    secret    WATCHBILL_SECRET is set, and used since 2026-03-02 12:00 UTC")
	says(set(""), began, "FAIL  secret    WATCHBILL_SECRET is not set here, and the instances had one", "Set the value that the instances have")
	says(set(other), began, "FAIL  secret    WATCHBILL_SECRET is another than the instances had", "Set the value that the instances have")

	replaced := began.Add(24 * time.Hour)
	says(set(other+","+one), replaced, "note  secret    WATCHBILL_SECRET has 2 parts, as while it is replaced; no instance has the first yet", "Set it so for all instances")
	serve(other+","+one, replaced)
	says(set(other+","+one), replaced, "note  secret    WATCHBILL_SECRET has 2 parts, as while it is replaced; the first is used from 2026-03-03 12:15 UTC on", "Until then all instances must have it.")
	says(set(other), replaced, "ok    secret    WATCHBILL_SECRET is set, and used from 2026-03-03 12:15 UTC on")
	says(set(other+","+one), replaced.Add(time.Hour), "note  secret    WATCHBILL_SECRET has 2 parts, as while it is replaced; the first is used since 2026-03-03 12:15 UTC",
		"After 2026-03-05 12:15 UTC set the part before the comma alone")
	says(set(other+","+one), replaced.Add(49*time.Hour), "note  secret    WATCHBILL_SECRET has 2 parts, as while it is replaced; the first is used since 2026-03-03 12:15 UTC",
		"Set the part before the comma alone, and restart")
	says(set(one), replaced.Add(time.Hour), "ok    secret    WATCHBILL_SECRET is set, and used since 2026-03-02 12:00 UTC",
		"note  secret    an instance has another, which is newer: it is used since 2026-03-03 12:15 UTC", "Set the value that the instances have")
	says(set(third+","+other+","+one), replaced.Add(49*time.Hour), "note  secret    WATCHBILL_SECRET has 3 parts", "Set it so for all instances")

	c := set("hidden")
	if err := c.Run(process{ctx: t.Context(), out: io.Discard}); err == nil || !strings.Contains(err.Error(), "WATCHBILL_SECRET can't be used: it is shorter than 32 characters") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error is %v, want that the secret is too short, without the secret", err)
	}
}

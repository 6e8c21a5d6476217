package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// spool: signals are kept on disk while the database is away. It must come before start.
func (s *story) keepSpool(ts *testscript.TestScript, _ bool, _ []string) {
	s.spool = s.t.TempDir()
	s.proxy, s.appURL = storetest.NewProxy(s.t, s.url)
	ts.Setenv("DATABASE_URL", s.appURL)
	ts.Setenv("WATCHBILL_SPOOL", s.spool)
}

// dump FILE: the database is dumped, as docs/backup.md says.
func (s *story) dump(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	ts.Check(ts.Exec("pg_dump", "--format=custom", "--file="+ts.MkAbs(args[0]), s.url))
}

// backup FILE: watchbill backup writes what the database holds.
func (s *story) backup(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	s.command(ts, "backup", "--database-url", s.url, "--secret", storetest.Secret, "--file", ts.MkAbs(args[0]))
}

// command runs a command of watchbill at the story's time, and keeps what it prints.
func (s *story) command(ts *testscript.TestScript, args ...string) {
	var out bytes.Buffer
	p := process{ctx: context.Background(), out: &out, errOut: &out, getenv: func(string) string { return "" }, clock: s.clock.Now}
	if code := p.run(args); code != 0 {
		ts.Fatalf("%v: %d, %s, want 0", args[0], code, out.String())
	}
	_, err := ts.Stdout().Write(out.Bytes())
	ts.Check(err)
}

// restore FILE [COMMAND…]: the program ends, the dump takes the place of the database, COMMAND of watchbill runs, and the
// program starts. What backup has written is restored by watchbill itself.
func (s *story) restore(ts *testscript.TestScript, _ bool, args []string) {
	s.stop()
	ctx := context.Background()
	db, err := pgx.Connect(ctx, s.url)
	ts.Check(err)
	_, err = db.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	ts.Check(errors.Join(err, db.Close(ctx)))
	if filepath.Ext(args[0]) == ".backup" {
		s.command(ts, "restore", "--database-url", s.url, "--secret", storetest.Secret, "--file", ts.MkAbs(args[0]))
	} else {
		ts.Check(ts.Exec("pg_restore", "--no-owner", "--exit-on-error", "--dbname="+s.url, ts.MkAbs(args[0])))
	}
	if len(args) > 1 {
		s.command(ts, append(args[1:], "--database-url", s.url)...)
	}
	s.launch(ts)
	s.settle(ts)
}

// database away|back: from now on the program can't reach its database, or can again.
func (s *story) database(ts *testscript.TestScript, _ bool, args []string) {
	if s.away = args[0] == "away"; s.away {
		s.until(ts, "what is known to be on the disk", func() bool {
			_, err := os.Stat(filepath.Join(s.spool, "known.json"))
			return err == nil
		})
		s.proxy.Set(storetest.ProxyDown)
		return
	}
	s.proxy.Set(storetest.ProxyUp)
	if s.app == nil {
		return // the story says what to wait for
	}
	s.until(ts, "the spool to be stored", func() bool { return !s.app.store.Suspended() })
	s.settle(ts)
}

// heard: waits until the running program has heard of the teams, and of their managers, that another one has stored.
func (s *story) heard(ts *testscript.TestScript, _ bool, _ []string) {
	ctx := context.Background()
	db, err := store.Open(ctx, s.url, store.Options{Log: zerolog.Nop()})
	ts.Check(err)
	defer db.Close()
	stored, err := db.Directory(ctx)
	ts.Check(err)
	s.until(ts, "the program to hear of the set-up", func() bool {
		known, err := s.app.store.Directory(ctx)
		ts.Check(err)
		for _, team := range stored.Teams {
			if !slices.Equal(stored.Managers(team.ID), known.Managers(team.ID)) {
				return false
			}
		}
		return reflect.DeepEqual(stored.Teams, known.Teams)
	})
}

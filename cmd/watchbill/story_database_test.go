package main

import (
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/store/storetest"
)

// spool: signals are kept on disk while the database is away. It must come before start.
func (s *story) keepSpool(ts *testscript.TestScript, _ bool, _ []string) {
	s.spool = s.t.TempDir()
	s.proxy, s.appURL = storetest.NewProxy(s.t, s.url)
	ts.Setenv("DATABASE_URL", s.appURL)
	ts.Setenv("WATCHBILL_SPOOL", s.spool)
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

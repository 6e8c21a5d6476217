package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/localpg"
)

// A pair is a database with a standby that must have what is committed.
type pair struct {
	place            *chaosPlace
	primary, standby *localpg.Server
}

// standby [takes over]: the database has a standby on another server, which has everything that is accepted; it must come
// before start. Later on it takes over.
func (s *story) standby(ts *testscript.TestScript, _ bool, args []string) {
	switch strings.Join(args, " ") {
	case "":
		p := &chaosPlace{T: s.t}
		primary, standby := p.pairWith(p.create)
		s.pair = &pair{place: p, primary: primary, standby: standby}
		s.url = databaseOf(s.t, primary, standby) + "&target_session_attrs=read-write"
		ts.Setenv("DATABASE_URL", s.url)
	case "takes over":
		s.pair.place.ask(s.pair.standby.URL(), `SELECT pg_promote()`, nil)
		s.until(ts, "the program to find the new primary", func() bool {
			resp, err := http.Get("http://" + s.addr + "/readyz")
			if err != nil {
				return false
			}
			resp.Body.Close()
			var there int
			return resp.StatusCode == http.StatusOK && s.app.store.Pool().QueryRow(context.Background(), `SELECT 1`).Scan(&there) == nil
		})
		s.away = false
		s.settle(ts)
	default:
		ts.Fatalf("usage: standby [takes over]")
	}
}

// primary dies [after signal KEY TITLE SEVERITY]: the machine of the database fails, the moment that signal is accepted.
func (s *story) primaryDies(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 6 && args[1] == "after" {
		body, err := json.Marshal(map[string]string{"dedup_key": args[3], "title": args[4], "severity": args[5]})
		ts.Check(err)
		code, err := postSignal("http://"+s.addr+"/v1/signals/"+storyKey, body)
		ts.Check(err)
		if code != http.StatusAccepted {
			ts.Fatalf("the signal was answered %d, want %d", code, http.StatusAccepted)
		}
	}
	s.away = true
	ts.Check(s.pair.primary.Kill(context.Background()))
}

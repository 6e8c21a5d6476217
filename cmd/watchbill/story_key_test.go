package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// newkey PERSON: copies the new key that the open form shows to $KEY.
func (s *story) newKey(ts *testscript.TestScript, _ bool, args []string) {
	shown := regexp.MustCompile(`\b[0-9a-f]{32}\b`).FindString(s.sim.ViewText(person(args[0])))
	if shown == "" {
		ts.Fatalf("no key is shown")
	}
	ts.Setenv("KEY", shown)
}

// keyed KEY STATUS TITLE: a monitor with this key sends a signal, and is answered with this status. "demo" is the
// key that the integration demo begins with.
func (s *story) keyed(ts *testscript.TestScript, _ bool, args []string) {
	key := args[0]
	if key == "demo" {
		key = storyKey
	}
	body := fmt.Sprintf(`{"title": %q, "dedup_key": %q}`, args[2], args[2])
	resp, err := http.Post("http://"+s.addr+"/v1/signals/"+key, "application/json", strings.NewReader(body))
	ts.Check(err)
	resp.Body.Close()
	if got := fmt.Sprint(resp.StatusCode); got != args[1] {
		ts.Fatalf("the monitor was answered %s, want %s", got, args[1])
	}
	s.settle(ts)
}

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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

// signed SECRET STATUS TITLE: the monitor of the integration demo sends a signal that it has signed, as GitHub does, and
// is answered with this status.
func (s *story) signed(ts *testscript.TestScript, _ bool, args []string) {
	body := fmt.Appendf(nil, `{"title": %q, "dedup_key": %q}`, args[2], args[2])
	h := hmac.New(sha256.New, []byte(args[0]))
	h.Write(body)
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr+"/v1/signals/"+storyKey, bytes.NewReader(body))
	ts.Check(err)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(h.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	resp.Body.Close()
	if got := fmt.Sprint(resp.StatusCode); got != args[1] {
		ts.Fatalf("the monitor was answered %s, want %s", got, args[1])
	}
	s.settle(ts)
}

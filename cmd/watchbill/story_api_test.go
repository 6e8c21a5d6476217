package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/oncall"
)

// apikey NAME SCOPE…: somebody makes an API key of the installation, with which api asks from then on.
func (s *story) apikey(ts *testscript.TestScript, _ bool, args []string) {
	k := oncall.APIKey{Name: args[0]}
	for _, scope := range args[1:] {
		k.Scopes = append(k.Scopes, oncall.Scope(scope))
	}
	key, _, err := s.app.store.CreateAPIKey(s.t.Context(), oncall.ByCommandLine("root"), k, s.clock.Now())
	ts.Check(err)
	ts.Setenv("APIKEY", key)
}

// api METHOD PATH STATUS [BODY]: a program asks the REST API with the key of apikey, is answered with this status, and
// the answer is printed.
func (s *story) api(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	req, err := http.NewRequest(args[0], "http://"+s.addr+"/api/v1"+args[1], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("APIKEY"))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = fmt.Fprintln(ts.Stdout(), string(text))
	ts.Check(err)
	if got := fmt.Sprint(resp.StatusCode); got != args[2] {
		ts.Fatalf("answered %s, want %s: %s", got, args[2], text)
	}
	s.settle(ts)
}

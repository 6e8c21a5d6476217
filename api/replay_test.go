package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// replayKey belongs to an integration without a chosen format.
const replayKey = "9b1d4c07e25f8a36d0b97e418c5fa362"

// A recording is what a monitor or a client library sent to a listener, byte for byte.
type recording struct {
	Sender   string
	How      string
	Requests []struct {
		Method, Path, Body string
		Headers            http.Header
	}
}

var cutShort = regexp.MustCompile(`"truncatedAlerts":\s*[1-9]`)

var recordedKey = regexp.MustCompile(`"(routing_key|service_key)":\s*"[^"]*"`)

// TestReplayOfRecordedRequests replays requests of real monitors, with only the key and address changed. The
// recordings are outside the repository, as they are not ours to publish; testdata/replay has
// invented ones of the same shapes.
func TestReplayOfRecordedRequests(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/replay/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no recordings, %v, want some", err)
	}
	extra, err := filepath.Glob(os.Getenv("WATCHBILL_RECORDINGS") + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(extra) == 0 {
		t.Log("WATCHBILL_RECORDINGS names no directory with more of them")
	}
	for _, file := range slices.Concat(files, extra) {
		var r recording
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal(data, &r) != nil || len(r.Requests) == 0 || strings.HasPrefix(r.Requests[0].Path, "/ping/") {
			continue // no requests, or pings of heartbeats
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addAutoIntegration(replayKey)
			truncated := false
			for i, one := range r.Requests {
				truncated = truncated || cutShort.MatchString(one.Body)
				w.replay(i, one.Method, one.Path, one.Body, one.Headers)
			}
			w.wantUnderstood(truncated)
		})
	}
}

// replay sends one request, addressed as it was, except for the paths /hook and /ping, which stand for any.
func (w *world) replay(i int, method, path, body string, header http.Header) {
	w.Helper()
	for _, any := range []string{"/hook", "/ping"} {
		if rest, ok := strings.CutPrefix(path, any); ok && (rest == "" || rest[0] == '?') {
			path = "/v1/signals/" + replayKey + rest
		}
	}
	body = recordedKey.ReplaceAllString(body, `"$1":"`+replayKey+`"`)
	var lines []string
	for name, values := range header {
		value := values[0]
		switch name {
		case "Authorization":
			scheme, _, _ := strings.Cut(value, " ")
			value = scheme + " " + replayKey
		case "Content-Length", "Connection", "Accept-Encoding", "Transfer-Encoding":
			continue
		}
		lines = append(lines, name+": "+value)
	}
	if got := w.send(method, path, strings.NewReader(body), lines...); got.code/100 != 2 && !strings.Contains(path, "/requests/") {
		w.Errorf("request %d, %s %.80s: got %d %s, want 2xx", i, method, path, got.code, got.body)
	}
}

// wantUnderstood checks that no body was kept raw, that every alert has a name, and that every resolved
// one was firing, unless lists were truncated.
func (w *world) wantUnderstood(truncated bool) {
	w.Helper()
	rows, err := w.pool.Query(w.Context(), `
		SELECT signal->>'action', coalesce(signal->>'dedup_key', ''), coalesce(signal->>'title', ''), coalesce(signal->>'unread', '')
		FROM inbox
		ORDER BY id`)
	w.must(err)
	defer rows.Close()
	began := map[string]bool{}
	counts := map[string]int{}
	for rows.Next() {
		var action, key, title, unread string
		w.must(rows.Scan(&action, &key, &title, &unread))
		counts[action]++
		switch {
		case unread != "":
			w.Errorf("not understood: %s", title)
		case action == "trigger" && title == "":
			w.Errorf("%q has no title", key)
		case (action == "resolve" || action == "acknowledge") && !began[key] && !truncated:
			w.Errorf("%s of %q, which has not begun", action, key)
		}
		if action == "trigger" {
			began[key] = true
		}
	}
	if counts["trigger"] == 0 {
		w.Errorf("got signals %v, want some triggers", counts)
	}
	w.Logf("understood: %s", fmt.Sprint(counts))
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A signalServer imitates Watchbill for `watchbill signal`.
type signalServer struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	answer func(body map[string]any, key string) int
	got    []map[string]any // accepted, in order
}

func newSignalServer(t *testing.T) *signalServer {
	t.Helper()
	s := &signalServer{t: t, answer: func(map[string]any, string) int { return http.StatusAccepted }}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/signals" {
			t.Errorf(`%s %s: %v; want %s and Path "/v1/signals"`, r.Method, r.URL, err, http.MethodPost)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		code := s.answer(body, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if code == http.StatusAccepted {
			s.got = append(s.got, body)
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *signalServer) respondWith(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func(map[string]any, string) int { return code }
}

// titles returns those of the accepted signals, in order.
func (s *signalServer) titles() (titles []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range s.got {
		titles = append(titles, fmt.Sprint(body["title"]))
	}
	return titles
}

// signal runs the command, and returns its exit status and output.
func (s *signalServer) signal(queue string, args ...string) (int, string) {
	var out bytes.Buffer
	p := process{ctx: s.t.Context(), out: io.Discard, errOut: &out, getenv: func(string) string { return "" }, clock: time.Now}
	code := p.run(append([]string{"signal", "--url", s.URL, "--key", "the-key", "--queue", queue, "--timeout", "5s"}, args...))
	return code, out.String()
}

func TestSignalCommand(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), filepath.Join(t.TempDir(), "deep", "queue")
	code, said := d.signal(queue, "disk full", "--severity", "CRITICAL", "--status", "PROBLEM", "--dedup-key", "db-1/disk", "--service", "db",
		"--label", "host=db-1", "--label", "mount=/a;b=c", "--link", "https://example.com", "--body", "98 %\x00 used")
	if code != 0 || said != "" {
		t.Fatalf(`exit status %d: %s; want the exit status 0 and no words`, code, said)
	}
	want := map[string]any{
		"title": "disk full", "severity": "CRITICAL", "status": "PROBLEM", "dedup_key": "db-1/disk", "link": "https://example.com", "body": "98 %\x00 used",
		"labels": map[string]any{"service": "db", "host": "db-1", "mount": "/a;b=c"},
	}
	if delete(d.got[0], "sent_at"); fmt.Sprint(d.got[0]) != fmt.Sprint(want) {
		t.Errorf("sent %v, want %v", d.got[0], want)
	}
	if code, _ := d.signal(queue, "db is up", "--status", "OK", "--severity", "OK"); code != 0 || d.got[1]["severity"] != nil {
		t.Errorf(`a state for a severity: %v; want the exit status 0 and no severity sent`, d.got[1])
	}
	info, err := os.Stat(queue)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the queue: got %v, %v, want the mode 0700", info, err)
	}
}

func TestSignalCommandNeedsContent(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	for _, args := range [][]string{{}, {"--severity", "high"}, {"title", "--flush"}, {"title", "--url", "example.com"}, {"title", "--key", "a b"}, {"title", "--timeout", "0s"}, {"title", "--key", "", "--key-file", "/nothing/there"}} {
		if code, said := d.signal(queue, args...); code != 2 {
			t.Errorf("%q: exit status %d, %s, want 2", args, code, said)
		}
	}
	if len(d.got) > 0 {
		t.Errorf("sent %v, want none", d.got)
	}
}

// Signals wait while Watchbill is unavailable, and are then sent in order of arrival.
func TestSignalCommandQueues(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	for i, code := range []int{503, 502, 500, 429, 200, 301, 401, 404} { // 200 and 301 are not Watchbill
		d.respondWith(code)
		if got, said := d.signal(queue, fmt.Sprint("signal ", i)); got != 0 || !strings.Contains(said, fmt.Sprint(i+1, " signals wait in ")) {
			t.Errorf("answered %d: exit status %d, %s; want got 0 and said to contain %q", code, got, said, fmt.Sprint(i+1, " signals wait in "))
		}
	}
	if got, said := d.signal(queue, "--flush"); got != 1 || !strings.Contains(said, "8 signals wait") || strings.Contains(said, "the-key") {
		t.Errorf(`flushed while it is away: exit status %d, %s; want got 1, said to contain "8 signals wait" and said not to contain "the-key"`, got, said)
	}
	d.respondWith(http.StatusAccepted)
	if got, said := d.signal(queue, "the last"); got != 0 || said != "" {
		t.Errorf(`exit status %d, %s; want got 0 and said ""`, got, said)
	}
	var want []string
	for i := range 8 {
		want = append(want, fmt.Sprint("signal ", i))
	}
	if got := d.titles(); !slices.Equal(got, append(want, "the last")) {
		t.Errorf(`sent %q, want append(want, "the last")`, got)
	}
	if got, said := d.signal(queue, "--flush"); got != 0 || said != "" || len(d.titles()) != 9 {
		t.Errorf(`exit status %d, %s; want the exit status 0, no words and 9 signals sent`, got, said)
	}
}

// A signal that Watchbill never accepts doesn't hold up the rest, is reported, and is kept.
func TestSignalCommandSetsRefusedAside(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	d.answer = func(body map[string]any, _ string) int {
		if body["title"] == "bad" {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	}
	if code, said := d.signal(queue, "bad"); code != 1 || !strings.Contains(said, "400") || !strings.Contains(said, "it is kept in") {
		t.Errorf(`exit status %d, %s; want code 1, said to contain "400" and said to contain "it is kept in"`, code, said)
	}
	if code, said := d.signal(queue, "good"); code != 0 || !slices.Equal(d.titles(), []string{"good"}) {
		t.Errorf("exit status %d, %s; want the exit status 0 and only %v sent", code, said, []string{"good"})
	}
	if kept, err := filepath.Glob(filepath.Join(queue, "*.refused")); err != nil || len(kept) != 1 {
		t.Errorf("kept: %q, %v, want 1 entry", kept, err)
	}
}

// A waiting signal is sent with the present key, if the one that it was queued with is refused.
func TestSignalCommandUsesTheNewKey(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	d.respondWith(http.StatusServiceUnavailable)
	d.signal(queue, "before")
	d.answer = func(_ map[string]any, key string) int {
		if key == "the-key" {
			return http.StatusUnauthorized
		}
		return http.StatusAccepted
	}
	if code, said := d.signal(queue, "after", "--key", "another-key"); code != 0 || said != "" || !slices.Equal(d.titles(), []string{"before", "after"}) {
		t.Errorf(`exit status %d, %s; sent %q; want the exit status 0, no words and %q sent`, code, said, d.titles(), []string{"before", "after"})
	}
}

// Concurrent commands lose nothing and send nothing twice.
func TestConcurrentSignalCommands(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	d.respondWith(http.StatusServiceUnavailable)
	var all sync.WaitGroup
	for i := range 40 {
		if i == 20 {
			d.respondWith(http.StatusAccepted)
		}
		all.Go(func() {
			if code, said := d.signal(queue, fmt.Sprint("signal ", i)); code != 0 {
				t.Errorf("exit status %d, %s, want 0", code, said)
			}
		})
	}
	all.Wait()
	if code, said := d.signal(queue, "--flush"); code != 0 {
		t.Errorf("exit status %d, %s, want 0", code, said)
	}
	titles := d.titles()
	slices.Sort(titles)
	if all := len(titles); all != 40 || len(slices.Compact(titles)) != 40 {
		t.Errorf("%d signals were taken, of which %d differ; want all 40 and 40", all, len(slices.Compact(titles)))
	}
}

// A full queue, a damaged file and an unwritable directory show in the exit status.
func TestSignalCommandUnusableQueue(t *testing.T) {
	t.Parallel()
	d, queue := newSignalServer(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(queue, fmt.Sprintf(queuedPattern, 1)), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := d.signal(queue, "good"); code != 1 || !strings.Contains(said, "can't be read") || !slices.Equal(d.titles(), []string{"good"}) {
		t.Errorf(`a damaged file: exit status %d, %s; want the exit status 1, that it can't be read, and %v sent all the same`, code, said, []string{"good"})
	}
	d.respondWith(http.StatusServiceUnavailable)
	for i := range maxQueued {
		if err := os.WriteFile(filepath.Join(queue, fmt.Sprintf(queuedPattern, 100+i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, said := d.signal(queue, "one more"); code != 1 || !strings.Contains(said, "which is the most") {
		t.Errorf(`a full queue: exit status %d, %s; want code 1 and said to contain "which is the most"`, code, said)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _ := d.signal(file, "good"); code != 1 {
		t.Errorf("a file for a directory: exit status %d, want 1", code)
	}
}

package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/store/storetest"
)

// A demo is a running `watchbill demo`.
type demo struct {
	page    string // address of the local Slack's page
	signals string // address for sending alerts
	stop    func() string
}

// screen collects what the program prints and wakes those waiting for it.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// newDemo starts the demo with a test database and waits until it says what to do. Stop returns
// everything it printed.
func newDemo(t *testing.T, databaseURL, dir string) *demo {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := &screen{more: make(chan struct{}, 1)}
	ended := make(chan int, 1)
	go func() {
		p := process{ctx: ctx, out: out, errOut: out, getenv: func(string) string { return "" }, clock: time.Now}
		ended <- p.run([]string{
			"demo", "--database-url", databaseURL, "--data-dir", dir,
			"--listen", "127.0.0.1:18300", "--page", "127.0.0.1:18400",
		})
	}()
	d := &demo{stop: sync.OnceValue(func() string {
		cancel()
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("the demo ended with status %d:\n%s, want 0", code, out)
			}
		case <-time.After(time.Minute):
			t.Errorf("the demo doesn't end:\n%s", out)
		}
		return out.String()
	})}
	t.Cleanup(func() { d.stop() })
	timeout := time.After(time.Minute)
	for !strings.Contains(out.String(), "Ctrl-C stops it") {
		select {
		case <-out.more:
		case code := <-ended:
			ended <- code
			t.Fatalf("the demo ended with status %d:\n%s", code, out)
		case <-timeout:
			t.Fatalf("the demo is not ready:\n%s", out)
		}
	}
	d.page = find(t, out.String(), `Open the workspace\s+(\S+)`)
	d.signals = find(t, out.String(), `Fire an alert\s+curl (\S+)`)
	return d
}

func find(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return m[1]
}

func (d *demo) fire(t *testing.T, title, key string) {
	t.Helper()
	body := `{"title": "` + title + `", "dedup_key": "` + key + `", "severity": "critical"}`
	code, err := postSignal(d.signals, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if code != http.StatusAccepted {
		t.Fatalf("the alert was answered %d, want %d", code, http.StatusAccepted)
	}
}

// channel returns what the local Slack's page knows about the team's channel.
func (d *demo) channel(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(d.page + "/sim/state?user=U0ANN&channel=%23payments")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDemoKeepsItsData(t *testing.T) {
	t.Parallel()
	database, dir := storetest.NewEmpty(t).Config().ConnString(), t.TempDir()
	first := newDemo(t, database, dir)
	first.fire(t, "disk full on db-1", "db-1/disk")
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(first.channel(t), "disk full on db-1") {
		if time.Now().After(deadline) {
			t.Fatalf("the alert never appeared:\n%s", first.channel(t))
		}
		time.Sleep(10 * time.Millisecond)
	}
	before := first.channel(t)
	if said := first.stop(); !strings.Contains(said, "The data are kept") {
		t.Errorf("at the end the demo said:\n%s, want it to contain \"The data are kept\"", said)
	}
	second := newDemo(t, database, dir)
	if after := second.channel(t); !strings.Contains(after, "disk full on db-1") {
		t.Errorf("before:\n%s\nafter a restart:\n%s, want it to contain \"disk full on db-1\"", before, after)
	}
	if n := strings.Count(second.channel(t), `"name":"payments"`); n != 1 {
		t.Errorf("%d channels are named payments, want 1", n)
	}
	if key := second.signals[len(second.signals)-32:]; !strings.HasSuffix(first.signals, key) {
		t.Errorf("the key is %s, want that of %s", key, first.signals)
	}
}

// What the demo says suffices for the commands of an operator, and mentions of the app work in its channel.
func TestDemoCanBeOperated(t *testing.T) {
	t.Parallel()
	database, dir := storetest.NewEmpty(t).Config().ConnString(), t.TempDir()
	d := newDemo(t, database, dir)
	if has := d.channel(t); !strings.Contains(has, `"watchbill"`) {
		t.Errorf("the workspace is\n%s\nwant the app in it, called watchbill", has)
	}
	said := d.stop()
	for _, name := range []string{"DATABASE_URL", "WATCHBILL_SECRET", "SLACK_BOT_TOKEN"} {
		find(t, said, `(export .*`+name+`='?[^' ]+)`)
	}
}

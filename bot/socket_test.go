package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/slacksim"
)

func TestSocketsSurviveDropsAndRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(2)
	for _, blow := range []func(){
		w.sim.DropSockets,
		func() { w.sim.DisconnectAll("refresh_requested") },
		func() { w.sim.DisconnectAll("warning") },
		func() { w.sim.RefuseConnections(4); w.sim.DropSockets() },
	} {
		opened := w.calls("apps.connections.open")
		blow()
		w.until("both sockets are back", func() bool {
			return w.calls("apps.connections.open") >= opened+2 && w.sim.Sockets() == 2 && w.bot.Connected() == 2
		})
		if got := w.command(ann, "/oncall who"); !strings.Contains(got, "payments days") {
			t.Errorf("Ann's command is answered %q, want the schedule", got)
		}
	}
}

// Slack hangs up at once if an app has ten connections already, and slack-go redials at once.
func TestTooManyConnectionsCauseNoDialStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddDeadConnections(10)
	w.listen(0)
	w.until("both sockets have tried", func() bool { return w.calls("apps.connections.open") >= 2*stormDials })
	ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
	defer cancel()
	const most = 100 // a few run ahead until they are stopped; a storm has a thousand
	if w.sim.WaitFor(ctx, func(*slacksim.Sim) bool { return w.calls("apps.connections.open") > most }) == nil {
		t.Errorf("more than %d dials, want pauses in between", most)
	}
	found := w.bot.checkSocket(w.ctx, -1)
	if found.OK || !strings.Contains(found.Remedy, "eleventh connection") {
		t.Errorf("the doctor's finding is %+v, want it to explain the limit of connections", found)
	}
	w.sim.AddDeadConnections(7)
	if found = w.bot.checkSocket(w.ctx, -1); !found.Note || !strings.Contains(found.Text, "with 7 other connections") || !strings.Contains(found.Remedy, "swallow") {
		t.Errorf("the doctor's finding is %+v, want it to explain the limit of connections", found)
	}
}

// An installation that shares the app takes its share of clicks, even if it has only two connections.
func TestDoctorNotesAnotherInstallation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddDeadConnections(2)
	if found := w.bot.checkSocket(w.ctx, 1); !found.OK {
		t.Errorf("with one instance: %+v, want no more than it has", found)
	}
	if found := w.bot.checkSocket(w.ctx, 0); !found.Note || !strings.Contains(found.Remedy, "another installation uses this app") {
		t.Errorf("without an instance: %+v, want a note of another installation", found)
	}
	w.sim.AddDeadConnections(3)
	if found := w.bot.checkSocket(w.ctx, 1); !found.Note || !strings.Contains(found.Remedy, "one runs with this database") {
		t.Errorf("with one instance of two: %+v, want a note", found)
	}
}

func TestDialsAreCounted(t *testing.T) {
	t.Parallel()
	var d dials
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for i := range 50 { // renewed every 3 seconds, as on Slack's worst days
		d.greeted = true
		if err := d.record(at.Add(time.Duration(i) * 3 * time.Second)); err != nil {
			t.Fatalf("dial %d: %v, want no pause", i, err)
		}
	}
	d = dials{}
	for i := range stormDials + 1 {
		if err := d.record(at); (err != nil) != (i == stormDials) {
			t.Errorf("dial %d without a greeting: %v, want a pause after %d", i, err, stormDials)
		}
	}
	for i := range stormGreeted + 1 {
		if err := d.record(at); (err != nil) != (i == stormGreeted) {
			t.Errorf("dial %d with a greeting: %v, want a pause after %d", i, err, stormGreeted)
		}
		d.greeted = true
	}
}

// A single connection loses about half of the envelopes while Slack keeps refreshing it and opening one takes
// long; the second connection closes the gap.
func TestRefreshStormLosesFewEnvelopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{RefreshEvery: 3 * time.Second})
	w.sim.Fail(slacksim.Fault{Method: "apps.connections.open", Times: -1, Kind: slacksim.FaultDelay, Delay: 300 * time.Millisecond})
	w.listen(2)
	var sent, lost atomic.Int64
	const enough = 200
	end := time.Now().Add(7 * time.Second)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for w.ctx.Err() == nil && (time.Now().Before(end) || sent.Load() < enough) {
				r, err := w.sim.Slash(w.ctx, "ann", "C0PAY", "/oncall help")
				if err != nil {
					t.Error(err)
					return
				}
				sent.Add(1)
				if !r.Acked {
					lost.Add(1)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d of %d commands were lost", lost.Load(), sent.Load())
	if sent.Load() < enough || lost.Load()*50 > sent.Load() {
		t.Errorf("%d of %d commands were lost, want at most one in 50, of at least %d", lost.Load(), sent.Load(), enough)
	}
}

func TestRevokedTokenIsLoggedAndRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.Fail(slacksim.Fault{Method: "apps.connections.open", Times: 2, Kind: slacksim.FaultError, Code: "invalid_auth"})
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.bot.Run(ctx) }()
	w.until("it is in the log", func() bool { return w.log.has("invalid_auth") })
	if n := w.bot.Connected(); n != 0 {
		t.Errorf("%d sockets are up, want 0", n)
	}
	cancel() // and a stop doesn't wait for the next try
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it stopped with %v, want no error", err)
		}
	case <-time.After(maxReconnectBackoff - 3*time.Second):
		t.Fatal("it doesn't stop before the next try, want it to stop at once")
	}
}

// A rawSlack is a Slack that sends whatever the test wants.
type rawSlack struct {
	*httptest.Server
	say  chan string
	acks chan map[string]any
}

func newRawSlack(t *testing.T) *rawSlack {
	t.Helper()
	s := &rawSlack{say: make(chan string), acks: make(chan map[string]any, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"ok":true,"url":"ws%s/link"}`, strings.TrimPrefix(s.URL, "http"))
	})
	mux.HandleFunc("/link", func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","num_connections":1}`))
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for {
				var ack map[string]any
				if conn.ReadJSON(&ack) != nil {
					return
				}
				s.acks <- ack
			}
		}()
		for {
			select {
			case text := <-s.say:
				_ = conn.WriteMessage(websocket.TextMessage, []byte(text))
			case <-gone:
				return
			}
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestUnreadableEnvelopesAreAcknowledged(t *testing.T) {
	t.Parallel()
	slack := newRawSlack(t)
	log := &lines{}
	b, err := New(Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: slack.URL + "/api", Clock: time.Now, Log: zerolog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for _, c := range []struct{ name, text, id string }{
		{"a malformed block", `{"envelope_id":"e1","type":"events_api","payload":{"type":"event_callback","event_id":"Ev1","event":{"type":"message","channel_type":"im","user":"U1","blocks":[{"type":7}]}}}`, "e1"},
		{"no event at all", `{"envelope_id":"e2","type":"events_api","payload":"secret words"}`, "e2"},
		{"an unknown type", `{"envelope_id":"e3","type":"telepathy","payload":{}}`, "e3"},
		{"a command that is none", `{"envelope_id":"e4","type":"slash_commands","payload":[1]}`, "e4"},
		{"an interaction that is none", `{"envelope_id":"e5","type":"interactive","payload":{"type":5}}`, "e5"},
		{"no envelope", `[]`, ""},
		{"no JSON", `}{`, ""},
		{"an interaction nobody handles", `{"envelope_id":"e6","type":"interactive","payload":{"type":"view_closed","trigger_id":"t","user":{"id":"U1"}}}`, "e6"},
		{"an event nobody handles", `{"envelope_id":"e7","type":"events_api","payload":{"type":"event_callback","event_id":"Ev2","event":{"type":"channel_created","channel":{"id":"C1"}}}}`, "e7"},
	} {
		select {
		case slack.say <- c.text:
		case <-ctx.Done():
			t.Fatalf("%s: the connection is closed, want it open", c.name)
		}
		if c.id == "" {
			continue
		}
		select {
		case ack := <-slack.acks:
			if ack["envelope_id"] != c.id {
				t.Errorf("%s: acknowledged %v, want %s", c.name, ack, c.id)
			}
		case <-ctx.Done():
			t.Fatalf("%s: no acknowledgement, want one of %s", c.name, c.id)
		}
	}
	if log.has("secret words") {
		t.Error("the log quotes what people wrote, want only the type")
	}
}

func TestAckFitsIntoOneFrame(t *testing.T) {
	t.Parallel()
	payload, err := json.Marshal(ephemeral(strings.Repeat("<@U0123456789>, ", view.MaxAnswer/16)))
	if err != nil {
		t.Fatal(err)
	}
	if len(payload) > 20000 {
		t.Errorf("the longest answer has %d bytes, want at most 20000 of Slack's 20480", len(payload))
	}
}

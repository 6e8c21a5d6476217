package slacksim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/watchbill/watchbill/slacksim"
)

// dial opens a socket without a client and returns it with the first frame.
func dial(ctx context.Context, t *testing.T, sim *slacksim.Sim) (*websocket.Conn, map[string]any) {
	t.Helper()
	answer := request(t, sim.APIURL()+"apps.connections.open", "Bearer xapp-sim", "application/json", "{}")
	address, _ := answer["url"].(string)
	conn, response, err := websocket.DefaultDialer.DialContext(ctx, address, http.Header{"Origin": {"https://api.slack.com"}})
	if err != nil {
		t.Fatalf("dial %q: %v", address, err)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, again, err := websocket.DefaultDialer.DialContext(ctx, address, nil); err == nil || again == nil || again.StatusCode != http.StatusForbidden {
		t.Errorf("a second socket with the same ticket: %v, want it refused", err)
	}
	return conn, frame(t, conn)
}

func frame(t *testing.T, conn *websocket.Conn) map[string]any {
	t.Helper()
	var out map[string]any
	if err := conn.ReadJSON(&out); err != nil {
		t.Fatalf("read a frame: %v", err)
	}
	return out
}

func TestEleventhSocketIsRefused(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	for i := range 11 {
		_, first := dial(ctx, t, sim)
		if i < 10 && (first["type"] != "hello" || first["num_connections"] != float64(i+1)) {
			t.Errorf("socket %d was greeted with %v, want hello and the number of connections", i+1, first)
		}
		if i == 10 && (first["type"] != "disconnect" || first["reason"] != "too_many_websockets") {
			t.Errorf("socket 11 was greeted with %v, want a disconnect", first)
		}
	}
	if sim.Sockets() != 10 {
		t.Errorf("%d sockets get envelopes, want 10", sim.Sockets())
	}
}

func TestLargeAckClosesTheSocket(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{AckTimeout: 500 * time.Millisecond})
	conn, _ := dial(ctx, t, sim)
	done := make(chan slacksim.SlashResult, 1)
	go func() {
		r, err := sim.Slash(ctx, "U0ANN", "#ops", "/oncall")
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	envelope := frame(t, conn)
	ack, err := json.Marshal(map[string]any{"envelope_id": envelope["envelope_id"], "payload": map[string]any{"text": strings.Repeat("x", 20480)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, ack); err != nil {
		t.Fatal(err)
	}
	_, _, err = conn.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.CloseMessageTooBig {
		t.Errorf("after a large acknowledgement: %v, want the close code for too big a message", err)
	}
	if r := <-done; r.Acked {
		t.Error("the large acknowledgement counted, want it ignored")
	}
}

func TestHeldEnvelopesMayBeReversed(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{})
	conn, _ := dial(ctx, t, sim)
	sim.Hold()
	for _, text := range []string{"one", "two"} {
		if _, err := sim.Say("U0ANN", "@oncall", "", text); err != nil {
			t.Fatal(err)
		}
	}
	sim.Release(true)
	var order []any
	for range 2 {
		got := frame(t, conn)
		payload, ok := got["payload"].(map[string]any)
		if got["type"] != "events_api" || !ok {
			t.Fatalf("got %v, want an event", got)
		}
		order = append(order, payload["event"].(map[string]any)["text"])
	}
	if order[0] != "two" || order[1] != "one" {
		t.Errorf("held envelopes came as %v, want them reversed", order)
	}
}

func TestPingsAndRefresh(t *testing.T) {
	t.Parallel()
	ctx, sim := bench(t, slacksim.Options{PingInterval: 20 * time.Millisecond, RefreshEvery: 600 * time.Millisecond, RefreshWarning: 200 * time.Millisecond})
	conn, _ := dial(ctx, t, sim)
	pings := 0
	conn.SetPingHandler(func(string) error { pings++; return nil })
	for _, want := range []string{"warning", "refresh_requested"} {
		if got := frame(t, conn); got["reason"] != want {
			t.Fatalf("got %v, want %s", got, want)
		}
	}
	if pings == 0 {
		t.Error("got no pings, want some")
	}
	if sim.Sockets() != 0 {
		t.Error("a socket that was asked to reconnect still gets envelopes, want none")
	}
}

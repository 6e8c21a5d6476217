package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchbill/watchbill/api"
)

// serveLimited serves with room for a few connections. It signals each one that becomes idle: until then
// it counts as busy, and a client may have its response a moment earlier.
func serveLimited(t *testing.T, most int, h http.Handler) (address string, idled <-chan struct{}) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := api.Server(h, l.Addr().String())
	limit := api.LimitConnections(server, l, most, nil)
	follow, idle := server.ConnState, make(chan struct{}, 100)
	server.ConnState = func(conn net.Conn, s http.ConnState) {
		follow(conn, s)
		if s == http.StateIdle {
			idle <- struct{}{}
		}
	}
	go func() { _ = server.Serve(limit) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String(), idle
}

// ask makes one request on a connection that stays open.
func ask(conn net.Conn) (string, error) {
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"); err != nil {
		return "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// The next request is answered at once, no matter how many connections are left open.
func TestIdleConnectionsGiveWay(t *testing.T) {
	t.Parallel()
	const most = 8
	address, idle := serveLimited(t, most, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	var open []net.Conn
	for n := range 5 * most {
		conn := dial(t, address)
		if text, err := ask(conn); err != nil || text != "here" {
			t.Fatalf("request %d: %q, %v, want no error and \"here\"", n, text, err)
		}
		<-idle
		open = append(open, conn)
	}
	alive := 0
	for _, conn := range open {
		if text, err := ask(conn); err == nil && text == "here" {
			alive++
		}
	}
	if alive == 0 || alive > most/2 {
		t.Errorf("%d connections of one peer are still open, want 1 to %d", alive, most/2)
	}
}

// A peer whose connections are all busy gets no more; when one ends there is room again.
func TestPeerIsLimitedToHalfOfConnections(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}, 10), make(chan struct{})
	address, idle := serveLimited(t, 4, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began <- struct{}{}
		<-end
		fmt.Fprint(w, "done")
	}))
	results := make(chan string, 2)
	for range 2 {
		conn := dial(t, address)
		go func() {
			text, err := ask(conn)
			results <- fmt.Sprint(text, err)
		}()
		<-began
	}
	if text, err := ask(dial(t, address)); err == nil {
		t.Errorf("third connection: got %q, want none", text)
	}
	close(end)
	for range 2 {
		if text := <-results; text != "done<nil>" {
			t.Errorf("got %s, want \"done<nil>\"", text)
		}
		<-idle
	}
	if text, err := ask(dial(t, address)); err != nil || text != "done" {
		t.Errorf("afterwards: %q, %v, want no error and \"done\"", text, err)
	}
}

// A form that trickles in is not waited for.
func TestSlowFormIsGivenUp(t *testing.T) {
	t.Parallel()
	d := newWorldWithoutStore(t, nil)
	conn := d.openConn("POST /v1/act/x HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ndo=")
	begun := time.Now()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	d.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	d.must(err)
	if res.StatusCode != http.StatusBadRequest || !res.Close || !strings.Contains(string(body), "Nothing was done") {
		t.Errorf("got %d, close %v: %s, want 400, the connection closed, and that nothing was done", res.StatusCode, res.Close, body)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s, want at most 20 s", took)
	}
}

// Metrics with an address of their own are served nowhere else.
func TestMetricsAtTheirOwnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{System: w.store, Clock: w.clock.Now, Metrics: registry, Ready: w.store.Ready})
	if got := w.post(genericKey, `{"title":"x"}`); got.code != http.StatusAccepted {
		t.Errorf("got %d %s, want 202", got.code, got.body)
	}
	if got := w.send(http.MethodGet, "/metrics", nil); got.code != http.StatusNotFound {
		t.Errorf("at the address for monitors: %d, want %d", got.code, http.StatusNotFound)
	}
	w.address, _ = serveLimited(t, 8, api.Metrics(registry))
	if got := w.send(http.MethodGet, "/metrics", nil); got.code != http.StatusOK || !strings.Contains(got.body, "watchbill_accept_seconds") {
		t.Errorf("at their own: got %d %s, want 200 with \"watchbill_accept_seconds\"", got.code, got.body)
	}
	if got := w.send(http.MethodPost, "/v1/signals/"+genericKey, strings.NewReader(`{"title":"x"}`)); got.code != http.StatusNotFound {
		t.Errorf("it takes signals: %d, want %d", got.code, http.StatusNotFound)
	}
}

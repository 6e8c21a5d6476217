package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Of a gigabyte compressed to a megabyte, no more is read than the limit allows: the response comes
// although the body never ends.
func TestGzipBombIsNotReadBeyondTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	member := gzipped(t, make([]byte, 1<<20))
	bomb := gzipped(t, []byte(`{"title":"`)) + strings.Repeat(member, 1<<10)
	for key, limit := range map[string]int{genericKey: 1, alertmanagerKey: 16} {
		var got reply
		for n := 0; n < 20 && got.code != http.StatusAccepted; n++ { // senders try again
			got = w.postPart(key, bomb, (limit+8)*len(member), "Content-Encoding: gzip")
		}
		w.wantUnread(got, fmt.Sprintf("The body is larger than %d MiB; send fewer or shorter alerts at once.", limit))
	}
	if got := w.post(genericKey, `{"title":"x"}`); got.code != http.StatusAccepted {
		t.Errorf("afterwards: got %d %s, want 202", got.code, got.body)
	}
}

// wantUnread expects that a body became one alert that explains why it was not read.
func (w *world) wantUnread(got reply, why string) {
	w.Helper()
	if got.code != http.StatusAccepted || !strings.Contains(got.body, `"signals":1,"hints":["`+why+`"]`) {
		w.Errorf("got %d %s, want the hint %q", got.code, got.body, why)
	}
	if n := w.storedSignals(`signal ->> 'dedup_key' = 'watchbill/unread' AND signal ->> 'body' LIKE $1 || '%'`, why); n == 0 {
		w.Errorf("nothing is stored that says %q", why)
	}
}

// A body that costs too much to read becomes an alert all the same, and a large one doesn't stay in
// memory.
// It runs alone: it takes all of the processor, and elsewhere a response has to come within seconds.
func TestCostlyBodiesBecomeOneAlert(t *testing.T) {
	w := newWorld(t)
	var labels strings.Builder
	for n := range 300_000 {
		fmt.Fprintf(&labels, `"k%d":"",`, n)
	}
	many := `{"alerts":[{"status":"firing","labels":{` + labels.String() + `"z":""}}],"groupKey":"g"}`
	const values = "The body has more than 200000 values; send fewer alerts at once."
	w.wantUnread(w.post(alertmanagerKey, gzipped(t, []byte(many)), "Content-Encoding: gzip"), values)
	w.wantUnread(w.post(alertmanagerKey, `{"alerts":[`+strings.Repeat("1,", 300_000)+`1]}`), values)
	w.wantUnread(w.post(alertmanagerKey, `{"alerts":[`+strings.Repeat("{},", 250_000)+`1]}`), "The body has more than 200000 objects and arrays; send fewer alerts at once.")
	w.wantUnread(w.post(genericKey, `{"title":`+strings.Repeat("[", 10_000)), "The body is nested more than 64 levels deep; flatten it.")
	w.wantUnread(w.post(genericKey, `{"title":"`+strings.Repeat("x", 1<<20)+`"}`), "The body is larger than 1 MiB; send fewer or shorter alerts at once.")
	w.wantUnread(w.post(alertmanagerKey, `{"status":"`+strings.Repeat("x", 16<<20)+`"}`), "The body is larger than 16 MiB; send fewer or shorter alerts at once.")
	var all sync.WaitGroup
	for range 24 { // more than may be parsed at once
		all.Go(func() {
			body := `{"alerts":[{"status":"firing","fingerprint":"f","annotations":{"summary":"` + strings.Repeat("x", 4<<20) + `"}}],"groupKey":"g"}`
			var got reply
			var err error
			for n := 0; n < 20 && got.code != http.StatusAccepted; n++ { // senders try again
				got, err = w.try(http.MethodPost, "/v1/signals/"+alertmanagerKey, strings.NewReader(body))
			}
			if got.code != http.StatusAccepted {
				t.Errorf("%d %s, %v; want 202", got.code, got.body, err)
			}
		})
	}
	all.Wait()
}

// postPart sends the first n bytes of a body, and no more.
func (w *world) postPart(key, body string, n int, header string) reply {
	w.Helper()
	conn := w.openConn(fmt.Sprintf("POST /v1/signals/%s HTTP/1.1\r\nHost: example.com\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
		key, header, len(body), body[:n]))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{code: res.StatusCode, header: res.Header, body: string(text)}
}

// openConn opens a connection and writes to it.
func (w *world) openConn(words string) net.Conn {
	w.Helper()
	conn, err := new(net.Dialer).DialContext(w.Context(), "tcp", w.address)
	w.must(err)
	w.Cleanup(func() { _ = conn.Close() })
	w.must(conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, words)
	w.must(err)
	return conn
}

// A body that trickles in is given up, and its connection closed.
func TestSlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.openConn("POST /v1/signals/" + genericKey + " HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100\r\n\r\n{\"title\":")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	w.wantProblem(reply{code: res.StatusCode, header: res.Header, body: string(body)}, http.StatusRequestTimeout,
		`"status":408,"detail":"The body took too long to arrive; send it at once."`)
	if !res.Close {
		t.Error("the connection stays open")
	}
}

func TestSlowHeadersAreGivenUp(t *testing.T) {
	t.Parallel()
	d := newWorldWithoutStore(t, nil)
	conn := d.openConn("POST /v1/signals HTTP/1.1\r\nHost: example.com\r\nX-Slow: ")
	if answer, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection is not closed: %q, %v", answer, err)
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	d := newWorldWithoutStore(t, nil)
	got := d.send("GET", "/healthz", nil, "X-Large: "+strings.Repeat("x", 64<<10))
	if got.code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d, want %d", got.code, http.StatusRequestHeaderFieldsTooLarge)
	}
}

// A sender that hangs up is not reported as an error.
func TestSenderHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.openConn("POST /v1/signals/" + genericKey + " HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100\r\n\r\n{\"title\":")
	w.must(conn.Close())
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(w.log.String(), `"message":"request"`) {
		if time.Now().After(deadline) {
			t.Fatal("the request does not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if log := w.log.String(); strings.Contains(log, `"level":"error"`) {
		t.Errorf("the log is\n%s\nwant no error in it", log)
	}
	if n := w.storedSignals(`true`); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// The points of a send at which the process is killed, in order.
const (
	beforeIntent = "before the intent is written"
	beforeCall   = "before the call"
	afterAccept  = "accepted, not answered"
	beforeRecord = "answered, not recorded"
	beforeDone   = "recorded, job not done"
)

// A trap lets everything through until it is set for a point; then the first to reach the point
// springs it.
type trap struct {
	mu     sync.Mutex
	point  string
	spring func()
	sprung chan struct{}
}

func (t *trap) set(point string, spring func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.point, t.spring, t.sprung = point, spring, make(chan struct{})
}

// reach springs the trap if it is set for the point, and reports whether it is. The caller must
// then go no further.
func (t *trap) reach(point string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.point != point {
		return false
	}
	t.point = ""
	t.spring()
	close(t.sprung)
	return true
}

// A dbGate is a proxy to PostgreSQL that watches the statements.
type dbGate struct {
	t       *testing.T
	network string
	address string
	listens net.Listener
	saw     func(sql string) (stop bool)
}

// newDBGate returns the address of the same database through the gate.
func newDBGate(t *testing.T, database string, saw func(sql string) bool) string {
	t.Helper()
	config, err := pgconn.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	g := &dbGate{t: t, saw: saw}
	g.network, g.address = pgconn.NetworkAddress(config.Host, config.Port)
	if g.listens, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.listens.Close() })
	go func() {
		for {
			c, err := g.listens.Accept()
			if err != nil {
				return
			}
			go g.pass(c)
		}
	}()
	u := url.URL{
		Scheme: "postgres", Host: g.listens.Addr().String(), Path: "/" + config.Database,
		User: url.UserPassword(config.User, config.Password), RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (g *dbGate) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial(g.network, g.address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, server)
	}()
	from := bufio.NewReader(client)
	first := make([]byte, 4) // the start-up message has no type
	if _, err := io.ReadFull(from, first); err != nil {
		return
	}
	if _, err := server.Write(first); err != nil {
		return
	}
	if _, err := io.CopyN(server, from, int64(binary.BigEndian.Uint32(first))-4); err != nil {
		return
	}
	statements := map[string]string{}
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if sql := statement(head[0], body, statements); sql != "" && g.saw(sql) {
			return
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// statement returns the statement that a message runs, or "" if it runs none.
func statement(kind byte, body []byte, known map[string]string) string {
	text := func(n int) string {
		parts := bytes.SplitN(body, []byte{0}, n+2)
		if len(parts) <= n {
			return ""
		}
		return string(parts[n])
	}
	switch kind {
	case 'P':
		known[text(0)] = text(1)
	case 'B':
		return known[text(1)]
	case 'Q':
		return text(0)
	}
	return ""
}

// newHTTPGate returns the address of a provider through a gate. Only requests for which sends is
// true count as sends.
func newHTTPGate(t *testing.T, provider string, p *trap, sends func(*http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(provider)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, target.Host
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Context().Value(isSend{}) != nil && p.reach(afterAccept) {
				return errors.New("the caller was killed")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		look := r.Clone(r.Context())
		look.Body = io.NopCloser(bytes.NewReader(body))
		if sends(look) {
			if p.reach(beforeCall) {
				panic(http.ErrAbortHandler)
			}
			r = r.WithContext(context.WithValue(r.Context(), isSend{}, true))
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = target.Path
	return u.String()
}

// isSend marks requests that send a message.
type isSend struct{}

// newMailGate returns the address of a mail server through a gate.
func newMailGate(t *testing.T, address string, p *trap) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go passMail(client, address, p)
		}
	}()
	return l.Addr().String()
}

func passMail(client net.Conn, address string, p *trap) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	var mu sync.Mutex
	ended := false // whether the server has the whole mail
	go func() {
		defer client.Close()
		from := bufio.NewReader(server)
		for {
			line, err := from.ReadString('\n')
			if err != nil {
				return
			}
			mu.Lock()
			answer := ended
			mu.Unlock()
			if answer && strings.HasPrefix(line, "250") && p.reach(afterAccept) {
				return
			}
			if _, err := io.WriteString(client, line); err != nil {
				return
			}
		}
	}()
	from := bufio.NewReader(client)
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return
		}
		if strings.TrimRight(line, "\r\n") == "." {
			if p.reach(beforeCall) {
				return
			}
			mu.Lock()
			ended = true
			mu.Unlock()
		}
		if _, err := io.WriteString(server, line); err != nil {
			return
		}
	}
}

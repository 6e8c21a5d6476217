package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store/storetest"
)

// The program waits for a database that is not up yet, and logs that once.
func TestServeWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	real, err := url.Parse(storetest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	network, server := "tcp", real.Host
	if dir := real.Query().Get("host"); strings.HasPrefix(dir, "/") {
		network, server = "unix", dir+"/.s.PGSQL."+real.Query().Get("port")
	}
	addr, err := ownPort()
	if err != nil {
		t.Fatal(err)
	}
	real.Host = addr
	query := real.Query()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	real.RawQuery = query.Encode()

	logged := &signalled{wrote: make(chan struct{}, 100)}
	done := make(chan error, 1)
	go func() { done <- awaitDatabase(t.Context(), real.String(), zerolog.New(logged)) }()
	select {
	case <-logged.wrote:
	case err := <-done:
		t.Fatalf("it ended with %v, want it to wait for the database", err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go forward(listener, network, server)
	select {
	case err = <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("20 s after the database came it still waits for it")
	}
	if text := logged.String(); err != nil || strings.Count(text, "\n") != 2 {
		t.Errorf(`%v; the log says %s, want two lines`, err, text)
	}
}

// forward connects everybody who connects to the listener to the server.
func forward(from net.Listener, network, server string) {
	for {
		caller, err := from.Accept()
		if err != nil {
			return
		}
		go func() {
			defer caller.Close()
			callee, err := net.Dial(network, server)
			if err != nil {
				return
			}
			defer callee.Close()
			go func() { _, _ = io.Copy(callee, caller) }()
			_, _ = io.Copy(caller, callee)
		}()
	}
}

// Waiting ends when it can't help, or when the program is told to stop.
func TestServeStopsWaitingForTheDatabase(t *testing.T) {
	t.Parallel()
	there := storetest.NewURL(t)
	u, err := url.Parse(there)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/no_such_database"
	if err := awaitDatabase(t.Context(), u.String(), zerolog.Nop()); err == nil {
		t.Error("a database that doesn't exist was found")
	}
	ctx, cancel := context.WithCancel(t.Context())
	logged := &signalled{wrote: make(chan struct{}, 100)}
	done := make(chan error, 1)
	go func() { done <- awaitDatabase(ctx, "postgres://nobody@127.0.0.1:1/nothing", zerolog.New(logged)) }()
	select {
	case <-logged.wrote:
	case err := <-done:
		t.Fatalf("it ended with %v, want it to wait for the database", err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("told to stop: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("20 s after it was told to stop it still waits for the database")
	}
}

// signalled is a log that sends a signal when it is written to.
type signalled struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

// Write adds a line.
func (s *signalled) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(line)
	s.wrote <- struct{}{}
	return len(line), nil
}

func (s *signalled) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

package store_test

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// limited returns the address of the world's database for a user who may have n connections.
func (w *world) limited(n string) string {
	w.t.Helper()
	u := must[*url.URL](w.t)(url.Parse(w.url))
	role := strings.TrimPrefix(u.Path, "/")
	w.exec(`CREATE ROLE ` + role + ` LOGIN CONNECTION LIMIT ` + n)
	w.exec(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ` + role)
	w.exec(`GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ` + role)
	w.t.Cleanup(func() {
		w.exec(`DROP OWNED BY ` + role)
		w.exec(`DROP ROLE ` + role)
	})
	u.User = url.User(role)
	return u.String()
}

// A server without a free connection makes nothing fail for which one of ours comes free in time, and
// what is held for long gets one as soon as there is one.
func TestPoolWaitsForFullServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.limited("3")
	s := must[*store.System](t)(store.Open(t.Context(), address, store.Options{MaxConns: 12, Log: zerolog.Nop()}))
	defer s.Close()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := s.QueueDepths(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := s.Clock(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := s.Directory(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Accept(t.Context(), w.integration, []oncall.Signal{trigger("a")}, start); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	held := make(chan error, 1)
	go func() {
		in, err := s.ClaimInstance(context.WithoutCancel(t.Context()), "late")
		if err == nil {
			in.Release()
		}
		held <- err
	}()
	s.Pool().Reset() // all of its connections, which are idle, are closed
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// Signals are accepted even while other work uses all connections of the pool.
func TestIntakeHasConnectionsOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := must[*store.System](t)(store.Open(t.Context(), w.url, store.Options{MaxConns: 2, IntakeConns: 1, Log: zerolog.Nop()}))
	defer s.Close()
	for range 2 {
		conn, err := s.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	in, err := s.IntegrationByKey(t.Context(), key, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.IntegrationByKey(t.Context(), "nobody's", start); err == nil {
		t.Error("a key that no integration has is accepted")
	}
	if err := s.Accept(t.Context(), in.ID, []oncall.Signal{trigger("a")}, start); err != nil {
		t.Error(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1 {
		t.Errorf("%d signals in the inbox, want 1", n)
	}
}

// Signals that can't be stored cause only a few lines in the log, however many there are.
func TestOutageLogsFewLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, address := storetest.NewProxy(t, w.url)
	var log bytes.Buffer
	s := must[*store.System](t)(store.Open(t.Context(), address, store.Options{MaxConns: 2, Log: zerolog.New(zerolog.SyncWriter(&log))}))
	defer s.Close()
	p.Set(storetest.ProxyDown)
	for range 200 {
		if err := s.Accept(t.Context(), w.integration, []oncall.Signal{trigger("a")}, start); err == nil {
			t.Error("a signal was accepted without a database, want an error")
		}
	}
	if n := strings.Count(log.String(), "signals not accepted"); n < 1 || n > 12 {
		t.Errorf("%d lines; want at least 1 and at most 12", n)
	}
}

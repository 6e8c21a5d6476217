package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store/storetest"
)

// A breakableProxy is a proxy to the database that can be cut.
type breakableProxy struct {
	net.Listener
	network, address string // of the database

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newBreakableProxy returns a proxy to the database and the address that leads through it.
func newBreakableProxy(t *testing.T, direct string) (*breakableProxy, string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(direct)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &breakableProxy{Listener: l}
	p.network, p.address = pgconn.NetworkAddress(cfg.Host, cfg.Port)
	t.Cleanup(func() { _ = l.Close(); p.setCut(true) })
	go p.serve()
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(cfg.User, cfg.Password), Host: l.Addr().String(),
		Path: "/" + cfg.Database, RawQuery: "sslmode=disable",
	}
	return p, u.String()
}

func (p *breakableProxy) serve() {
	for {
		near, err := p.Accept()
		if err != nil {
			return // the test is over
		}
		far, err := new(net.Dialer).DialContext(context.Background(), p.network, p.address)
		p.mu.Lock()
		if p.cut || err != nil {
			_ = near.Close()
			if err == nil {
				_ = far.Close()
			}
			p.mu.Unlock()
			continue
		}
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

// setCut cuts or reconnects the cable.
func (p *breakableProxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
}

// Without the database nothing is answered with 202, and no key is called wrong.
func TestDatabaseDownAcceptsNothing(t *testing.T) {
	t.Parallel()
	direct := storetest.NewURL(t)
	cable, address := newBreakableProxy(t, direct)
	w := newWorldOn(t, address, direct)
	if got := w.post(genericKey, `{"title":"before","dedup_key":"1"}`); got.code != http.StatusAccepted {
		t.Fatalf("got %d %s, want 202", got.code, got.body)
	}

	cable.setCut(true)
	known, unknown := w.post(genericKey, `{"title":"during","dedup_key":"2"}`), w.post(unknownKey, `{"title":"x"}`)
	for _, got := range []reply{known, unknown} {
		if wait := got.header.Get("Retry-After"); wait != "5" {
			t.Errorf("Retry-After is %q, want 5", wait)
		}
	}
	if !strings.Contains(known.body, "key can't be checked") { // unless the key was no longer cached
		w.wantProblem(known, http.StatusServiceUnavailable,
			`"status":503,"detail":"The database did not confirm that the signals are stored; send them again."`)
	}
	w.wantProblem(unknown, http.StatusServiceUnavailable,
		`"status":503,"detail":"The database is unavailable, so the key can't be checked; nothing was stored, send it again."`)
	if got := w.send(http.MethodGet, "/readyz", nil); got.code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: got %d, want %d", got.code, http.StatusServiceUnavailable)
	}
	if got := w.send(http.MethodGet, "/healthz", nil); got.code != http.StatusOK {
		t.Errorf("/healthz: got %d, want %d", got.code, http.StatusOK)
	}
	if log := w.log.String(); strings.Contains(log, genericKey) || strings.Contains(log, unknownKey) {
		t.Errorf("a key is in the log, want none:\n%s", log)
	}

	cable.setCut(false)
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for got := (reply{}); got.code != http.StatusAccepted; {
		select {
		case <-deadline.C:
			t.Fatalf("after the database is back: got %d %s, want 202", got.code, got.body)
		default:
			got = w.post(genericKey, `{"title":"after","dedup_key":"3"}`)
		}
	}
	if got := w.post(unknownKey, `{"title":"x"}`); got.code != http.StatusUnauthorized {
		t.Errorf("an unknown key: got %d %s, want 401", got.code, got.body)
	}
	for _, title := range []string{"before", "after"} { // a signal answered with 503 may have been stored nevertheless
		if w.storedSignals(`signal->>'title' = $1`, title) == 0 {
			t.Errorf("the signal from %s is lost", title)
		}
	}
}

// A database that accepts connections but never answers does not hold up senders for long.
func TestHangingDatabaseKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.post(genericKey, `{"title":"before"}`); got.code != http.StatusAccepted {
		t.Fatalf("got %d %s, want 202", got.code, got.body)
	}
	tx, err := w.pool.Begin(t.Context())
	w.must(err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE inbox`)
	w.must(err)
	got := w.post(genericKey, `{"title":"during"}`)
	w.wantProblem(got, http.StatusServiceUnavailable,
		`"status":503,"detail":"The database did not confirm that the signals are stored; send them again."`)
	w.must(tx.Rollback(t.Context()))
	for range 20 {
		if got = w.post(genericKey, `{"title":"after"}`); got.code == http.StatusAccepted {
			return
		}
	}
	t.Errorf("after the lock is released: got %d %s, want 202", got.code, got.body)
}

// Readiness means that a signal can be stored, not only that the database can be reached.
func TestReadyMeansThatSignalsCanBeStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ready := func(want int, when string) {
		t.Helper()
		if got := w.send(http.MethodGet, "/readyz", nil); got.code != want {
			t.Errorf("%s: got %d %s, want %v", when, got.code, got.body, want)
		}
	}
	do := func(sql string) {
		t.Helper()
		_, err := w.pool.Exec(t.Context(), sql)
		w.must(err)
	}
	ready(http.StatusOK, "at first")
	for range 50 {
		ready(http.StatusOK, "asked again")
	}
	var size int64
	w.must(w.pool.QueryRow(t.Context(), `SELECT pg_relation_size('inbox')`).Scan(&size))
	if n := w.storedSignals(`true`); n != 0 || size != 0 {
		t.Errorf("asking has left %d signals and %d bytes, want 0 and 0", n, size)
	}

	tx, err := w.pool.Begin(t.Context())
	w.must(err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE inbox`)
	w.must(err)
	ready(http.StatusServiceUnavailable, "while the inbox is locked")
	w.must(tx.Rollback(t.Context()))
	ready(http.StatusOK, "after the lock")

	do(`CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
	do(`CREATE TRIGGER no_space BEFORE INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION no_space()`)
	ready(http.StatusServiceUnavailable, "while the disk is full")
	do(`DROP TRIGGER no_space ON inbox`)
	ready(http.StatusOK, "with room again")

	// A small signal may find room when a large one doesn't: then its own result counts.
	do(`CREATE TRIGGER no_space BEFORE INSERT ON inbox FOR EACH ROW WHEN (length(NEW.signal::text) > 10) EXECUTE FUNCTION no_space()`)
	ready(http.StatusOK, "while small signals are stored")
	if got := w.post(genericKey, `{"title":"large"}`); got.code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s, want 503", got.code, got.body)
	}
	for range 3 {
		ready(http.StatusServiceUnavailable, "after a signal that was not stored")
	}
	do(`DROP TRIGGER no_space ON inbox`)
	ready(http.StatusOK, "with room again")

	var name string
	w.must(w.pool.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name))
	do(`ALTER DATABASE ` + name + ` SET default_transaction_read_only = on`)
	do(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'watchbill'`)
	ready(http.StatusServiceUnavailable, "while the database is read-only")
}

// With a spool, signals are accepted during a database outage, keys are known, and nothing is lost
// or overtaken.
func TestSpoolAcceptsSignalsDuringAnOutage(t *testing.T) {
	t.Parallel()
	direct := storetest.NewURL(t)
	cable, address := newBreakableProxy(t, direct)
	w := newWorldOn(t, address, direct)
	registry := prometheus.NewRegistry()
	dir := t.TempDir()
	receiver, err := spool.New(spool.Config{
		System: w.store, Spool: spool.Options{Dir: dir, MaxSignals: 6, Log: zerolog.Nop()}, Clock: w.clock.Now, Log: zerolog.Nop(), Metrics: registry,
	})
	w.must(err)
	t.Cleanup(receiver.Close)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	running.Go(func() { _ = receiver.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	w.listen(t, api.Config{
		System: w.store, Receiver: receiver, Clock: w.clock.Now, Log: zerolog.Nop(), Gatherer: registry, Metrics: registry, Ready: receiver.Ready, Status: receiver.Status,
	})
	w.until("the set-up is on the disk", func() bool {
		_, err := os.Stat(filepath.Join(dir, "known.json"))
		return err == nil
	})
	send := func(want int, key, body string) {
		t.Helper()
		if got := w.post(key, body); got.code != want {
			t.Errorf("%s: got %d %s, want %v", body, got.code, got.body, want)
		}
	}
	send(http.StatusAccepted, genericKey, `{"title":"before","dedup_key":"1"}`)
	w.want(w.send(http.MethodGet, "/readyz", nil), http.StatusOK, "ready\nspool: empty\n")

	cable.setCut(true)
	send(http.StatusAccepted, genericKey, `{"title":"fires","dedup_key":"2"}`)
	send(http.StatusAccepted, genericKey, `{"status":"resolved","dedup_key":"2"}`)
	send(http.StatusAccepted, genericKey, `not json at all`)
	send(http.StatusServiceUnavailable, unknownKey, `{"title":"x"}`)
	w.want(w.send(http.MethodGet, "/readyz", nil), http.StatusOK, "ready\nspool: 3 signals wait, the oldest for 0s\ndatabase: away for 0s\n")
	metrics := w.send(http.MethodGet, "/metrics", nil).body
	for _, line := range []string{"watchbill_spool_signals 3\n", "watchbill_spool_usable 1\n", "watchbill_spool_kept_total 3\n"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics has no %q", line)
		}
	}
	for range 3 {
		send(http.StatusAccepted, genericKey, `{"title":"more"}`)
	}
	send(http.StatusServiceUnavailable, genericKey, `{"title":"too much"}`)
	if got := w.send(http.MethodGet, "/readyz", nil); got.code != http.StatusServiceUnavailable {
		t.Errorf("/readyz of what refuses: got %d %s, want 503", got.code, got.body)
	}

	cable.setCut(false)
	w.until("everything is stored", func() bool {
		return strings.HasSuffix(w.send(http.MethodGet, "/readyz", nil).body, "spool: empty\n") && !w.store.Suspended()
	})
	send(http.StatusUnauthorized, unknownKey, `{"title":"x"}`)
	if n := w.storedSignals(`replayed`); n != 6 {
		t.Errorf("%d signals were replayed, want 6", n)
	}
	if n := w.storedSignals(`signal->>'title' = 'too much' OR signal->>'title' = 'x'`); n != 0 {
		t.Errorf("%d signals were stored that were refused, want 0", n)
	}
}

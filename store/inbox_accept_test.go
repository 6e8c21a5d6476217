package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Every accepted signal is in the inbox exactly once, in the order in which its caller sent it, while
// callers come and go.
func TestAcceptedSignalsAreInTheInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const callers, each = 32, 20
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				s := trigger(fmt.Sprint(c))
				s.Title = fmt.Sprintf("%03d", i)
				if err := w.Accept(context.Background(), w.integration, []oncall.Signal{s}, start); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := w.count(`SELECT count(*) FROM inbox WHERE received_at = $1`, start); n != callers*each {
		t.Errorf("%d signals in the inbox, want %d", n, callers*each)
	}
	if n := w.count(`
		SELECT count(*)
		FROM (SELECT signal ->> 'title' AS title, lag(signal ->> 'title') OVER (PARTITION BY signal ->> 'dedup_key' ORDER BY id) AS before FROM inbox) i
		WHERE title <= before`); n != 0 {
		t.Errorf("%d signals are out of order, want 0", n)
	}
	if err := w.Accept(t.Context(), w.integration, nil, start); err != nil {
		t.Errorf("accept no signals: %v, want no error", err)
	}
}

// While a signal has been waiting for a long time, each commit for many concurrent callers is followed
// by a pause. None of their signals is lost.
func TestCommitterPausesWhenFoldingIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Accept(t.Context(), w.integration, []oncall.Signal{trigger("old")}, start.Add(-10*time.Second)); err != nil {
		t.Fatal(err)
	}
	const callers, each = 64, 5
	began := time.Now()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for range each {
				if err := w.Accept(context.Background(), w.integration, []oncall.Signal{trigger(fmt.Sprint(c))}, start); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took < 600*time.Millisecond { // two pauses; there are at least three
		t.Errorf("%d signals were accepted in %s while folding is behind; want pauses", callers*each, took)
	}
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1+callers*each {
		t.Errorf("%d signals in the inbox, want %d", n, 1+callers*each)
	}
}

// A caller that gives up gets an error, and no other caller is affected.
func TestAcceptReturnsWhenCallerCancels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Accept(gone, w.integration, []oncall.Signal{trigger("a")}, start); err != nil && !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a sender that gave up got %v, want it stored or unavailable", err)
	}
	w.accept(trigger("b"))
	if n := w.count(`SELECT count(*) FROM inbox WHERE signal ->> 'dedup_key' = 'b'`); n != 1 {
		t.Errorf("%d signals in the inbox, want 1", n)
	}
}

// Without a database nothing is accepted, and callers find out within two seconds. Everything works
// again once the database is back.
func TestAcceptFailsWithoutADatabase(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"down", "silent"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p, address := storetest.NewProxy(t, w.url)
			s, err := store.Open(t.Context(), address, store.Options{MaxConns: 4, Log: zerolog.Nop()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			stop := w.run(s)
			defer stop()
			accept := func(k string) error {
				return s.Accept(context.Background(), w.integration, []oncall.Signal{trigger(k)}, start)
			}
			if err := accept("before"); err != nil {
				t.Fatal(err)
			}
			w.until("Run folds", s.Folding)
			w.fold()

			p.Set(map[string]storetest.ProxyState{"down": storetest.ProxyDown, "silent": storetest.ProxySilent}[way])
			// One fast try is enough: the machine may have been busy with something else.
			took := time.Hour
			for n := 0; n < 5 && took > 2500*time.Millisecond; n++ {
				took = slowest(20, func() {
					if err := accept("meanwhile"); !errors.Is(err, store.ErrUnavailable) {
						t.Errorf("without a database: %v, want the error %v", err, store.ErrUnavailable)
					}
				})
			}
			if took > 2500*time.Millisecond {
				t.Errorf("those whose signals were not accepted were told so after %v, want at most %v", took, 2500*time.Millisecond)
			}
			if way == "down" { // the next test covers the other way
				if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("ping: %v, want the error %v", err, store.ErrUnavailable)
				}
				if _, err := s.IntegrationByKey(t.Context(), "nobody's", start); err == nil || errors.Is(err, oncall.ErrNotFound) {
					t.Errorf("a key without a database: %v; want an error other than that nobody has the key", err)
				}
			}

			p.Set(storetest.ProxyUp)
			w.until("signals are accepted again", func() bool { return accept("after") == nil })
			w.until("they are folded again", func() bool {
				return w.count(`SELECT count(*) FROM alerts WHERE dedup_key = 'after'`) == 1
			})
		})
	}
}

// slowest does something n times at once and returns how long the last took.
func slowest(n int, do func()) time.Duration {
	began := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(do)
	}
	all.Wait()
	return time.Since(began)
}

// A caller without a deadline gets an error within StatementLimit if the database doesn't answer, even on a
// connection that was idle. Nothing may wait until TCP gives up, which takes a quarter of an hour.
func TestAcceptTimesOutOnASilentDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, address := storetest.NewProxy(t, w.url)
	s := must[*store.System](t)(store.Open(t.Context(), address, store.Options{MaxConns: 4, Log: zerolog.Nop()}))
	defer s.Close()
	defer p.Set(storetest.ProxyDown)
	idle := make([]*pgxpool.Conn, 4)
	for i := range idle {
		idle[i] = must[*pgxpool.Conn](t)(s.Pool().Acquire(t.Context()))
	}
	for _, conn := range idle {
		conn.Release()
	}
	p.Set(storetest.ProxySilent)
	asks := map[string]func(ctx context.Context) error{
		"ping": s.Ping,
		"a key": func(ctx context.Context) error {
			_, err := s.IntegrationByKey(ctx, key, start)
			return err
		},
		"incidents": func(ctx context.Context) error {
			_, err := s.OpenIncidents(ctx, oncall.ByTimer(), 10)
			return err
		},
		"the directory, by one who has time": func(ctx context.Context) error { // others wait for it
			ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
			defer cancel()
			_, err := s.Directory(ctx)
			return err
		},
		"a change": func(ctx context.Context) error {
			_, err := s.Apply(ctx, payments(), store.ApplyOptions{Write: true}, start)
			return err
		},
	}
	var wg sync.WaitGroup
	for what, ask := range asks {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			hangs := time.AfterFunc(store.StatementLimit+10*time.Second, cancel)
			if err := ask(ctx); !hangs.Stop() {
				t.Errorf("%s: it took longer than %v", what, store.StatementLimit)
			} else if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v, want the error %v", what, err, store.ErrUnavailable)
			}
		})
	}
	wg.Wait()
}

func BenchmarkAccept(b *testing.B) {
	w := newWorld(b)
	signals := []oncall.Signal{trigger("disk")}
	signals[0].Labels = map[string]string{"host": "db-1", "service": "payments", "region": "eu-west-1"}
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := w.Accept(context.Background(), w.integration, signals, start); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signals/s")
}

func BenchmarkFold(b *testing.B) {
	for _, keys := range []int{1, 1000} {
		b.Run(fmt.Sprint("keys=", keys), func(b *testing.B) {
			w := newWorld(b)
			var signals []oncall.Signal
			for i := range b.N {
				signals = append(signals, trigger(fmt.Sprint(i%keys)))
			}
			for len(signals) > 0 {
				n := min(len(signals), 5000)
				w.accept(signals[:n]...)
				signals = signals[n:]
			}
			b.ResetTimer()
			stop := w.run(w.System)
			w.fold()
			stop()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signals/s")
		})
	}
}

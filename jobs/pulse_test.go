package jobs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// A pulseService is an independent service that expects pulses.
type pulseService struct {
	*httptest.Server
	received atomic.Int64
	status   atomic.Int64
}

// withPulseService lets instances started from now on send their pulses to a peer.
func (w *world) withPulseService() *pulseService {
	p := &pulseService{}
	p.status.Store(http.StatusOK)
	p.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/ping/secret" {
			p.received.Add(1)
		}
		out.WriteHeader(int(p.status.Load()))
	}))
	w.t.Cleanup(p.Close)
	own, err := notify.ParseLoopback("localhost")
	if err != nil {
		w.t.Fatal(err)
	}
	pulse, err := notify.NewPulse(p.URL+"/ping/secret", notify.AddressRules{Loopback: own})
	if err != nil {
		w.t.Fatal(err)
	}
	w.pulse = pulse.Send
	return p
}

// One pulse a minute is sent for all instances, and none while pages are not worked on or the
// canary doesn't come through. They resume afterwards.
func TestPulsesStopWithThePages(t *testing.T) {
	t.Parallel()
	clock := &offsetClock{}
	w := newWorld(t, "1h", clock.Now)
	w.canary = 5 * time.Minute
	peer := w.withPulseService()
	registry := prometheus.NewRegistry()
	began := clock.Now()
	j := w.instance(w.open(), w.sender, registry)
	w.stopAtEnd(j, w.instance(w.open(), w.sender, prometheus.NewRegistry()))
	// On a busy machine more than a minute may pass by itself between two steps, and bring a pulse of its own.
	nextPulse := func(what string) {
		t.Helper()
		before := peer.received.Load()
		clock.Advance(time.Minute)
		w.until(what, func() bool { return peer.received.Load() > before })
	}
	w.until("a pulse is heard", func() bool { return peer.received.Load() > 0 })
	nextPulse("another pulse is heard a minute later")
	n := w.count(`river_job WHERE kind = 'pulse' AND queue = 'page'`)
	if most := 1 + int64(clock.Now().Sub(began)/time.Minute); int64(n) > most {
		t.Errorf("%d pulses were queued by two instances in %s, want at most %d, one a minute", n, clock.Now().Sub(began), most)
	}

	// A failed one is counted, and has no other effect.
	peer.status.Store(http.StatusBadGateway)
	nextPulse("a third isn't taken")
	peer.status.Store(http.StatusOK)

	w.haltPages()
	clock.Advance(time.Minute)
	w.until("a pulse waits among the halted pages", func() bool {
		return w.count(`river_job WHERE kind = 'pulse' AND state = 'available'`) == 1
	})
	heard := peer.received.Load()
	for range 7 {
		clock.Advance(time.Minute)
		w.until("a pulse waits among the pages", func() bool {
			return w.count(`river_job WHERE kind = 'pulse' AND finalized_at IS NULL`) == 1
		})
	}
	w.until("the canary is late", func() bool { return gaugeValue(t, registry, "watchbill_canary_late") == 1 })
	if n := peer.received.Load() - heard; n != 0 {
		t.Errorf("%d pulses were heard while no page was sent, want none", n)
	}
	w.resumePages()
	w.until("the stale one is not sent", func() bool { return w.count(`river_job WHERE kind = 'pulse' AND finalized_at IS NULL`) == 0 })
	storetest.Until(t, 3*waitLimit, "the canary is through", func() bool { return gaugeValue(t, registry, "watchbill_canary_late") == 0 })
	nextPulse("pulses are heard again")
	w.until("people can see it", func() bool { return strings.HasPrefix(j.SelfMonitoring(clock.Now())[1], "pulse: ") })
}

// No pulse is sent during a database outage, and pulses resume afterwards.
func TestPulsesStopWithTheDatabase(t *testing.T) {
	t.Parallel()
	clock := &offsetClock{}
	w := newWorld(t, "1h", clock.Now)
	peer := w.withPulseService()
	proxy, address := storetest.NewProxy(t, w.url)
	db, err := store.Open(t.Context(), address, store.Options{MaxConns: 16, Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	j := w.instance(db, w.sender, prometheus.NewRegistry())
	w.stopAtEnd(j)
	w.until("a pulse is heard", func() bool { return peer.received.Load() > 0 })
	proxy.Set(storetest.ProxyDown)
	withheld := func() bool { return strings.HasPrefix(j.SelfMonitoring(clock.Now())[1], "pulse: withheld") }
	clock.Advance(time.Minute)
	w.until("a pulse is withheld", withheld)
	heard := peer.received.Load()
	clock.Advance(time.Minute)
	w.until("the next is withheld, too", withheld)
	if n := peer.received.Load() - heard; n != 0 {
		t.Errorf("%d pulses were heard without a database, want none", n)
	}
	proxy.Set(storetest.ProxyUp)
	clock.Advance(time.Minute)
	w.until("pulses are heard again", func() bool { return peer.received.Load() > heard })
}

// A hanging service delays no page.
func TestHangingPulseHoldsUpNothing(t *testing.T) {
	t.Parallel()
	clock := &offsetClock{}
	w := newWorld(t, "1h", clock.Now)
	begun := make(chan struct{}, 8)
	w.pulse = func(ctx context.Context) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	w.start(w.sender)
	await(t, "the pulse", begun)
	w.until("its job is over", func() bool { return w.queueEmpty("pulse") })
	w.signal("db-1")
	w.until("Ann is paged", func() bool { return w.pagesTo(ann) == 1 })
}

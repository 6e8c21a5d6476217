package trace_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/watchbill/watchbill/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTraceIDBelongsToOneIncident(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if trace.NewID(7, at) != trace.NewID(7, at.Add(999*time.Nanosecond).Local()) {
		t.Error("what is stored has another trace")
	}
	seen := map[string]bool{}
	for _, id := range []trace.ID{trace.NewID(7, at), trace.NewID(8, at), trace.NewID(7, at.Add(time.Microsecond))} {
		if id.Root() == (trace.SpanID{}) || len(id.String()) != 32 {
			t.Errorf("the trace is %s with the root %x, want 32 digits and a root", id, id.Root())
		}
		seen[id.String()] = true
	}
	if len(seen) != 3 {
		t.Errorf("got %d traces of 3 incidents, want 3", len(seen))
	}
}

// The rest is sent at the end; nobody waits while the collector doesn't respond, and lost spans are counted.
func TestExporterDropsSpansRatherThanWait(t *testing.T) {
	t.Parallel()
	var got atomic.Int32
	answer := make(chan int, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
		w.WriteHeader(<-answer)
	}))
	defer collector.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	lost := make(chan int, 10)
	e := trace.New(trace.Config{URL: collector.URL, Client: client, Lost: func(spans int, _ error) { lost <- spans }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	for range 5000 { // more than there is room for, while nobody takes them
		e.Add(trace.Span{Name: "x"})
	}
	go func() { ended <- e.Run(ctx) }()
	answer <- http.StatusServiceUnavailable
	if n := <-lost; n != 5000-4096+512 {
		t.Errorf("%d spans are lost, want those without room and the first batch", n)
	}
	cancel()
	for {
		select {
		case answer <- http.StatusOK:
		case err := <-ended:
			if n := got.Load(); err != nil || n < 8 || len(lost) > 0 {
				t.Errorf("%d batches, %v, and more is lost %d times; want the rest, which is 7 at least", n, err, len(lost))
			}
			return
		}
	}
}

func TestNilExporterIgnoresSpans(t *testing.T) {
	t.Parallel()
	var off *trace.Exporter
	off.Add(trace.Span{})
}

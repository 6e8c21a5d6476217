package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	mostWaiting = 4096 // spans; what comes beyond is dropped
	mostAtOnce  = 512
	gatherFor   = 2 * time.Second // before spans are sent
	sendLimit   = 10 * time.Second
	lastLimit   = 3 * time.Second // for what is left at the end
)

// Config says where spans go.
type Config struct {
	URL      string            // of the collector, where traces are posted
	Headers  map[string]string // with which it lets us in
	Resource map[string]string // where spans come from: service.name and the like
	Lost     func(spans int, err error)
	Client   *http.Client // nil: the usual one
}

// An Exporter sends spans to a collector. Nobody waits for it: while the collector can't be reached, spans are lost.
type Exporter struct {
	Config
	waiting chan Span
	dropped atomic.Int64
}

// New returns an Exporter. Run sends.
func New(c Config) *Exporter {
	if c.Client == nil {
		c.Client = &http.Client{Timeout: sendLimit}
	}
	return &Exporter{Config: c, waiting: make(chan Span, mostWaiting)}
}

// Add queues a span. An Exporter that is nil takes none.
func (e *Exporter) Add(s Span) {
	if e == nil {
		return
	}
	select {
	case e.waiting <- s:
	default:
		e.dropped.Add(1)
	}
}

// Run sends what is added, until ctx ends; then it sends what is left.
func (e *Exporter) Run(ctx context.Context) error {
	for {
		select {
		case s := <-e.waiting:
			e.send(ctx, e.gather(ctx, s))
		case <-ctx.Done():
			e.sendRest(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// gather waits a moment for more to send along.
func (e *Exporter) gather(ctx context.Context, first Span) []Span {
	spans := []Span{first}
	over := time.NewTimer(gatherFor)
	defer over.Stop()
	for len(spans) < mostAtOnce {
		select {
		case s := <-e.waiting:
			spans = append(spans, s)
		case <-over.C:
			return spans
		case <-ctx.Done():
			return spans
		}
	}
	return spans
}

func (e *Exporter) sendRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastLimit)
	defer cancel()
	for len(e.waiting) > 0 {
		var spans []Span
		for len(e.waiting) > 0 && len(spans) < mostAtOnce {
			spans = append(spans, <-e.waiting)
		}
		e.send(ctx, spans)
	}
}

func (e *Exporter) send(ctx context.Context, spans []Span) {
	// What is under way when we are told to stop goes on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
	defer cancel()
	err := e.post(ctx, request(e.Resource, spans))
	lost := int(e.dropped.Swap(0))
	if err != nil {
		lost += len(spans)
	}
	if lost > 0 && e.Lost != nil {
		e.Lost(lost, err)
	}
}

func (e *Exporter) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range e.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "watchbill")
	resp, err := e.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %d", resp.StatusCode)
	}
	return nil
}

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
	maxWaiting = 4096 // spans in the queue; more are dropped
	maxAtOnce  = 512
	gatherFor  = 2 * time.Second // how long a batch is collected
	sendLimit  = 10 * time.Second
	lastLimit  = 3 * time.Second // for sending the rest at shutdown
)

// Config configures an Exporter.
type Config struct {
	URL      string            // of the collector's endpoint for traces
	Headers  map[string]string // sent with each request, such as credentials
	Resource map[string]string // attributes of the resource, such as service.name
	Lost     func(spans int, err error)
	Client   *http.Client // nil: one with a timeout
}

// An Exporter sends spans to a collector. It never blocks callers: while the collector can't be reached, spans are lost.
type Exporter struct {
	Config
	waiting chan Span
	dropped atomic.Int64
}

// New returns an Exporter. Run does the sending.
func New(c Config) *Exporter {
	if c.Client == nil {
		c.Client = &http.Client{Timeout: sendLimit}
	}
	return &Exporter{Config: c, waiting: make(chan Span, maxWaiting)}
}

// Add queues a span. It may be called on a nil Exporter.
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

// Run sends added spans until ctx ends, and then the rest.
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

// gather collects a batch for a moment.
func (e *Exporter) gather(ctx context.Context, first Span) []Span {
	spans := []Span{first}
	over := time.NewTimer(gatherFor)
	defer over.Stop()
	for len(spans) < maxAtOnce {
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
		for len(e.waiting) > 0 && len(spans) < maxAtOnce {
			spans = append(spans, <-e.waiting)
		}
		e.send(ctx, spans)
	}
}

func (e *Exporter) send(ctx context.Context, spans []Span) {
	// A request under way at shutdown is completed.
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

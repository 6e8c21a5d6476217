package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/watchbill/watchbill/oncall"
)

// A collector takes traces as OpenTelemetry's does, at /v1/traces.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []collected
	texts string // whatever came
	auth  string
}

// collected is what a test asks of a span.
type collected struct {
	trace, id, parent, name string
	start, end              uint64
	attributes              map[string]string
	failed                  string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf(`%s %s: %v; want "/v1/traces" and "application/x-protobuf"`, r.URL.Path, r.Header.Get("Content-Type"), err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.auth = r.Header.Get("Authorization")
		c.texts += string(body)
		for _, resource := range fields(t, body)[1] {
			for _, scope := range fields(t, resource)[2] {
				for _, span := range fields(t, scope)[2] {
					c.spans = append(c.spans, readSpan(t, span))
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// fields returns the fields of a message by number; fixed and varint numbers as eight bytes.
func fields(t *testing.T, message []byte) map[protowire.Number][][]byte {
	t.Helper()
	all := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatalf("not a message: %v", protowire.ParseError(n))
		}
		message = message[n:]
		var value []byte
		switch kind {
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
			value = message[:max(n, 0)]
		}
		if n < 0 {
			t.Fatalf("not a message: %v", protowire.ParseError(n))
		}
		all[number], message = append(all[number], value), message[n:]
	}
	return all
}

func readSpan(t *testing.T, span []byte) collected {
	t.Helper()
	f := fields(t, span)
	one := func(n protowire.Number) []byte {
		if len(f[n]) == 0 {
			return nil
		}
		return f[n][0]
	}
	start, _ := protowire.ConsumeFixed64(one(7))
	end, _ := protowire.ConsumeFixed64(one(8))
	s := collected{
		trace: hex.EncodeToString(one(1)), id: hex.EncodeToString(one(2)), parent: hex.EncodeToString(one(4)), name: string(one(5)),
		start: start, end: end, attributes: map[string]string{},
	}
	for _, pair := range f[9] {
		p := fields(t, pair)
		s.attributes[string(p[1][0])] = string(fields(t, p[2][0])[1][0])
	}
	if status := one(15); status != nil {
		s.failed = string(fields(t, status)[2][0])
	}
	return s
}

func (c *collector) named(name string) (found []collected) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.name == name {
			found = append(found, s)
		}
	}
	return found
}

// One trace leads from the signal to the page and to its answer, although the program was started anew in between, and the
// answer came by SMS.
func TestOneTraceFromSignalToAnswer(t *testing.T) {
	t.Parallel()
	r := newRoll(t)
	c := newCollector(t)
	r.env = append(r.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20hunter2", "OTEL_SERVICE_NAME=watchbill-test")
	program := asProgram(t)
	first := r.program(program)
	r.setUp(program)
	r.signal(first, "disk 1")
	r.until("the page in Slack is traced", func() bool { return len(c.named("send by slack")) > 0 })
	stopProgram(t, first)
	second := r.program(program)
	r.until("Ann has an SMS", func() bool { return r.texts("disk 1") == 1 })
	r.acksBySMS("disk 1")
	r.until("the answer is traced", func() bool { return len(c.named("acknowledge")) == 1 && len(c.named("send by sms")) == 1 })
	stopProgram(t, second)

	root := c.named("signal becomes incident")
	if len(root) != 1 || root[0].parent != "" {
		t.Fatalf("the roots: %+v; want one without a parent", root)
	}
	for _, name := range []string{"page a step", "page", "acknowledge"} {
		for _, s := range c.named(name) {
			if s.trace != root[0].trace || s.parent != root[0].id {
				t.Errorf("%s is of trace %s below %s; want %s below %s", name, s.trace, s.parent, root[0].trace, root[0].id)
			}
		}
	}
	pages := c.named("page")
	for _, s := range append(c.named("send by slack"), c.named("send by sms")...) {
		within := slices.IndexFunc(pages, func(p collected) bool { return p.id == s.parent })
		if within < 0 {
			t.Errorf("got the span %+v, want it within one of the pages %+v", s, pages)
			continue
		}
		if p := pages[within]; s.start < p.start || s.end > p.end || s.end < s.start {
			t.Errorf("got the span %+v, want it within the page %+v", s, p)
		}
		if s.failed != "" {
			t.Errorf("got the span failed by %q, want it not failed", s.failed)
		}
	}
	ack := c.named("acknowledge")[0].attributes
	want := map[string]string{"watchbill.incident": "#1", "watchbill.severity": "high", "watchbill.team": "1", "watchbill.via": "sms", "enduser.id": "U0ANN"}
	if diff := cmp.Diff(want, ack); diff != "" {
		t.Errorf("the acknowledgement's attributes (-want +got):\n%s", diff)
	}
	if c.auth != "Bearer hunter2" || !strings.Contains(c.texts, "watchbill-test") {
		t.Errorf(`the collector was told %q by %q; want "Bearer hunter2" and c.texts to contain "watchbill-test"`, c.auth, "watchbill-test")
	}
	for _, secret := range []string{"disk 1", annPhone, storyKey} {
		if strings.Contains(c.texts, secret) {
			t.Errorf("the collector was told %q", secret)
		}
	}
}

func TestTraceSettings(t *testing.T) {
	t.Parallel()
	fine := traceFlags{
		OTLPEndpoint: "http://collector:4318/", OTLPProtocol: "http/protobuf", OTLPHeaders: "a=b%20c, d = e", OTELAttributes: "x.y=z",
		TraceURL: "https://tempo.example.com/trace/{trace}",
	}
	if wrong := fine.problems(); len(wrong) > 0 {
		t.Errorf("%q, want none", wrong)
	}
	in := oncall.Incident{ID: 7, OpenedAt: time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)}
	stored := in
	stored.OpenedAt = in.OpenedAt.Truncate(time.Microsecond)
	if got := fine.link(in); got != fine.link(stored) || len(got) != len("https://tempo.example.com/trace/")+32 {
		t.Errorf("the link is %q, want %q as once it is stored, with 32 digits", got, fine.link(stored))
	}
	if got := (traceFlags{TraceURL: fine.TraceURL}).link(in); got != "" {
		t.Errorf(`without a collector there is a link, %q, want ""`, got)
	}
	got := fine.tracer(time.Now, zerolog.Nop())
	if got == nil || got.out.URL != "http://collector:4318/v1/traces" {
		t.Fatalf("the tracer is %+v, want one for http://collector:4318/v1/traces", got)
	}
	if h := got.out.Headers; h["a"] != "b c" || h["d"] != "e" {
		t.Errorf("the tracer's headers are %v, want a: b c and d: e", h)
	}
	off := (traceFlags{}).tracer(time.Now, zerolog.Nop())
	if off != nil {
		t.Error("without a collector there is a tracer, want none")
	}
	bad := traceFlags{OTLPEndpoint: "collector:4317", OTLPTraces: "x", OTLPProtocol: "grpc", OTLPHeaders: "hunter2", OTELAttributes: "=", TraceURL: "https://tempo.example.com"}
	wrong := bad.problems()
	if len(wrong) != 6 || strings.Contains(strings.Join(wrong, ""), "hunter2") {
		t.Errorf(`%d problems: %q; want 6, none with the password`, len(wrong), wrong)
	}
}

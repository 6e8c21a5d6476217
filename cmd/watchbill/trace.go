package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/trace"
)

// traceFlags configure traces. All but the last have OpenTelemetry's own names.
type traceFlags struct {
	OTLPEndpoint   string `name:"otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"An OpenTelemetry collector that is sent a trace of each incident, such as http://collector:4318; /v1/traces is added."`
	OTLPTraces     string `name:"otlp-traces-endpoint" env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" placeholder:"URL" help:"Its whole address for traces, in place of that."`
	OTLPHeaders    string `name:"otlp-headers" env:"OTEL_EXPORTER_OTLP_HEADERS" placeholder:"LIST" help:"With what it lets us in, such as Authorization=Bearer%20TOKEN; several are divided by commas."`
	OTLPProtocol   string `name:"otlp-protocol" env:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" help:"Only http/protobuf is spoken."`
	OTELService    string `name:"otel-service-name" env:"OTEL_SERVICE_NAME" default:"watchbill" help:"What this installation is called in traces."`
	OTELAttributes string `name:"otel-resource-attributes" env:"OTEL_RESOURCE_ATTRIBUTES" placeholder:"LIST" help:"More about it, such as deployment.environment.name=prod."`
	TraceURL       string `name:"trace-url" env:"WATCHBILL_TRACE_URL" placeholder:"URL" help:"Where people find a trace, with {trace} for its id: an incident's details have the link."`
}

// tracePlace is the placeholder for the trace's id in WATCHBILL_TRACE_URL.
const tracePlace = "{trace}"

func (f traceFlags) problems() (wrong []string) {
	for name, address := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": f.OTLPEndpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f.OTLPTraces} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			wrong = append(wrong, fmt.Sprintf("%s is %q; it must be an address such as http://collector:4318", name, address))
		}
	}
	if f.OTLPProtocol != "http/protobuf" && f.OTLPProtocol != "" {
		wrong = append(wrong, fmt.Sprintf("OTEL_EXPORTER_OTLP_PROTOCOL is %q, and only http/protobuf is spoken: name the collector's port for that, usually 4318", f.OTLPProtocol))
	}
	if _, err := pairs(f.OTLPHeaders); err != nil {
		wrong = append(wrong, "OTEL_EXPORTER_OTLP_HEADERS is not a list of NAME=VALUE divided by commas") // a secret
	}
	if _, err := pairs(f.OTELAttributes); err != nil {
		wrong = append(wrong, "OTEL_RESOURCE_ATTRIBUTES: "+err.Error())
	}
	if u, err := url.Parse(strings.ReplaceAll(f.TraceURL, tracePlace, "0")); f.TraceURL != "" &&
		(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(f.TraceURL, tracePlace)) {
		wrong = append(wrong, fmt.Sprintf("WATCHBILL_TRACE_URL is %q; it must be an address with %s in it, such as https://tempo.example.com/trace/%[2]s", f.TraceURL, tracePlace))
	}
	return wrong
}

// pairs parses NAME=VALUE,NAME=VALUE with percent-encoded values.
func pairs(list string) (map[string]string, error) {
	all := map[string]string{}
	for part := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, fmt.Errorf("%q is not NAME=VALUE", part)
		}
		all[name] = value
	}
	return all, nil
}

// A tracer makes spans of what happens to incidents. Spans contain no alert texts and no personal addresses.
type tracer struct {
	out   *trace.Exporter
	clock func() time.Time
}

// tracer returns nil if no collector is named.
func (f traceFlags) tracer(clock func() time.Time, log zerolog.Logger) *tracer {
	address := f.OTLPTraces
	if address == "" && f.OTLPEndpoint != "" {
		address = strings.TrimSuffix(f.OTLPEndpoint, "/") + "/v1/traces"
	}
	if address == "" {
		return nil
	}
	headers, _ := pairs(f.OTLPHeaders) // problems has checked both
	resource, _ := pairs(f.OTELAttributes)
	resource["service.name"], resource["service.version"] = f.OTELService, version()
	if host, err := os.Hostname(); err == nil {
		resource["service.instance.id"] = host
	}
	quiet := log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Minute})
	return &tracer{clock: clock, out: trace.New(trace.Config{
		URL: address, Headers: headers, Resource: resource,
		Lost: func(spans int, err error) { quiet.Warn().Err(err).Int("spans", spans).Msg("spans were lost") },
	})}
}

// tracedEvents maps events with their own span to its name.
var tracedEvents = map[oncall.EventKind]string{
	oncall.EventPaging: "page a step", oncall.EventAcknowledged: "acknowledge", oncall.EventResolved: "resolve", oncall.EventEscalated: "escalate",
	oncall.EventSnoozed: "snooze", oncall.EventReassigned: "reassign", oncall.EventUnacknowledged: "unacknowledge", oncall.EventUnassigned: "page the fallback people",
}

// changed adds spans for saved decisions.
func (t *tracer) changed(changes []oncall.Change) {
	if t == nil {
		return
	}
	now := t.clock()
	for _, c := range changes {
		if c.Incident.ID.Canary() {
			continue
		}
		id := traceOf(c.Incident)
		for _, e := range c.Events {
			s := trace.Span{Trace: id, ID: trace.NewSpanID(), Parent: id.Root(), Name: tracedEvents[e.Kind], Kind: trace.Internal, Start: e.At, End: now, Attributes: aboutIncident(c.Incident)}
			s.Attributes["watchbill.via"] = e.Actor.Via
			if e.Actor.User != "" {
				s.Attributes["enduser.id"] = string(e.Actor.User)
			}
			if e.Kind == oncall.EventOpened { // starts when its signal arrived
				s.Name, s.ID, s.Parent, s.Kind = "signal becomes incident", id.Root(), trace.SpanID{}, trace.Consumer
			}
			if s.Name != "" {
				t.out.Add(s)
			}
		}
	}
}

// page adds spans for an attempt to page somebody: the time in the queue, and the provider's time.
func (t *tracer) page(p jobs.PageAttempt) {
	if t == nil || p.Order.Incident.ID.Canary() {
		return
	}
	id, method := traceOf(p.Order.Incident), string(p.Order.Page.Method)
	about := aboutIncident(p.Order.Incident)
	about["watchbill.method"], about["watchbill.attempt"], about["watchbill.outcome"] = method, fmt.Sprint(p.Order.Attempt), string(p.Outcome)
	failed := ""
	if p.Outcome != notify.Accepted {
		failed = string(p.Outcome) // the provider's own words may contain an address
	}
	if p.Order.Page.UserID != "" {
		about["watchbill.paged"] = string(p.Order.Page.UserID)
	}
	job := trace.Span{Trace: id, ID: trace.NewSpanID(), Parent: id.Root(), Name: "page", Kind: trace.Consumer, Start: p.Queued, End: t.clock(), Attributes: about, Failed: failed}
	t.out.Add(job)
	if !p.Sent.IsZero() {
		t.out.Add(trace.Span{Trace: id, ID: trace.NewSpanID(), Parent: job.ID, Name: "send by " + method, Kind: trace.Client, Start: p.Sent, End: p.Answered, Attributes: about, Failed: failed})
	}
}

func traceOf(in oncall.Incident) trace.ID { return trace.NewID(int64(in.ID), in.OpenedAt) }

func aboutIncident(in oncall.Incident) map[string]string {
	return map[string]string{"watchbill.incident": in.ID.String(), "watchbill.severity": string(in.Severity), "watchbill.team": fmt.Sprint(in.TeamID)}
}

// link returns the link to an incident's trace, or empty.
func (f traceFlags) link(in oncall.Incident) string {
	if f.TraceURL == "" || f.OTLPEndpoint == "" && f.OTLPTraces == "" {
		return ""
	}
	return strings.ReplaceAll(f.TraceURL, tracePlace, traceOf(in).String())
}

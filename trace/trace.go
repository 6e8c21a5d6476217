// Package trace sends traces of incidents to an OpenTelemetry collector, by OTLP over HTTP.
//
// A trace's ID is computed from the incident, so that every process adds to the same trace at any time, without passing
// a context along. A span is sent when it has ended.
//
// It does not use OpenTelemetry's SDK, whose exporter brings gRPC and a dozen more modules, for a message of ten fields.
package trace

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// An ID names a trace.
type ID [16]byte

// NewID returns the ID of an incident's trace. The time counts in microseconds, the database's precision.
func NewID(incident int64, opened time.Time) ID {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(incident))           //nolint:gosec // only hashed
	binary.BigEndian.PutUint64(b[8:], uint64(opened.UnixMicro())) //nolint:gosec // likewise
	sum := sha256.Sum256(append([]byte("watchbill trace "), b[:]...))
	return ID(sum[:16])
}

// String returns the ID in hex, as in links to traces.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// A SpanID names a span within its trace.
type SpanID [8]byte

// Root returns the ID of the trace's root span.
func (id ID) Root() SpanID {
	sum := sha256.Sum256(append([]byte("watchbill span "), id[:]...))
	return SpanID(sum[:8])
}

// NewSpanID returns a random ID.
func NewSpanID() (id SpanID) {
	rand.Read(id[:])
	return id
}

// A Kind is OpenTelemetry's SpanKind.
type Kind uint64

// The kinds, by OpenTelemetry's numbers.
const (
	Internal Kind = 1
	Client   Kind = 3
	Consumer Kind = 5
)

// A Span is an operation with a start and an end.
type Span struct {
	Trace      ID
	ID         SpanID
	Parent     SpanID // zero: none
	Name       string
	Kind       Kind
	Start, End time.Time
	Attributes map[string]string
	Failed     string // the error; empty: it succeeded
}

// A field is the number of a field in OTLP's messages.
type field = protowire.Number

func appendText(b []byte, n field, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), text)
}

func appendBytes(b []byte, n field, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), data)
}

func appendNumber(b []byte, n field, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func appendTime(b []byte, n field, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), uint64(max(0, t.UnixNano()))) //nolint:gosec // not negative
}

// appendAttributes appends a repeated KeyValue.
func appendAttributes(b []byte, n field, attributes map[string]string) []byte {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		pair := appendText(nil, 1, key)
		pair = appendBytes(pair, 2, appendText(nil, 1, attributes[key]))
		b = appendBytes(b, n, pair)
	}
	return b
}

// encode returns the span as a protobuf message Span.
func (s Span) encode() []byte {
	b := appendBytes(nil, 1, s.Trace[:])
	b = appendBytes(b, 2, s.ID[:])
	if s.Parent != (SpanID{}) {
		b = appendBytes(b, 4, s.Parent[:])
	}
	b = appendText(b, 5, s.Name)
	b = appendNumber(b, 6, uint64(s.Kind))
	b = appendTime(b, 7, s.Start)
	b = appendTime(b, 8, s.End)
	b = appendAttributes(b, 9, s.Attributes)
	if s.Failed != "" {
		const failed = 2
		b = appendBytes(b, 15, appendNumber(appendText(nil, 2, s.Failed), 3, failed))
	}
	return b
}

// request returns a message ExportTraceServiceRequest with spans and their resource.
func request(resource map[string]string, spans []Span) []byte {
	scope := appendBytes(nil, 1, appendText(nil, 1, "watchbill"))
	for _, s := range spans {
		scope = appendBytes(scope, 2, s.encode())
	}
	of := appendBytes(nil, 1, appendAttributes(nil, 1, resource))
	return appendBytes(nil, 1, appendBytes(of, 2, scope))
}

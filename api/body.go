package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/watchbill/watchbill/intake"
)

// Limits on work in progress. Beyond them, senders are asked to retry.
const (
	maxInFlight = 2_048
	maxBuffered = 256 << 20 // bytes of bodies
	// maxParsed limits the bytes of bodies that are being parsed or wait as signals to be stored, because parsing
	// takes several times the memory. A body waits parseTimeout for its turn.
	maxParsed    = 64 << 20
	parseTimeout = 5 * time.Second
	maxShownBody = 64 << 10 // bytes of a body that is too large
	// formTimeout is how long a form may take to arrive. A form fits into one or two packets.
	formTimeout = 5 * time.Second
)

// load counts the requests in progress and the bytes of their bodies.
type load struct {
	parsing  *semaphore.Weighted // in bytes
	inFlight atomic.Int64
	buffered atomic.Int64
}

var errOverloaded = errors.New("too many bytes under way")

// A meteredReader adds the bytes it reads to the load, until release.
type meteredReader struct {
	io.Reader
	load *load
	n    int64
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += int64(n)
	if m.load.buffered.Add(int64(n)) > maxBuffered {
		return n, errOverloaded
	}
	return n, err
}

func (m *meteredReader) release() { m.load.buffered.Add(-m.n) }

// requestBody is a request's body. The body counts towards the load until release is called.
type requestBody struct {
	body      []byte
	problem   *problem // why the body could not be read to the end; body then holds its beginning
	onRelease []func()
}

func (b *requestBody) release() {
	for _, discount := range b.onRelease {
		discount()
	}
}

// read returns the whole body, decompressed. The encoding is detected from the content, not from the
// headers.
func (s *server) read(w http.ResponseWriter, r *http.Request, limit int64) *requestBody {
	wire := &rawBody{Reader: http.MaxBytesReader(w, r.Body, limit)}
	defer bodyWithin(w, r, 10*time.Second+time.Duration(limit>>20)*time.Second)()
	peeked := bufio.NewReader(wire)
	body := &meteredReader{Reader: peeked, load: &s.load}
	start, _ := peeked.Peek(2) // a shorter body fails below, with a better error
	if bytes.Equal(start, []byte{0x1f, 0x8b}) {
		if inflated, err := gzip.NewReader(peeked); err == nil {
			body.Reader = http.MaxBytesReader(w, inflated, limit)
		}
	}
	b, err := io.ReadAll(body)
	coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch known := slices.Contains([]string{"", "identity", "gzip", "x-gzip"}, coding); {
	case err != nil:
		body.release()
		return &requestBody{body: bytes.Clone(b[:min(len(b), maxShownBody)]), problem: bodyProblem(err, wire.err, limit)}
	case !known && !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")): // the header may be wrong
		w.Header().Set("Accept-Encoding", "gzip, identity")
		body.release()
		p := newProblem(http.StatusUnsupportedMediaType, "The body's Content-Encoding is not known; send it plain or as gzip.")
		p.toPage = true
		return &requestBody{problem: p}
	}
	return &requestBody{body: intake.WithoutBOM(b), onRelease: []func(){body.release}}
}

// A rawBody is a body as it arrives, before decompression. It records errors of the connection, to distinguish them from
// errors in the content.
type rawBody struct {
	io.Reader
	err error
}

func (b *rawBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// bodyWithin limits how long a body may take to arrive, until the returned function is called.
func bodyWithin(w http.ResponseWriter, r *http.Request, limit time.Duration) (arrived func()) {
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	stop := context.AfterFunc(ctx, func() {
		// A deadline in the past interrupts a read without asking a clock.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		stop()
		cancel()
	}
}

// bodyProblem returns the problem to answer with if the body could not be read. The argument arriving
// is the connection's error, or nil if the whole body arrived.
func bodyProblem(err, arriving error, limit int64) *problem {
	var p *problem
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large:
		p = newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"The body is larger than %d MiB; send fewer or shorter alerts at once.", limit>>20))
		p.toPage = true
	case errors.Is(err, errOverloaded):
		p = overloaded()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p = newProblem(http.StatusRequestTimeout, "The body took too long to arrive; send it at once.")
	case arriving == nil:
		p = newProblem(http.StatusBadRequest, "The body is gzip that is damaged or was cut off.")
		p.toPage = true
	default:
		p = newProblem(http.StatusBadRequest, "The body ended early or is damaged; send it again.")
	}
	p.hangUp = true
	return p
}

func overloaded() *problem {
	return unavailable("Too much is under way at once; nothing was stored, send it again.")
}

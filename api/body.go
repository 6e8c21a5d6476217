package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/watchbill/watchbill/intake"
)

// Limits on what is in progress at once; beyond them senders are asked to retry.
const (
	maxInFlight = 2_048
	maxBuffered = 256 << 20 // bytes of bodies
	// maxParsed are bytes of bodies that are parsed at once, or wait as signals to be stored: these take
	// several times the memory. A body waits parsePatience for its turn.
	maxParsed     = 64 << 20
	parsePatience = 5 * time.Second
	shownOfBody   = 64 << 10 // bytes of a body that is too large
	// formPatience is how long a form may take to arrive, which fits into one packet or two.
	formPatience = 5 * time.Second
)

// load counts the requests in progress and the bytes of body they hold.
type load struct {
	parsing  *semaphore.Weighted // in bytes
	inFlight atomic.Int64
	buffered atomic.Int64
}

var errCrowded = errors.New("too many bytes under way")

// A meteredReader counts the bytes read towards the load, until they are released.
type meteredReader struct {
	io.Reader
	load *load
	n    int64
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += int64(n)
	if m.load.buffered.Add(int64(n)) > maxBuffered {
		return n, errCrowded
	}
	return n, err
}

func (m *meteredReader) release() { m.load.buffered.Add(-m.n) }

// read returns the whole body, decompressed, and a function that releases it; or the problem
// to answer with, and how the body begins.
func (s *server) read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, func(), *problem) {
	wire := http.MaxBytesReader(w, r.Body, limit)
	defer bodyWithin(w, r, 10*time.Second+time.Duration(limit>>20)*time.Second)()
	body := &meteredReader{Reader: wire, load: &s.load}
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		inflated, err := gzip.NewReader(wire)
		if err != nil {
			return nil, nil, unread(err, limit)
		}
		body.Reader = http.MaxBytesReader(w, inflated, limit)
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity")
		p := newProblem(http.StatusUnsupportedMediaType, "The body's Content-Encoding is not known; send it plain or as gzip.")
		p.hangUp = true
		return nil, nil, p
	}
	b, err := io.ReadAll(body)
	if err != nil {
		body.release()
		return bytes.Clone(b[:min(len(b), shownOfBody)]), nil, unread(err, limit)
	}
	return intake.Unmarked(b), body.release, nil
}

// bodyWithin limits how long a body may take to arrive, until its result is called.
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

// unread is the problem to answer with when the body could not be read.
func unread(err error, limit int64) *problem {
	var p *problem
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large:
		p = newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"The body is larger than %d MiB; send fewer or shorter alerts at once.", limit>>20))
		p.tooLarge = true
	case errors.Is(err, errCrowded):
		p = crowded()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p = newProblem(http.StatusRequestTimeout, "The body took too long to arrive; send it at once.")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		p = newProblem(http.StatusBadRequest, "The body is not valid gzip, which its Content-Encoding says it is.")
	default:
		p = newProblem(http.StatusBadRequest, "The body ended early or is damaged; send it again.")
	}
	p.hangUp = true
	return p
}

func crowded() *problem {
	return unavailable("Too much is under way at once; nothing was stored, send it again.")
}

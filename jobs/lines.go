package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pageWorkers is how many pages an instance works on at once, and lineSeats how many of
	// these wait for one provider: one that hangs must leave workers to the others.
	pageWorkers = 20
	lineSeats   = 6
	// seatPatience is how long a page waits for a seat. Where none comes free the provider
	// hangs: the others don't wait, and come again later.
	seatPatience = time.Second
	seatLater    = 5 * time.Second
)

var errBusy = errors.New("the provider keeps others waiting already")

// lines keep the pages by one provider from taking all workers.
type lines struct {
	mu sync.Mutex
	of map[string]*line
}

// A line is the pages by one provider.
type line struct {
	seats chan struct{}

	hangs atomic.Bool // nobody has left for a while
}

func (l *lines) line(name string) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]*line{}
	}
	if l.of[name] == nil {
		l.of[name] = &line{seats: make(chan struct{}, lineSeats)}
	}
	return l.of[name]
}

// hang reports whether a provider hangs, so that it is no use to come now. Where a seat is free it
// doesn't, whatever a page said that lost its patience at that very moment.
func (l *lines) hang(name string) bool {
	if name == "" {
		return false
	}
	n := l.line(name)
	return n.hangs.Load() && len(n.seats) == lineSeats
}

// enter takes a seat, which is to be left; nil: there is none.
func (l *lines) enter(ctx context.Context, name string) (leave func()) {
	n := l.line(name)
	select {
	case n.seats <- struct{}{}:
		return n.leave
	default:
	}
	if n.hangs.Load() {
		return nil
	}
	patience := time.NewTimer(seatPatience) // a timer, not a clock: it is about this process
	defer patience.Stop()
	select {
	case n.seats <- struct{}{}:
		return n.leave
	case <-ctx.Done():
		return nil
	case <-patience.C:
		n.hangs.Store(true)
		return nil
	}
}

// leave lets others come again.
func (n *line) leave() {
	<-n.seats
	n.hangs.Store(false)
}

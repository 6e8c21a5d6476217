package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pageWorkers is how many pages an instance works on at once, and laneSlots how many of
	// these wait for one provider: one that hangs must leave workers to the others.
	pageWorkers = 20
	laneSlots   = 6
	// lanePatience is how long a page waits for a slot. Where none comes free the provider
	// hangs: the others don't wait, and come again after laneLater.
	lanePatience = time.Second
	laneLater    = 5 * time.Second
)

var errBusy = errors.New("the provider keeps others waiting already")

// lanes keep the pages by one provider from taking all workers.
type lanes struct {
	mu sync.Mutex
	of map[string]*lane
}

// A lane is the pages by one provider.
type lane struct {
	slots chan struct{}
	hangs atomic.Bool // nobody has left for a while
}

func (l *lanes) lane(name string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]*lane{}
	}
	if l.of[name] == nil {
		l.of[name] = &lane{slots: make(chan struct{}, laneSlots)}
	}
	return l.of[name]
}

// hang reports whether a provider hangs, so that it is no use to come now. Where a slot is free it
// does not, even if a page lost its patience at that very moment.
func (l *lanes) hang(name string) bool {
	if name == "" {
		return false
	}
	n := l.lane(name)
	return n.hangs.Load() && len(n.slots) == laneSlots
}

// enter takes a slot, to be given back by leave; nil: there is none.
func (l *lanes) enter(ctx context.Context, name string) (leave func()) {
	n := l.lane(name)
	select {
	case n.slots <- struct{}{}:
		return n.leave
	default:
	}
	if n.hangs.Load() {
		return nil
	}
	patience := time.NewTimer(lanePatience) // a timer, not a clock: it is about this process
	defer patience.Stop()
	select {
	case n.slots <- struct{}{}:
		return n.leave
	case <-ctx.Done():
		return nil
	case <-patience.C:
		n.hangs.Store(true)
		return nil
	}
}

// leave lets others come again.
func (n *lane) leave() {
	<-n.slots
	n.hangs.Store(false)
}

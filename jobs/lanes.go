package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pageWorkers is how many pages an instance works on at once. laneSlots is how many of them may wait for one
	// provider, so that a provider that hangs leaves workers for the others.
	pageWorkers = 20
	laneSlots   = 6
	// laneTimeout is how long a page waits for a slot. If no slot becomes free in that time, the provider
	// hangs. Other pages then don't wait, but are retried after laneRetry.
	laneTimeout = time.Second
	laneRetry   = 5 * time.Second
)

var errBusy = errors.New("the provider keeps others waiting already")

// lanes keeps pages through one provider from occupying all workers.
type lanes struct {
	mu     sync.Mutex
	byName map[string]*lane
}

// A lane limits the pages through one provider.
type lane struct {
	slots chan struct{}
	hangs atomic.Bool // no slot has become free for a while
}

func (l *lanes) lane(name string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]*lane{}
	}
	if l.byName[name] == nil {
		l.byName[name] = &lane{slots: make(chan struct{}, laneSlots)}
	}
	return l.byName[name]
}

// hangs reports whether a lane's provider hangs, so that an attempt now would be pointless. A lane with a free slot
// doesn't hang, even if a page gave up waiting at that very moment.
func (l *lanes) hangs(name string) bool {
	if name == "" {
		return false
	}
	n := l.lane(name)
	return n.hangs.Load() && len(n.slots) == laneSlots
}

// enter takes a slot and returns the function that gives the slot back, or nil if there is no slot.
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
	timeout := time.NewTimer(laneTimeout) // real time: this is about the load of this process
	defer timeout.Stop()
	select {
	case n.slots <- struct{}{}:
		return n.leave
	case <-ctx.Done():
		return nil
	case <-timeout.C:
		n.hangs.Store(true)
		return nil
	}
}

// leave gives back the slot and lets others try again.
func (l *lane) leave() {
	<-l.slots
	l.hangs.Store(false)
}

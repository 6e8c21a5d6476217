package bot

import "sync"

// maxInFlight is the number of envelopes that are handled at the same time.
const maxInFlight = 128

// inFlight limits the number of envelopes that are handled at the same time, and closes when the bot stops.
type inFlight struct {
	mu     sync.Mutex
	count  int
	closed bool
	done   sync.WaitGroup
}

// acquire acquires a slot, and reports false if none is free or the bot is stopping.
func (a *inFlight) acquire() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.count == maxInFlight {
		return false
	}
	a.count++
	a.done.Add(1)
	return true
}

// release releases the slot.
func (a *inFlight) release() {
	a.mu.Lock()
	a.count--
	a.mu.Unlock()
	a.done.Done()
}

// drain admits no further envelopes, and waits for those being handled.
func (a *inFlight) drain() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.done.Wait()
}

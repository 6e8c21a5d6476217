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
func (f *inFlight) acquire() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.count == maxInFlight {
		return false
	}
	f.count++
	f.done.Add(1)
	return true
}

// release releases the slot.
func (f *inFlight) release() {
	f.mu.Lock()
	f.count--
	f.mu.Unlock()
	f.done.Done()
}

// drain admits no further envelopes, and waits for those being handled.
func (f *inFlight) drain() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.done.Wait()
}

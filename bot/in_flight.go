package bot

import "sync"

// slots is how many envelopes are handled at the same time.
const slots = 128

// admission limits how many envelopes are handled at once, and closes when the bot stops.
type admission struct {
	mu     sync.Mutex
	taken  int
	closed bool
	left   sync.WaitGroup
}

// enter takes a slot, if one is free.
func (a *admission) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.taken == slots {
		return false
	}
	a.taken++
	a.left.Add(1)
	return true
}

// leave gives the slot back.
func (a *admission) leave() {
	a.mu.Lock()
	a.taken--
	a.mu.Unlock()
	a.left.Done()
}

// close lets nothing in any more and waits for what is inside.
func (a *admission) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.left.Wait()
}

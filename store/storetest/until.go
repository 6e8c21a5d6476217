package storetest

import (
	"testing"
	"time"
)

// Timeout is how long a test waits for what must happen soon, on a busy machine too.
const Timeout = 30 * time.Second

// Until waits for something to become true, and fails the test if that takes longer than limit.
func Until(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	pause := NewPause()
	for deadline := time.Now().Add(limit); !ok(); pause() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", limit, what)
		}
	}
}

// NewPause returns a function that sleeps: 2 ms at first and longer each time, up to 40 ms. To look costs more than what
// is waited for, where dozens of tests do it at once.
func NewPause() func() {
	d := 2 * time.Millisecond
	return func() {
		time.Sleep(d)
		d = min(d+d/2, 40*time.Millisecond)
	}
}

package storetest

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen soon, on a busy machine too.
const Patience = 30 * time.Second

// Until waits for something to become true, and fails the test if that takes longer than limit.
func Until(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", limit, what)
		}
	}
}

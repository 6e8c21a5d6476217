package rest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets is how many keys and networks are tracked; one more resets them all.
const maxBuckets = 10_000

// limits counts the requests of each key, and of each network without one. Each instance counts
// separately.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// take counts a request against a limit per minute, and returns how many more are allowed now, or
// how long to wait.
func (l *limits) take(who string, perMinute int, now time.Time) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil || len(l.buckets) >= maxBuckets {
		l.buckets = map[string]*rate.Limiter{}
	}
	b, known := l.buckets[who]
	if !known {
		b = rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
		l.buckets[who] = b
	}
	r := b.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return 0, wait
	}
	return int(b.TokensAt(now)), 0
}

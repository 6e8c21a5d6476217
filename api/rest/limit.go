package rest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostBuckets is how many keys and networks are remembered; one more forgets them all.
const mostBuckets = 10_000

// limits count the requests of each key, and of each network that has none. Each instance counts its own.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// take counts a request of somebody who may make so many a minute, and returns how many more they may make now, or
// how long they have to wait.
func (l *limits) take(who string, perMinute int, now time.Time) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil || len(l.buckets) >= mostBuckets {
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

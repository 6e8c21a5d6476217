package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	quietBurst  = 3
	quietPeriod = 10 * time.Second
)

// logLimiter lets through a few lines of each message per period. River logs the same line for every
// job and every fetch, which would fill a disk while the database is down.
type logLimiter struct {
	slog.Handler
	lines *lineCounts
}

// lineCounts counts the lines logged in the current period.
type lineCounts struct {
	mu    sync.Mutex
	since time.Time
	times map[string]int
}

func newLogLimiter(h slog.Handler) logLimiter { return logLimiter{h, &lineCounts{}} }

// Handle implements slog.Handler.
func (l logLimiter) Handle(ctx context.Context, r slog.Record) error {
	n := l.lines.count(r)
	if n > quietBurst {
		return nil
	}
	if n == quietBurst {
		r = r.Clone()
		r.AddAttrs(slog.String("more", "what else there is of this message in the next seconds is left out"))
	}
	return l.Handler.Handle(ctx, r)
}

func (c *lineCounts) count(r slog.Record) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since := r.Time.Sub(c.since); since < 0 || since > quietPeriod {
		c.since, c.times = r.Time, map[string]int{}
	}
	c.times[r.Message]++
	return c.times[r.Message]
}

// WithAttrs implements slog.Handler.
func (l logLimiter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logLimiter{l.Handler.WithAttrs(attrs), l.lines}
}

// WithGroup implements slog.Handler.
func (l logLimiter) WithGroup(name string) slog.Handler {
	return logLimiter{l.Handler.WithGroup(name), l.lines}
}

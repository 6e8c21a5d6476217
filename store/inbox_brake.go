package store

import (
	"context"
	"time"
)

const (
	brakeCrowd      = 16                     // callers in one commit; fewer are never held up
	brakeAfterLag   = 250 * time.Millisecond // how far folding may fall behind before callers are held up
	brakeMaxPause   = 300 * time.Millisecond // after one commit
	brakeCheckEvery = 200 * time.Millisecond // how often the committer checks how far behind folding is
)

// A brake slows down the committer while folding is behind. A stored signal pages nobody until it is
// folded. When both compete for the processors, it is better that a monitor with a hundred connections
// waits slightly longer for its response than that everybody's signals wait in the inbox for seconds.
type brake struct {
	looked time.Time // the last arrival when the committer last checked
	behind time.Duration
}

// pause returns how long the committer waits: a quarter of the delay of folding.
func (b brake) pause(callers int) time.Duration {
	if callers < brakeCrowd || b.behind < brakeAfterLag {
		return 0
	}
	return min(b.behind/4, brakeMaxPause)
}

// brake waits after a commit to give folding time to catch up.
func (s *Store) brake(ctx context.Context, batch []*arrival) {
	b, now := &s.arrivals.brake, batch[len(batch)-1].at
	if len(batch) < brakeCrowd {
		return
	}
	if now.Sub(b.looked).Abs() >= brakeCheckEvery {
		b.looked, b.behind = now, s.inboxAge(ctx, now)
	}
	pause := time.NewTimer(b.pause(len(batch)))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// inboxAge returns how long the oldest signal has been in the inbox; zero if that isn't known.
func (s *Store) inboxAge(ctx context.Context, now time.Time) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, brakeCheckEvery)
	defer cancel()
	var oldest *time.Time
	if err := s.intakePool.QueryRow(ctx, `SELECT received_at FROM inbox ORDER BY id LIMIT 1`).Scan(&oldest); err != nil || oldest == nil {
		return 0
	}
	return now.Sub(*oldest)
}

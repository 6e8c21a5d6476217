package store

import (
	"context"
	"time"
)

const (
	brakeCrowd = 16                     // callers in one commit; fewer are never held up
	brakeFrom  = 250 * time.Millisecond // how far folding may be behind before callers are
	brakeMost  = 300 * time.Millisecond // after one commit
	brakeLook  = 200 * time.Millisecond // how often the committer asks how far that is
)

// A brake holds up the committer while folding is behind. A signal that is stored pages nobody before it is folded:
// where both want the same processors, a monitor with a hundred connections waits a moment longer for its answer,
// instead of everybody's signals waiting for seconds in the inbox.
type brake struct {
	looked time.Time // the arrival that came last when the committer asked
	behind time.Duration
}

// pause returns how long the committer waits: a quarter of the delay of folding.
func (b brake) pause(callers int) time.Duration {
	if callers < brakeCrowd || b.behind < brakeFrom {
		return 0
	}
	return min(b.behind/4, brakeMost)
}

// brake waits after a commit for as long as folding has to be given time.
func (s *Store) brake(ctx context.Context, batch []*arrival) {
	b, now := &s.arrivals.brake, batch[len(batch)-1].at
	if len(batch) < brakeCrowd {
		return
	}
	if now.Sub(b.looked).Abs() >= brakeLook {
		b.looked, b.behind = now, s.inboxAge(ctx, now)
	}
	pause := time.NewTimer(b.pause(len(batch)))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// inboxAge returns how long the oldest signal in the inbox has been there; zero if that can't be told.
func (s *Store) inboxAge(ctx context.Context, now time.Time) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, brakeLook)
	defer cancel()
	var oldest *time.Time
	if err := s.intakePool.QueryRow(ctx, `SELECT received_at FROM inbox ORDER BY id LIMIT 1`).Scan(&oldest); err != nil || oldest == nil {
		return 0
	}
	return now.Sub(*oldest)
}

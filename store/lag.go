package store

import (
	"context"
	"fmt"
	"time"
)

// A Lag says since when the oldest signal and the oldest page have been waiting; nil: none waits.
type Lag struct {
	Inbox *time.Time // the oldest signal to fold
	Pages *time.Time // the oldest page that is due
}

// Lag returns how far folding and paging are behind.
func (s *System) Lag(ctx context.Context) (l Lag, err error) {
	const load = `
		SELECT (SELECT received_at FROM inbox ORDER BY id LIMIT 1),
		       (SELECT min(scheduled_at) FROM river_job WHERE state = 'available' AND queue = $1)`
	if err := s.pool.QueryRow(ctx, load, QueuePage).Scan(&l.Inbox, &l.Pages); err != nil {
		return l, fmt.Errorf("ask how far behind we are: %w", translate(err))
	}
	return l, nil
}

package store

import (
	"context"
	"fmt"
	"time"
)

// Clock returns the database's own clock. Nothing goes by it: it is read only to tell
// how far two machines are apart.
func (s *System) Clock(ctx context.Context) (time.Time, error) {
	var t time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&t); err != nil {
		return time.Time{}, fmt.Errorf("ask the database for the time: %w", translate(err))
	}
	return t, nil
}

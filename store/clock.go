package store

import (
	"context"
	"fmt"
	"time"
)

// Clock returns the time of the database's machine. It is only used to compare that clock with ours.
func (s *System) Clock(ctx context.Context) (time.Time, error) {
	var t time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&t); err != nil {
		return time.Time{}, fmt.Errorf("ask the database for the time: %w", translate(err))
	}
	return t, nil
}

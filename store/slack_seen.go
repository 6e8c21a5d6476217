package store

import (
	"context"
	"fmt"
	"time"
)

// RememberEvent reports whether the key of a Slack event is new, and remembers the key for a day.
func (s *Store) RememberEvent(ctx context.Context, key string, now time.Time) (bool, error) {
	const insert = `INSERT INTO slack_seen (key, seen_at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`
	tag, err := s.pool.Exec(ctx, insert, key, now)
	if err != nil {
		return false, fmt.Errorf("remember %q: %w", key, translate(err))
	}
	return tag.RowsAffected() == 1, nil
}

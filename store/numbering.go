package store

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

// SkipNumbers skips the numbers of incidents that a restore has lost: at least so many, up to the next thousand. It
// returns the last skipped number. Repeating it before there is a new incident changes nothing.
func (s *System) SkipNumbers(ctx context.Context, least int) (last oncall.IncidentID, err error) {
	const skip = `
		UPDATE numbering
		SET after = greatest(after, ((SELECT coalesce(greatest(max(id), 0), 0) FROM incidents) + $1 + 999) / 1000 * 1000)
		RETURNING after`
	if err := s.pool.QueryRow(ctx, skip, least).Scan(&last); err != nil {
		return 0, fmt.Errorf("skip numbers: %w", translate(err))
	}
	return last, nil
}

package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// SendDigests posts the weekly digests to teams' channels, a few at a time. Each digest is one notice,
// no matter which instance posts it.
func (j *Jobs) SendDigests(ctx context.Context, now time.Time) error {
	due, err := j.store.DueDigests(ctx, now)
	errs := []error{err}
	for _, d := range due {
		figures, err := j.store.TeamReport(ctx, oncall.ByTimer(), d.Team, d.Week)
		if errors.Is(err, oncall.ErrNotFound) {
			continue
		}
		if err == nil {
			err = j.store.PostDigest(ctx, d, figures, now)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

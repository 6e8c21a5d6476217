package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// TellWeeks tells the channels of teams of their week, a few at a time. Whichever instance comes first tells a team: of
// its notice there is one.
func (j *Jobs) TellWeeks(ctx context.Context, now time.Time) error {
	due, err := j.store.DueDigests(ctx, now)
	errs := []error{err}
	for _, d := range due {
		told, err := j.store.TeamReport(ctx, oncall.ByTimer(), d.Team, d.Week)
		if errors.Is(err, oncall.ErrNotFound) {
			continue
		}
		if err == nil {
			err = j.store.TellWeek(ctx, d, told, now)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	awayCalendarLimit = 2 * time.Minute
	// awayAhead is how far ahead a calendar's recurring events are expanded. Counting starts at the
	// beginning of a week, so that the result is the same an hour later.
	awayAhead = 365 * 24 * time.Hour
	aWeek     = 7 * 24 * time.Hour
)

// readAwayCalendar reads a person's calendar as time off.
func (j *Jobs) readAwayCalendar(ctx context.Context, job *river.Job[oncall.ReadAwayCalendar]) error {
	if j.calendars == nil {
		return nil
	}
	r, err := j.store.BeginAwayCalendar(ctx, job.Args.User, j.clock())
	if err != nil {
		return unlessMissing(err)
	}
	is, err := j.awayOutcome(ctx, r)
	if err != nil {
		return err
	}
	return unlessMissing(j.store.EndAwayCalendar(context.WithoutCancel(ctx), r, is, j.clock()))
}

// awayOutcome reads a calendar and imports the relevant events. A failure to read it is an outcome,
// too.
func (j *Jobs) awayOutcome(ctx context.Context, r store.AwayReading) (store.AwayOutcome, error) {
	body, tag, err := j.calendars.Read(ctx, r.URL, r.Tag)
	switch {
	case err != nil:
		return store.AwayOutcome{Trouble: err.Error()}, ctx.Err()
	case body == nil:
		return store.AwayOutcome{Same: true, Tag: tag}, nil
	}
	now := j.clock()
	zone := r.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	reading, err := ical.ReadTimeOff(bytes.NewReader(body), now, now.Truncate(aWeek).Add(awayAhead), zone)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return store.AwayOutcome{Trouble: refusal.Error()}, nil
	}
	if err != nil {
		return store.AwayOutcome{}, fmt.Errorf("read the calendar of %s: %w", r.User, err)
	}
	var spans []oncall.TimeOff
	for _, s := range reading.Spans {
		if r.Counts(oncall.AwayEvent{Title: s.Note, AllDay: s.AllDay, Free: s.Free, Out: s.Out}) {
			spans = append(spans, oncall.TimeOff{Start: s.Start, End: s.End, Note: s.Note, UID: s.UID})
		}
	}
	if _, err := j.store.ImportTimeOff(ctx, oncall.ByTimer(), r.User, oncall.AwayCalendarSource, spans, now); err != nil {
		return store.AwayOutcome{}, err
	}
	return store.AwayOutcome{Tag: tag, Events: len(spans)}, nil
}

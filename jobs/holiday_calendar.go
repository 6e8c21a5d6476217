package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// These are how far back and ahead holidays are read. Counting starts at the beginning of a year, so
// that the result is the same an hour later.
const (
	holidaysBack  = 1 // years
	holidaysAhead = 4
)

// readHolidayCalendar reads a holiday calendar, in which holidays are whole-day events.
func (j *Jobs) readHolidayCalendar(ctx context.Context, job *river.Job[oncall.ReadHolidayCalendar]) error {
	if j.calendars == nil {
		return nil
	}
	tag, err := j.store.BeginHolidayCalendar(ctx, job.Args.URL, j.clock())
	if err != nil {
		return unlessMissing(err)
	}
	is, err := j.holidays(ctx, job.Args.URL, tag)
	if err != nil {
		return err
	}
	return unlessMissing(j.store.EndHolidayCalendar(context.WithoutCancel(ctx), job.Args.URL, is, j.clock()))
}

// holidays reads a calendar. A failure to read it is an outcome, too.
func (j *Jobs) holidays(ctx context.Context, address, tag string) (store.HolidayReading, error) {
	year := j.clock().UTC().Year()
	of := strconv.Itoa(year) + " " // last year's tag doesn't count, because the same calendar has more days this year
	old, _ := strings.CutPrefix(tag, of)
	if old == tag {
		old = ""
	}
	body, tag, err := j.calendars.Read(ctx, address, old)
	if tag != "" {
		tag = of + tag
	}
	switch {
	case err != nil:
		return store.HolidayReading{Trouble: err.Error()}, ctx.Err()
	case body == nil:
		return store.HolidayReading{Same: true, Tag: tag}, nil
	}
	days, err := ical.Holidays(body, year-holidaysBack, year+holidaysAhead)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return store.HolidayReading{Trouble: refusal.Error()}, nil
	}
	if err != nil {
		return store.HolidayReading{}, fmt.Errorf("read a calendar of holidays: %w", err)
	}
	return store.HolidayReading{Tag: tag, Days: days}, nil
}

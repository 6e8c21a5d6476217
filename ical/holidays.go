package ical

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxHolidays is how many days the holidays of a calendar may be.
const maxHolidays = 2_000

// Holidays reads the events of whole days between the beginnings of two years, each day of them. Of several on a day the
// first counts, by name. If the calendar can't be used, the error is a Refusal.
func Holidays(data []byte, fromYear, toYear int) ([]schedule.Holiday, error) {
	from, to := time.Date(fromYear, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(toYear, 1, 1, 0, 0, 0, 0, time.UTC)
	reading, err := ReadTimeOff(bytes.NewReader(data), from, to, "UTC")
	if err != nil {
		return nil, err
	}
	var days []schedule.Holiday
	for _, s := range reading.Spans {
		if !s.AllDay {
			continue
		}
		for at := s.Start; at.Before(s.End) && at.Before(to); at = at.AddDate(0, 0, 1) {
			if at.Before(from) {
				continue
			}
			if len(days) == maxHolidays {
				return nil, oncall.Refuse("The calendar has more than %d days of holidays.", maxHolidays)
			}
			days = append(days, schedule.Holiday{Date: schedule.Date{Year: at.Year(), Month: at.Month(), Day: at.Day()}, Name: s.Note})
		}
	}
	slices.SortFunc(days, func(a, b schedule.Holiday) int {
		if c := strings.Compare(a.Date.String(), b.Date.String()); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return slices.CompactFunc(days, func(a, b schedule.Holiday) bool { return a.Date == b.Date }), nil
}

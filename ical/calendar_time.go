package ical

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A calendarTime is a time as a calendar expresses it.
type calendarTime struct {
	wall    time.Time // the date and time as written, read as if in UTC
	zone    *schedule.Zone
	instant time.Time // when the zone's clock shows that, by the rule of package schedule
	date    bool      // a date without a time
}

// newCalendarTime makes a moment of a written date and time.
func newCalendarTime(wall time.Time, zone *schedule.Zone, date bool) calendarTime {
	m := calendarTime{wall: wall, zone: zone, date: date}
	if zone == nil {
		m.instant = wall
		return m
	}
	day := schedule.Date{Year: wall.Year(), Month: wall.Month(), Day: wall.Day()}
	clock := schedule.TimeOfDay(wall.Hour()*60 + wall.Minute())
	m.instant = zone.Instant(day, clock).Add(time.Duration(wall.Second()) * time.Second)
	return m
}

const (
	dateOnly = "20060102"
	floating = "20060102T150405"
)

// isDate reports whether a property is a date without a time.
func isDate(p *ical.Prop) bool {
	value := strings.TrimSpace(p.Value)
	_, err := time.Parse(time.DateOnly, value)
	return strings.EqualFold(p.Params.Get(ical.ParamValue), "DATE") || len(value) == len(dateOnly) || err == nil
}

// readTime reads a property.
func (r *reader) readTime(p *ical.Prop) (calendarTime, error) {
	value := strings.TrimSpace(p.Value)
	if isDate(p) {
		if len(value) >= len(time.DateOnly) && value[4] == '-' && value[7] == '-' { // 2026-03-02
			value = strings.ReplaceAll(value[:len(time.DateOnly)], "-", "")
		}
		// Some programs append midnight to the date.
		day, err := time.Parse(dateOnly, value[:min(len(value), len(dateOnly))])
		if err != nil {
			return calendarTime{}, fmt.Errorf("%q is not a date", value)
		}
		return bounded(newCalendarTime(day, r.home, true))
	}
	m := timeForm.FindStringSubmatch(strings.ToUpper(value))
	if m == nil {
		return calendarTime{}, fmt.Errorf("%q is not a time", value)
	}
	seconds, clock := cmp.Or(m[6], "00"), m[4]
	day := 0
	if clock == "24" && m[5] == "00" && seconds == "00" { // the end of the day
		clock, day = "00", 1
	}
	t, err := time.Parse(floating, m[1]+m[2]+m[3]+"T"+clock+m[5]+seconds)
	if err != nil {
		return calendarTime{}, fmt.Errorf("%q is not a time", value)
	}
	t = t.AddDate(0, 0, day)
	switch east, ok := offset(m[7]); {
	case m[7] == "":
		return bounded(newCalendarTime(t, r.zone(p.Params.Get(ical.ParamTimezoneID)), false))
	case ok:
		t = t.Add(-east)
	}
	return bounded(newCalendarTime(t, nil, false))
}

// timeForm matches a date and time in iCalendar's or another form of ISO 8601.
var timeForm = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$`)

// bounded refuses implausible years.
func bounded(m calendarTime) (calendarTime, error) {
	if y := m.wall.Year(); y < 1900 || y > 2199 {
		return calendarTime{}, fmt.Errorf("the year %d", y)
	}
	return m, nil
}

// readTimes reads a property that is a list; of a period it takes the start, and lasts holds the
// lengths.
func (r *reader) readTimes(p ical.Prop) (all []calendarTime, lasts map[int64]length) {
	lasts = map[int64]length{}
	for value := range strings.SplitSeq(p.Value, ",") {
		value, end, period := strings.Cut(value, "/")
		one := ical.Prop{Name: p.Name, Params: p.Params, Value: value}
		if strings.EqualFold(p.Params.Get(ical.ParamValue), "PERIOD") {
			one.Params = ical.Params{ical.ParamTimezoneID: p.Params[ical.ParamTimezoneID]}
		}
		when, err := r.readTime(&one)
		if err != nil || len(all) == maxSpans {
			continue
		}
		all = append(all, when)
		if !period {
			continue
		}
		one.Value = end
		if l, ok := duration(end); ok {
			lasts[when.instant.Unix()] = l
		} else if to, err := r.readTime(&one); err == nil && to.instant.After(when.instant) && to.instant.Before(when.instant.AddDate(3, 0, 0)) {
			lasts[when.instant.Unix()] = length{exact: to.instant.Sub(when.instant)}
		}
	}
	return all, lasts
}

// A length is how long an event lasts: as a difference of written times, which follows the clock
// through changes of daylight saving time, and as exact time.
type length struct {
	wall  time.Duration
	exact time.Duration
}

// after returns the end of an event that begins at start.
func (l length) after(start calendarTime) time.Time {
	return newCalendarTime(start.wall.Add(l.wall), start.zone, start.date).instant.Add(l.exact)
}

// durationForm matches a duration, even with days or weeks after the T, as some programs write
// them.
var durationForm = regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?T?(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?$`)

// duration parses a duration. Whole days are calendar days, the rest is exact time (RFC 5545,
// 3.3.6).
func duration(text string) (length, bool) {
	m := durationForm.FindStringSubmatch(strings.ToUpper(strings.Join(strings.Fields(text), "")))
	if m == nil || strings.Join(m[1:], "") == "" {
		return length{}, false
	}
	number := func(i int) time.Duration { n, _ := strconv.Atoi(m[i]); return time.Duration(n) }
	const day = 24 * time.Hour
	l := length{
		wall:  (number(1)+number(3))*7*day + (number(2)+number(4))*day,
		exact: number(5)*time.Hour + number(6)*time.Minute + number(7)*time.Second,
	}
	l.wall += l.exact.Truncate(day)
	l.exact -= l.exact.Truncate(day)
	return l, true
}

// length returns how long an event lasts. A date without an end lasts one day.
func (r *reader) length(e ical.Event, start calendarTime) (length, error) {
	var l length
	if p := e.Props.Get(ical.PropDateTimeEnd); p != nil {
		end, err := r.readTime(p)
		if err != nil {
			return l, err
		}
		if start.zone == end.zone {
			l.wall = end.wall.Sub(start.wall)
		} else {
			l.exact = end.instant.Sub(start.instant)
		}
	} else if p := e.Props.Get(ical.PropDuration); p != nil {
		var ok bool
		if l, ok = duration(p.Value); !ok {
			return l, fmt.Errorf("its duration %q can't be read", cut(p.Value))
		}
	} else if start.date {
		l.wall = 24 * time.Hour
	}
	if start.date && l.wall == 0 && l.exact == 0 { // Outlook ends a whole day on the date it begins
		l.wall = 24 * time.Hour
	}
	if total := l.wall + l.exact; total < 0 || total > 3*366*24*time.Hour {
		return l, errors.New("an event that lasts too long or ends before it begins")
	}
	return l, nil
}

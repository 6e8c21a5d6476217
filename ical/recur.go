package ical

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/watchbill/watchbill/oncall"
)

// lastYear is where package rrule gives up. The Gregorian calendar repeats every 400 years, so
// rules are expanded as close to that year as possible: otherwise a rule that never matches
// would be tried through eight thousand years.
const lastYear = rrule.MAXYEAR

// recur expands a rule up to the end of the requested period. It works with written times, where
// every day has 24 hours; each recurrence is then placed in its zone.
func (r *reader) recur(text string, start calendarTime, l length) (all []calendarTime, err error) {
	// Package rrule indexes tables with values from the rule, and may panic.
	defer func() {
		if bad := recover(); bad != nil {
			all, err = nil, fmt.Errorf("the rule %q can't be followed", text)
		}
	}()
	option, err := parseRule(cleanRule(text), start)
	if err != nil {
		return nil, err
	}
	begin, end := r.from.Add(-l.wall-l.exact).AddDate(0, 0, -2), r.to.AddDate(0, 0, 2) // no zone is further from UTC
	all = append(all, start)                                                           // the first one always counts, even if the rule excludes it
	if start.wall.After(end) || !option.Until.IsZero() && option.Until.Before(begin) {
		return all, nil
	}
	if r.rules++; r.rules > maxRules {
		return nil, oncall.Refuse("The calendar has more than %d events that come back.", maxRules)
	}
	shift := (lastYear - 1 - end.Year()) / 400 * 400
	option.Dtstart = start.wall.AddDate(shift, 0, 0)
	if !option.Until.IsZero() {
		option.Until = option.Until.AddDate(shift, 0, 0)
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, err
	}
	for next := rule.Iterator(); ; {
		t, ok := next()
		if !ok {
			return all, nil
		}
		if r.comings++; r.comings > maxRecurrences {
			return nil, oncall.Refuse("The calendar's events come back too often.")
		}
		t = t.AddDate(-shift, 0, 0)
		if t.After(end) {
			return all, nil
		}
		if !t.Before(begin) {
			all = append(all, newCalendarTime(t, start.zone, start.date))
		}
	}
}

// cleanRule removes meaningless parts of a rule: blanks, empty parts, its own name, the default
// calendar, and extensions of single programs.
func cleanRule(text string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.ToUpper(strings.Join(strings.Fields(text), "")), ";") {
		part = strings.TrimPrefix(part, "RRULE:")
		name, value, _ := strings.Cut(part, "=")
		value = strings.Trim(value, ",")
		if value == "" || strings.HasPrefix(name, "X-") || name == "SKIP" || part == "RSCALE=GREGORIAN" {
			continue
		}
		parts = append(parts, name+"="+value)
	}
	return strings.Join(parts, ";")
}

// until matches a rule's end: a date, optionally with a time, optionally in UTC.
var until = regexp.MustCompile(`UNTIL=[0-9]{8}(T[0-9]{6})?(Z?)(;|$)`)

// zeroPart matches a number that must not be 0, which package rrule would take for 1 or for none.
var zeroPart = regexp.MustCompile(`(^|;)(INTERVAL|COUNT)=[-+]?0+(;|$)|(^|;)BY(MONTH|MONTHDAY|YEARDAY|WEEKNO|SETPOS)=([^;]*,)?[-+]?0+([,;]|$)|(^|;)BYDAY=([^;]*,)?[-+]?0+[A-Z]`)

// parseRule reads a rule and refuses what time off never needs or what would take too long.
func parseRule(text string, start calendarTime) (*rrule.ROption, error) {
	if len(text) > 500 {
		return nil, errors.New("the rule is too long")
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return nil, err
	}
	times := max(1, len(option.Byhour)) * max(1, len(option.Byminute)) * max(1, len(option.Bysecond))
	switch {
	case option.Freq > rrule.DAILY:
		return nil, errors.New("time off that comes back within a day")
	case zeroPart.MatchString(text), option.Interval > 1000 || option.Interval < 0 || option.Count < 0 || times > 24 || len(option.Byeaster) > 0:
		return nil, errors.New("a rule of a strange kind")
	case option.Until.IsZero():
		return option, nil
	case option.Until.Year() < 1900:
		return nil, errors.New("a rule that ended long ago")
	case option.Until.Year() > 2199:
		option.Until = time.Time{}
		return option, nil
	}
	switch end := until.FindStringSubmatch(text); {
	case end == nil:
		return nil, errors.New("a rule whose end can't be read")
	case end[1] == "": // the whole day is included
		option.Until = option.Until.Add(24*time.Hour - time.Second)
	case end[2] == "Z" && start.zone != nil: // rrule compares it with written times
		day, clock := start.zone.Local(option.Until)
		option.Until = time.Date(day.Year, day.Month, day.Day, int(clock)/60, int(clock)%60, option.Until.Second(), 0, time.UTC)
	}
	return option, nil
}

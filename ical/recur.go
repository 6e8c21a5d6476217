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

// lastYear is where package rrule gives up. The Gregorian calendar repeats every 400
// years, so rules are written out as near to it as can be: a rule that never matches
// would otherwise be tried for eight thousand years.
const lastYear = rrule.MAXYEAR

// recur writes out a rule up to the end of the time that is asked for. It runs on
// paper, where every day has 24 hours; each recurrence is then placed in its zone.
func (x *reader) recur(text string, start moment, l length) (all []moment, err error) {
	// Package rrule indexes tables with what the rule says.
	defer func() {
		if bad := recover(); bad != nil {
			all, err = nil, fmt.Errorf("the rule %q can't be followed", text)
		}
	}()
	option, err := parseRule(text, start)
	if err != nil {
		return nil, err
	}
	begin, end := x.from.Add(-l.paper-l.exact).AddDate(0, 0, -2), x.to.AddDate(0, 0, 2) // no zone is further from paper
	all = append(all, start)                                                            // the first one counts, whatever the rule says
	if start.paper.After(end) || !option.Until.IsZero() && option.Until.Before(begin) {
		return all, nil
	}
	if x.rules++; x.rules > maxRules {
		return nil, oncall.Refuse("The calendar has more than %d events that come back.", maxRules)
	}
	shift := (lastYear - 1 - end.Year()) / 400 * 400
	option.Dtstart = start.paper.AddDate(shift, 0, 0)
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
		if x.recurrences++; x.recurrences > maxRecurrences {
			return nil, oncall.Refuse("The calendar's events come back too often.")
		}
		t = t.AddDate(-shift, 0, 0)
		if t.After(end) {
			return all, nil
		}
		if !t.Before(begin) {
			all = append(all, at(t, start.zone, start.date))
		}
	}
}

// until matches the end of a rule: a date, perhaps with a time, perhaps in UTC.
var until = regexp.MustCompile(`UNTIL=[0-9]{8}(T[0-9]{6})?(Z?)(;|$)`)

// parseRule reads a rule and refuses what no time off needs and what would take long.
func parseRule(text string, start moment) (*rrule.ROption, error) {
	if len(text) > 500 {
		return nil, errors.New("the rule is too long")
	}
	option, err := rrule.StrToROption(strings.ToUpper(text))
	if err != nil {
		return nil, err
	}
	times := max(1, len(option.Byhour)) * max(1, len(option.Byminute)) * max(1, len(option.Bysecond))
	switch {
	case option.Freq > rrule.DAILY:
		return nil, errors.New("time off that comes back within a day")
	case option.Interval > 1000 || option.Count < 0 || times > 24 || len(option.Byeaster) > 0:
		return nil, errors.New("a rule of a strange kind")
	case option.Until.IsZero():
		return option, nil
	case option.Until.Year() < 1900:
		return nil, errors.New("a rule that ended long ago")
	case option.Until.Year() > 2199:
		option.Until = time.Time{}
		return option, nil
	}
	switch said := until.FindStringSubmatch(strings.ToUpper(text)); {
	case said == nil:
		return nil, errors.New("a rule whose end can't be read")
	case said[1] == "": // a day, which counts to its end
		option.Until = option.Until.Add(24*time.Hour - time.Second)
	case said[2] == "Z" && start.zone != nil: // find what the clock shows then
		day, clock := start.zone.Local(option.Until)
		option.Until = time.Date(day.Year, day.Month, day.Day, int(clock)/60, int(clock)%60, option.Until.Second(), 0, time.UTC)
	}
	return option, nil
}

package schedule

import (
	"encoding"
	"fmt"
	"strings"
	"time"
)

// A Date is a calendar day without a time zone, written "2026-03-07". The zero Date means no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2026-03-07".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date such as \"2026-03-07\"", s)
	}
	return Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, nil
}

// IsZero reports whether d is unset.
func (d Date) IsZero() bool { return d == Date{} }

// String writes the date as "2026-03-07".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// AddDays returns the date n days later.
func (d Date) AddDays(n int) Date { return dateOf(d.days() + int64(n)) }

// Weekday returns the day of the week.
func (d Date) Weekday() Weekday { return weekdays[floorMod(d.days()+3, 7)] }

// MarshalText writes the date as "2026-03-07".
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return []byte{}, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// UnmarshalYAML reads what MarshalText writes. Without it, the YAML library would walk the whole
// file for each date.
func (d *Date) UnmarshalYAML(unmarshal func(any) error) error {
	return unmarshalText(unmarshal, d)
}

func unmarshalText(unmarshal func(any) error, to encoding.TextUnmarshaler) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	return to.UnmarshalText([]byte(text))
}

// days counts from 1970-01-01. The calendar repeats every 400 years, which are
// 146,097 days; counting years from March puts the leap day last.
func (d Date) days() int64 {
	y, m := int64(d.Year), int64(d.Month)
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	y -= era * 400
	return era*146097 + y*365 + y/4 - y/100 + (153*(m-3)+2)/5 + int64(d.Day) - 1 - 719468
}

// dateOf is the inverse of days.
func dateOf(days int64) Date {
	days += 719468
	era := floorDiv(days, 146097)
	doe := days - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	m := (5*doy + 2) / 153
	d := Date{Year: int(yoe + era*400), Month: time.Month(m + 3), Day: int(doy - (153*m+2)/5 + 1)}
	if d.Month > 12 {
		d.Month -= 12
		d.Year++
	}
	return d
}

// monthOf returns the month with an index counted from some January.
func monthOf(month int64) time.Month { return time.Month(month%12 + 1) }

// daysIn returns how many days a month has, counting months from January of year 0.
func daysIn(month int64) int {
	switch monthOf(month) {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if y := month / 12; y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// A TimeOfDay is a time on the wall clock in minutes since midnight, written "09:00".
type TimeOfDay int

// ParseTimeOfDay reads "09:00".
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time such as \"09:00\"", s)
	}
	return TimeOfDay(t.Hour()*60 + t.Minute()), nil
}

// String writes the time as "09:00".
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// MarshalText writes the time as "09:00".
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	parsed, err := ParseTimeOfDay(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// UnmarshalYAML reads what MarshalText writes, as that of Date does.
func (t *TimeOfDay) UnmarshalYAML(unmarshal func(any) error) error {
	return unmarshalText(unmarshal, t)
}

func (t TimeOfDay) valid() bool    { return t >= 0 && t < 24*60 }
func (t TimeOfDay) seconds() int64 { return int64(t) * 60 }

// A Weekday is "mon", "tue" and so on.
type Weekday string

// The days of the week.
const (
	Monday    Weekday = "mon"
	Tuesday   Weekday = "tue"
	Wednesday Weekday = "wed"
	Thursday  Weekday = "thu"
	Friday    Weekday = "fri"
	Saturday  Weekday = "sat"
	Sunday    Weekday = "sun"
)

var weekdays = [7]Weekday{Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday}

// ParseWeekday reads "mon", "Monday" and the like.
func ParseWeekday(s string) (Weekday, error) {
	for i, d := range weekdays {
		full := time.Weekday((i + 1) % 7).String()
		if strings.EqualFold(s, string(d)) || strings.EqualFold(s, full) {
			return d, nil
		}
	}
	return "", fmt.Errorf("%q is not a weekday such as \"mon\"", s)
}

// index counts from Monday; false if d is no weekday.
func (d Weekday) index() (int64, bool) {
	for i, day := range weekdays {
		if d == day {
			return int64(i), true
		}
	}
	return 0, false
}

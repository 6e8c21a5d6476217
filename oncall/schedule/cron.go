package schedule

import (
	"fmt"
	"math/bits"
	"sort"
	"strings"

	"github.com/robfig/cron/v3"
)

// The range of months for which cron hand-offs are precomputed. Rotations must start in it, and
// nobody asks beyond it.
const (
	firstYear = 1970
	lastYear  = 2199
)

// A cronTable holds every match of a five-field cron expression on paper time.
// The expression is only parsed by robfig/cron: its own search runs on a zone's
// clock, where it skips and repeats matches.
type cronTable struct {
	days    []uint32 // per month from January firstYear: bit d-1 is set if day d matches
	before  []int64  // how many days match before that month; one more than days
	hours   uint64
	minutes uint64
	perDay  int64
	perHour int64
}

const starBit = 1 << 63 // set by robfig/cron for a field that restricts nothing

func compileCron(expr string) (*cronTable, error) {
	if strings.ContainsAny(expr, "=@") { // zones and descriptors, which the parser would accept
		return nil, fmt.Errorf("%q is not a cron expression of five fields", expr)
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expr)
	if err != nil {
		return nil, fmt.Errorf("%q is not a cron expression: %w", expr, err)
	}
	spec := parsed.(*cron.SpecSchedule)
	c := &cronTable{hours: spec.Hour &^ starBit, minutes: spec.Minute &^ starBit}
	c.perHour = int64(bits.OnesCount64(c.minutes))
	c.perDay = c.perHour * int64(bits.OnesCount64(c.hours))
	total := int64(0)
	for month := int64(firstYear * 12); month < (lastYear+1)*12; month++ {
		mask := uint32(0)
		if spec.Month>>(month%12+1)&1 == 1 {
			mask = matchingDays(spec, month)
		}
		c.days, c.before = append(c.days, mask), append(c.before, total)
		total += int64(bits.OnesCount32(mask))
	}
	c.before = append(c.before, total)
	if total*c.perDay == 0 {
		return nil, fmt.Errorf("%q never matches", expr)
	}
	return c, nil
}

// matchingDays returns the days of a month that match. If the day of the month and
// the day of the week are both restricted, either is enough.
func matchingDays(spec *cron.SpecSchedule, month int64) uint32 {
	n := daysIn(month)
	all := uint32(1)<<n - 1
	byDate := uint32(spec.Dom>>1) & all
	first := Date{Year: int(month / 12), Month: monthOf(month), Day: 1}
	sunday := floorMod(first.days()+4, 7) // weekday of the first, counted from Sunday
	week := spec.Dow & (1<<7 - 1)
	weeks := week | week<<7 | week<<14 | week<<21 | week<<28 | week<<35
	byDay := uint32(weeks>>sunday) & all
	if spec.Dom&starBit != 0 || spec.Dow&starBit != 0 {
		return byDate & byDay
	}
	return byDate | byDay
}

// count returns how many matches lie at or before a reading.
func (c *cronTable) count(h int64) int64 {
	day := floorDiv(h, paperDay)
	d := dateOf(day)
	month := int64(d.Year-firstYear)*12 + int64(d.Month) - 1
	if month < 0 {
		return 0
	}
	if month >= int64(len(c.days)) {
		return c.before[len(c.days)] * c.perDay
	}
	mask := c.days[month]
	n := (c.before[month] + int64(bits.OnesCount32(mask&(1<<(d.Day-1)-1)))) * c.perDay
	if mask>>(d.Day-1)&1 == 0 {
		return n
	}
	minute := (h - day*paperDay) / 60
	n += int64(bits.OnesCount64(c.hours&(1<<(minute/60)-1))) * c.perHour
	if c.hours>>(minute/60)&1 == 1 {
		n += int64(bits.OnesCount64(c.minutes & (2<<(minute%60) - 1)))
	}
	return n
}

// match returns the reading of match n, counted from 0; false past the table.
func (c *cronTable) match(n int64) (int64, bool) {
	nth, rest := n/c.perDay, n%c.perDay
	month := sort.Search(len(c.days), func(i int) bool { return c.before[i+1] > nth })
	if month == len(c.days) {
		return 0, false
	}
	day := nthBit(uint64(c.days[month]), nth-c.before[month])
	first := Date{Year: firstYear + month/12, Month: monthOf(int64(month)), Day: 1}.days()
	hour := nthBit(c.hours, rest/c.perHour)
	minute := nthBit(c.minutes, rest%c.perHour)
	return (first+day)*paperDay + hour*paperHour + minute*60, true
}

// nthBit returns the position of the n-th set bit, counted from 0.
func nthBit(mask uint64, n int64) int64 {
	for ; n > 0; n-- {
		mask &= mask - 1
	}
	return int64(bits.TrailingZeros64(mask))
}

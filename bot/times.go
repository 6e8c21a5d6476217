package bot

import (
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// parseWhen reads an instant as people write it, in their own zone: "now", "18:00",
// "6pm", "tomorrow 9:00", "fri 18:00", "24 dec", "2026-12-24 09:00", "in 2 hours" or RFC 3339. A
// time without a day is the next one after ref; a day without a time is its beginning.
// A time that the clock skips or shows twice follows the one rule of schedule.Zone.
func parseWhen(words []string, zone *schedule.Zone, now, ref time.Time) (time.Time, error) {
	t, ok := readWhen(words, zone, now, ref)
	if !ok {
		return time.Time{}, oncall.Refuse(
			"%q is not a time that Watchbill understands. Write it like `tomorrow 9:00`, `fri 18:00`, `24 dec`, `2026-12-24 09:00` or `in 2 hours`.",
			view.Name(unescape(strings.Join(words, " "))))
	}
	return t, nil
}

func readWhen(words []string, zone *schedule.Zone, now, ref time.Time) (time.Time, bool) {
	switch {
	case len(words) == 0:
		return time.Time{}, false
	case len(words) == 1 && strings.EqualFold(words[0], "now"):
		return now, true
	case strings.EqualFold(words[0], "in"):
		return later(words[1:], zone, now)
	case strings.EqualFold(words[0], "for"):
		return later(words[1:], zone, ref)
	case len(words) == 1:
		if t, err := time.Parse(time.RFC3339, strings.ToUpper(words[0])); err == nil {
			return t, true
		}
		// "2026-12-24T09:00", without an offset, is two words.
		if day, clock, ok := strings.Cut(strings.ToUpper(words[0]), "T"); ok && len(day) == len(time.DateOnly) {
			words = []string{day, clock}
		}
	}
	return dayAndTime(words, zone, now, ref)
}

// later adds "2 hours", "90 minutes" or "3 days" to an instant. Days and weeks keep the
// time on the clock, whatever the zone does in between.
func later(words []string, zone *schedule.Zone, from time.Time) (time.Time, bool) {
	if len(words) == 1 { // "2h"
		i := strings.IndexFunc(words[0], func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 {
			return time.Time{}, false
		}
		words = []string{words[0][:i], words[0][i:]}
	}
	if len(words) != 2 {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(words[0])
	switch strings.ToLower(words[0]) {
	case "a", "an", "one":
		n, err = 1, nil
	}
	if err != nil || n < 0 || n > 10000 {
		return time.Time{}, false
	}
	day, clock := zone.Local(from)
	switch strings.ToLower(words[1]) {
	case "m", "min", "mins", "minute", "minutes":
		return from.Add(time.Duration(n) * time.Minute), true
	case "h", "hr", "hrs", "hour", "hours":
		return from.Add(time.Duration(n) * time.Hour), true
	case "d", "day", "days":
		return zone.Instant(day.AddDays(n), clock), true
	case "w", "week", "weeks":
		return zone.Instant(day.AddDays(7*n), clock), true
	}
	return time.Time{}, false
}

// dayAndTime reads a day, a time on the clock, or both in either order.
func dayAndTime(words []string, zone *schedule.Zone, now, ref time.Time) (time.Time, bool) {
	var day dayWord
	var clock schedule.TimeOfDay
	var hasDay, hasClock, next bool
	for i := 0; i < len(words); i++ {
		w := strings.ToLower(strings.TrimSuffix(words[i], ","))
		if date, n := readMonthDay(words[i:], zone, ref); n > 0 && !hasDay {
			day, hasDay = dayWord{date: date}, true
			i += n - 1
			continue
		}
		switch w {
		case "at", "on":
			if i == len(words)-1 {
				return time.Time{}, false // it belongs to what follows
			}
			continue
		case "next": // "next monday" is never today
			next = true
			continue
		}
		if c, ok := readClock(w); ok && !hasClock {
			clock, hasClock = c, true
			continue
		}
		d, ok := readDay(w, zone, now, ref)
		if !ok || hasDay {
			return time.Time{}, false
		}
		day, hasDay = d, true
	}
	if today, _ := zone.Local(now); next {
		switch {
		case day.repeats == 0:
			return time.Time{}, false
		case day.date == today:
			day.date = today.AddDays(day.repeats)
		}
	}
	switch {
	case hasDay:
		t := zone.Instant(day.date, clock)
		if day.repeats > 0 && !t.After(ref) {
			t = zone.Instant(day.date.AddDays(day.repeats), clock)
		}
		return t, true
	case hasClock:
		today, _ := zone.Local(ref)
		t := zone.Instant(today, clock)
		if !t.After(ref) {
			t = zone.Instant(today.AddDays(1), clock)
		}
		return t, true
	default:
		return time.Time{}, false
	}
}

// A dayWord is the day that a word means; a weekday means the next one as well.
type dayWord struct {
	date    schedule.Date
	repeats int // days after which it comes again; 0 is never
}

func readDay(word string, zone *schedule.Zone, now, ref time.Time) (dayWord, bool) {
	today, _ := zone.Local(now)
	switch word {
	case "today":
		return dayWord{date: today}, true
	case "tomorrow":
		return dayWord{date: today.AddDays(1)}, true
	case "yesterday":
		return dayWord{date: today.AddDays(-1)}, true
	}
	if weekday, err := schedule.ParseWeekday(word); err == nil {
		date, _ := zone.Local(ref)
		for date.Weekday() != weekday {
			date = date.AddDays(1)
		}
		return dayWord{date: date, repeats: 7}, true
	}
	date, err := schedule.ParseDate(word)
	return dayWord{date: date}, err == nil
}

// readMonthDay reads "24 dec", "Dec 24th" or "24 December 2026" at the beginning of the
// words, and returns how many it took. Without a year it is the next one from ref on.
func readMonthDay(words []string, zone *schedule.Zone, ref time.Time) (date schedule.Date, taken int) {
	if len(words) < 2 {
		return schedule.Date{}, 0
	}
	day, isDay := readOrdinal(words[0])
	month, isMonth := readMonth(words[1])
	if !isDay || !isMonth {
		day, isDay = readOrdinal(words[1])
		month, isMonth = readMonth(words[0])
	}
	if !isDay || !isMonth {
		return schedule.Date{}, 0
	}
	today, _ := zone.Local(ref)
	date, taken = schedule.Date{Year: today.Year, Month: month, Day: day}, 2
	if len(words) > 2 {
		if year, err := strconv.Atoi(strings.TrimSuffix(words[2], ",")); err == nil && year >= 1970 && year < 2200 {
			date.Year = year
			taken = 3
		}
	}
	if taken == 2 && (date.Month < today.Month || date.Month == today.Month && date.Day < today.Day) {
		date.Year++
	}
	if _, err := schedule.ParseDate(date.String()); err != nil { // 30 February
		return schedule.Date{}, 0
	}
	return date, taken
}

func readOrdinal(word string) (int, bool) {
	word = strings.ToLower(strings.TrimRight(word, ",."))
	for _, ending := range []string{"st", "nd", "rd", "th"} {
		word = strings.TrimSuffix(word, ending)
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 1 && n <= 31
}

func readMonth(word string) (time.Month, bool) {
	word = strings.ToLower(strings.TrimRight(word, ",."))
	for m := time.January; m <= time.December; m++ {
		if full := strings.ToLower(m.String()); word == full || word == full[:3] || word == "sept" && m == time.September {
			return m, true
		}
	}
	return 0, false
}

// readClock reads "9:00", "18:30", "6pm", "6:30pm", "noon" and "midnight". A bare number
// may be anything.
func readClock(word string) (schedule.TimeOfDay, bool) {
	switch word {
	case "noon":
		return 12 * 60, true
	case "midnight":
		return 0, true
	}
	for _, layout := range []string{"15:04", "3pm", "3:04pm"} {
		if t, err := time.Parse(layout, word); err == nil {
			return schedule.TimeOfDay(t.Hour()*60 + t.Minute()), true
		}
	}
	return 0, false
}

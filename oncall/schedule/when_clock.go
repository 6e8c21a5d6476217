package schedule

import (
	"strconv"
	"strings"
)

// A clock is a time of day as it was typed.
type clock struct {
	at    TimeOfDay // up to 24:00
	bare  bool      // only a number, so 5 may be 17
	plain bool      // without am or pm, so that it takes those of the other end
	half  byte      // 'a' or 'p', as typed
	word  bool      // noon or midnight
}

// readClock parses a time of day at the first tokens, and returns how many it consumed. A bare
// number counts only if bareToo is set.
func readClock(ts []token, bareToo bool) (clock, int) { return readClockAs(ts, bareToo, false) }

// readClockAs parses what could also be a date or year, such as 9.12 and 2030, as a time if sure is
// set.
func readClockAs(ts []token, bareToo, sure bool) (clock, int) {
	if len(ts) == 0 {
		return clock{}, 0
	}
	w := ts[0].text
	if (w == "12" || w == "12:00") && len(ts) > 1 { // 12 noon
		if c, n := readClock(ts[1:], false); n == 1 && c.word {
			return c, 2
		}
	}
	switch w {
	case "noon", "midday", "mittag", "mittags":
		return clock{at: 12 * 60, half: 'p', word: true}, 1
	case "midnight", "mitternacht":
		return clock{at: 24 * 60, word: true}, 1
	}
	number, ending := w, ""
	if i := strings.IndexFunc(w, func(r rune) bool { return !strings.ContainsRune("0123456789:.", r) }); i >= 0 {
		number, ending = w[:i], w[i:]
	}
	used := 1
	if ending == "" && len(ts) > 1 {
		if next := ts[1].text; clockEnding(next) && next != "a" && next != "p" && next != "h" {
			ending, used = next, 2
		}
	}
	if strings.HasPrefix(ending, "h") && len(ending) == 3 && number != "" && !strings.ContainsAny(number, ":.") { // 17h30
		number, ending = number+":"+ending[1:], "h"
	}
	if ending != "" && !clockEnding(ending) {
		return clock{}, 0
	}
	hour, minute, form := clockNumber(number, sure || ending != "")
	if form == notClock {
		return clock{}, 0
	}
	switch strings.ReplaceAll(ending, ".", "") {
	case "am", "a":
		return meridiem(hour, minute, 'a', used)
	case "pm", "p":
		return meridiem(hour, minute, 'p', used)
	case "":
		if form == bareClock && !bareToo {
			return clock{}, 0
		}
		if form == bareClock && (hour == 0 || hour > 12 || number[0] == '0') {
			form = fullClock
		}
	default: // Uhr, h, o'clock
		if form == bareClock && ending[0] != 'o' {
			form = fullClock
		}
	}
	if hour > 24 || hour == 24 && minute > 0 {
		return clock{}, 0
	}
	return clock{at: TimeOfDay(hour*60 + minute), bare: form == bareClock, plain: hour <= 12 && hour > 0 && number[0] != '0'}, used
}

func clockEnding(w string) bool {
	switch w {
	case "am", "pm", "a.m.", "p.m.", "a.m", "p.m", "a", "p", "h", "uhr", "o'clock", "o’clock", "oclock":
		return true
	}
	return false
}

func meridiem(hour, minute int, half byte, used int) (clock, int) {
	if hour > 12 || hour == 0 {
		return clock{}, 0
	}
	if hour == 12 {
		hour = 0
	}
	if half == 'p' {
		hour += 12
	}
	return clock{at: TimeOfDay(hour*60 + minute), half: half}, used
}

type clockForm int

const (
	notClock clockForm = iota
	bareClock
	fullClock
)

// clockNumber parses "9", "9:30", "9:30:00", "9.30" and "0930". What could be a date, such as 9.12,
// is a time only if sure is set.
func clockNumber(s string, sure bool) (hour, minute int, form clockForm) {
	h, m, divided := strings.Cut(s, ":")
	if min, sec, ok := strings.Cut(m, ":"); ok { // seconds are ignored
		if n, err := strconv.Atoi(sec); err != nil || len(sec) != 2 || n < 0 || n > 59 {
			return 0, 0, notClock
		}
		m = min
	}
	if !divided {
		h, m, divided = strings.Cut(s, ".")
		if month, err := strconv.Atoi(m); divided && (err != nil || len(m) != 2 || month >= 1 && month <= 12 && !sure) {
			return 0, 0, notClock
		}
	}
	if !divided && len(s) == 4 { // 0930, but not 2026
		if year, err := strconv.Atoi(s); err == nil && (sure || year < 1970 || year >= 2200) {
			h, m, divided = s[:2], s[2:], true
		}
	}
	hour, err := strconv.Atoi(h)
	if err != nil || len(h) > 2 || hour < 0 {
		return 0, 0, notClock
	}
	if !divided {
		return hour, 0, bareClock
	}
	minute, err = strconv.Atoi(m)
	if err != nil || len(m) != 2 || minute < 0 || minute > 59 {
		return 0, 0, notClock
	}
	return hour, minute, fullClock
}

// readClocks parses "9-17", "9am to 5pm" and "2-5pm".
func readClocks(ts []token) (from, to clock, used int) {
	i, joined := 0, ""
	if len(ts) > 0 && ts[0].text == "between" {
		i, joined = 1, "and"
	}
	rest := ts[i:]
	from, n := readClock(rest, true)
	if n == 0 && len(rest) > 2 && separator(rest[1].text) { // 10.12-11.30 is no date, as 11.30 isn't one
		if to, m := readClock(rest[2:], false); m > 0 && clearlyClock(rest[2].text) && to.half == 0 {
			from, n = readClockAs(rest, false, true)
		}
	}
	if n == 0 || len(rest) < n+2 || !separator(rest[n].text) && rest[n].text != joined {
		return clock{}, clock{}, 0
	}
	sure := n == 1 && clearlyClock(rest[0].text)
	if rest[n].text == "up" {
		n++
	}
	rest = rest[min(n+1, len(rest)):]
	to, m := readClockAs(rest, true, sure)
	if m == 0 || to.bare && m == 1 && dateFollows(rest[1:]) {
		return clock{}, clock{}, 0
	}
	return from, to, i + n + 1 + m
}

// clearlyClock reports whether a number is certainly a time, such as 9.30 or 1800, so that the
// number after its dash isn't the date or year that it may look like.
func clearlyClock(w string) bool {
	_, _, form := clockNumber(w, false)
	return form == fullClock && !strings.Contains(w, ":")
}

// dateFollows reports whether the preceding number is a day of the month, as in "9:00 to 7 mar".
func dateFollows(ts []token) bool {
	if len(ts) > 1 && ts[0].text == "of" {
		ts = ts[1:]
	}
	if len(ts) == 0 {
		return false
	}
	_, ok := readMonth(ts[0].text)
	return ok
}

// settle gives each of two ends the half of the day that the other implies: "2-5pm", "9am-5". doubt
// means that hours without am or pm are ambiguous.
func settle(from, to clock) (a, b clock, doubt bool) {
	const half = TimeOfDay(12 * 60)
	switch {
	case from.bare && to.half != 0:
		if from.at == half {
			from.at = 0
		}
		if to.at >= half && from.at+half < to.at {
			from.at += half
		}
		doubt = from.at > to.at // 10-6am
	case to.bare && from.half != 0:
		if to.at%half <= from.at {
			to.at = to.at%half + half
		}
		if to.at <= from.at { // 3pm-2: the next morning
			to.at -= half
		}
	case from.bare && to.word && to.at == 2*half: // 8 to midnight
		doubt = true
	case from.plain && to.plain:
		doubt = from.at >= to.at || (from.bare || to.bare) && (from.at < 7*60 || to.at < 7*60)
	}
	return from, to, doubt
}

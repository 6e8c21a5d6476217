package schedule

import (
	"strconv"
	"strings"
)

// A clock is a time of the day as it was typed.
type clock struct {
	at    TimeOfDay // up to 24:00
	bare  bool      // only a number, so 5 may be 17
	plain bool      // it has neither am nor pm, so that it takes those of the other end
	half  byte      // 'a' or 'p', as typed
}

// readClock reads a time of the day at the first tokens, and returns how many it took. A bare
// number is one only where it may be.
func readClock(ts []token, bareToo bool) (clock, int) {
	if len(ts) == 0 {
		return clock{}, 0
	}
	w := ts[0].text
	switch w {
	case "noon", "midday", "mittag", "mittags":
		return clock{at: 12 * 60}, 1
	case "midnight", "mitternacht":
		return clock{at: 24 * 60}, 1
	}
	number, ending := w, ""
	if i := strings.IndexFunc(w, func(r rune) bool { return !strings.ContainsRune("0123456789:.", r) }); i >= 0 {
		number, ending = w[:i], w[i:]
	}
	taken := 1
	if ending == "" && len(ts) > 1 {
		if next := ts[1].text; clockEnding(next) && next != "a" && next != "p" && next != "h" {
			ending, taken = next, 2
		}
	}
	if strings.HasPrefix(ending, "h") && len(ending) == 3 && number != "" && !strings.ContainsAny(number, ":.") { // 17h30
		number, ending = number+":"+ending[1:], "h"
	}
	if ending != "" && !clockEnding(ending) {
		return clock{}, 0
	}
	hour, minute, form := clockNumber(number, ending != "")
	if form == notClock {
		return clock{}, 0
	}
	switch strings.ReplaceAll(ending, ".", "") {
	case "am", "a":
		return meridiem(hour, minute, 'a', taken)
	case "pm", "p":
		return meridiem(hour, minute, 'p', taken)
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
	return clock{at: TimeOfDay(hour*60 + minute), bare: form == bareClock, plain: hour <= 12 && hour > 0 && number[0] != '0'}, taken
}

func clockEnding(w string) bool {
	switch w {
	case "am", "pm", "a.m.", "p.m.", "a.m", "p.m", "a", "p", "h", "uhr", "o'clock", "o’clock", "oclock":
		return true
	}
	return false
}

func meridiem(hour, minute int, half byte, taken int) (clock, int) {
	if hour > 12 || hour == 0 {
		return clock{}, 0
	}
	if hour == 12 {
		hour = 0
	}
	if half == 'p' {
		hour += 12
	}
	return clock{at: TimeOfDay(hour*60 + minute), half: half}, taken
}

type clockForm int

const (
	notClock clockForm = iota
	bareClock
	fullClock
)

// clockNumber reads "9", "9:30", "9.30" and "0930". What can be a date, such as 9.12, is a time only if
// that is sure.
func clockNumber(s string, sure bool) (hour, minute int, form clockForm) {
	h, m, divided := strings.Cut(s, ":")
	if !divided {
		h, m, divided = strings.Cut(s, ".")
		if month, err := strconv.Atoi(m); divided && (err != nil || len(m) != 2 || month >= 1 && month <= 12 && !sure) {
			return 0, 0, notClock
		}
	}
	if !divided && len(s) == 4 { // 0930, but not 2026
		if year, err := strconv.Atoi(s); err == nil && (year < 1970 || year >= 2200) {
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

// readClocks reads "9-17", "9am to 5pm" and "2-5pm".
func readClocks(ts []token) (from, to clock, taken int) {
	from, n := readClock(ts, true)
	if n == 0 || len(ts) < n+2 || !separator(ts[n].text) {
		return clock{}, clock{}, 0
	}
	if ts[n].text == "up" {
		n++
	}
	to, m := readClock(ts[min(n+1, len(ts)):], true)
	if m == 0 {
		return clock{}, clock{}, 0
	}
	return from, to, n + 1 + m
}

// settle gives each of two ends the half of the day that the other implies: "2-5pm", "9am-5". doubt
// says that hours without am or pm may mean two things.
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
	case to.bare && from.half != 0:
		if to.at%half <= from.at {
			to.at = to.at%half + half
		}
		if to.at <= from.at { // 3pm-2: the next morning
			to.at -= half
		}
	case from.plain && to.plain:
		doubt = from.at >= to.at || (from.bare || to.bare) && (from.at < 7*60 || to.at < 7*60)
	}
	return from, to, doubt
}

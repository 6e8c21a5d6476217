package schedule

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A length is a duration. Days and months keep the time of day, even if the zone's offset changes.
type length struct {
	exact        time.Duration
	days, months int
}

// after returns the instant that is this much later.
func (l length) after(t time.Time, zone *Zone) time.Time {
	if l.days != 0 || l.months != 0 {
		day, at := zone.Local(t)
		seconds := t.Sub(zone.Instant(day, at))
		if seconds < 0 || seconds >= time.Minute {
			seconds = 0
		}
		if l.months != 0 {
			month := int64(day.Year)*12 + int64(day.Month) - 1 + int64(l.months)
			day = Date{Year: int(month / 12), Month: monthOf(month), Day: min(day.Day, daysIn(month))}
		}
		t = zone.Instant(day.AddDays(l.days), at).Add(seconds)
	}
	return t.Add(l.exact)
}

// wholeDays reports whether it is counted in days.
func (l length) wholeDays() bool { return l.exact == 0 }

// maxLength limits each number of a length.
const maxLength = 10_000

// readLength parses "2h", "90 minutes", "1h30m", "half an hour", "2 and a half hours", "3 Tage".
func readLength(ts []token) (l length, used int) {
	if len(ts) > 1 && ts[0].text == "the" && ts[1].text == "next" {
		used = 2
	} else if len(ts) > 0 && (ts[0].text == "another" || ts[0].text == "about" || ts[0].text == "next") {
		used = 1
	}
	found := false
	if used > 0 && used < len(ts) && ts[used-1].text == "next" { // the next hour
		if l, ok := unitLength(1, ts[used].text); ok && l.exact > 0 && len(ts[used].text) > 1 {
			return l, used + 1
		}
	}
	for used < len(ts) {
		part, n := readLengthPart(ts[used:])
		if n == 0 {
			break
		}
		l.exact, l.days, l.months = l.exact+part.exact, l.days+part.days, l.months+part.months
		used, found = used+n, true
		if used+1 < len(ts) && (ts[used].text == "and" || ts[used].text == "und") {
			if _, more := readLengthPart(ts[used+1:]); more > 0 {
				used++
				continue
			}
		}
	}
	if !found {
		return length{}, 0
	}
	return l, used
}

// readLengthPart parses one number with its unit.
func readLengthPart(ts []token) (length, int) {
	if len(ts) == 0 {
		return length{}, 0
	}
	w := ts[0].text
	digits := strings.IndexFunc(w, func(r rune) bool { return !strings.ContainsRune("0123456789.,", r) })
	if digits > 0 { // 2h, 1h30m, 1.5h
		return compactLength(w)
	}
	n, err := strconv.ParseFloat(strings.Replace(w, ",", ".", 1), 64)
	i := 1
	if err != nil || digits == 0 {
		var known bool
		if n, known = numberWords[w]; !known {
			return length{}, 0
		}
	}
	word := func() string {
		if i < len(ts) {
			return ts[i].text
		}
		return ""
	}
	if n == 1 && (word() == "half" || word() == "couple" || word() == "halbe") { // a half hour, a couple of days
		n = numberWords[word()]
		i++
	}
	if (n == 0.5 || n == 2) && (word() == "of" || word() == "a" || word() == "an") { // half an hour
		i++
	}
	if word() == "and" && i+2 < len(ts) && ts[i+1].text == "a" && ts[i+2].text == "half" { // 2 and a half hours
		n += 0.5
		i += 3
	}
	l, ok := unitLength(n, word())
	if !ok {
		return length{}, 0
	}
	return l, i + 1
}

// compactLength parses "1h30m" and "1h30".
func compactLength(w string) (length, int) {
	var l length
	minutes := false
	for w != "" {
		i := strings.IndexFunc(w, func(r rune) bool { return !strings.ContainsRune("0123456789.,", r) })
		if i < 0 && minutes {
			w, i = w+"m", len(w)
		}
		if i <= 0 {
			return length{}, 0
		}
		n, err := strconv.ParseFloat(strings.Replace(w[:i], ",", ".", 1), 64)
		rest := w[i:]
		j := strings.IndexAny(rest, "0123456789")
		if j < 0 {
			j = len(rest)
		}
		part, ok := unitLength(n, rest[:j])
		if err != nil || !ok {
			return length{}, 0
		}
		l.exact, l.days, l.months = l.exact+part.exact, l.days+part.days, l.months+part.months
		minutes = part.exact >= time.Hour
		w = rest[j:]
	}
	return l, 1
}

// unitLength returns a number of a unit. Fractions of days become hours.
func unitLength(n float64, unit string) (length, bool) {
	if math.IsNaN(n) || n < 0 || n > maxLength {
		return length{}, false
	}
	exact := func(of time.Duration) (length, bool) {
		return length{exact: time.Duration(n * float64(of)).Round(time.Second)}, true
	}
	switch unit {
	case "s", "sec", "secs", "second", "seconds", "sekunden":
		return exact(time.Second)
	case "m", "min", "mins", "minute", "minutes", "minuten":
		return exact(time.Minute)
	case "h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden":
		return exact(time.Hour)
	case "d", "day", "days", "tag", "tage", "tagen":
		if n != math.Trunc(n) {
			return exact(24 * time.Hour)
		}
		return length{days: int(n)}, true
	case "w", "wk", "wks", "week", "weeks", "woche", "wochen":
		if n != math.Trunc(n) {
			return exact(7 * 24 * time.Hour)
		}
		return length{days: 7 * int(n)}, true
	case "month", "months", "monat", "monate", "monaten":
		if n != math.Trunc(n) || n > 1200 {
			return length{}, false
		}
		return length{months: int(n)}, true
	case "y", "yr", "year", "years", "jahr", "jahre", "jahren":
		if n != math.Trunc(n) || n > 100 {
			return length{}, false
		}
		return length{months: 12 * int(n)}, true
	}
	return length{}, false
}

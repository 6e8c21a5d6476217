package schedule

import (
	"strconv"
	"strings"
	"time"
)

// readStretch parses stretches longer than a day: "next week", "this weekend", "next month", "week
// 50".
func (r *reading) readStretch(ts []token) (days, int) {
	shift, i := 0, 0
	if len(ts) > 1 {
		switch ts[0].text {
		case "this", "diese", "dieses", "the", "coming", "all", "whole":
			i = 1
		case "next", "nächste", "naechste", "nächstes", "nächsten", "following":
			shift, i = 1, 1
		case "last", "letzte":
			shift, i = -1, 1
		}
	}
	monday := r.today()
	for monday.Weekday() != Monday {
		monday = monday.AddDays(-1)
	}
	switch w := ts[i].text; {
	case (w == "week" || w == "woche") && i > 0:
		d := monday.AddDays(7 * shift)
		return days{first: d, last: d.AddDays(6), firm: true}, i + 1
	case w == "weekend" || w == "wochenende":
		d := monday.AddDays(7*shift + 5)
		return days{first: d, last: d.AddDays(1), firm: true}, i + 1
	case (w == "year" || w == "jahr") && i > 0:
		year := r.today().Year + shift
		return days{first: Date{Year: year, Month: time.January, Day: 1}, last: Date{Year: year, Month: time.December, Day: 31}, firm: true}, i + 1
	case (w == "month" || w == "monat") && i > 0:
		month := int64(r.today().Year)*12 + int64(r.today().Month) - 1 + int64(shift)
		d := Date{Year: int(month / 12), Month: monthOf(month), Day: 1}
		return days{first: d, last: d.AddDays(daysIn(month) - 1), firm: true}, i + 1
	case (w == "week" || w == "kw" || w == "cw" || w == "wk") && i == 0 && len(ts) > 1:
		n, err := strconv.Atoi(ts[1].text)
		if err != nil || n < 1 || n > 53 {
			return days{}, 0
		}
		d := isoWeek(r.today().Year, n)
		if d.AddDays(6).days() < r.today().days() {
			d = isoWeek(r.today().Year+1, n)
		}
		return days{first: d, last: d.AddDays(6), firm: true}, 2
	case w == "weekdays" || w == "workdays" || w == "werktags":
		d := r.today()
		for d.Weekday() == Saturday || d.Weekday() == Sunday {
			d = d.AddDays(1)
		}
		if shift > 0 {
			d = monday.AddDays(7)
		}
		last := d
		for last.Weekday() != Friday {
			last = last.AddDays(1)
		}
		return days{first: d, last: last, firm: true}, i + 1
	}
	return days{}, 0
}

// isoWeek returns the Monday of an ISO 8601 week.
func isoWeek(year, week int) Date {
	d := Date{Year: year, Month: time.January, Day: 4}
	for d.Weekday() != Monday {
		d = d.AddDays(-1)
	}
	return d.AddDays(7 * (week - 1))
}

// daysOfWeek parses days of a certain week: "fri next week", "mon-fri next week", "next week on
// friday".
func (r *reading) daysOfWeek(ts []token, shortToo bool) (days, int) {
	d, n := weekdayRange(ts, shortToo)
	week, m := days{}, 0
	if n > 0 {
		rest := ts[n:]
		if len(rest) > 0 && (rest[0].text == "of" || rest[0].text == "in") {
			rest = rest[1:]
		}
		if week, m = r.readWeek(rest); m > 0 {
			m += len(ts) - n - len(rest)
		}
	} else if week, m = r.readWeek(ts); m > 0 {
		rest := ts[m:]
		if len(rest) > 0 && (rest[0].text == "on" || rest[0].text == "am" || rest[0].text == "from") {
			rest = rest[1:]
		}
		if d, n = weekdayRange(rest, shortToo); n > 0 {
			n += len(ts) - m - len(rest)
		}
	}
	if n == 0 || m == 0 {
		return days{}, 0
	}
	out := days{first: week.first, firm: true}
	for out.first.Weekday() != d.from {
		out.first = out.first.AddDays(1)
	}
	out.last = out.first
	for out.last.Weekday() != d.to {
		out.last = out.last.AddDays(1)
	}
	return out, n + m
}

// readWeek parses a whole week.
func (r *reading) readWeek(ts []token) (days, int) {
	if len(ts) == 0 {
		return days{}, 0
	}
	d, n := r.readStretch(ts)
	if n == 0 || d.first.Weekday() != Monday || d.first.AddDays(6) != d.last {
		return days{}, 0
	}
	return d, n
}

type weekdaysRead struct{ from, to Weekday }

// weekdayRange parses "fri" and "mon-fri".
func weekdayRange(ts []token, shortToo bool) (weekdaysRead, int) {
	at := func(i int) (Weekday, bool) {
		if i >= len(ts) || len(ts[i].text) == 2 && !shortToo {
			return "", false
		}
		d, ok := weekdayWords[strings.TrimRight(ts[i].text, ".")]
		return d, ok
	}
	from, ok := at(0)
	if !ok {
		return weekdaysRead{}, 0
	}
	if len(ts) > 1 && separator(ts[1].text) {
		if to, ok := at(2); ok {
			return weekdaysRead{from, to}, 3
		}
	}
	return weekdaysRead{from, from}, 1
}

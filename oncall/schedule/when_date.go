package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// days is one day or several in a row, both ends included.
type days struct {
	first, last Date
	repeats     int    // a weekday recurs after 7 days; 0: a fixed day
	firm        bool   // given with a date or as today: it doesn't move to a later week
	odd         string // why there is no such day
}

func oneDay(d Date) days { return days{first: d, last: d, firm: true} }

// A reading is one attempt to parse a text: the facts, and the order of day and month in 3/4.
type reading struct {
	Reader
	monthFirst bool
	noRange    bool // "fri to mon" is two days, as a time follows
	between    bool // "mon and fri" are the two ends
	doubts     []string
	conflict   bool // a date is valid only in the other order
}

func (r *reading) today() Date {
	d, _ := r.Zone.Local(r.Now)
	return d
}

// readISO reads 2026-12-24, 2026/12/24, 2026.12.24 and 2026-3-4.
func readISO(w string) (Date, bool) {
	parts := strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) != 3 || len(parts[0]) != 4 || len(w) != len(parts[0])+len(parts[1])+len(parts[2])+2 || w[4] != w[len(w)-len(parts[2])-1] {
		return Date{}, false
	}
	t, err := time.Parse("2006-1-2", strings.Join(parts, "-"))
	if err != nil {
		return Date{}, false
	}
	return Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, true
}

// date returns a date if the day exists. Without a year it is the next one from ref on.
func (r *reading) date(year int, month time.Month, day int, from Date) (Date, bool) {
	d := Date{Year: year, Month: month, Day: day}
	if year == 0 {
		d.Year = from.Year
		if d.Month < from.Month || d.Month == from.Month && d.Day < from.Day {
			d.Year++
		}
		for i := 0; i < 8 && month == time.February && day == 29; i++ { // the next leap day
			if _, err := ParseDate(d.String()); err == nil {
				break
			}
			d.Year++
		}
	}
	_, err := ParseDate(d.String())
	return d, err == nil
}

func fullYear(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return 0, false
	case len(s) == 2:
		return 2000 + n, true
	}
	return n, len(s) == 4 && n >= 1970 && n < 2200
}

// readNumeric reads 24.12., 24.12.2026, 12/24, 24/12/26 and 24-12-2026.
func (r *reading) readNumeric(w string, from Date) (days, bool) {
	if d, ok := readISO(w); ok {
		return oneDay(d), true
	}
	if d, odd := oddISO(w); odd {
		return d, true
	}
	if len(w) >= len("1-1-2026") && strings.Count(w, "-") == 2 && w[len(w)-5] == '-' {
		w = strings.ReplaceAll(w, "-", "/")
	}
	divider := "/"
	if strings.Contains(w, ".") {
		divider = "."
	}
	parts := strings.Split(w, divider)
	if divider == "." && len(parts) == 3 && parts[2] == "" {
		parts = parts[:2]
	}
	if len(parts) < 2 || len(parts) > 3 {
		return days{}, false
	}
	var n [2]int
	for i, p := range parts[:2] {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || len(p) > 2 {
			return days{}, false
		}
	}
	year := 0
	if len(parts) == 3 {
		var ok bool
		if year, ok = fullYear(parts[2]); !ok {
			return days{}, false
		}
	}
	day, month := n[0], n[1]
	if divider == "/" && (r.monthFirst && n[0] <= 12 || month > 12) {
		day, month = month, day
		r.conflict = r.conflict || !r.monthFirst
	} else if divider == "/" && r.monthFirst {
		r.conflict = true
	}
	if month < 1 || month > 12 {
		return days{}, false
	}
	d, ok := r.date(year, time.Month(month), day, from)
	if !ok && (year != 0 || divider == "/" || strings.HasSuffix(w, ".")) && day > 0 { // 31.2 may be a number
		return noDay(year, time.Month(month), day), true
	}
	return oneDay(d), ok
}

// oddISO recognises 2026-02-30.
func oddISO(w string) (days, bool) {
	var year, month, day int
	if len(w) != len(time.DateOnly) || w[4] != '-' || w[7] != '-' {
		return days{}, false
	}
	if n, _ := fmt.Sscanf(w, "%4d-%2d-%2d", &year, &month, &day); n != 3 || month < 1 || month > 12 || day < 0 {
		return days{}, false
	}
	return noDay(year, time.Month(month), day), true
}

// readOrdinal reads the day of a month.
func readOrdinal(w string) (int, bool) {
	n, ok := readNumber(w)
	return n, ok && n >= 1 && n <= 31
}

// readNumber reads "24", "24." and "24th". There may be no such day.
func readNumber(w string) (int, bool) {
	w = strings.TrimRight(w, ".")
	for _, ending := range []string{"st", "nd", "rd", "th"} {
		w = strings.TrimSuffix(w, ending)
	}
	n, err := strconv.Atoi(w)
	return n, err == nil && len(w) <= 2 && n >= 0
}

// noDay returns a day that a month doesn't have, and why it is none. Without a year, 0, it is of any year.
func noDay(year int, month time.Month, day int) days {
	d := oneDay(Date{Year: max(year, 2000), Month: month, Day: 1})
	last := daysIn(int64(year)*12 + int64(month) - 1)
	switch {
	case month == time.February && year == 0:
		d.odd = fmt.Sprintf("There is no %d February: it has 28 days, or 29 in a leap year.", day)
	case month == time.February:
		d.odd = fmt.Sprintf("There is no %d February %d: it has %d days in that year.", day, year, last)
	default:
		d.odd = fmt.Sprintf("There is no %d %s: it has %d days.", day, month, last)
	}
	return d
}

func readMonth(w string) (time.Month, bool) {
	m, ok := monthWords[strings.TrimRight(w, ".")]
	return m, ok
}

// readNamed reads "24 dec", "dec 24th 2026", "dec 7 - 11", "24. - 27. Dezember" and "24.-27.12.".
func (r *reading) readNamed(ts []token, from Date) (days, int) {
	at := func(i int) string {
		if i < len(ts) {
			return ts[i].text
		}
		return ""
	}
	first, isDay := readOrdinal(at(0))
	month, isMonth := readMonth(at(0))
	i, last := 1, 0
	if d, n := r.missing(at); n > 0 {
		return d, n
	}
	switch {
	case isMonth:
		if first, isDay = readOrdinal(at(1)); !isDay || len(at(1)) == 0 {
			return days{}, 0
		}
		i = 2
		if separator(at(2)) {
			if n, ok := readOrdinal(at(3)); ok && n > first && !r.timeFollows(ts[3:]) {
				last, i = n, 4
			}
		}
	case isDay:
		if at(1) == "of" {
			i++
		}
		if separator(at(1)) {
			if n, ok := readOrdinal(at(2)); ok && n > first {
				of := 3
				if at(of) == "of" {
					of++
				}
				if m, named := readMonth(at(of)); named {
					month, last, i = m, n, of+1
				}
			} else if d, n := r.upTo(first, ts, from); n > 0 {
				return d, n
			}
		}
		if last == 0 {
			if month, isMonth = readMonth(at(i)); !isMonth {
				return r.ofMonth(ts, first, from)
			}
			i++
		}
		if last == 0 && separator(at(i)) { // 24 dec - 27
			if n, ok := readOrdinal(at(i + 1)); ok && n > first && !r.timeFollows(ts[i+1:]) {
				if _, named := readMonth(at(i + 2)); !named {
					last, i = n, i+2
				}
			}
		}
	default:
		return days{}, 0
	}
	return r.named(at, i, month, first, last, from)
}

// upTo parses "24.-27.12.", "24 - 27.12.2026" and "28 - 3 jan", which begins in December.
func (r *reading) upTo(first int, ts []token, from Date) (days, int) {
	if len(ts) < 3 {
		return days{}, 0
	}
	w := ts[2].text
	d, numeric := r.readNumeric(w, from)
	n := 3
	if numeric && (strings.Count(w, ".") < 2 && !strings.HasSuffix(ts[0].text, ".") || !strings.Contains(w, ".")) {
		return days{}, 0 // 9 - 10.12
	}
	if !numeric {
		var m int
		if d, m = r.readNamed(ts[2:], from); m == 0 || d.first != d.last || d.odd != "" || len(ts) < 4 {
			return days{}, 0
		}
		if _, ok := readMonth(ts[3].text); !ok {
			return days{}, 0
		}
		n = 2 + m
	}
	month := int64(d.first.Year)*12 + int64(d.first.Month) - 1
	if first > d.first.Day {
		month--
	}
	begin := Date{Year: int(month / 12), Month: monthOf(month), Day: first}
	if first == d.first.Day || first > daysIn(month) {
		return days{}, 0
	}
	if begin.days() < from.days() && d.last.days() < from.days() {
		return days{}, 0
	}
	return days{first: begin, last: d.first, firm: true}, n
}

// named completes "24 dec" and "24 - 27 dec" with the year that may follow at i.
func (r *reading) named(at func(int) string, i int, month time.Month, first, last int, from Date) (days, int) {
	year := 0
	if y, ok := fullYear(strings.TrimRight(at(i), ".")); ok && len(strings.TrimRight(at(i), ".")) == 4 {
		year = y
		i++
	}
	d, ok := r.date(year, month, first, from)
	if !ok {
		return noDay(year, month, first), i
	}
	out := oneDay(d)
	if last > 0 {
		if out.last, ok = r.date(d.Year, month, last, from); !ok {
			return noDay(year, month, last), i
		}
	}
	return out, i
}

// missing recognises "32 dec" and "dec 32", which no month has.
func (r *reading) missing(at func(int) string) (days, int) {
	for _, in := range [][2]int{{0, 1}, {1, 0}} {
		n, number := readNumber(at(in[0]))
		month, named := readMonth(at(in[1]))
		if number && named && (n == 0 || n > 31) {
			return noDay(0, month, n), 2
		}
	}
	return days{}, 0
}

// ofMonth parses "24th": the next such day.
func (r *reading) ofMonth(ts []token, day int, from Date) (days, int) {
	if !strings.ContainsAny(ts[0].text, "tsnr") {
		return days{}, 0
	}
	month := int64(from.Year)*12 + int64(from.Month) - 1
	if day < from.Day {
		month++
	}
	d, ok := r.date(int(month/12), monthOf(month), day, from)
	if !ok {
		return days{}, 0
	}
	return oneDay(d), 1
}

// timeFollows reports whether a number belongs to a time, as in "dec 7 - 9 pm" or "24 dec to 9 uhr".
func (r *reading) timeFollows(ts []token) bool {
	return len(ts) > 1 && clockEnding(ts[1].text)
}

// readWeekday parses "fri", "this friday", "next fri", "nächsten Freitag". German abbreviations
// count only if shortToo is set, which is where no time came before.
func (r *reading) readWeekday(ts []token, from Date, shortToo bool) (days, int) {
	i, which := 0, ""
	if len(ts) > 1 {
		switch ts[0].text {
		case "this", "coming", "diesen", "diese", "kommenden", "next", "nächsten", "naechsten", "following", "last", "letzten":
			which, i = ts[0].text, 1
		}
	}
	weekday, ok := weekdayWords[strings.TrimRight(ts[i].text, ".")]
	if !ok || len(ts[i].text) == 2 && !shortToo {
		return days{}, 0
	}
	d := from
	switch which {
	case "next", "nächsten", "naechsten", "following": // in the next week, which begins on Monday
		d = r.today()
		for d = d.AddDays(1); d.Weekday() != Monday; {
			d = d.AddDays(1)
		}
	case "last", "letzten": // in the seven days before today
		d = r.today().AddDays(-7)
	}
	for d.Weekday() != weekday {
		d = d.AddDays(1)
	}
	if which == "" || which == "this" || which == "coming" {
		return days{first: d, last: d, repeats: 7}, i + 1
	}
	return oneDay(d), i + 1
}

// readDay parses one day or a stretch of days. The next weekday is searched from from on.
func (r *reading) readDay(ts []token, from Date, shortToo bool) (days, int) {
	if len(ts) == 0 {
		return days{}, 0
	}
	w := ts[0].text
	if n, ok := nearDays[w]; ok {
		return oneDay(r.today().AddDays(n)), 1
	}
	if w == "day" && len(ts) > 2 && ts[1].text == "after" && nearDays[ts[2].text] == 1 {
		return oneDay(r.today().AddDays(2)), 3
	}
	if d, n := r.readStretch(ts); n > 0 {
		return d, n
	}
	if d, ok := r.readNumeric(w, from); ok {
		return d, 1
	}
	if d, n := r.readWeekday(ts, from, shortToo); n > 0 {
		return r.dateAfter(d, n, ts, from)
	}
	return r.readNamed(ts, from)
}

// dateAfter parses the date after its weekday, as in "Tue 1 Dec". The weekday determines the year.
func (r *reading) dateAfter(d days, n int, ts []token, from Date) (days, int) {
	rest := ts[n:]
	if len(rest) > 0 && (rest[0].text == "the" || rest[0].text == "den") {
		rest, n = rest[1:], n+1
	}
	if len(rest) == 0 {
		return d, n
	}
	named, m := r.readNamed(rest, from)
	if m == 0 {
		if numeric, ok := r.readNumeric(rest[0].text, from); ok {
			named, m = numeric, 1
		}
	}
	switch {
	case m == 0 || named.first != named.last:
		return d, n
	case named.odd != "":
		return named, n + m
	}
	weekday := d.first.Weekday()
	best, found := Date{}, false
	today := r.today().days()
	for year := r.today().Year - 6; year <= r.today().Year+6; year++ {
		c := Date{Year: year, Month: named.first.Month, Day: named.first.Day}
		if _, err := ParseDate(c.String()); err != nil || c.Weekday() != weekday {
			continue
		}
		if !found || abs(c.days()-today) < abs(best.days()-today) {
			best, found = c, true
		}
	}
	withYear := named.first.Weekday() == weekday && named.first.Year != best.Year && r.yearNamed(rest[:m])
	switch {
	case withYear:
		best = named.first
	case r.yearNamed(rest[:m]) && named.first.Weekday() != weekday, !found, abs(best.days()-today) > 800:
		named.odd = dayText(named.first) + " is a " + longDay(named.first.Weekday()) + ", not a " + longDay(weekday) + "."
		return named, n + m
	}
	return oneDay(best), n + m
}

// yearNamed reports whether a date was written with its year.
func (r *reading) yearNamed(ts []token) bool {
	last := strings.TrimRight(ts[len(ts)-1].text, ".")
	if len(ts) == 1 {
		_, iso := readISO(last)
		return iso || strings.Count(last, "/") == 2 || strings.Count(last, ".") == 2
	}
	_, ok := fullYear(last)
	return ok && len(last) == 4
}

func abs(n int64) int64 { return max(n, -n) }

func longDay(d Weekday) string {
	i, _ := d.index()
	return time.Weekday((i + 1) % 7).String()
}

func dayText(d Date) string { return strconv.Itoa(d.Day) + " " + d.Month.String() }

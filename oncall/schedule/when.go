package schedule

import (
	"fmt"
	"strings"
	"time"
)

// A Reader parses the times that people type, in their own zone. It reads what Stamp and Between
// write, English and basic German, 12 and 24 hours, and European, American and ISO dates. Ambiguous
// words are refused with a question.
type Reader struct {
	Zone *Zone
	Now  time.Time
}

// A Moment is a parsed time: an instant, or a stretch such as a day.
type Moment struct {
	Start, End time.Time // equal for an instant
	point      time.Time // the moment as an instant
	days       bool      // whole days
	loose      bool      // no time was typed, so it may already have begun
	clockOnly  bool      // no day was typed
	bare       bool      // the time is only a number, which the other end may clarify
	ranged     bool      // two times were typed
	weekly     bool      // a weekday without a date or time
	windows    []Window
}

// At returns the moment as an instant. For a bare day that is 09:00, or now if 09:00 today has
// passed.
func (m Moment) At() time.Time { return m.point }

// IsInstant reports whether it is a single instant.
func (m Moment) IsInstant() bool { return m.Start.Equal(m.End) && !m.ranged }

// Whole reports whether it is one or more whole days, without a time.
func (m Moment) Whole() bool { return m.days && len(m.windows) == 0 }

// ends returns the moment as the end of a span; a bare day is included.
func (m Moment) ends() time.Time {
	if m.days {
		return m.End
	}
	return m.Start
}

// Moment parses the longest prefix of the words that is a time, and returns how many words that is,
// 0 if none. The error is a Refusal, a question.
func (r Reader) Moment(words []string) (Moment, int, error) {
	return read(r, words, func(r *reading, ts []token) (Moment, int) {
		m, n := r.moment(ts, r.Now, false)
		r.askHour(m)
		return m, n
	})
}

// maxWords is more than any time needs, so that a long text takes no longer than a short one.
const maxWords = 48

// read parses the words in both orders of day and month. If the results differ, it asks a question.
func read[T any](r Reader, words []string, how func(*reading, []token) (T, int)) (T, int, error) {
	ts := tokens(words[:min(len(words), maxWords)])
	var results [2]T
	var used [2]int
	var doubts [2][]string
	var conflict [2]bool
	for i := range results {
		one := &reading{Reader: r, monthFirst: i == 1}
		var n int
		results[i], n = how(one, ts)
		used[i], conflict[i], doubts[i] = wordsOf(ts, n), one.conflict, one.doubts
	}
	var none T
	american := used[1] > used[0] || conflict[0] && !conflict[1] && used[1] == used[0]
	switch {
	case used[0] == 0 && used[1] == 0:
		return none, 0, nil
	case american && len(doubts[1]) > 0:
		return none, used[1], Refuse("%s", doubts[1][0])
	case american:
		return results[1], used[1], nil
	case len(doubts[0]) > 0:
		return none, used[0], Refuse("%s", doubts[0][0])
	case used[0] == used[1] && (conflict[0] || !conflict[1]) && fmt.Sprint(results[0]) != fmt.Sprint(results[1]):
		return none, used[0], slashQuestion(words[:used[0]])
	}
	return results[0], used[0], nil
}

// slashQuestion asks what 3/4 means.
func slashQuestion(words []string) error {
	for _, t := range tokens(words) {
		var a, b int
		if n, _ := fmt.Sscanf(t.text, "%d/%d", &a, &b); n == 2 && a != b && a >= 1 && a <= 12 && b >= 1 && b <= 12 {
			european, american := time.Month(b), time.Month(a)
			return Refuse("Does %d/%d mean %d %s or %d %s? Write `%d %s` or `%d %s`.", a, b, a, european, b, american,
				a, strings.ToLower(european.String()[:3]), b, strings.ToLower(american.String()[:3]))
		}
	}
	return Refuse("Is that day/month or month/day? Write the month as a word, as in `24 dec`.")
}

// wordsOf returns how many whole words the first n tokens make up. A partly read word doesn't
// count.
func wordsOf(ts []token, n int) int {
	for n > 0 && !ts[n-1].last {
		n--
	}
	if n == 0 {
		return 0
	}
	return ts[n-1].word + 1
}

// Instant returns the moment of a single instant.
func Instant(t time.Time) Moment { return Moment{Start: t, End: t, point: t} }

// moment parses a day, a time of day or both in either order, or another kind of time. A time
// without a day is the next one after ref. At the end of a span, a number may be an hour.
func (r *reading) moment(ts []token, ref time.Time, isEnd bool) (Moment, int) {
	if m, n := r.special(ts, ref); n > 0 {
		return m, n
	}
	p := r.pieces(ts, ref, isEnd)
	if p.ranged && p.hasClock && !p.hasClocks { // "fri to mon 9:00": the time is the end's
		r.noRange = true
		p = r.pieces(ts, ref, isEnd)
		r.noRange = false
	}
	if p.used == 0 {
		return Moment{}, 0
	}
	return r.resolve(p, ref), p.used
}

// special parses times without day and clock: "now", "in 2 hours", RFC 3339.
func (r *reading) special(ts []token, ref time.Time) (Moment, int) {
	if len(ts) == 0 {
		return Moment{}, 0
	}
	i := 0
	for i < len(ts)-1 && (ts[i].text == "from" || ts[i].text == "starting" || ts[i].text == "right") {
		i++
	}
	switch w := ts[i].text; w {
	case "now", "jetzt", "immediately":
		return Instant(r.Now), i + 1
	case "in":
		if l, n := readLength(ts[i+1:]); n > 0 {
			return Instant(l.after(r.Now, r.Zone)), i + 1 + n
		}
	case "for", "für":
		if l, n := readLength(ts[i+1:]); n > 0 {
			return Instant(l.after(ref, r.Zone)), i + 1 + n
		}
	case "rest", "remainder", "end":
		return r.restOf(ts, i)
	case "eod", "eow":
		unit := map[string]string{"eod": "day", "eow": "week"}[w]
		m, _ := r.restOf([]token{{text: "end"}, {text: "of"}, {text: unit}}, 0)
		return m, i + 1
	default:
		if m, n := r.iso(ts[i:]); n > 0 {
			return m, i + n
		}
	}
	if ts[i].text == "the" && len(ts) > i+1 && (ts[i+1].text == "rest" || ts[i+1].text == "end") {
		return r.restOf(ts, i+1)
	}
	return Moment{}, 0
}

// iso parses a day and time in one word, in ISO 8601.
func (r *reading) iso(ts []token) (Moment, int) {
	w := strings.ToUpper(ts[0].text)
	if len(w) < len("20060102T150405") || w[0] < '0' || w[0] > '9' {
		return Moment{}, 0
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "20060102T150405Z0700"} {
		if t, err := time.Parse(layout, w); err == nil {
			return Instant(t.UTC()), 1
		}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "20060102T150405"} { // without an offset
		t, err := time.Parse(layout, w)
		if err != nil {
			continue
		}
		zone, n := "", 1
		if len(ts) > 1 && r.isZone(ts[1].text) {
			zone, n = ts[1].text, 2
		}
		return Instant(r.instant(Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, TimeOfDay(t.Hour()*60+t.Minute()), zone)), n
	}
	return Moment{}, 0
}

// restOf parses "rest of the day", which begins now, and "end of the week", which is when it ends.
func (r *reading) restOf(ts []token, i int) (Moment, int) {
	kind, n := ts[i].text, i+1
	for n < len(ts) && (ts[n].text == "of" || ts[n].text == "the" || ts[n].text == "this" || ts[n].text == "my") {
		n++
	}
	if n >= len(ts) {
		return Moment{}, 0
	}
	last := r.today()
	switch w := ts[n].text; w {
	case "day", "today", "tag":
		n++
	case "night":
		return r.untilMorning(n + 1)
	case "week", "month", "year":
		d, _ := r.readStretch([]token{{text: "this"}, {text: w}})
		last = d.last
		n++
	default:
		if month, ok := readMonth(w); ok { // end of march
			first, _ := r.date(0, month, 1, Date{Year: last.Year, Month: last.Month, Day: 1})
			last, n = Date{Year: first.Year, Month: month, Day: daysIn(int64(first.Year)*12 + int64(month) - 1)}, n+1
			break
		}
		if ts[n-1].text != "of" {
			return Moment{}, 0
		}
		d, m := r.readDay(ts[n:], r.today(), true)
		if m == 0 || d.odd != "" {
			return Moment{}, 0
		}
		last, n = d.last, n+m
	}
	end := r.Zone.Instant(last.AddDays(1), 0)
	if kind == "end" {
		return Instant(end), n
	}
	return Moment{Start: r.Now, End: end, point: r.Now, days: true, loose: true}, n
}

// untilMorning returns the rest of the night.
func (r *reading) untilMorning(n int) (Moment, int) {
	day, at := r.Zone.Local(r.Now)
	if at >= workMorning {
		day = day.AddDays(1)
	}
	return Moment{Start: r.Now, End: r.Zone.Instant(day, workMorning), point: r.Now, days: true, loose: true}, n
}

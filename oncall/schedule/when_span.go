package schedule

import (
	"strings"
	"time"
)

// A Stretch is a half-open span of time. With Windows, only the parts inside them count, as in
// "mon-fri 9-17".
type Stretch struct {
	From, To time.Time
	Windows  []Window
	Now      bool // it begins now
}

// SpanProblem is why words are not a span.
type SpanProblem int

// Why words are not a span.
const (
	SpanRead    SpanProblem = iota
	SpanNothing             // they contain no time
	SpanNoEnd               // they have only a beginning
	SpanBadEnd              // what stands after "to" is no time
)

// Span parses the longest prefix of the words that is a span of time, and returns how many words
// that is. With a problem, it is the number of words read as the beginning. The error is a Refusal,
// a question.
func (r Reader) Span(words []string) (Stretch, int, SpanProblem, error) {
	type result struct {
		Stretch
		Problem SpanProblem
	}
	s, n, err := read(r, words, func(r *reading, ts []token) (result, int) {
		s, problem, n := r.span(ts)
		return result{s, problem}, n
	})
	if n == 0 && err == nil {
		s.Problem = SpanNothing
	}
	return s.Stretch, n, s.Problem, err
}

func (r *reading) span(ts []token) (Stretch, SpanProblem, int) {
	i := 0
	if len(ts) > 0 && (ts[0].text == "from" || ts[0].text == "von" || ts[0].text == "ab" || ts[0].text == "between") {
		i = 1
	}
	if i >= len(ts) {
		return Stretch{}, SpanNothing, 0
	}
	if w := ts[i].text; w == "for" || w == "für" { // from now, or from a time given afterwards
		if l, n := readLength(ts[i+1:]); n > 0 {
			return r.lasting(l, ts, i+1+n)
		}
		i++ // "for tomorrow"
	} else if untilWord(w) || w == "up" {
		i++
		if i < len(ts) && separator(ts[i].text) {
			i++
		}
		return r.untilEnd(Stretch{From: r.Now, Now: true}, ts, i, Moment{Start: r.Now})
	}
	if l, n := readLength(ts[i:]); n > 0 && i == 0 && !r.anHour(ts, n) { // 2h, the next 3 hours
		return r.lasting(l, ts, n)
	}
	if ts[0].text == "between" {
		if m, n := r.moment(ts, r.Now, false); n > 0 { // between 9 and 17 tomorrow
			return r.continued(m, ts, n)
		}
		r.between = true
	}
	m, n := r.moment(ts[i:], r.Now, i > 0)
	if n == 0 {
		return Stretch{}, SpanNothing, 0
	}
	begins, _ := r.Zone.Local(m.Start)
	r.askYear("begin", r.today(), begins, ts[i:i+n])
	return r.continued(m, ts, i+n)
}

// anHour reports whether a possible length is a time of day instead, as in "9h-17h" and "17h".
func (r *reading) anHour(ts []token, n int) bool {
	if c, m := readClock(ts, false); n == 1 && m == n && c.at < 24*60 {
		return len(ts) > n && separator(ts[n].text) || c.at > 12*60
	}
	return false
}

// lasting returns a span of a length, from now or from the time that follows.
func (r *reading) lasting(l length, ts []token, at int) (Stretch, SpanProblem, int) {
	from, end := Instant(r.Now), at
	if m, n := r.moment(ts[at:], r.Now, false); n > 0 && !m.point.Before(r.Now) {
		from, end = m, at+n
		r.askHour(m)
	}
	start := from.point
	if from.days && l.wholeDays() {
		start = from.Start
	}
	return r.begun(Stretch{From: start, To: l.after(start, r.Zone), Now: end == at}, from), SpanRead, end
}

// continued parses the rest of a span after its beginning.
func (r *reading) continued(moment Moment, ts []token, at int) (Stretch, SpanProblem, int) {
	s := Stretch{From: moment.Start, Windows: moment.windows, Now: moment.Start.Equal(r.Now)}
	if at < len(ts) && (separator(ts[at].text) || ts[0].text == "between" && ts[at].text == "and") {
		next := at + 1
		if next < len(ts) && separator(ts[next].text) { // up to
			next++
		}
		if moment.IsInstant() || moment.days && moment.windows == nil {
			s.Windows = nil
			return r.untilEnd(s, ts, next, moment)
		}
		if to, problem, n := r.untilEnd(Stretch{From: moment.Start}, ts, next, moment); problem == SpanRead {
			to.Windows = nil
			return to, problem, n
		}
	}
	if l, n := lengthAfter(ts[at:]); n > 0 && moment.windows == nil {
		r.askHour(moment)
		if !moment.days || !l.wholeDays() {
			s.From = moment.point
		}
		s.To = l.after(s.From, r.Zone)
		return s, SpanRead, at + n
	}
	if moment.IsInstant() {
		if second, n := r.moment(ts[at:], moment.Start, false); n > 0 && second.IsInstant() && second.clockOnly { // 18:00 22:00
			r.askHour(moment)
			s.To = second.Start
			return s, SpanRead, at + n
		}
		r.askHour(moment)
		return s, SpanNoEnd, at
	}
	s.To = moment.End
	return r.begun(s, moment), SpanRead, at
}

// lengthAfter parses "for 2 hours" or "2 hours" after the beginning.
func lengthAfter(ts []token) (length, int) {
	if len(ts) > 1 && (ts[0].text == "for" || ts[0].text == "für") {
		l, n := readLength(ts[1:])
		if n == 0 {
			return length{}, 0
		}
		return l, n + 1
	}
	return readLength(ts)
}

// untilEnd parses the end of a span.
func (r *reading) untilEnd(s Stretch, ts []token, at int, moment Moment) (Stretch, SpanProblem, int) {
	end, n := r.moment(ts[min(at, len(ts)):], moment.Start, true)
	if n > 0 && moment.weekly && !end.clockOnly && end.Start.Before(moment.End) { // "tue to tue 9:00" is a week
		end, n = r.moment(ts[min(at, len(ts)):], moment.End, true)
	}
	if n == 0 {
		return s, SpanBadEnd, at
	}
	s.To = end.ends()
	if end.ranged { // "to fri 9-17"
		s.To = end.End
	}
	if !moment.clockOnly || !end.clockOnly {
		from, _ := r.Zone.Local(s.From)
		to, _ := r.Zone.Local(s.To.Add(-time.Second))
		r.askYear("end", from, to, ts[min(at, len(ts)):min(at+n, len(ts))])
	}
	switch {
	case moment.bare && end.bare:
		r.askHour(moment)
	case end.bare:
		r.askHour(end)
	}
	return r.begun(s, moment), SpanRead, at + n
}

// askHour asks what an hour such as 5 means.
func (r *reading) askHour(m Moment) {
	if !m.bare {
		return
	}
	_, at := r.Zone.Local(m.Start)
	r.doubts = append(r.doubts, "Is that "+at.String()+" or "+(at+12*60).String()+"? Write the time like that.")
}

// begun lets a span typed without a time begin now, if its first day has already begun.
func (r *reading) begun(s Stretch, m Moment) Stretch {
	if m.loose && s.From.Before(r.Now) && s.To.After(r.Now) {
		s.From, s.Now = r.Now, true
	}
	return s
}

// GoesOn reports whether the words after a parsed time still belong to it, such as "and friday" and
// "until 6": then it was misunderstood.
func (r Reader) GoesOn(words []string) bool {
	ts := tokens(words[:min(len(words), maxWords)])
	for len(ts) > 0 && (joins(ts[0].text) || separator(ts[0].text)) {
		ts = ts[1:]
	}
	if len(ts) == 0 {
		return len(words) > 0
	}
	if w := ts[0].text; len(w) == 2 && weekdayWords[w] != "" { // do, so
		return false
	}
	if _, ok := readOrdinal(ts[0].text); ok && (len(ts) == 1 || joins(ts[1].text) || ts[0].comma) { // dec 24, 25
		return true
	}
	if _, n := readLength(ts); n > 0 && ts[0].text[0] >= '0' && ts[0].text[0] <= '9' && ts[0].word > 0 { // + 5 days
		return true
	}
	_, n, err := r.Moment(words[ts[0].word:])
	if w := strings.Trim(words[ts[0].word], ",.;()"); w == "ET" || w == "CT" || w == "MT" || w == "PT" || w == "IST" || w == "Z" {
		return true
	}
	return n > 0 || err != nil
}

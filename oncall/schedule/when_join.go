package schedule

import (
	"strconv"
	"strings"
)

// hours returns the range in which an hour named with a part of the day lies: "8 tonight".
func (d dayPart) hours() (from, to TimeOfDay) {
	switch {
	case d.to > 24*60:
		return 17 * 60, 32 * 60
	case d.to <= 12*60:
		return 0, 12 * 60
	case d.from >= 18*60:
		return 16 * 60, 24*60 + 1
	}
	return d.from - 60, d.to + 60
}

// clock interprets a time by its part of the day. later means that it is after midnight.
func (d dayPart) clock(c clock) (settled clock, later bool) {
	const half = TimeOfDay(12 * 60)
	first, last := d.hours()
	if c.plain {
		for at := c.at % half; at < last; at += half {
			if at >= first {
				c.at = at
				break
			}
		}
	} else if d.to > 24*60 && c.at < workMorning { // tonight 3am
		c.at += 2 * half
	}
	if c.at > 2*half {
		c.at, later = c.at-2*half, true
	}
	c.bare, c.plain, c.half = false, false, 'a'
	if c.at >= half && c.at < 2*half {
		c.half = 'p'
	}
	return c, later
}

// settle lets the parts of a moment clarify each other.
func (r *reading) settle(p *pieces) {
	if p.hasPart && (p.hasClock || p.hasClocks) {
		p.at, p.later = p.part.clock(p.at)
		p.to.bare = p.to.bare || p.to.plain
		p.hasPart = false
	}
	if !p.hasClocks {
		return
	}
	from, to, doubt := settle(p.at, p.to)
	switch {
	case doubt:
		r.doubts = append(r.doubts, clocksQuestion(p.at, p.to))
	case p.dayLast && p.hasDay && p.day.first == p.day.last && to.at <= from.at && from.at < 24*60 && to.at > 0: // 10pm to 6am tomorrow
		before := p.day.first.AddDays(-1)
		r.doubts = append(r.doubts, "Does that begin on "+dayText(before)+" or on "+dayText(p.day.first)+"? Write the day first, as in `"+
			strings.ToLower(dayText(before))+" "+from.at.String()+"-"+to.at.String()+"`.")
	}
	p.at, p.to = from, to
}

// nextDay parses the day on which times past midnight end: "fri 10pm to 6am sat".
func (r *reading) nextDay(ts []token, p *pieces) {
	if !p.hasClocks || !p.hasDay || p.dayLast || p.day.first != p.day.last || p.used >= len(ts) {
		return
	}
	if from, to, doubt := settle(p.at, p.to); doubt || to.at > from.at {
		return
	}
	rest := ts[p.used:]
	if rest[0].text == "on" || rest[0].text == "the" {
		rest = rest[1:]
	}
	if d, n := r.readDay(rest, p.day.first, false); n > 0 && d.first == d.last && d.first == p.day.first.AddDays(1) {
		p.used = len(ts) - len(rest) + n
	}
}

// partFollows reports whether the words begin with a part of the day, so that a number before them
// is an hour: "8 in the evening".
func partFollows(ts []token) bool {
	for i := 0; i < len(ts) && i < 3; i++ {
		w := ts[i].text
		if _, ok := dayParts[w]; ok || w == "tonight" {
			return true
		}
		if w != "in" && w != "the" && w != "this" && w != "tomorrow" && w != "am" {
			return false
		}
	}
	return false
}

// clockAt reports whether the words after "at" are a time, which a date such as 10.12 can be too.
func clockAt(ts []token) bool {
	_, n := readClockAs(ts, false, true)
	return n > 0
}

// moreDays parses the days listed after the first, which took n tokens: "sat and sun". Days that
// aren't one stretch are a question.
func (r *reading) moreDays(ts []token, n int, p *pieces) int {
	for n < len(ts) && !r.between {
		next := n
		if joins(ts[next].text) {
			next++
		}
		if next == n && !ts[n-1].comma || next >= len(ts) {
			return n
		}
		after := p.day.last.AddDays(1)
		d, m := r.readDay(ts[next:], after, false)
		if m == 0 || d.first != d.last {
			return n
		}
		if d.first != after {
			r.doubts = append(r.doubts, dayText(p.day.last)+" and "+dayText(d.first)+" are not one stretch of time. Say them one after the other.")
			return next + m
		}
		p.day.last, p.ranged, n = d.last, true, next+m
	}
	return n
}

// askYear asks whether a day without a year is meant that lies nearly a year ahead, only because
// this year's has passed.
func (r *reading) askYear(does string, from, to Date, ts []token) {
	if to.days()-from.days() < 300 || to.Year == from.Year || len(ts) == 0 {
		return
	}
	if _, ok := weekdayWords[strings.TrimRight(ts[0].text, ".")]; ok { // which determines the year
		return
	}
	if _, n := r.readDay(ts, from, true); n > 0 && !r.yearNamed(ts[:n]) && ts[0].text != "next" && ts[0].text != "end" {
		r.doubts = append(r.doubts, "Does that "+does+" on "+dayText(to)+" "+strconv.Itoa(to.Year)+"? Write the year, too.")
	}
}

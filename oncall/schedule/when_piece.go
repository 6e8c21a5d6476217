package schedule

import (
	"fmt"
	"strings"
	"time"
)

// pieces are the parts of a moment.
type pieces struct {
	day       days
	hasDay    bool
	past      bool // the first day has passed
	ranged    bool // two days with a dash between them
	at        clock
	hasClock  bool
	to        clock
	hasClocks bool
	part      dayPart
	hasPart   bool
	later     bool   // the time is after midnight of the night of the day
	dayLast   bool   // the day came after the times
	zone      string // a word that isZone accepts
	used      int
}

// pieces parses a day, a time or range of times, and a part of the day, in any order, each at most
// once.
func (r *reading) pieces(ts []token, ref time.Time, isEnd bool) pieces {
	p := r.parts(ts, ref, isEnd)
	r.nextDay(ts, &p)
	r.settle(&p)
	return p
}

func (r *reading) parts(ts []token, ref time.Time, isEnd bool) pieces {
	var p pieces
	from, _ := r.Zone.Local(ref)
	for i := 0; i < len(ts); {
		j := i
		if i+1 < len(ts) && (ts[i].text == "all" || ts[i].text == "whole") && ts[i+1].text == "day" { // all day tomorrow
			if i += 2; p.hasDay {
				p.used = i
			}
			continue
		}
		hour, sure := isEnd || p.hasDay || p.hasPart || partFollows(ts[i+1:]), false
		for j < len(ts) && (filler(ts[j].text) || ts[j].text == "in" && partFollows(ts[j:])) {
			switch ts[j].text {
			case "from", "von", "ab":
				hour = true
			case "at", "@", "um":
				hour, sure = true, true
			}
			j++
		}
		n := 0
		if j < len(ts) {
			n = r.piece(ts[j:], &p, from, hour, sure)
		}
		if n == 0 {
			return p
		}
		i = j + n
		p.used = i
	}
	return p
}

// piece parses one more part of a moment.
func (r *reading) piece(ts []token, p *pieces, from Date, hourToo, sure bool) int {
	w := ts[0].text
	if !p.hasDay && !p.hasPart {
		switch w {
		case "tonight", "overnight":
			day, at := r.Zone.Local(r.Now)
			if at < 5*60 { // it is still the night
				day = day.AddDays(-1)
			}
			p.day, p.hasDay, p.part, p.hasPart = oneDay(day), true, dayParts["night"], true
			return 1
		case "this", "heute":
			if len(ts) > 1 {
				if part, ok := dayParts[ts[1].text]; ok {
					p.day, p.hasDay, p.part, p.hasPart = oneDay(r.today()), true, part, true
					return 2
				}
			}
		}
	}
	timeToo := !p.hasClock && !p.hasClocks
	if !p.hasDay && (!sure || !timeToo || !clockAt(ts)) {
		if n := r.dayPiece(ts, p, from, timeToo && !p.hasPart); n > 0 {
			return n
		}
	}
	if part, ok := dayParts[w]; ok && !p.hasPart {
		p.part, p.hasPart = part, true
		return 1
	}
	if p.hasDay && !p.hasPart && w == "morgen" {
		p.part, p.hasPart = dayParts["morning"], true
		return 1
	}
	if timeToo {
		if n := r.clockPiece(ts, p, hourToo, sure); n > 0 {
			return n
		}
	}
	if (p.hasClock || p.hasClocks) && p.zone == "" && r.isZone(w) {
		p.zone = w
		return 1
	}
	return 0
}

func (r *reading) dayPiece(ts []token, p *pieces, from Date, shortToo bool) int {
	if _, ok := r.readNumericClock(ts); ok {
		return 0
	}
	if _, _, n := readClocks(ts); n > 0 && strings.Contains(ts[0].text, ".") { // 10.12-11.30
		return 0
	}
	p.dayLast = p.hasClocks
	if d, n := r.daysOfWeek(ts, shortToo); n > 0 {
		p.day, p.hasDay = d, true
		return n
	}
	d, n := r.readDay(ts, from, shortToo)
	if n == 0 {
		return 0
	}
	p.day, p.hasDay = d, true
	p.past = d.first.days() < r.today().days() && d.first == d.last
	if d.odd != "" {
		r.doubts = append(r.doubts, d.odd)
	}
	if r.noRange || d.first != d.last || n >= len(ts) || p.hasClock {
		return n
	}
	if !separator(ts[n].text) {
		return r.moreDays(ts, n, p)
	}
	next := ts[n+1:]
	if len(next) > 0 && next[0].text == "the" {
		next = next[1:]
	}
	second, m := r.readDay(next, d.first, shortToo)
	if m == 0 || second.first != second.last || second.first.days() < d.first.days() {
		return n
	}
	if second.repeats > 0 && second.first == d.first {
		second.last = second.last.AddDays(second.repeats)
	}
	r.askYear("end", d.first, second.last, next[:m])
	p.day.last, p.ranged = second.last, true
	return len(ts) - len(next) + m
}

// readNumericClock reports whether a word with a full stop is a time, as in "9.12 uhr".
func (r *reading) readNumericClock(ts []token) (clock, bool) {
	c, n := readClock(ts, false)
	return c, n == 2
}

func (r *reading) clockPiece(ts []token, p *pieces, hourToo, sure bool) int {
	if from, to, n := readClocks(ts); n > 0 { // "9 to 17" without a day, but not "at 9 to fri"
		p.at, p.to, p.hasClocks = from, to, true
		return n
	}
	c, n := readClockAs(ts, hourToo, sure)
	if n == 0 {
		return 0
	}
	if len(ts[0].text) == 2 && ts[0].text[1] == 'h' && c.at < 7*60 && (len(ts) == 1 || !separator(ts[1].text)) {
		return 0 // tomorrow 2h
	}
	if c.bare && n < len(ts) {
		if _, l := readLengthPart(ts); l > 0 { // "tomorrow 2 hours"
			return 0
		}
	}
	p.at, p.hasClock = c, true
	return n
}

func clocksQuestion(from, to clock) string {
	const half = TimeOfDay(12 * 60)
	if to.half != 0 || to.word {
		return fmt.Sprintf("Does that begin at %s or at %s? Write it like `%s-%s`.", from.at, (from.at+half)%(2*half), (from.at+half)%(2*half), to.at%(2*half))
	}
	if from.at >= to.at {
		return fmt.Sprintf("Does that end at %s or at %s? Write it like `%s-%s`.", (to.at+half)%(2*half), to.at, from.at, (to.at+half)%(2*half))
	}
	return fmt.Sprintf("Is that %s to %s or %s to %s? Write it like `%s-%s`.", from.at, to.at, (from.at+half)%(2*half), (to.at+half)%(2*half),
		(from.at+half)%(2*half), (to.at+half)%(2*half))
}

// resolve computes the instants of the parsed pieces.
func (r *reading) resolve(p pieces, ref time.Time) Moment {
	day := p.day
	if !p.hasDay {
		day.first, _ = r.Zone.Local(ref)
		if p.zone != "" { // where the date may differ
			day.first = day.first.AddDays(-1)
		}
		day.last = day.first
		m := r.onDays(p, day)
		for i := 0; i < 2 && !m.Start.After(ref) && (!p.hasPart || !m.End.After(ref)); i++ {
			day.first, day.last = day.first.AddDays(1), day.first.AddDays(1)
			m = r.onDays(p, day)
		}
		m.clockOnly = true
		return m
	}
	moment := r.onDays(p, day)
	if day.repeats > 0 && !day.firm && !p.ranged {
		again := day
		again.first, again.last = day.first.AddDays(day.repeats), day.last.AddDays(day.repeats)
		switch {
		case p.hasClock || p.hasClocks:
			if !moment.Start.After(ref) {
				moment = r.onDays(p, again)
			}
		case p.hasPart && !moment.End.After(ref):
			moment = r.onDays(p, again)
		case !p.hasPart && !moment.point.After(ref): // today after 09:00: as an instant the next one
			moment.point = r.onDays(p, again).point
		}
	}
	return moment
}

// onDays returns the pieces on certain days.
func (r *reading) onDays(p pieces, day days) Moment {
	if p.later {
		day.first, day.last = day.first.AddDays(1), day.last.AddDays(1)
	}
	switch {
	case p.hasClocks:
		return r.clocksOn(p, day)
	case p.hasClock:
		if p.at.bare && p.at.at < 7*60 && !p.ranged {
			// The question is asked only if nothing else clarifies it.
			m := Instant(r.instant(day.first, p.at.at, p.zone))
			m.bare = true
			return m
		}
		return Instant(r.instant(day.first, p.at.at, p.zone))
	case p.hasPart:
		m := Moment{Start: r.Zone.Instant(day.first, p.part.from), loose: true}
		m.point, m.End = m.Start, r.Zone.Instant(day.last.AddDays(int(p.part.to)/(24*60)), p.part.to%(24*60))
		if p.part.to == 24*60 {
			m.End = r.Zone.Instant(day.last.AddDays(1), 0)
		}
		return m
	}
	m := Moment{Start: r.Zone.Instant(day.first, 0), End: r.Zone.Instant(day.last.AddDays(1), 0), days: true, loose: !p.past}
	m.weekly = day.repeats > 0 && !day.firm && !p.ranged
	m.point = r.Zone.Instant(day.first, workMorning)
	if m.point.Before(r.Now) && day.first == r.today() {
		m.point = r.Now
	}
	return m
}

// clocksOn returns a range of times on one day, or on each of several.
func (r *reading) clocksOn(p pieces, day days) Moment {
	last := day.last
	if p.to.at <= p.at.at {
		last = last.AddDays(1)
	}
	moment := Moment{End: r.instant(last, p.to.at, p.zone), ranged: true}
	fromZone := p.zone
	if east, ok := utcOffset(p.zone); ok && r.eastAt(moment.End) == east { // because Between writes only the end's zone
		fromZone = ""
	}
	moment.Start = r.instant(day.first, p.at.at, fromZone)
	moment.point = moment.Start
	if day.first == day.last {
		return moment
	}
	if p.zone != "" && !r.ownZone(p.zone) {
		r.doubts = append(r.doubts, "Hours of several days are in your own zone. Write them without "+strings.ToUpper(p.zone)+".")
	}
	moment.loose = true
	w := Window{From: p.at.at % (24 * 60), To: p.to.at % (24 * 60)}
	for d, n := day.first, 0; d.days() <= day.last.days() && n < 7; d, n = d.AddDays(1), n+1 {
		w.Days = append(w.Days, d.Weekday())
	}
	moment.windows = []Window{w}
	return moment
}

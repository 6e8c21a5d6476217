package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// pieces are what a moment was put together from.
type pieces struct {
	day       days
	hasDay    bool
	past      bool // the first day is over
	ranged    bool // two days with a dash between them
	at        clock
	hasClock  bool
	to        clock
	hasClocks bool
	part      dayPart
	hasPart   bool
	zone      string // a zone's abbreviation, as Stamp writes it where the clock shows a time twice
	taken     int
}

// pieces reads a day, and a time, a range of times or a part of the day, in any order, each once.
func (r *reading) pieces(ts []token, ref time.Time, isEnd bool) pieces {
	var p pieces
	from, _ := r.Zone.Local(ref)
	for i := 0; i < len(ts); {
		j := i
		if i+1 < len(ts) && (ts[i].text == "all" || ts[i].text == "whole") && ts[i+1].text == "day" { // all day tomorrow
			if i += 2; p.hasDay {
				p.taken = i
			}
			continue
		}
		hour := isEnd || p.hasDay
		for j < len(ts) && filler(ts[j].text) {
			switch ts[j].text {
			case "at", "@", "um", "from", "von", "ab":
				hour = true
			}
			j++
		}
		n := 0
		if j < len(ts) {
			n = r.piece(ts[j:], &p, from, hour)
		}
		if n == 0 {
			return p
		}
		i = j + n
		p.taken = i
	}
	return p
}

// piece reads one more part of a moment.
func (r *reading) piece(ts []token, p *pieces, from Date, hourToo bool) int {
	w := ts[0].text
	if !p.hasDay && !p.hasPart && !p.hasClock {
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
	timeToo := !p.hasClock && !p.hasClocks && !p.hasPart
	if !p.hasDay {
		if n := r.dayPiece(ts, p, from, timeToo); n > 0 {
			return n
		}
	}
	if timeToo {
		if part, ok := dayParts[w]; ok {
			p.part, p.hasPart = part, true
			return 1
		}
		if p.hasDay && w == "morgen" {
			p.part, p.hasPart = dayParts["morning"], true
			return 1
		}
		if n := r.clockPiece(ts, p, hourToo); n > 0 {
			return n
		}
	}
	if (p.hasClock || p.hasClocks) && p.zone == "" && r.isZone(ts[0]) {
		p.zone = w
		return 1
	}
	return 0
}

func (r *reading) dayPiece(ts []token, p *pieces, from Date, shortToo bool) int {
	if _, ok := r.readNumericClock(ts); ok {
		return 0
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
	if r.noRange || d.first != d.last || n+1 >= len(ts) || !separator(ts[n].text) || p.hasClock {
		return n
	}
	second, m := r.readDay(ts[n+1:], d.first.AddDays(1), shortToo)
	if m == 0 || second.first != second.last || second.first.days() < d.first.days() {
		return n
	}
	p.day.last, p.ranged = second.last, true
	return n + 1 + m
}

// readNumericClock reports whether a word with a full stop is a time, as in "9.12 uhr".
func (r *reading) readNumericClock(ts []token) (clock, bool) {
	c, n := readClock(ts, false)
	return c, n == 2
}

func (r *reading) clockPiece(ts []token, p *pieces, hourToo bool) int {
	if from, to, n := readClocks(ts); n > 0 {
		// "9 to 17" without a day, but not "at 9 to fri"; of two bare numbers a month may follow.
		a, b, doubt := settle(from, to)
		if doubt {
			r.doubts = append(r.doubts, clocksQuestion(from, to))
		}
		p.at, p.to, p.hasClocks = a, b, true
		return n
	}
	c, n := readClock(ts, hourToo)
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
	if from.at >= to.at {
		return fmt.Sprintf("Does that end at %s or at %s? Write it like `%s-%s`.", (to.at+half)%(2*half), to.at, from.at, (to.at+half)%(2*half))
	}
	return fmt.Sprintf("Is that %s to %s or %s to %s? Write it like `%s-%s`.", from.at, to.at, (from.at+half)%(2*half), (to.at+half)%(2*half),
		(from.at+half)%(2*half), (to.at+half)%(2*half))
}

// isZone reports whether a word is what the zone is called in summer or in winter, or UTC.
func (r *reading) isZone(t token) bool {
	if _, ok := utcOffset(t.text); ok {
		return true
	}
	for _, month := range []time.Month{time.January, time.July} {
		if name, _ := time.Date(r.today().Year, month, 1, 0, 0, 0, 0, r.Zone.Location()).Zone(); equalFold(name, t.text) {
			return true
		}
	}
	return false
}

// utcOffset reads "utc", "gmt" and "utc+0530".
func utcOffset(w string) (east time.Duration, ok bool) {
	rest, ok := strings.CutPrefix(w, "utc")
	if !ok {
		if rest, ok = strings.CutPrefix(w, "gmt"); !ok {
			return 0, false
		}
	}
	if rest == "" {
		return 0, true
	}
	sign := time.Duration(1)
	if rest[0] == '-' {
		sign = -1
	}
	digits := strings.ReplaceAll(rest[1:], ":", "")
	n, err := strconv.Atoi(digits)
	switch {
	case rest[0] != '+' && rest[0] != '-' || err != nil || n < 0 || len(digits) > 4:
		return 0, false
	case len(digits) <= 2:
		return sign * time.Duration(n) * time.Hour, n <= 14
	}
	return sign * (time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute), n <= 1400
}

// instant is a time on a day. With the name of a zone it is the instant at which that is in force.
func (r *reading) instant(d Date, at TimeOfDay, zone string) time.Time {
	if east, ok := utcOffset(zone); ok {
		return time.Unix(d.days()*paperDay+at.seconds(), 0).Add(-east).UTC()
	}
	t := r.Zone.Instant(d, at)
	if location := r.Zone.Location(); zone != "" {
		if name, _ := t.In(location).Zone(); !equalFold(name, zone) {
			for _, later := range turnedBack {
				u := t.Add(later)
				if name, _ := u.In(location).Zone(); equalFold(name, zone) && u.In(location).Format("15:04") == at.String() {
					return u
				}
			}
		}
	}
	return t
}

// resolve finds the instants of what was read.
func (r *reading) resolve(p pieces, ref time.Time) Moment {
	day := p.day
	if !p.hasDay {
		day.first, _ = r.Zone.Local(ref)
		day.last = day.first
		m := r.onDays(p, day)
		if !m.Start.After(ref) && (!p.hasPart || !m.End.After(ref)) {
			day.first, day.last = day.first.AddDays(1), day.first.AddDays(1)
			m = r.onDays(p, day)
		}
		m.clockOnly = true
		return m
	}
	m := r.onDays(p, day)
	if day.repeats > 0 && !day.firm && !p.ranged {
		again := day
		again.first, again.last = day.first.AddDays(day.repeats), day.last.AddDays(day.repeats)
		switch {
		case p.hasClock || p.hasClocks:
			if !m.Start.After(ref) {
				m = r.onDays(p, again)
			}
		case p.hasPart && !m.End.After(ref):
			m = r.onDays(p, again)
		case !p.hasPart && !m.point.After(ref): // today after 09:00: as an instant the next one
			m.point = r.onDays(p, again).point
		}
	}
	return m
}

// onDays is what was read, on certain days.
func (r *reading) onDays(p pieces, day days) Moment {
	switch {
	case p.hasClocks:
		return r.clocksOn(p, day)
	case p.hasClock:
		if p.at.bare && p.at.at < 7*60 && !p.ranged {
			// Only asked where nothing else explains it.
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
	m.point = r.Zone.Instant(day.first, workMorning)
	if m.point.Before(r.Now) && day.first == r.today() {
		m.point = r.Now
	}
	return m
}

// clocksOn is a range of times on one day, or on each of several.
func (r *reading) clocksOn(p pieces, day days) Moment {
	last := day.last
	if p.to.at <= p.at.at {
		last = last.AddDays(1)
	}
	fromZone := p.zone
	if strings.ContainsAny(fromZone, "+-") { // so Between names the zone of the end alone
		fromZone = ""
	}
	m := Moment{Start: r.instant(day.first, p.at.at, fromZone), End: r.instant(last, p.to.at, p.zone)}
	m.point = m.Start
	if day.first == day.last {
		return m
	}
	m.loose = true
	w := Window{From: p.at.at % (24 * 60), To: p.to.at % (24 * 60)}
	for d, n := day.first, 0; d.days() <= day.last.days() && n < 7; d, n = d.AddDays(1), n+1 {
		w.Days = append(w.Days, d.Weekday())
	}
	m.windows = []Window{w}
	return m
}

package view

import (
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A moveLine groups moves: the same hours on days of several weeks, or the same days and hours of a longer
// shift.
type moveLine struct {
	what  string // "You are on call"
	when  string // "09:00–17:00", or "Mon 09:00 – Mon 09:00"
	short bool   // at most a day
	week  time.Time
	days  []time.Weekday // for short ones: days of the week, sorted
	from  []time.Time    // for short ones the weeks, otherwise the first days
	whole string         // for whole weeks: the weekday on which they begin
	hour  string         // and the time
	only  schedule.Move  // a single move
	count int
}

// moveLines lists what a person gains and loses, with similar shifts in one line.
func moveLines(moves []schedule.Move, timeZone string) []string {
	zone := location(timeZone)
	var weeks []*moveLine
	for _, m := range moves {
		l := lineOf(m, zone)
		i := slices.IndexFunc(weeks, func(o *moveLine) bool {
			return l.when != "" && o.what == l.what && o.when == l.when && o.short && l.short && o.week.Equal(l.week)
		})
		if i < 0 {
			weeks = append(weeks, l)
			continue
		}
		weeks[i].days, weeks[i].count = append(weeks[i].days, l.days...), weeks[i].count+1
	}
	var lines []*moveLine
	for _, l := range weeks {
		i := slices.IndexFunc(lines, func(o *moveLine) bool {
			return l.when != "" && o.what == l.what && o.when == l.when && o.short == l.short && slices.Equal(o.days, l.days)
		})
		if i < 0 {
			lines = append(lines, l)
			continue
		}
		lines[i].from, lines[i].count = append(lines[i].from, l.from...), lines[i].count+l.count
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.text(timeZone))
	}
	return out
}

func lineOf(m schedule.Move, zone *time.Location) *moveLine {
	l := &moveLine{what: "You are no longer on call", only: m, count: 1}
	if m.Gained {
		l.what = "You are on call"
	}
	if m.Role != schedule.RolePrimary {
		l.what += " (" + Name(m.Role) + ")"
	}
	if m.End.IsZero() {
		return l
	}
	start, end := m.Start.In(zone), m.End.In(zone)
	l.short = end.Sub(start) <= 24*time.Hour
	if l.short {
		l.when = start.Format("15:04") + "–" + end.Format("15:04")
		l.days = []time.Weekday{start.Weekday()}
		l.week = time.Date(start.Year(), start.Month(), start.Day()-(int(start.Weekday())+6)%7, 0, 0, 0, 0, zone)
		l.from = []time.Time{l.week}
		return l
	}
	l.when = start.Format("Mon 15:04") + " – " + end.Format("Mon 15:04")
	if start.Format("Mon 15:04") == end.Format("Mon 15:04") {
		l.whole, l.hour = start.Format("Mon"), start.Format("15:04")
	}
	if end.Sub(start) > 8*24*time.Hour { // weekdays would hide how long it is
		l.when = ""
	}
	l.from = []time.Time{start}
	return l
}

func (l *moveLine) text(timeZone string) string {
	switch {
	case l.only.End.IsZero():
		return l.what + " from " + Time(l.only.Start, location(timeZone)) + " on, with no end in sight"
	case l.count == 1:
		return l.what + " " + noticePeriod(l.only.Start, l.only.End, timeZone)
	case l.whole != "":
		return l.what + " whole weeks from " + l.whole + " " + dates(l.from) + ", " + l.hour
	case !l.short:
		return l.what + " " + l.when + ", from " + dates(l.from)
	case len(l.from) == 1:
		return l.what + " " + weekdays(l.days) + " " + l.when + ", week of " + dates(l.from)
	}
	return l.what + " " + weekdays(l.days) + " " + l.when + ", weeks of " + dates(l.from)
}

// weekdays formats sorted days of the week: "Mon–Fri", "Mon and Wed".
func weekdays(days []time.Weekday) string {
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && days[j+1] == (days[j]+1)%7 {
			j++
		}
		if j < i+2 {
			j = i
		}
		text := days[i].String()[:3]
		if j > i {
			text += "–" + days[j].String()[:3]
		}
		parts, i = append(parts, text), j+1
	}
	return List(parts)
}

// dates formats days: "7 and 28 Dec", "28 Dec and 4 Jan", "7 and 21 Dec, 4 and 18 Jan".
func dates(all []time.Time) string {
	var months, days []string
	several := false
	for i, t := range all {
		days = append(days, t.Format("2"))
		if i+1 < len(all) && all[i+1].Month() == t.Month() {
			continue
		}
		several = several || len(days) > 1
		months, days = append(months, List(days)+t.Format(" Jan")), nil
	}
	if several { // "and" stands within a month
		return strings.Join(months, ", ")
	}
	return List(months)
}

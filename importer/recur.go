package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A recurrence is a shift that recurs by a rule such as iCalendar's RRULE and rotates among groups
// of people. Its times are wall-clock times, written as UTC; instants are real.
type recurrence struct {
	name     string
	priority int
	zone     *time.Location
	start    time.Time     // wall clock: first occurrence
	lasts    time.Duration // each occurrence, on the wall clock
	freq     string        // hourly, daily, weekly, monthly
	interval int
	weekday  []time.Weekday // only on these
	months   []time.Month
	dates    []int        // of the month; negative ones count from its end
	weekFrom time.Weekday // when weeks begin
	groups   []setup.Turn
	each     int       // occurrences of one group before the next
	counted  bool      // turns advance by occurrence, rather than by week or month
	from     time.Time // instant: the start
	until    time.Time // instant: no occurrence from then on; zero: never ends
}

// maxTurns is how many turns a rotation may be written out in.
const maxTurns = 200

var errInexpressible = errors.New("its recurrence can't be said as turns and weekly hours")

const oneDay = 24 * time.Hour

// rotations converts a recurrence to rotations: turns and weekly windows. It fails if single dates
// are needed.
func (r recurrence) rotations(now time.Time) ([]setup.Rotation, error) {
	r.interval, r.each = max(r.interval, 1), max(r.each, 1)
	if len(r.months) > 0 || len(r.dates) > 0 || r.lasts <= 0 || r.lasts%time.Minute != 0 {
		return nil, errInexpressible
	}
	out := setup.Rotation{Name: r.name, Priority: r.priority, Start: formatWall(r.start)}
	if !r.until.IsZero() {
		out.Until = local(r.until, r.zone)
	}
	var every time.Duration
	var err error
	switch {
	case len(r.weekday) == 0 || r.freq == "weekly" && len(r.weekday) == 1 && r.weekday[0] == r.start.Weekday():
		every, err = r.plain(&out)
	case r.freq == "daily" && (r.interval == 1 || !r.counted && len(r.groups) > 1), r.freq == "weekly" && r.counted && r.interval == 1:
		return r.activeDays(out, now)
	case r.freq == "weekly" && !r.counted:
		every, err = r.weeks(&out)
	default:
		err = errInexpressible
	}
	if err != nil {
		return nil, err
	}
	return beginning(out, every, r.from, r.zone, now), nil
}

// plain converts one occurrence every so many hours, days or weeks.
func (r recurrence) plain(out *setup.Rotation) (time.Duration, error) {
	unit, ok := map[string]time.Duration{"hourly": time.Hour, "daily": oneDay, "weekly": 7 * oneDay}[r.freq]
	if !ok {
		return 0, errInexpressible
	}
	period := unit * time.Duration(r.interval)
	if r.lasts > period {
		return 0, errInexpressible // occurrences overlap
	}
	step := period
	busy := 1 // steps of a period that belong to the group
	switch {
	case r.lasts == period:
	case r.freq == "weekly" && r.lasts <= 7*oneDay:
		step = 7 * oneDay
		out.Only = []schedule.Window{r.window(r.start)}
	case period%oneDay == 0 && r.lasts < oneDay:
		step = oneDay
		out.Only = []schedule.Window{{Days: weekdays[:], From: clockOf(r.start), To: clockOf(r.start.Add(r.lasts))}}
	case r.lasts%time.Hour == 0:
		step = gcd(period, r.lasts)
		busy = int(r.lasts / step)
	default:
		return 0, errInexpressible
	}
	if out.Only != nil && slices.ContainsFunc(out.Only, func(w schedule.Window) bool { return w.FromDay != "" && w.FromDay == w.ToDay && w.From == w.To }) {
		out.Only = nil // the whole week
	}
	idle := int(period/step) - busy
	if idle == 0 && busy == 1 {
		step *= time.Duration(r.each)
		out.Turns = r.groups
	} else {
		if (busy+idle)*r.each*len(r.groups) > maxTurns {
			return 0, errInexpressible
		}
		for _, g := range r.groups {
			for range r.each {
				out.Turns = append(out.Turns, slices.Concat(slices.Repeat([]setup.Turn{g}, busy), slices.Repeat([]setup.Turn{{}}, idle))...)
			}
		}
	}
	out.Every = formatPeriod(step)
	return step, nil
}

// gcd returns the greatest common divisor.
func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// activeDays converts an occurrence on each of some weekdays, with turns that advance from one of
// these days to the next.
func (r recurrence) activeDays(out setup.Rotation, now time.Time) ([]setup.Rotation, error) {
	if r.lasts > oneDay {
		return nil, errInexpressible
	}
	days := r.each
	if r.freq == "daily" {
		days *= r.interval
	}
	out.Every = plural(int64(days), "day")
	out.Turns = r.groups
	if r.from.After(now) { // begin with the first occurrence after it, and its turn
		begin := r.occurrence(wallTime(r.from, r.zone), false)
		passed := 0
		for day := r.start; day.Before(begin); day = day.AddDate(0, 0, 1) {
			if r.occursOn(day, 0) {
				passed++
			}
		}
		if passed%days != 0 {
			return nil, errInexpressible
		}
		n := passed / days % len(r.groups)
		out.Start, out.Turns = formatWall(begin), slices.Concat(r.groups[n:], r.groups[:n])
	}
	if len(r.groups) > 1 {
		out.Advance = schedule.AdvanceActive
	}
	out.Only = []schedule.Window{{Days: daysOf(r.weekday), From: clockOf(r.start), To: clockOf(r.start.Add(r.lasts))}}
	return []setup.Rotation{out}, nil
}

// weeks converts an occurrence on each of some weekdays, with turns that advance weekly.
func (r recurrence) weeks(out *setup.Rotation) (time.Duration, error) {
	offset := func(d time.Weekday) int { return (int(d) - int(r.weekFrom) + 7) % 7 }
	days := slices.SortedFunc(slices.Values(r.weekday), func(a, b time.Weekday) int { return offset(a) - offset(b) })
	first, last := days[0], days[len(days)-1]
	if time.Duration(offset(last)-offset(first))*oneDay+r.lasts > 7*oneDay || r.interval*r.each*len(r.groups) > maxTurns {
		return 0, errInexpressible // the last of a week would run into the first of the next
	}
	// Hand over on the first of the days, at or before the beginning.
	begin := r.start.AddDate(0, 0, -((int(r.start.Weekday()) - int(first) + 7) % 7))
	out.Start = formatWall(begin)
	if r.lasts <= oneDay {
		out.Only = []schedule.Window{{Days: daysOf(days), From: clockOf(r.start), To: clockOf(r.start.Add(r.lasts))}}
	} else {
		for _, d := range days {
			out.Only = append(out.Only, r.window(begin.AddDate(0, 0, offset(d)-offset(first))))
		}
	}
	if r.interval == 1 {
		out.Every, out.Turns = plural(int64(r.each), "week"), r.groups
		return time.Duration(r.each) * 7 * oneDay, nil
	}
	for _, g := range r.groups {
		for range r.each {
			out.Turns = append(out.Turns, slices.Concat([]setup.Turn{g}, slices.Repeat([]setup.Turn{{}}, r.interval-1))...)
		}
	}
	out.Every = "week"
	return 7 * oneDay, nil
}

// window returns an occurrence as a weekly window.
func (r recurrence) window(start time.Time) schedule.Window {
	end := start.Add(r.lasts)
	return schedule.Window{FromDay: dayOf(start.Weekday()), From: clockOf(start), ToDay: dayOf(end.Weekday()), To: clockOf(end)}
}

// beginning starts a rotation at an instant; if that is in the middle of a turn, the rest of the
// turn becomes a rotation of its own.
func beginning(r setup.Rotation, every time.Duration, from time.Time, zone *time.Location, now time.Time) []setup.Rotation {
	start, err := time.ParseInLocation("2006-01-02 15:04", r.Start, time.UTC)
	at := wallTime(from, zone)
	if err != nil || !from.After(now) || !at.After(start) {
		return []setup.Rotation{r}
	}
	turn := int((at.Sub(start) + every - 1) / every)
	next := start.Add(time.Duration(turn) * every)
	n := len(r.Turns)
	rest := r
	rest.Start = formatWall(next)
	rest.Turns = append(slices.Clone(r.Turns[turn%n:]), r.Turns[:turn%n]...)
	if next.Equal(at) {
		return []setup.Rotation{rest}
	}
	head := r
	head.Name += " (first turn)"
	head.Start, head.Turns = formatWall(at), []setup.Turn{r.Turns[(turn-1)%n]}
	if r.Until != "" && r.Until <= formatWall(next) {
		return []setup.Rotation{head}
	}
	head.Until = formatWall(next)
	return []setup.Rotation{head, rest}
}

// maxDates is how many single occurrences are written for a rule that can't be expressed
// otherwise.
const maxDates = 60

// singleDates writes out a recurrence as single stretches, for a year at most, and returns how far they
// reach.
func (r recurrence) singleDates(now time.Time, called *names, id string) (out []setup.Rotation, until time.Time) {
	r.interval, r.each = max(r.interval, 1), max(r.each, 1)
	until = now.AddDate(1, 0, 0)
	if !r.until.IsZero() && r.until.Before(until) {
		until = r.until
	}
	count := 0
	first := r.period(r.start)
	for day := r.start; ; day = day.AddDate(0, 0, 1) {
		begin := instant(day, r.zone)
		if !begin.Before(until) {
			return out, until
		}
		period := r.period(day) - first
		if !r.occursOn(day, period) {
			continue
		}
		turn := period / r.interval
		if r.counted {
			turn = count
		}
		count++
		end := instant(day.Add(r.lasts), r.zone)
		if !end.After(now) || begin.Before(r.from) {
			continue
		}
		if len(out) == maxDates {
			return out, begin
		}
		group := r.groups[turn/r.each%len(r.groups)]
		if len(group) == 0 {
			continue
		}
		name := called.of(fmt.Sprint(id, " ", len(out)), fmt.Sprintf("%s %s", r.name, day.Format("2006-01-02")))
		out = append(out, singleRotation(name, r.priority, begin, end, r.zone, group))
	}
}

// occurrence returns the first occurrence at or after a wall-clock time; underWay includes one in
// progress.
func (r recurrence) occurrence(at time.Time, underWay bool) time.Time {
	r.interval = max(r.interval, 1)
	first := r.period(r.start)
	for day := r.start; day.Before(at.AddDate(5, 0, 0)); day = day.AddDate(0, 0, 1) {
		counts := !day.Before(at) || underWay && day.Add(r.lasts).After(at)
		if counts && r.occursOn(day, r.period(day)-first) {
			return day
		}
	}
	return at // hourly ones continue at once
}

// period returns the number of a date's day, week or month.
func (r recurrence) period(day time.Time) int {
	days := int(day.Unix() / 86400)
	switch r.freq {
	case "weekly":
		return (days + 4 - int(r.weekFrom) + 7) / 7 // 1970-01-01 was a Thursday
	case "monthly":
		return day.Year()*12 + int(day.Month())
	}
	return days
}

// occursOn reports whether the rule includes a date.
func (r recurrence) occursOn(day time.Time, period int) bool {
	if period%r.interval != 0 || len(r.months) > 0 && !slices.Contains(r.months, day.Month()) || len(r.weekday) > 0 && !slices.Contains(r.weekday, day.Weekday()) {
		return false
	}
	if len(r.dates) > 0 {
		length := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return slices.ContainsFunc(r.dates, func(d int) bool { return d == day.Day() || d < 0 && length+1+d == day.Day() })
	}
	switch {
	case len(r.weekday) > 0:
		return true
	case r.freq == "weekly":
		return day.Weekday() == r.start.Weekday()
	case r.freq == "monthly":
		return day.Day() == r.start.Day()
	}
	return r.freq == "daily"
}

// addRecurrence writes a recurrence as rotations, or as single dates with a remark.
func (res *Result) addRecurrence(rule recurrence, id, zone string, called *names, now time.Time, where Location) []setup.Rotation {
	rule.name = called.of(id, rule.name)
	out, err := rule.rotations(now)
	if err != nil {
		var until time.Time
		if out, until = rule.singleDates(now, called, id); len(out) == 0 {
			res.addLoss(where, "%v; it is left out", err)
			return nil
		}
		res.addLoss(where, "%v; here its next %d dates are written down, until %s", err, len(out), until.Format("2006-01-02"))
	}
	for i := range out {
		out[i] = zoned(out[i], rule.zone, zone)
	}
	return out
}

// zoned names a rotation's zone, if it differs from its schedule's.
func zoned(r setup.Rotation, location *time.Location, of string) setup.Rotation {
	if r.TimeZone == "" && location.String() != of {
		r.TimeZone = location.String()
	}
	return r
}

// formatWall formats a wall-clock time.
func formatWall(t time.Time) string { return t.Format("2006-01-02 15:04") }

// wallTime returns a zone's wall-clock time, as UTC.
func wallTime(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// instant returns when a zone's clock first shows a time, or a later one.
func instant(wall time.Time, zone *time.Location) time.Time {
	z, err := schedule.LoadZone(zone.String())
	if err != nil {
		return wall
	}
	date := schedule.Date{Year: wall.Year(), Month: wall.Month(), Day: wall.Day()}
	return z.Instant(date, clockOf(wall)).Add(time.Duration(wall.Second()) * time.Second)
}

func clockOf(t time.Time) schedule.TimeOfDay { return schedule.TimeOfDay(t.Hour()*60 + t.Minute()) }

func dayOf(d time.Weekday) schedule.Weekday { return weekdays[(int(d)+6)%7] }

// daysOf converts weekdays, from Monday on.
func daysOf(days []time.Weekday) (out []schedule.Weekday) {
	for i := range weekdays {
		if slices.Contains(days, time.Weekday((i+1)%7)) {
			out = append(out, weekdays[i])
		}
	}
	return out
}

// icalDays parses "MO", "TU" and so on.
func icalDays(words []string) (out []time.Weekday, err error) {
	all := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
	for _, w := range words {
		i := slices.Index(all, strings.ToUpper(w))
		if i < 0 {
			return nil, fmt.Errorf("its days are %q", words)
		}
		out = append(out, time.Weekday(i))
	}
	return out, nil
}

// formatPeriod formats a turn's length.
func formatPeriod(d time.Duration) string { return period(int64(d / time.Second)) }

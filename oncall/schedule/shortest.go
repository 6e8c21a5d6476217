package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// The shortest turn is an hour. A role may change hands as often as that in a week, and once more for the
// hour that the clocks are put back.
const mostChanges = 7*24 + 1

// halfYear is in days: by then clocks that are set twice a year are set otherwise.
const halfYear = 182

// checkTurns refuses rotations, in force from an instant on, that hand off more often than once an hour, each
// by itself or all of a role together. What was so before may stay, so that it can be mended piece by piece.
func checkTurns(before, after []Rotation, timeZone string, from int64) error {
	for i, r := range after {
		if !r.Period.TooShort() || slices.ContainsFunc(before, func(b Rotation) bool { return b.Period.Cron == r.Period.Cron }) {
			continue
		}
		name := fmt.Sprintf("%q", r.Name)
		if r.Name == "" {
			name = fmt.Sprint(i + 1)
		}
		return Refuse("Rotation %s hands off more often than once an hour: the shortest turn is an hour.", name)
	}
	was, err := weeklyChanges(before, timeZone, from)
	if err != nil {
		return err
	}
	is, err := weeklyChanges(after, timeZone, from)
	if err != nil {
		return err
	}
	for role, n := range is {
		if n > mostChanges && n > was[role] {
			return Refuse("The rotations for role %q change %d times within a week: at most once an hour is possible.", role, n)
		}
	}
	return nil
}

// TooShort reports whether turns may be shorter than an hour.
func (p Period) TooShort() bool {
	if p.Cron == "" {
		return false
	}
	table, err := compileCron(p.Cron)
	return err == nil && bits.OnesCount64(table.minutes) > 1
}

// weeklyChanges counts, for each role, at how many instants within a week anything may change at most: it
// looks at the weeks that follow each rotation's first hand-off, and at those half a year later, when the
// clocks of its zones may be set otherwise. Rotations that hand off on some days of the year only count as if
// those came every week.
func weeklyChanges(rotations []Rotation, timeZone string, from int64) (map[string]int, error) {
	lines := map[string]*line{}
	for i, r := range rotations {
		r.Period.Cron = everyWeek(r.Period.Cron)
		y, err := compileLayer(r, timeZone, people{})
		if err != nil {
			return nil, Refuse("Rotation %d, %s.", i+1, err)
		}
		role := roleName(r.Role)
		if lines[role] == nil {
			lines[role] = &line{role: role, versions: []version{{from: ever}}}
		}
		v := &lines[role].versions[0]
		v.layers = append(v.layers, y)
	}
	most := map[string]int{}
	for role, l := range lines {
		var starts []int64
		for _, y := range l.versions[0].layers {
			start := max(from, y.zone.first(y.turns.start)*nanosecond)
			starts = append(starts, start, later(start, halfYear))
		}
		slices.Sort(starts)
		for _, at := range slices.Compact(starts) {
			most[role] = max(most[role], len(l.cutsIn(at, later(at, 7)))-1)
		}
	}
	return most, nil
}

// everyWeek is a cron expression without what it says of months and of days of the month. What is wrong with
// one is told where it is compiled.
func everyWeek(expr string) string {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		return expr
	}
	if dayOfMonth := &fields[2]; *dayOfMonth != "*" && *dayOfMonth != "?" {
		*dayOfMonth, fields[4] = "*", "*" // of days of the month and of the week, either is enough
	}
	fields[3] = "*"
	return strings.Join(fields, " ")
}

// shiftsAreTooMany reports whether shifts that were written down change who has a role more often than once an
// hour, within the seven days that follow any of their changes.
func shiftsAreTooMany(shifts []ManualShift) bool {
	edges := map[string][]int64{}
	for _, s := range shifts {
		edges[s.RoleName()] = append(edges[s.RoleName()], nanos(s.Start), nanos(s.End))
	}
	for _, at := range edges {
		slices.Sort(at)
		at = slices.Compact(at)
		for i := mostChanges; i < len(at); i++ {
			if at[i] < later(at[i-mostChanges], 7) {
				return true
			}
		}
	}
	return false
}

// CheckTurns refuses an override whose windows, or the shifts of a temporary schedule, come more often than
// once an hour.
func (o Override) CheckTurns() error {
	week, err := compileWindows(o.Windows)
	if err != nil {
		return Refuse("The override, %s.", err)
	}
	if len(week.edges) > mostChanges || shiftsAreTooMany(o.Shifts) {
		return Refuse("The override changes who is on call more often than once an hour: that is not possible.")
	}
	return nil
}

// CheckTurns refuses a schedule as it is set up for the first time if it hands off more often than once an hour.
func (d Definition) CheckTurns() error {
	for _, v := range d.Versions {
		if err := checkTurns(nil, v.Rotations, d.TimeZone, v.Begins()); err != nil {
			return err
		}
	}
	if shiftsAreTooMany(d.Shifts) {
		return errShifts
	}
	return nil
}

// errShifts refuses shifts that were written down.
var errShifts = Refuse("The shifts change who is on call more often than once an hour, over a week: that is not possible.")

// CheckNewTurns refuses rotations that are to follow those in force at an instant if they hand off more often
// than once an hour and those do not.
func (d Definition) CheckNewTurns(rotations []Rotation, at time.Time) error {
	return checkTurns(d.Current(at), rotations, d.TimeZone, nanos(at))
}

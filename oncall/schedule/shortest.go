package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// maxChanges is how often a role may change hands in a week: every hour, which is the shortest turn, and once more
// in the hour that is repeated when clocks go back.
const maxChanges = 7*24 + 1

// halfYear is in days: enough for clocks that change twice a year to have changed.
const halfYear = 182

// checkTurns refuses rotations, in force from an instant on, that hand off more than once an hour,
// each by itself or all of a role together. Rotations that already did so may stay, so that they
// can be fixed one at a time.
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
		if n > maxChanges && n > was[role] {
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

// weeklyChanges returns, for each role, the maximum number of changes within a week. It examines
// the weeks after each rotation's first hand-off, and those half a year later, when clocks may be
// set differently. Rotations that hand off only on some days of the year are counted as if they did
// every week.
func weeklyChanges(rotations []Rotation, timeZone string, from int64) (map[string]int, error) {
	lines := map[string]*line{}
	for i, r := range rotations {
		r.Period.Cron, r.Holidays = everyWeek(r.Period.Cron), nil
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
	largest := map[string]int{}
	for role, l := range lines {
		var starts []int64
		for _, y := range l.versions[0].layers {
			start := max(from, y.zone.first(y.turns.start)*nanosecond)
			starts = append(starts, start, later(start, halfYear))
		}
		slices.Sort(starts)
		for _, at := range slices.Compact(starts) {
			largest[role] = max(largest[role], len(l.cutsIn(at, later(at, 7)))-1)
		}
	}
	return largest, nil
}

// everyWeek strips a cron expression of months and days of the month. Errors in it are reported
// when it is compiled.
func everyWeek(expr string) string {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		return expr
	}
	if dayOfMonth := &fields[2]; *dayOfMonth != "*" && *dayOfMonth != "?" {
		*dayOfMonth, fields[4] = "*", "*" // day of month or day of week: either is enough
	}
	fields[3] = "*"
	return strings.Join(fields, " ")
}

// shiftsAreTooMany reports whether manual shifts change who has a role more than once an hour, in
// the seven days after any of their changes.
func shiftsAreTooMany(shifts []ManualShift) bool {
	edges := map[string][]int64{}
	for _, s := range shifts {
		edges[s.RoleName()] = append(edges[s.RoleName()], nanos(s.Start), nanos(s.End))
	}
	for _, at := range edges {
		slices.Sort(at)
		at = slices.Compact(at)
		for i := maxChanges; i < len(at); i++ {
			if at[i] < later(at[i-maxChanges], 7) {
				return true
			}
		}
	}
	return false
}

// CheckTurns refuses an override whose windows or shifts come more than once an hour.
func (o Override) CheckTurns() error {
	week, err := compileWindows(o.Windows)
	if err != nil {
		return Refuse("The override, %s.", err)
	}
	if len(week.edges) > maxChanges || shiftsAreTooMany(o.Shifts) {
		return Refuse("The override changes who is on call more often than once an hour: that is not possible.")
	}
	return nil
}

// CheckTurns refuses a new schedule that hands off more than once an hour.
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

// errShifts refuses too many manual shifts.
var errShifts = Refuse("The shifts change who is on call more often than once an hour, over a week: that is not possible.")

// CheckNewTurns refuses rotations that hand off more than once an hour, unless those they replace
// do so already.
func (d Definition) CheckNewTurns(rotations []Rotation, at time.Time) error {
	return checkTurns(d.Current(at), rotations, d.TimeZone, nanos(at))
}

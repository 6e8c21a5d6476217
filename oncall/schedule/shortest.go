package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// The shortest turn is an hour. A role may change hands as often as that in a week, and once more for the
// hour that the clocks are put back.
const mostChanges = 7*24 + 1

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
// looks at the weeks that follow each rotation's first hand-off.
func weeklyChanges(rotations []Rotation, timeZone string, from int64) (map[string]int, error) {
	lines := map[string]*line{}
	for i, r := range rotations {
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
			starts = append(starts, max(from, y.zone.first(y.turns.start)*nanosecond))
		}
		slices.Sort(starts)
		for _, at := range slices.Compact(starts) {
			most[role] = max(most[role], len(l.cutsIn(at, later(at, 7)))-1)
		}
	}
	return most, nil
}

// CheckTurns refuses an override whose windows, or the shifts of a temporary schedule, come more often than
// once an hour.
func (o Override) CheckTurns() error {
	week, err := compileWindows(o.Windows)
	if err != nil {
		return Refuse("The override, %s.", err)
	}
	weeks := int(o.End.Sub(o.Start)/(7*24*time.Hour)) + 1
	if len(week.edges) > mostChanges || len(o.Shifts) > weeks*mostChanges {
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
	return nil
}

// CheckNewTurns refuses rotations that are to follow those in force at an instant if they hand off more often
// than once an hour and those do not.
func (d Definition) CheckNewTurns(rotations []Rotation, at time.Time) error {
	return checkTurns(d.Current(at), rotations, d.TimeZone, nanos(at))
}

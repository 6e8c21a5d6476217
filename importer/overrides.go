package importer

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// maxPieces limits how many rotations are made from a schedule's exceptions, and maxGaps how many
// of these take everybody off call.
const (
	maxPieces = 200
	maxGaps   = 20
)

// peopleOf returns the people in a schedule; comparisons use their names in the file.
func peopleOf(s setup.Schedule, others ...schedule.Override) map[string]oncall.UserID {
	people := map[string]oncall.UserID{}
	for _, r := range s.Rotations {
		for _, t := range r.Turns {
			for _, name := range t {
				people[name] = oncall.UserID(name)
			}
		}
	}
	for _, shift := range s.Shifts {
		for _, name := range shift.Users {
			people[name] = oncall.UserID(name)
		}
	}
	for _, o := range others {
		for _, id := range o.Named() {
			people[string(id)] = id
		}
	}
	return people
}

// compiled compiles a schedule of the file, with overrides on top.
func compiled(made setup.Schedule, overrides ...schedule.Override) (*schedule.Schedule, error) {
	people := peopleOf(made, overrides...)
	versions, err := made.Versions(people)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", made.Name, err)
	}
	shifts, err := made.HandMade(people)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", made.Name, err)
	}
	for i := range overrides {
		overrides[i].ID = schedule.OverrideID(i + 1)
	}
	out, err := schedule.Compile(schedule.Definition{Name: made.Name, TimeZone: made.TimeZone, Versions: versions, Shifts: shifts, Overrides: overrides})
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", made.Name, err)
	}
	return out, nil
}

// applyOverrides applies overrides to a schedule. The file has no overrides, so their effect, computed by
// the same rules as for paging, becomes rotations of top priority, each ending with its stretch. A
// stretch with nobody takes a version without rotations, because below a turn of nobody others
// would show. It returns how many stretches were left out as too many.
func applyOverrides(out *setup.Schedule, overrides []schedule.Override, called *names, now time.Time) (left int, err error) {
	overrides = slices.DeleteFunc(slices.Clone(overrides), func(o schedule.Override) bool { return !o.End.After(now) || !o.End.After(o.Start) })
	if len(overrides) == 0 {
		return 0, nil
	}
	plain, err := compiled(*out)
	if err != nil {
		return 0, err
	}
	changed, err := compiled(*out, overrides...)
	if err != nil {
		return 0, err
	}
	location, err := time.LoadLocation(out.TimeZone)
	if err != nil {
		return 0, err
	}
	priority := maxPriority(*out) + 1
	made := 0
	var gaps []schedule.Shift
	for _, span := range overrideSpans(overrides) {
		for _, s := range changed.Shifts(span.Start, span.End, schedule.RolePrimary) {
			if !s.End.After(now) || sameThroughout(plain, s) {
				continue
			}
			if made++; made > maxPieces || len(s.Users) == 0 && len(gaps) == maxGaps {
				left++
				continue
			}
			if len(s.Users) == 0 {
				gaps = append(gaps, s)
				continue
			}
			turn := setup.Turn{}
			for _, u := range s.Users {
				turn = append(turn, string(u))
			}
			name := called.of(fmt.Sprint("exception ", priority, " ", made), fmt.Sprintf("override %s %s", turn[0], s.Start.In(location).Format("2006-01-02")))
			out.Rotations = append(out.Rotations, singleRotation(name, priority, s.Start, s.End, location, turn))
		}
	}
	for _, s := range gaps {
		out.Later = append(out.Later, setup.Version{From: formatVersion(s.Start, location), Rotations: []setup.Rotation{}}, setup.Version{From: formatVersion(s.End, location), Rotations: out.Rotations})
	}
	if len(gaps) > 0 && !gaps[0].Start.After(now) { // it has begun
		out.Rotations, out.Later = []setup.Rotation{}, out.Later[1:]
	}
	return left, nil
}

// formatVersion formats the beginning of a version.
func formatVersion(t time.Time, location *time.Location) string {
	if isAmbiguous(t, location) {
		return t.UTC().Format(time.RFC3339)
	}
	return local(t, location)
}

// addOverrides writes overrides as rotations, and records what was left out.
func (res *Result) addOverrides(out *setup.Schedule, overrides []schedule.Override, called *names, now time.Time, where Location) {
	left, err := applyOverrides(out, overrides, called, now)
	if err != nil {
		res.addLoss(where, "its overrides can't be said here: %v", err)
	}
	if left > 0 {
		res.addLoss(where, "its overrides would be more than %d stretches; %d of them are left out", maxPieces, left)
	}
}

// singleRotation returns a rotation for a single stretch.
func singleRotation(name string, priority int, start, end time.Time, location *time.Location, turn setup.Turn) setup.Rotation {
	r := setup.Rotation{Name: name, Priority: priority, Start: local(start, location), Every: "12 months", Until: local(end, location), Turns: []setup.Turn{turn}}
	if isAmbiguous(start, location) || isAmbiguous(end, location) {
		r.TimeZone, r.Start, r.Until = "UTC", local(start, time.UTC), local(end, time.UTC)
	}
	return r
}

// isAmbiguous reports whether a zone's clock showed the same time shortly before, so that in the file it
// would mean the earlier.
func isAmbiguous(t time.Time, location *time.Location) bool {
	zone, err := schedule.LoadZone(location.String())
	if err != nil {
		return false
	}
	date, clock := zone.Local(t)
	return !zone.Instant(date, clock).Equal(t.Truncate(time.Minute))
}

// maxPriority returns the highest priority of a schedule's rotations.
func maxPriority(s setup.Schedule) int {
	highest := 0
	for _, r := range s.Rotations {
		highest = max(highest, r.Priority)
	}
	return highest
}

// overrideSpans returns the stretches in which overrides act, merged if they touch. Past ones are
// included, so that a later run has the same result.
func overrideSpans(overrides []schedule.Override) (out []schedule.Shift) {
	sorted := slices.SortedFunc(slices.Values(overrides), func(a, b schedule.Override) int { return a.Start.Compare(b.Start) })
	for _, o := range sorted {
		if n := len(out); n > 0 && !o.Start.After(out[n-1].End) {
			if o.End.After(out[n-1].End) {
				out[n-1].End = o.End
			}
			continue
		}
		out = append(out, schedule.Shift{Start: o.Start, End: o.End})
	}
	return out
}

// sameThroughout reports whether the same people are on call for a whole stretch.
func sameThroughout(s *schedule.Schedule, stretch schedule.Shift) bool {
	for _, shift := range s.Shifts(stretch.Start, stretch.End, schedule.RolePrimary) {
		if !sameUsers(shift.Users, stretch.Users) {
			return false
		}
	}
	return true
}

func sameUsers(a, b []oncall.UserID) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

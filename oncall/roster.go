package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Stints returns a person's stints in all schedules, by start and then by name.
func (r Roster) Stints(user UserID, from, to time.Time) []schedule.Stint {
	var stints []schedule.Stint
	for _, c := range r.Schedules {
		stints = append(stints, c.Stints(user, from, to)...)
	}
	slices.SortFunc(stints, func(a, b schedule.Stint) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role))
	})
	return stints
}

// Clashes returns where else a person is on call while they would have a stint: in
// other schedules or roles, cut to the stint. What they give away does not count.
func (r Roster) Clashes(user UserID, with schedule.Stint, except ...schedule.Stint) []schedule.Stint {
	var found []schedule.Stint
	for _, s := range r.Stints(user, with.Start, with.End) {
		if s.End.After(with.End) {
			s.End = with.End
		}
		given := slices.ContainsFunc(except, func(e schedule.Stint) bool {
			return e.Schedule == s.Schedule && e.Role == s.Role && !e.Start.After(s.Start) && !e.End.Before(s.End)
		})
		if !given {
			found = append(found, s)
		}
	}
	return found
}

// held reports whether the stint's person has it, from one end to the other.
func (r Roster) held(s schedule.Stint) bool { return r.who(s, s.User) == always }

// A presence is how much of a stint somebody has.
type presence int

const (
	never presence = iota
	sometimes
	always
)

// who returns how much of a stint a person has.
func (r Roster) who(s schedule.Stint, user UserID) presence {
	c := r.Schedules[s.Schedule]
	if c == nil {
		return never
	}
	in, out := false, false
	for _, shift := range c.Shifts(s.Start, s.End, s.Role) {
		if slices.Contains(shift.Users, user) {
			in = true
		} else {
			out = true
		}
	}
	switch {
	case in && out:
		return sometimes
	case in:
		return always
	}
	return never
}

// deactivated reports whether a person can't be on call any more.
func (r Roster) deactivated(user UserID) bool {
	u, known := r.Users[user]
	return !known || u.DeactivatedAt != nil
}

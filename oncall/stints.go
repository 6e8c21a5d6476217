package oncall

import (
	"slices"
	"time"
)

// A Stint is a stretch in which one person has a role of a schedule: a shift as the
// person sees it, which may be several of the schedule's in a row. The schedule's name
// and zone are kept as they were when it was written down, so that it can be shown
// without looking anything up.
type Stint struct {
	Schedule ScheduleID `json:"schedule"`
	Name     string     `json:"name"`
	TimeZone string     `json:"timezone"`
	Role     string     `json:"role"`
	User     UserID     `json:"user"`
	Start    time.Time  `json:"start"`
	End      time.Time  `json:"end"`
}

// stintTail is how far past the horizon the last stint may reach before it is cut.
const stintTail = 5 * 7 * 24 * time.Hour

// Stints returns a person's stints in a schedule that have not ended at from and begin
// before to, in order. One that has begun already starts at from. A shadow has none:
// there is nothing to hand over.
func (c *Schedule) Stints(user UserID, from, to time.Time) []Stint {
	var stints []Stint
	for _, role := range c.Roles() {
		if role == RoleShadow {
			continue
		}
		s := Stint{Schedule: c.id, Name: c.name, TimeZone: c.timeZone, Role: role, User: user}
		for _, shift := range c.Shifts(from, to.Add(stintTail), role) {
			if !slices.Contains(shift.Users, user) {
				continue
			}
			if n := len(stints); n > 0 && stints[n-1].Role == role && stints[n-1].End.Equal(shift.Start) {
				stints[n-1].End = shift.End
			} else if shift.Start.Before(to) {
				s.Start, s.End = shift.Start, shift.End
				stints = append(stints, s)
			}
		}
	}
	slices.SortStableFunc(stints, func(a, b Stint) int { return a.Start.Compare(b.Start) })
	return stints
}

package schedule

import (
	"slices"
	"time"
)

// A Stint is a stretch in which one person has a role of a schedule: a shift as the person sees it,
// which may span several of the schedule's. It carries the schedule's name and zone as of its
// creation, so that it can be shown without a lookup.
type Stint struct {
	Schedule ID        `json:"schedule"`
	Name     string    `json:"name"`
	TimeZone string    `json:"timezone"`
	Role     string    `json:"role"`
	User     UserID    `json:"user"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Vacant   bool      `json:"vacant,omitempty"` // its person has left, and without them nobody is on call
}

// stintTail is how far past the horizon the last stint may reach before it is cut.
const stintTail = 5 * 7 * 24 * time.Hour

// Stints returns a person's stints in a schedule that end after from and begin before to, in order.
// A stint that began earlier starts at from. Shadows have none, since there is nothing to hand off.
func (s *Schedule) Stints(user UserID, from, to time.Time) []Stint {
	var stints []Stint
	for _, role := range s.Roles() {
		if role == RoleShadow {
			continue
		}
		stint := Stint{Schedule: s.id, Name: s.name, TimeZone: s.timeZone, Role: role, User: user}
		for _, shift := range s.Shifts(from, to.Add(stintTail), role) {
			if !slices.Contains(shift.Users, user) {
				continue
			}
			if n := len(stints); n > 0 && stints[n-1].Role == role && stints[n-1].End.Equal(shift.Start) {
				stints[n-1].End = shift.End
			} else if shift.Start.Before(to) {
				stint.Start, stint.End = shift.Start, shift.End
				stints = append(stints, stint)
			}
		}
	}
	slices.SortStableFunc(stints, func(a, b Stint) int { return a.Start.Compare(b.Start) })
	return stints
}

// Parts returns the same as Stints, but each stint divided into what its person has for different reasons: a turn of a rotation,
// and the week before it by a swap.
func (s *Schedule) Parts(user UserID, from, to time.Time) []Stint {
	var parts []Stint
	for _, stint := range s.Stints(user, from, to) {
		first, last := len(parts), trace{}
		s.line(stint.Role).walk(nanos(stint.Start), nanos(stint.End), func(p piece) bool {
			reason := trace{layers: p.why.layers, op: p.why.op}
			if n := len(parts); n > first && reason == last {
				parts[n-1].End = instant(p.end)
				return true
			}
			part := stint
			part.Start, part.End, last = instant(p.start), instant(p.end), reason
			parts = append(parts, part)
			return true
		})
	}
	slices.SortStableFunc(parts, func(a, b Stint) int { return a.Start.Compare(b.Start) })
	return parts
}

// Without returns the parts of a stint outside a span of time.
func (s Stint) Without(from, to time.Time) []Stint {
	if !from.Before(s.End) || !s.Start.Before(to) {
		return []Stint{s}
	}
	var parts []Stint
	if head := s; head.Start.Before(from) {
		head.End = from
		parts = append(parts, head)
	}
	if tail := s; tail.End.After(to) {
		tail.Start = to
		parts = append(parts, tail)
	}
	return parts
}

// From returns the part of a stint after an instant.
func (s Stint) From(t time.Time) Stint {
	if s.Start.Before(t) {
		s.Start = t
	}
	return s
}

// Replace returns the override that replaces the stint's person, and nobody else.
func (s Stint) Replace(by UserID, reason string) Override {
	if s.Vacant {
		return Override{
			ScheduleID: s.Schedule, Kind: OverrideAdd, Role: s.Role, Start: s.Start, End: s.End, Users: []UserID{by}, Reason: reason, CreatedBy: by,
		}
	}
	return Override{
		ScheduleID: s.Schedule, Kind: OverrideSwap, Role: s.Role, Start: s.Start, End: s.End,
		From: s.User, To: by, Reason: reason, CreatedBy: by,
	}
}

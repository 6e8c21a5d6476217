package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Hours are how long a person was on call. Overlapping schedules and roles count once; shadows are
// not on call.
type Hours struct {
	Planned    time.Duration `json:"planned"`     // by rotations and manual shifts
	Override   time.Duration `json:"override"`    // on top of what was planned
	Swap       time.Duration `json:"swap"`        //
	Cover      time.Duration `json:"cover"`       //
	GivenAway  time.Duration `json:"given_away"`  // planned, but somebody else was on call
	Nights     int           `json:"nights"`      // on call at 03:00
	WeekendDay int           `json:"weekend_day"` // on call on a Saturday or Sunday at 12:00
}

// All returns the total time on call.
func (h Hours) All() time.Duration { return h.Planned + h.Override + h.Swap + h.Cover }

// A stretch is a half-open span of time.
type stretch struct{ from, to time.Time }

// unite sorts stretches and merges those that touch.
func unite(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	var out []stretch
	for _, s := range all {
		if n := len(out); n > 0 && !s.from.After(out[n-1].to) {
			if s.to.After(out[n-1].to) {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// without returns what of stretches is in none of others; both are united.
func without(all, others []stretch) []stretch {
	var out []stretch
	i := 0
	for _, s := range all {
		for i < len(others) && !others[i].to.After(s.from) {
			i++
		}
		for j := i; j < len(others) && others[j].from.Before(s.to); j++ {
			if others[j].from.After(s.from) {
				out = append(out, stretch{s.from, others[j].from})
			}
			s.from = others[j].to
		}
		if s.from.Before(s.to) {
			out = append(out, s)
		}
	}
	return out
}

func length(all []stretch) (sum time.Duration) {
	for _, s := range all {
		sum += s.to.Sub(s.from)
	}
	return sum
}

// A roster maps people to when they are on call.
type roster map[oncall.UserID][]stretch

// add adds the people of a schedule, except shadows.
func (r roster) add(s *schedule.Schedule, from, to time.Time) {
	for _, role := range s.Roles() {
		if role == schedule.RoleShadow {
			continue
		}
		for shift := range s.Each(from, to, role) {
			for _, u := range shift.Users {
				r[u] = append(r[u], stretch{shift.Start, shift.End})
			}
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r roster) unite() {
	for u, all := range r {
		r[u] = unite(all)
	}
}

// duties returns how long each person was on call. A schedule that doesn't compile has nobody.
func duties(f Facts, clock clocks) map[oncall.UserID]Hours {
	is, planned := roster{}, roster{}
	var compiled []*schedule.Schedule
	var cuts []time.Time
	for _, definition := range f.Schedules {
		s, err := schedule.Compile(definition)
		if err != nil {
			continue
		}
		bare := definition
		bare.Overrides = nil
		plan, err := schedule.Compile(bare)
		if err != nil {
			continue
		}
		compiled = append(compiled, s)
		if from := latest(f.Period.From, f.Since[definition.ID]); from.Before(f.Period.To) {
			is.add(s, from, f.Period.To)
			planned.add(plan, from, f.Period.To)
		}
		for _, o := range definition.Overrides {
			cuts = append(cuts, o.Start, o.Ends())
		}
	}
	is.unite()
	planned.unite()
	slices.SortFunc(cuts, time.Time.Compare)
	out := map[oncall.UserID]Hours{}
	for u, on := range is {
		extra := without(on, planned[u])
		h := Hours{Planned: length(on) - length(extra)}
		for _, part := range cutAt(extra, cuts) {
			h.add(wayOf(compiled, f.Ways, u, part.from), part.to.Sub(part.from))
		}
		h.Nights, h.WeekendDay = clock.of(u).marks(on)
		out[u] = h
	}
	for u, plan := range planned {
		h := out[u]
		h.GivenAway = length(without(plan, is[u]))
		out[u] = h
	}
	return out
}

func (h *Hours) add(way Way, d time.Duration) {
	switch way {
	case BySwap:
		h.Swap += d
	case ByCover:
		h.Cover += d
	default:
		h.Override += d
	}
}

// cutAt splits stretches at sorted instants.
func cutAt(all []stretch, at []time.Time) []stretch {
	var out []stretch
	for _, s := range all {
		i, _ := slices.BinarySearchFunc(at, s.from, time.Time.Compare)
		for ; i < len(at) && at[i].Before(s.to); i++ {
			if at[i].After(s.from) {
				out = append(out, stretch{s.from, at[i]})
				s.from = at[i]
			}
		}
		out = append(out, s)
	}
	return out
}

// wayOf returns how a person came to be on call at an instant that was not planned for them.
func wayOf(all []*schedule.Schedule, ways map[oncall.OverrideID]Way, u oncall.UserID, at time.Time) Way {
	for _, s := range all {
		for _, role := range s.Roles() {
			if role == schedule.RoleShadow {
				continue
			}
			for shift := range s.Each(at, at.Add(time.Nanosecond), role) {
				if way, known := ways[shift.Source.Override]; known && slices.Contains(shift.Users, u) {
					return way
				}
			}
		}
	}
	return ByOverride
}

const (
	nightMark = schedule.TimeOfDay(3 * 60)
	dayMark   = schedule.TimeOfDay(12 * 60)
)

// marks counts nights and weekend days on call, each by a single instant, so that every night has
// as many people as were on call and adjacent periods add up.
func (c Clock) marks(on []stretch) (nights, days int) {
	for _, s := range on {
		day, _ := c.zone.Local(s.from)
		for ; ; day = day.AddDays(1) {
			if !c.zone.Instant(day, 0).Before(s.to) {
				break
			}
			within := func(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }
			if within(c.zone.Instant(day, nightMark)) {
				nights++
			}
			if w := day.Weekday(); (w == schedule.Saturday || w == schedule.Sunday) && within(c.zone.Instant(day, dayMark)) {
				days++
			}
		}
	}
	return nights, days
}

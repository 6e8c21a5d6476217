package oncall

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// ShiftsMeant returns which of a person's shifts a typed time can mean. A stretch such as a day means every shift that touches
// it: one may end in it and another begin, and only the person knows which it is. An instant, from equal to to, means the
// shifts that begin with it, or else those that include it, or else those that begin within a day of it.
func ShiftsMeant(all []schedule.Stint, from, to time.Time) []schedule.Stint {
	which := func(is func(schedule.Stint) bool) []schedule.Stint {
		return slices.DeleteFunc(slices.Clone(all), func(s schedule.Stint) bool { return !is(s) })
	}
	touches := func(end time.Time) func(schedule.Stint) bool {
		return func(s schedule.Stint) bool { return s.Start.Before(end) && s.End.After(from) }
	}
	if from.Before(to) {
		return which(touches(to))
	}
	if exact := which(func(s schedule.Stint) bool { return s.Start.Equal(from) }); len(exact) > 0 {
		return exact
	}
	if within := which(touches(from.Add(1))); len(within) > 0 {
		return within
	}
	return which(touches(from.Add(24 * time.Hour)))
}

// Swappable returns those of a person's shifts that can still be swapped, or all if none can: OfferSwap says why.
func Swappable(meant []schedule.Stint, now time.Time) []schedule.Stint {
	if ahead := slices.DeleteFunc(slices.Clone(meant), func(s schedule.Stint) bool { return !s.Start.After(now) }); len(ahead) > 0 {
		return ahead
	}
	return meant
}

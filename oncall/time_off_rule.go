package oncall

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// OnTimeOff says what happens if somebody of a team is away while on call.
type OnTimeOff string

// What happens then.
const (
	TimeOffWarn  OnTimeOff = ""      // they are told, with a button that asks for cover
	TimeOffCover OnTimeOff = "cover" // others are asked for cover
	TimeOffSkip  OnTimeOff = "skip"  // the next person is on call instead
)

// OnTimeOffs lists all of them.
var OnTimeOffs = []OnTimeOff{TimeOffWarn, TimeOffCover, TimeOffSkip}

// Absence returns the time off with an id, together with what overlaps it; false: there is none.
func Absence(all []TimeOff, id TimeOffID) (TimeOff, bool) {
	off := mergeTimeOff(all)
	i := slices.IndexFunc(off, func(t TimeOff) bool { return t.ID == id })
	if i < 0 {
		return TimeOff{}, false
	}
	return off[i], true
}

// standInAhead is how far ahead of a shift the next person is looked for.
const standInAhead = 8 * 7 * 24 * time.Hour

// StandIn returns who takes the shift of somebody who is away: the first person to come on call after
// it who is neither away nor on call during it. It reports false if there is nobody.
func (f ShiftFacts) StandIn(s schedule.Stint, away []UserID) (UserID, bool) {
	c, known := f.Schedules[s.Schedule]
	if !known || !f.isOnCallFor(s) {
		return "", false
	}
	for _, shift := range c.Shifts(s.End, s.End.Add(standInAhead), s.Role) {
		for _, u := range shift.Users {
			if u != s.User && !slices.Contains(away, u) && !f.unpageable(u) && f.presenceOf(s, u) == never {
				return u, true
			}
		}
	}
	return "", false
}

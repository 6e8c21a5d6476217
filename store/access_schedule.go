package store

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// newInSchedule refuses people who can't be on call, unless the schedule has them already. Somebody of unknown standing
// is accepted if an earlier version of the schedule had them.
func (g gate) newInSchedule(was schedule.Definition, wanted []oncall.UserID, now time.Time) error {
	already, earlier := inRotations(was.Current(now)), []oncall.UserID(nil)
	for _, v := range was.Versions {
		earlier = append(earlier, inRotations(v.Rotations)...)
		if v.EffectiveFrom != nil && v.EffectiveFrom.After(now) {
			already = append(already, inRotations(v.Rotations)...)
		}
	}
	for _, s := range was.Shifts {
		already = append(already, s.Users...)
	}
	for _, u := range wanted {
		unknown := g.dir.Users[u].Standing == oncall.UnknownStanding && g.dir.Users[u].DeactivatedAt == nil
		if slices.Contains(already, u) || unknown && slices.Contains(earlier, u) {
			continue
		}
		if err := g.dir.access.MayBeOnCall(u); err != nil {
			return err
		}
	}
	return nil
}

// inRotations returns the people in the turns of rotations.
func inRotations(rotations []schedule.Rotation) (people []oncall.UserID) {
	for _, r := range rotations {
		for _, turn := range r.Turns {
			people = append(people, turn...)
		}
	}
	return people
}

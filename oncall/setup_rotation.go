package oncall

import (
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Version turns the document's rotations into the schedule's rules, with the
// Slack user ids that names stand for.
func (s SetupSchedule) Version(users map[string]UserID) (schedule.Version, error) {
	v := schedule.Version{Rotations: []schedule.Rotation{}}
	for _, r := range s.Rotations {
		rotation, err := r.rotation(users)
		if err != nil {
			return schedule.Version{}, fmt.Errorf("rotation %q: %w", r.Name, err)
		}
		v.Rotations = append(v.Rotations, rotation)
	}
	return v, nil
}

func (r SetupRotation) rotation(users map[string]UserID) (schedule.Rotation, error) {
	out := schedule.Rotation{Name: r.Name, Role: r.Role, Priority: r.Priority, TimeZone: r.TimeZone, Windows: r.Only}
	day, hour, ok := strings.Cut(strings.TrimSpace(r.Start), " ")
	if !ok {
		return schedule.Rotation{}, fmt.Errorf("start is %q; it must be a day and time of the first hand-off such as \"2026-01-05 09:00\"", r.Start)
	}
	var err error
	if out.StartDate, err = schedule.ParseDate(day); err != nil {
		return schedule.Rotation{}, fmt.Errorf("start: %w", err)
	}
	if out.HandOff, err = schedule.ParseTimeOfDay(hour); err != nil {
		return schedule.Rotation{}, fmt.Errorf("start: %w", err)
	}
	if out.Period, err = schedule.ParsePlainPeriod(r.Every); err != nil {
		return schedule.Rotation{}, err
	}
	for _, t := range r.Turns {
		turn := []UserID{}
		for _, name := range t {
			turn = append(turn, users[name])
		}
		out.Turns = append(out.Turns, turn)
	}
	return out, nil
}

package oncall

import (
	"fmt"
	"strings"
)

// Version turns the document's rotations into the schedule's rules, with the
// Slack user ids that names stand for.
func (s SetupSchedule) Version(users map[string]UserID) (Version, error) {
	v := Version{Rotations: []Rotation{}}
	for _, r := range s.Rotations {
		rotation, err := r.rotation(users)
		if err != nil {
			return Version{}, fmt.Errorf("rotation %q: %w", r.Name, err)
		}
		v.Rotations = append(v.Rotations, rotation)
	}
	return v, nil
}

func (r SetupRotation) rotation(users map[string]UserID) (Rotation, error) {
	out := Rotation{Name: r.Name, Role: r.Role, Priority: r.Priority, TimeZone: r.TimeZone, Windows: r.Only}
	day, hour, ok := strings.Cut(strings.TrimSpace(r.Start), " ")
	if !ok {
		return Rotation{}, fmt.Errorf("start is %q; it must be a day and time of the first hand-off such as \"2026-01-05 09:00\"", r.Start)
	}
	var err error
	if out.StartDate, err = ParseDate(day); err != nil {
		return Rotation{}, fmt.Errorf("start: %w", err)
	}
	if out.HandOff, err = ParseTimeOfDay(hour); err != nil {
		return Rotation{}, fmt.Errorf("start: %w", err)
	}
	if out.Period, err = ParsePlainPeriod(r.Every); err != nil {
		return Rotation{}, err
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

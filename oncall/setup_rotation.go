package oncall

import (
	"fmt"
	"strconv"
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
	if out.Period, err = parsePeriod(r.Every); err != nil {
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

// parsePeriod reads "week", "2 weeks", "12 hours".
func parsePeriod(s string) (Period, error) {
	wrong := fmt.Errorf("every is %q; it must be a period such as \"week\", \"2 weeks\", \"day\" or \"12 hours\"", s)
	words := strings.Fields(s)
	p := Period{Every: 1}
	if len(words) == 2 {
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 1 {
			return Period{}, wrong
		}
		p.Every, words = n, words[1:]
	}
	if len(words) != 1 {
		return Period{}, wrong
	}
	switch strings.TrimSuffix(words[0], "s") {
	case "hour":
		p.Unit = HourUnit
	case "day":
		p.Unit = DayUnit
	case "week":
		p.Unit = WeekUnit
	case "month":
		p.Unit = MonthUnit
	default:
		return Period{}, wrong
	}
	return p, nil
}

package setup

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func (c *checker) schedule(i int, s Schedule) {
	before := len(c.problems)
	c.define("schedule", s.Name, i)
	c.refer("team", s.Team, "schedule %q: team", s.Name)
	if s.TimeZone == "" {
		c.say("schedule %q: time_zone is missing, such as \"Europe/Berlin\"", s.Name)
	}
	c.zone(s.TimeZone, "schedule %q", s.Name)
	people := c.people(s)
	if _, err := schedule.LoadZone(s.TimeZone); err != nil {
		return // reported already
	}
	versions, err := s.Versions(people)
	var shifts []schedule.ManualShift
	if err == nil {
		shifts, err = s.HandMade(people)
	}
	if err == nil && len(c.problems) == before {
		made := schedule.Definition{Name: s.Name, TimeZone: s.TimeZone, Versions: versions, Shifts: shifts}
		if _, err = schedule.Compile(made); err == nil {
			err = made.CheckTurns()
		}
	}
	if err != nil {
		c.say("schedule %q: %v", s.Name, err)
	}
}

// people checks that everybody named in the schedule is in the document, and returns them.
func (c *checker) people(made Schedule) map[string]oncall.UserID {
	people := map[string]oncall.UserID{}
	refer := func(name, where string, args ...any) {
		c.refer("user", name, where, args...)
		people[name] = oncall.UserID(name)
	}
	for _, v := range append([]Version{{Rotations: made.Rotations}}, made.Later...) {
		for _, r := range v.Rotations {
			for _, t := range r.Turns {
				for _, name := range t {
					refer(name, "schedule %q, rotation %q: turn", made.Name, r.Name)
				}
			}
			for _, m := range r.Members {
				refer(m.User, "schedule %q, rotation %q: member", made.Name, r.Name)
			}
		}
	}
	for i, shift := range made.Shifts {
		for _, name := range shift.Users {
			refer(name, "schedule %q, shift %d: user", made.Name, i+1)
		}
	}
	return people
}

// Versions converts the document's rotations to the schedule's versions: the one in force from the
// beginning, and later ones. users maps names to Slack user ids.
func (s Schedule) Versions(users map[string]oncall.UserID) ([]schedule.Version, error) {
	zone, err := schedule.LoadZone(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	var out []schedule.Version
	for i, later := range append([]Version{{Rotations: s.Rotations}}, s.Later...) {
		version := schedule.Version{Rotations: []schedule.Rotation{}}
		if i > 0 {
			from, err := readInstant(later.From, zone)
			if err != nil {
				return nil, fmt.Errorf("later %d: from is %w", i, err)
			}
			if before := out[i-1].EffectiveFrom; before != nil && !before.Before(from) {
				return nil, fmt.Errorf("later %d: from, %q, is not after the one before", i, later.From)
			}
			version.EffectiveFrom = &from
		}
		for _, r := range later.Rotations {
			if r.Holidays == nil {
				r.Holidays = s.Holidays
			}
			rotation, err := r.rotation(users, s.TimeZone)
			if err != nil {
				return nil, fmt.Errorf("rotation %q: %w", r.Name, err)
			}
			version.Rotations = append(version.Rotations, rotation)
		}
		holiday.Fill(version.Rotations, nil)
		out = append(out, version)
	}
	return out, nil
}

func (r Rotation) rotation(users map[string]oncall.UserID, timeZone string) (schedule.Rotation, error) {
	out := schedule.Rotation{
		Name: r.Name, Role: r.Role, Priority: r.Priority, Windows: r.Only, Advance: r.Advance,
		TimeZone: cmp.Or(r.TimeZone, timeZone), // explicit, so that changing the schedule's zone never changes the past
	}
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
	if out.Period, err = schedule.ParsePeriod(r.Every); err != nil {
		return schedule.Rotation{}, err
	}
	if r.Until != "" {
		zone, err := schedule.LoadZone(out.TimeZone)
		if err != nil {
			return schedule.Rotation{}, fmt.Errorf("time_zone: %w", err)
		}
		until, err := readInstant(r.Until, zone)
		if err != nil {
			return schedule.Rotation{}, fmt.Errorf("until is %w", err)
		}
		out.Until = &until
	}
	if out.Holidays, err = r.Holidays.read(); err != nil {
		return schedule.Rotation{}, fmt.Errorf("holidays: %w", err)
	}
	for _, t := range r.Turns {
		turn := []oncall.UserID{}
		for _, name := range t {
			turn = append(turn, users[name])
		}
		out.Turns = append(out.Turns, turn)
	}
	for _, m := range r.Members {
		out.Members = append(out.Members, schedule.Member{User: users[m.User], From: m.From, Until: m.Until})
	}
	return out, nil
}

// HandMade converts the manual shifts.
func (s Schedule) HandMade(users map[string]oncall.UserID) ([]schedule.ManualShift, error) {
	zone, err := schedule.LoadZone(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	var out []schedule.ManualShift
	for i, shift := range s.Shifts {
		made := schedule.ManualShift{Role: shift.Role}
		if made.Start, err = readInstant(shift.Start, zone); err != nil {
			return nil, fmt.Errorf("shift %d: start is %w", i+1, err)
		}
		if made.End, err = readInstant(shift.End, zone); err != nil {
			return nil, fmt.Errorf("shift %d: end is %w", i+1, err)
		}
		for _, name := range shift.Users {
			made.Users = append(made.Users, users[name])
		}
		out = append(out, made)
	}
	return out, nil
}

// readInstant parses a local time, "2026-12-07 09:00", or an instant, "2026-12-07T08:00:00Z".
func readInstant(s string, zone *schedule.Zone) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	day, clock, _ := strings.Cut(s, " ")
	date, dateErr := schedule.ParseDate(day)
	hour, hourErr := schedule.ParseTimeOfDay(clock)
	if errors.Join(dateErr, hourErr) != nil {
		return time.Time{}, fmt.Errorf("%q, which is not a day and time such as \"2026-12-07 09:00\"", s)
	}
	return zone.Instant(date, hour), nil
}

// writeInstant writes an instant for readInstant.
func writeInstant(t time.Time, zone *schedule.Zone) string {
	if date, clock := zone.Local(t); zone.Instant(date, clock).Equal(t) {
		return date.String() + " " + clock.String()
	}
	return t.UTC().Format(time.RFC3339Nano)
}

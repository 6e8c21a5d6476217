package view

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// overrides looks up an override, to explain why somebody is on call.
type overrides func(oncall.OverrideID) (schedule.Override, bool)

// OnCall says who is on call at an instant.
func OnCall(schedules []*schedule.Schedule, find overrides, at, now time.Time, zone *time.Location) string {
	var out strings.Builder
	if !at.Equal(now) {
		fmt.Fprintf(&out, "On call, %s:\n", Time(at, zone))
	}
	for i, s := range schedules {
		lines := scheduleLines(find, s, at, zone)
		if utf8.RuneCountInString(out.String())+utf8.RuneCountInString(lines) > MaxAnswer {
			fmt.Fprintf(&out, "%s left out: `/oncall who` with a name shows each.", Count(len(schedules)-i, "schedule"))
			break
		}
		out.WriteString(lines + "\n")
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// scheduleLines says who is on call in a schedule, a line per role.
func scheduleLines(find overrides, s *schedule.Schedule, at time.Time, zone *time.Location) string {
	name := "*" + Name(s.Name()) + "*"
	duties := s.Who(at)
	if len(duties) == 1 && duties[0].Role == schedule.RolePrimary {
		return name + ": " + dutyLine(find, duties[0], zone)
	}
	lines := []string{name}
	for _, duty := range duties {
		lines = append(lines, Name(duty.Role)+": "+dutyLine(find, duty, zone))
	}
	return strings.Join(lines, "\n")
}

// dutyLine says who has a role, why if not by the rotation, until when, and who is next.
func dutyLine(find overrides, duty schedule.Duty, zone *time.Location) string {
	now := named(duty.Users)
	if len(duty.Users) == 0 {
		now = "*nobody*"
	}
	now += overrideReason(find, duty.Source)
	if duty.Until.IsZero() {
		return now + ", with no change in sight"
	}
	return fmt.Sprintf("%s until %s, then %s", now, Time(duty.Until, zone), named(duty.Next))
}

// overrideReason says who changed the rotations' result, and why; empty if nobody did.
func overrideReason(find overrides, s schedule.Source) string {
	if s.Shift != 0 {
		return " (a shift made by hand)"
	}
	override, known := find(s.Override)
	if !known {
		return ""
	}
	why := map[schedule.OverrideKind]string{
		schedule.OverrideSwap: "instead of " + mention(override.From), schedule.OverrideTemporary: "a temporary schedule",
		schedule.OverrideAdd: "added", schedule.OverrideRemove: mention(override.Users...) + " taken off",
	}[override.Kind]
	if why == "" {
		why = "override"
	}
	switch {
	case override.Kind == schedule.OverrideSwap && override.Reason == "swap":
		return " (by a swap with " + mention(override.From) + ")"
	case override.Kind == schedule.OverrideSwap && override.Reason == "cover":
		return " (covers for " + mention(override.From) + ")"
	}
	if override.CreatedBy != "" && override.CreatedBy != override.From && override.CreatedBy != override.To && !slices.Contains(override.Users, override.CreatedBy) {
		why += " by " + mention(override.CreatedBy)
	}
	if override.Reason != "" {
		why += ": " + Name(override.Reason)
	}
	return " (" + why + ")"
}

const (
	// OwnShiftsAhead is how far ahead people see their own shifts.
	OwnShiftsAhead = 12 * 7 * 24 * time.Hour
	maxOwnShifts   = 10
)

// OwnShifts lists a person's shifts. If a schedule has another time zone than the person, both times are shown.
func OwnShifts(mine []schedule.Stint, now time.Time, zone *time.Location) string {
	return shiftsFrom(mine, now, " *now*, until ", zone)
}

// shiftsFrom lists a person's shifts from a time on; running is said of the one at that time.
func shiftsFrom(mine []schedule.Stint, from time.Time, running string, zone *time.Location) string {
	if len(mine) == 0 {
		return fmt.Sprintf("You have no shift in the next %d weeks.", int(OwnShiftsAhead.Hours())/24/7)
	}
	var lines []string
	for i, stint := range mine {
		if i == maxOwnShifts {
			lines = append(lines, Count(len(mine)-i, "more shift"))
			break
		}
		name := withRole("*"+Name(stint.Name)+"*", stint.Role)
		line := fmt.Sprintf("• %s %s", name, Between(stint.Start, stint.End, zone))
		if !stint.Start.After(from) {
			line = "• " + name + running + Time(stint.End, zone)
		}
		if there, err := time.LoadLocation(stint.TimeZone); err == nil && differ(stint.Start, there, zone) {
			line += fmt.Sprintf(" (%s in %s)", stint.End.In(there).Format("Mon 15:04"), Name(stint.TimeZone))
		}
		lines = append(lines, line)
	}
	return fitLines(lines, MaxAnswer)
}

// ShiftsOf lists what a person is, or was, on call for at a time and next.
func ShiftsOf(user oncall.UserID, theirs []schedule.Stint, from, now time.Time, zone *time.Location) string {
	if len(theirs) == 0 {
		return fmt.Sprintf("%s has no shift in the %d weeks from %s on.", mention(user), int(OwnShiftsAhead.Hours())/24/7, Time(from, zone))
	}
	is, at, running := "is", "", " *now*, until "
	if !from.Equal(now) {
		at, running = ", "+Time(from, zone), " until "
		if is = "will be"; from.Before(now) {
			is = "was"
		}
	}
	not := ""
	if theirs[0].Start.After(from) {
		not = " not"
	}
	if not != "" && from.Equal(now) {
		return mention(user) + " is not on call now. Next:\n" + shiftsFrom(theirs, from, running, zone)
	}
	return mention(user) + " " + is + not + " on call" + at + ":\n" + shiftsFrom(theirs, from, running, zone)
}

// differ reports whether two zones have different times at an instant.
func differ(t time.Time, a, b *time.Location) bool {
	_, x := t.In(a).Zone()
	_, y := t.In(b).Zone()
	return x != y
}

// NextOnCall says who comes next in each schedule, and when, soonest change first.
func NextOnCall(schedules []*schedule.Schedule, now time.Time, zone *time.Location) string {
	type change struct {
		at   time.Time
		line string
	}
	var changes []change
	for _, c := range schedules {
		for _, d := range c.Who(now) {
			name := withRole("*"+Name(c.Name())+"*", d.Role)
			if d.Until.IsZero() {
				changes = append(changes, change{now.AddDate(100, 0, 0), "• " + name + ": no change in sight"})
				continue
			}
			next := named(d.Next)
			if len(d.Next) == 0 {
				next = "*nobody*"
			}
			changes = append(changes, change{d.Until, fmt.Sprintf("• %s: %s from %s, after %s", name, next, Time(d.Until, zone), named(d.Users))})
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return a.at.Compare(b.at) })
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.line
	}
	return fitLines(lines, MaxAnswer)
}

package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// scheduleLines says who is on call in a schedule, a line for each role.
func scheduleLines(d *store.Directory, s *schedule.Schedule, at time.Time, zone *time.Location) string {
	name := "*" + foreign(s.Name(), maxName) + "*"
	duties := s.Who(at)
	if len(duties) == 1 && duties[0].Role == schedule.RolePrimary {
		return name + ": " + dutyLine(d, duties[0], zone)
	}
	lines := []string{name}
	for _, duty := range duties {
		lines = append(lines, foreign(duty.Role, maxName)+": "+dutyLine(d, duty, zone))
	}
	return strings.Join(lines, "\n")
}

// dutyLine says who has a role, why if that is not the rotation, until when, and who is
// next.
func dutyLine(d *store.Directory, duty schedule.Duty, zone *time.Location) string {
	now := named(duty.Users)
	if len(duty.Users) == 0 {
		now = "*nobody*"
	}
	now += because(d, duty.Source)
	if duty.Until.IsZero() {
		return now + ", with no change in sight"
	}
	return fmt.Sprintf("%s until %s, then %s", now, stamp(duty.Until, asDay, zone), named(duty.Next))
}

// because says who has changed what the rotations say, and why; "" if nobody has.
func because(d *store.Directory, s schedule.Source) string {
	if s.Shift != 0 {
		return " (a shift made by hand)"
	}
	o, known := d.Override(s.Override)
	if !known {
		return ""
	}
	why := map[schedule.OverrideKind]string{
		schedule.OverrideSwap: "instead of " + mention(o.From), schedule.OverrideTemporary: "a temporary schedule",
		schedule.OverrideAdd: "added", schedule.OverrideRemove: mention(o.Users...) + " taken off",
	}[o.Kind]
	if why == "" {
		why = "override"
	}
	if o.CreatedBy != "" {
		why += " by " + mention(o.CreatedBy)
	}
	if o.Reason != "" {
		why += ": " + foreign(o.Reason, maxName)
	}
	return " (" + why + ")"
}

// myShifts lists a person's shifts. Where a schedule keeps another time than the person,
// it is shown, too.
func myShifts(d *store.Directory, user oncall.UserID, now time.Time, zone *time.Location) string {
	mine := stintsOf(d, user, now, now.Add(meAhead))
	if len(mine) == 0 {
		return fmt.Sprintf("You have no shift in the next %d weeks.", int(meAhead.Hours())/24/7)
	}
	var lines []string
	for i, s := range mine {
		if i == meShown {
			lines = append(lines, count(len(mine)-i, "more shift"))
			break
		}
		name := "*" + foreign(s.Name, maxName) + "*"
		if s.Role != schedule.RolePrimary {
			name += " (" + foreign(s.Role, maxName) + ")"
		}
		line := fmt.Sprintf("• %s from %s to %s", name, stamp(s.Start, asDay, zone), stamp(s.End, asDay, zone))
		if !s.Start.After(now) {
			line = fmt.Sprintf("• %s *now*, until %s", name, stamp(s.End, asDay, zone))
		}
		if there, err := time.LoadLocation(s.TimeZone); err == nil && differ(s.Start, there, zone) {
			line += fmt.Sprintf(" (%s in %s)", s.End.In(there).Format("Mon 15:04"), foreign(s.TimeZone, maxName))
		}
		lines = append(lines, line)
	}
	return fitLines(lines, maxAnswer)
}

// differ reports whether two zones show other times at an instant.
func differ(t time.Time, a, b *time.Location) bool {
	_, x := t.In(a).Zone()
	_, y := t.In(b).Zone()
	return x != y
}

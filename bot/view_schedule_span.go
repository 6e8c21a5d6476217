package bot

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A scheduleRow is one role of one schedule, and its shifts in the stretch that is shown.
type scheduleRow struct {
	schedule string
	role     string // "" if the schedule has no other
	shifts   []schedule.Shift
}

// scheduleText lists the shifts between two instants, a line each.
func scheduleText(rows []scheduleRow, from, to time.Time, find overrides, zone *time.Location) string {
	lines := []string{fmt.Sprintf("From %s to %s:", stamp(from, asDay, zone), stamp(to, asDay, zone))}
	for _, r := range rows {
		head := "*" + foreign(r.schedule, maxName) + "*"
		if r.role != "" {
			head += " (" + foreign(r.role, maxName) + ")"
		}
		lines = append(lines, head)
		for i, shift := range r.shifts {
			line := "• " + named(shift.Users)
			if len(shift.Users) == 0 {
				line = "• *nobody*"
			}
			if i > 0 {
				line += " from " + stamp(shift.Start, asDay, zone)
			}
			if shift.End.Before(to) {
				line += " until " + stamp(shift.End, asDay, zone)
			} else {
				line += " until after that"
			}
			lines = append(lines, line+because(find, shift.Source))
		}
	}
	return fitLines(lines, maxAnswer)
}

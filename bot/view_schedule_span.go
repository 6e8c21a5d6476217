package bot

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A scheduleSpan is a stretch of one schedule or several, as it is shown.
type scheduleSpan struct {
	title    string
	timeZone string
	from, to time.Time
	now      time.Time
	names    map[oncall.UserID]string
	rows     []spanRow
}

// A spanRow is one role of one schedule.
type spanRow struct {
	schedule string
	role     string // "" if the schedule has no other
	shifts   []schedule.Shift
	why      []string // of each shift
}

// text lists the shifts, a line each.
func (s scheduleSpan) text(zone *time.Location) string {
	lines := []string{fmt.Sprintf("From %s to %s:", stamp(s.from, asDay, zone), stamp(s.to, asDay, zone))}
	for _, r := range s.rows {
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
			if shift.End.Before(s.to) {
				line += " until " + stamp(shift.End, asDay, zone)
			} else {
				line += " until after that"
			}
			lines = append(lines, line+r.why[i])
		}
	}
	return fitLines(lines, maxAnswer)
}

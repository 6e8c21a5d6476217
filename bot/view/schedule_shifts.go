package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A ScheduleRow is one role of one schedule, and its shifts in the stretch that is shown.
type ScheduleRow struct {
	Schedule string
	Role     string // "" if the schedule has no other
	Shifts   []schedule.Shift
}

// Shifts lists the shifts between two instants, a line each.
func Shifts(rows []ScheduleRow, from, to time.Time, find overrides, zone *time.Location) string {
	lines := []string{fmt.Sprintf("From %s to %s:", Stamp(from, AsDay, zone), Stamp(to, AsDay, zone))}
	for _, r := range rows {
		head := "*" + Foreign(r.Schedule, MaxName) + "*"
		if r.Role != "" {
			head += " (" + Foreign(r.Role, MaxName) + ")"
		}
		lines = append(lines, head)
		for i, shift := range r.Shifts {
			line := "• " + named(shift.Users)
			if len(shift.Users) == 0 {
				line = "• *nobody*"
			}
			if i > 0 {
				line += " from " + Stamp(shift.Start, AsDay, zone)
			}
			if shift.End.Before(to) {
				line += " until " + Stamp(shift.End, AsDay, zone)
			} else {
				line += " until after that"
			}
			lines = append(lines, line+because(find, shift.Source))
		}
	}
	return fitLines(lines, MaxAnswer)
}

// ShiftsWithoutPicture says in words what Slack didn't take as a picture.
func ShiftsWithoutPicture(shifts string) Drawing {
	text := "Slack didn't take the picture of the schedule. In words:\n" + shifts
	return Drawing{Text: text, Blocks: []slack.Block{section(cutSection(text))}}
}

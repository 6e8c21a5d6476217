package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A ScheduleRow is the shifts of one role of one schedule in a period.
type ScheduleRow struct {
	Schedule string
	Role     string // empty if the schedule has no other role
	Shifts   []schedule.Shift
	Holidays []schedule.HolidayAhead // of the schedule, in its first row
}

// Shifts lists the shifts of a period, a line each.
func Shifts(rows []ScheduleRow, from, to time.Time, find overrides, zone *time.Location) string {
	lines := []string{Between(from, to, zone) + ":"}
	for _, r := range rows {
		head := "*" + Name(r.Schedule) + "*"
		if r.Role != "" {
			head += " (" + Name(r.Role) + ")"
		}
		lines = append(lines, head)
		if line := holidayLine(r.Holidays); line != "" {
			lines = append(lines, line)
		}
		for i, shift := range r.Shifts {
			line := "• " + named(shift.Users)
			if len(shift.Users) == 0 {
				line = "• *nobody*"
			}
			switch ends := shift.End.Before(to); {
			case i == 0 && ends:
				line += " until " + Time(shift.End, zone)
			case i == 0:
				line += " all of that time"
			case ends:
				line += " " + Between(shift.Start, shift.End, zone)
			default:
				line += " from " + Time(shift.Start, zone) + " on"
			}
			lines = append(lines, line+overrideReason(find, shift.Source))
		}
	}
	return fitLines(lines, MaxAnswer)
}

// PictureFollows says where the picture will appear, because a picture can't be shown to one person in a
// channel.
func PictureFollows(shifts string) string {
	const where = "\nThe picture comes as a direct message from me."
	return fitLines(strings.Split(shifts, "\n"), MaxAnswer-len(where)) + where
}

// ShiftsWithoutPicture lists shifts in words because Slack didn't take the picture, and says why.
func ShiftsWithoutPicture(shifts, why string) Drawing {
	text := "Slack didn't take the picture of the schedule: " + why + ". In words:\n" + shifts
	return Drawing{Text: text, Blocks: []slack.Block{section(cutSection(text))}}
}

// ShiftAdded confirms a manual shift.
func ShiftAdded(users []oncall.UserID, s *schedule.Schedule, from, to time.Time, zone *time.Location) string {
	verb := "has"
	if len(users) > 1 {
		verb = "have"
	}
	return fmt.Sprintf("%s %s a shift in *%s*, %s, beside whoever else is on call then.", mention(users...), verb,
		Name(s.Name()), Between(from, to, zone))
}

// ShiftsDeleted confirms the deletion of manual shifts.
func ShiftsDeleted(n int, s *schedule.Schedule, from, to time.Time, zone *time.Location) string {
	verb := "count"
	if n == 1 {
		verb = "counts"
	}
	return fmt.Sprintf("%s made by hand in *%s* no longer %s: %s.", Count(n, "shift"), Name(s.Name()), verb, Between(from, to, zone))
}

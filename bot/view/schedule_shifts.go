package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
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
	lines := []string{Between(from, to, zone) + ":"}
	for _, r := range rows {
		head := "*" + Name(r.Schedule) + "*"
		if r.Role != "" {
			head += " (" + Name(r.Role) + ")"
		}
		lines = append(lines, head)
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
			lines = append(lines, line+because(find, shift.Source))
		}
	}
	return fitLines(lines, MaxAnswer)
}

// PictureFollows says where the picture of what is shown comes, as it can't be shown to one person in a channel.
func PictureFollows(shifts string) string {
	const where = "\nThe picture comes as a direct message from me."
	return fitLines(strings.Split(shifts, "\n"), MaxAnswer-len(where)) + where
}

// ShiftsWithoutPicture says in words what Slack didn't take as a picture, and why.
func ShiftsWithoutPicture(shifts, why string) Drawing {
	text := "Slack didn't take the picture of the schedule: " + why + ". In words:\n" + shifts
	return Drawing{Text: text, Blocks: []slack.Block{section(cutSection(text))}}
}

// ShiftAdded says that people have a shift that somebody has made by hand.
func ShiftAdded(users []oncall.UserID, s *schedule.Schedule, from, to time.Time, zone *time.Location) string {
	verb := "has"
	if len(users) > 1 {
		verb = "have"
	}
	return fmt.Sprintf("%s %s a shift in *%s*, %s, beside whoever else is on call then.", mention(users...), verb,
		Name(s.Name()), Between(from, to, zone))
}

// ShiftsDeleted says that shifts made by hand no longer count.
func ShiftsDeleted(n int, s *schedule.Schedule, from, to time.Time, zone *time.Location) string {
	verb := "count"
	if n == 1 {
		verb = "counts"
	}
	return fmt.Sprintf("%s made by hand in *%s* no longer %s: %s.", Count(n, "shift"), Name(s.Name()), verb, Between(from, to, zone))
}

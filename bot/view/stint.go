package view

import (
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// stintLine says who has a stint, and when: as the schedule's clock shows it, and as the
// reader's does if that is another.
func stintLine(s schedule.Stint, user, reader oncall.UserID, zone string) string {
	name := mention(user)
	if user == reader {
		name = "You"
	}
	return name + ": " + StintWords(s, zone)
}

func clash(s schedule.Stint, reader oncall.UserID, zone string) string {
	if s.User == reader {
		return "you are on call at the same time in " + StintWords(s, zone) + "."
	}
	return mention(s.User) + " is on call at the same time in " + StintWords(s, zone) + "."
}

func timeOffNote(users []oncall.UserID) string { return named(users) + " has time off at that time." }

// StintWords names a stint: the schedule, and its times in two zones.
func StintWords(s schedule.Stint, zone string) string {
	return withRole(Name(s.Name), s.Role) + ", " + stintTimes(s, zone)
}

// stintTimes is when a stint is, in the schedule's zone and in the reader's.
func stintTimes(s schedule.Stint, zone string) string {
	times := Between(s.Start, s.End, location(s.TimeZone))
	words := times + " " + Name(s.TimeZone)
	if own := Between(s.Start, s.End, location(zone)); zone != "" && own != times {
		words += " (" + own + " your time)"
	}
	return words
}

// ShiftsAhead is how far ahead shifts can be chosen.
const (
	weeksAhead  = 8
	ShiftsAhead = weeksAhead * 7 * 24 * time.Hour
)

// stintOptions are shifts to choose, in the person's own zone.
func stintOptions(stints []schedule.Stint, zone *time.Location) []option {
	options := make([]option, len(stints))
	for i, s := range stints {
		label := Between(s.Start, s.End, zone) + ", " + s.Name
		if s.Role != schedule.RolePrimary {
			label += " (" + s.Role + ")"
		}
		options[i] = option{Value: StintValue(s), label: label}
	}
	return options
}

// StintValue tells the stints of one person apart. Their start would not do, as it moves
// while a stint runs.
func StintValue(s schedule.Stint) string {
	return valueOf(s.Schedule) + "/" + strconv.FormatInt(s.End.Unix(), 10) + "/" + s.Role
}

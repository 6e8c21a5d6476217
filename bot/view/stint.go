package view

import (
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// stintLine says who has a stint, and when: in the schedule's zone, and in the reader's if that differs.
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

// StintWords describes a stint: the schedule, and its times in both zones.
func StintWords(s schedule.Stint, zone string) string {
	return withRole(Name(s.Name), s.Role) + ", " + stintTimes(s, zone)
}

// stintTimes returns a stint's times in the schedule's zone and in the reader's.
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

// stintOptions returns shifts to choose from, in the person's zone.
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

// StintValue identifies a stint among those of a person. Its start would not do, because it moves while the
// stint runs.
func StintValue(s schedule.Stint) string {
	return valueOf(s.Schedule) + "/" + strconv.FormatInt(s.End.Unix(), 10) + "/" + s.Role
}

// StintPart returns the value of a button about a stint, which may be a part of a longer one.
func StintPart(s schedule.Stint) string {
	return valueOf(s.Schedule) + "/" + strconv.FormatInt(s.Start.Unix(), 10) + "/" + strconv.FormatInt(s.End.Unix(), 10) + "/" + s.Role
}

// ReadStintPart reads what StintPart has written; a zero stint if it is something else.
func ReadStintPart(value string) schedule.Stint {
	words := strings.SplitN(value, "/", 4)
	if len(words) != 4 {
		return schedule.Stint{}
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(words[i], 10, 64)
		if err != nil {
			return schedule.Stint{}
		}
		numbers[i] = n
	}
	return schedule.Stint{Schedule: schedule.ID(numbers[0]), Start: time.Unix(numbers[1], 0).UTC(), End: time.Unix(numbers[2], 0).UTC(), Role: words[3]}
}

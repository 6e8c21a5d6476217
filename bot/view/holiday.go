package view

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxHolidays is how many holidays a message names.
const maxHolidays = 10

// drawHoliday asks somebody whether they want cover on a holiday.
func drawHoliday(n oncall.Notice) Drawing {
	facts := n.Detail
	if len(facts.Lines) == 0 || len(facts.Stints) == 0 {
		return drawLines(n)
	}
	zone := location(facts.Stints[0].TimeZone)
	day := facts.Start.In(zone).Format("Mon 2 Jan")
	lines := []string{fmt.Sprintf("You are on call on %s, which is a holiday: %s.", day, holidayName(facts.Lines[0]))}
	for _, s := range facts.Stints {
		lines = append(lines, "• "+StintWords(s, facts.TimeZone))
	}
	lines = append(lines, "You stay on call unless somebody else takes it.")
	value := fmt.Sprintf("%d/%d/%d", facts.Schedule, facts.Start.Unix(), facts.End.Unix())
	text := strings.Join(lines, "\n")
	return Drawing{Text: text, Blocks: []slack.Block{section(text), slack.NewActionBlock("", button(ActionHolidayCover, value, "Ask for cover"))}}
}

// ReadHolidayValue reads the value of a button about a holiday: the schedule, and the holiday's beginning and end.
func ReadHolidayValue(value string) (id oncall.ScheduleID, from, to time.Time, ok bool) {
	var all [3]int64
	parts := strings.Split(value, "/")
	if len(parts) != len(all) {
		return 0, from, to, false
	}
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return 0, from, to, false
		}
		all[i] = n
	}
	return oncall.ScheduleID(all[0]), time.Unix(all[1], 0).UTC(), time.Unix(all[2], 0).UTC(), true
}

// holidayName returns the name of a holiday, or a default if it has none.
func holidayName(name string) string {
	if strings.TrimSpace(name) == "" {
		return "a day of your team's own"
	}
	return Name(name)
}

// holidayLine names the holidays of a schedule, "" if there are none.
func holidayLine(all []schedule.HolidayAhead) string {
	if len(all) == 0 {
		return ""
	}
	var words []string
	seen := map[schedule.Date]bool{}
	for _, h := range all {
		if seen[h.Date] {
			continue
		}
		seen[h.Date] = true
		if len(words) == maxHolidays {
			continue
		}
		words = append(words, holidayDay(h))
	}
	if more := len(seen) - len(words); more > 0 {
		words = append(words, Count(more, "more day"))
	}
	return "Holidays: " + List(words)
}

// nextHoliday says who is on call on the next holiday within a year, which shows what the rule for holidays does.
func nextHoliday(s *schedule.Schedule, at time.Time, zone *time.Location) []string {
	all := s.HolidaysIn(at, at.AddDate(1, 0, 0))
	i := slices.IndexFunc(all, func(h schedule.HolidayAhead) bool { return !h.Start.Before(at) })
	if i < 0 {
		return nil
	}
	next := all[i]
	lines := []string{"*On the next holiday*, " + holidayDay(next)}
	for _, role := range s.Roles()[:min(len(s.Roles()), 3)] {
		for _, shift := range s.FirstShifts(next.Start, next.End, role, previewShifts) {
			line := "• " + named(shift.Users) + ", " + Between(shift.Start, shift.End, zone)
			if role != schedule.RolePrimary {
				line += ", " + Name(role)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// holidayDay names a holiday and its day.
func holidayDay(h schedule.HolidayAhead) string {
	day := time.Date(h.Date.Year, h.Date.Month, h.Date.Day, 0, 0, 0, 0, time.UTC)
	return day.Format("Mon 2 Jan") + " (" + holidayName(h.Name) + ")"
}

// holidayHint says what the form takes, with a line for each rule.
const holidayHint = "A country or a part of one, and what then: de-by weekend. Or the address of a calendar (iCal) in place of the country. Days of your own: 2026-12-24. Left empty: none.\n" +
	"show: changes nothing, but people see them\n" +
	"weekend: the hours of a Sunday apply\n" +
	"only: in force on holidays only\n" +
	"except: in force on all other days\n" +
	"ask: whoever has a shift then is asked in time whether they want cover"

// holidaysText writes the holidays of a rotation as its form takes them: "de-by weekend".
func holidaysText(h *schedule.Holidays) string {
	if h == nil {
		return ""
	}
	words := []string{h.Calendar}
	if h.Rule != "" && h.Rule != schedule.HolidaysShown {
		words = append(words, string(h.Rule))
	}
	for _, d := range h.Own {
		words = append(words, d.Date.String())
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// holidayRules are the rules in words.
var holidayRules = map[schedule.HolidayRule]string{
	schedule.HolidaysWeekend: "on holidays as on Sundays",
	schedule.HolidaysOnly:    "only on holidays",
	schedule.HolidaysExcept:  "not on holidays",
	schedule.HolidaysAsk:     "on holidays cover is offered",
}

// holidaysWords says what a rotation does on holidays, "" if it has none.
func holidaysWords(h *schedule.Holidays) string {
	if h == nil {
		return ""
	}
	words := holidayRules[h.Rule]
	if words == "" {
		words = "shows holidays"
	}
	var of []string
	switch u, err := url.Parse(h.Calendar); {
	case err == nil && u.Host != "":
		of = append(of, "the calendar at "+Name(u.Host))
	case h.Calendar != "":
		of = append(of, Name(h.Calendar))
	}
	if len(h.Own) > 0 {
		of = append(of, Count(len(h.Own), "day")+" of its own")
	}
	return words + " (" + List(of) + ")"
}

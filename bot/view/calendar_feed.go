package view

import (
	"fmt"
	"time"
)

const calendarHint = "Add it in Google Calendar under \"From URL\", in Outlook under \"Subscribe from web\". Whoever has the address can read it; `/oncall calendar revoke` ends all of yours."

// NewFeed shows the address of a new calendar feed. Without a schedule, the feed has the person's own shifts in
// all schedules.
func NewFeed(schedule, address string, local bool) string {
	what := "Your shifts in all schedules"
	if schedule != "" {
		what = "The shifts of *" + Name(schedule) + "*"
	}
	text := fmt.Sprintf("%s, as a calendar to subscribe to:\n`%s`\nThis address is shown once. %s", what, address, calendarHint)
	if local {
		text += "\nIt only works on Watchbill's own machine until an admin sets WATCHBILL_PUBLIC_URL."
	}
	return text
}

// A Feed is a calendar feed to which somebody has subscribed.
type Feed struct {
	Schedule string // name; empty: the person's own shifts
	Since    time.Time
}

// Feeds lists a person's calendar feeds. schedules reports whether there are schedules to subscribe to.
func Feeds(feeds []Feed, schedules bool, zone *time.Location) string {
	lines := []string{"You have subscribed to:"}
	for _, f := range feeds {
		what := "your shifts"
		if f.Schedule != "" {
			what = "*" + Name(f.Schedule) + "*"
		}
		lines = append(lines, fmt.Sprintf("• %s, since %s", what, Time(f.Since, zone)))
	}
	others := ", `/oncall calendar NAME` one for a schedule,"
	if !schedules {
		others = ""
	}
	lines = append(lines, "An address is shown only once. `/oncall calendar new` makes another one for your shifts"+others+" and `/oncall calendar revoke` ends all of them.")
	return fitLines(lines, MaxAnswer)
}

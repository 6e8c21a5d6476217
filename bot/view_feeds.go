package bot

import (
	"fmt"

	"github.com/watchbill/watchbill/store"
)

const calendarHint = "Add it in Google Calendar under \"From URL\", in Outlook under \"Subscribe from web\". Whoever has the address can read it; `/oncall calendar revoke` ends all of yours."

// feedsText lists the calendars that there are.
func feedsText(r request, feeds []store.Feed) string {
	lines := []string{"You have subscribed to:"}
	for _, f := range feeds {
		what := "your shifts"
		if c, ok := r.directory.Schedule(f.ScheduleID); ok {
			what = "*" + foreign(c.Name(), maxName) + "*"
		}
		lines = append(lines, fmt.Sprintf("• %s, since %s", what, stamp(f.CreatedAt, asDay, r.location)))
	}
	lines = append(lines, "An address is shown only once. `/oncall calendar new` makes another one for your shifts, `/oncall calendar NAME` one for a schedule, and `/oncall calendar revoke` ends all of them.")
	return fitLines(lines, maxAnswer)
}

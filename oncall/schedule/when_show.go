package schedule

import (
	"strings"
	"time"
)

// The only style of dates: "Tue 1 Dec 09:00", with the year if needed. A Reader reads it back.
const (
	dayStyle  = "Mon 2 Jan"
	timeStyle = "15:04"
)

// turnedBack are the amounts by which clocks go back in autumn.
var turnedBack = []time.Duration{time.Hour, 30 * time.Minute, 2 * time.Hour}

// Stamp formats an instant for people: weekday, day and time in their zone. If the clock shows that
// time twice, the second one gets the name of the zone's time.
func Stamp(t time.Time, zone *time.Location) string {
	return Day(t, zone) + " " + clockText(t, zone)
}

// ZonedStamp is Stamp with the name of the zone's time, for texts whose reader may be anywhere,
// such as mails: "Tue 1 Dec 09:00 CET".
func ZonedStamp(t time.Time, zone *time.Location) string {
	local := t.In(zone)
	return Day(t, zone) + " " + local.Format(timeStyle) + " " + zoneText(local)
}

// Day writes the day of an instant.
func Day(t time.Time, zone *time.Location) string { return t.In(zone).Format(dayStyle) }

// Between formats a stretch of time: "Tue 1 Dec 09:00 – 17:00", or with both days.
func Between(from, to time.Time, zone *time.Location) string {
	if Day(from, zone) == Day(to, zone) && to.Sub(from) < 48*time.Hour {
		return Stamp(from, zone) + " – " + clockText(to, zone)
	}
	return Stamp(from, zone) + " – " + Stamp(to, zone)
}

func clockText(t time.Time, zone *time.Location) string {
	local := t.In(zone)
	text := local.Format(timeStyle)
	for _, back := range turnedBack {
		if local.Add(-back).Format(timeStyle) == text {
			return text + " " + zoneText(local)
		}
	}
	return text
}

// zoneText names the offset in force in a zone: "CET", or "UTC+1030" if it has no name.
func zoneText(local time.Time) string {
	name, _ := local.Zone()
	if strings.ContainsAny(name, "+-0123456789") {
		return "UTC" + name
	}
	return name
}

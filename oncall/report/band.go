package report

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Band is what a person usually does at an hour: work, sleep, or neither.
type Band string

// The bands.
const (
	Working Band = "working" // the person's hours, except those in Sleep
	Off     Band = "off"     // the rest
	Sleep   Band = "sleep"   // 23:00 to 07:00, even for those whose hours include them
)

// sleepBegins and sleepEnds are in the person's own zone.
const (
	sleepBegins = schedule.TimeOfDay(23 * 60)
	sleepEnds   = schedule.TimeOfDay(7 * 60)
)

// workingHours are the hours of people who have not set any.
var workingHours = []schedule.Window{{
	Days: []schedule.Weekday{schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday},
	From: 9 * 60, To: 18 * 60,
}}

// A Clock knows a person's zone and hours.
type Clock struct {
	zone  *schedule.Zone
	hours *schedule.Hours
}

// Clock returns a person's clock. An invalid zone becomes UTC, and invalid hours the default ones.
func (p Person) Clock() Clock {
	zone, err := schedule.LoadZone(p.TimeZone)
	if err != nil {
		zone, _ = schedule.LoadZone("UTC")
	}
	windows := p.Hours
	if len(windows) == 0 {
		windows = workingHours
	}
	hours, err := schedule.CompileHours(zone.Name(), windows)
	if err != nil {
		hours, _ = schedule.CompileHours(zone.Name(), workingHours)
	}
	return Clock{zone: zone, hours: hours}
}

// Band returns the person's band at an instant.
func (c Clock) Band(t time.Time) Band {
	if _, at := c.zone.Local(t); at >= sleepBegins || at < sleepEnds {
		return Sleep
	}
	if c.hours.Open(t) {
		return Working
	}
	return Off
}

// Night returns the night of an instant, named by the date of its evening.
func (c Clock) Night(t time.Time) schedule.Date {
	day, at := c.zone.Local(t)
	if at < sleepEnds {
		return day.AddDays(-1)
	}
	return day
}

// clocks caches each person's clock.
type clocks struct {
	people map[oncall.UserID]Person
	made   map[oncall.UserID]Clock
}

func newClocks(people map[oncall.UserID]Person) clocks {
	return clocks{people: people, made: map[oncall.UserID]Clock{}}
}

func (c clocks) of(u oncall.UserID) Clock {
	made, known := c.made[u]
	if !known {
		made = c.people[u].Clock()
		c.made[u] = made
	}
	return made
}

// Bands counts by band.
type Bands struct {
	Working int `json:"working"`
	Off     int `json:"off"`
	Sleep   int `json:"sleep"`
}

// All returns the sum.
func (b Bands) All() int { return b.Working + b.Off + b.Sleep }

func (b *Bands) add(band Band) {
	switch band {
	case Working:
		b.Working++
	case Sleep:
		b.Sleep++
	default:
		b.Off++
	}
}

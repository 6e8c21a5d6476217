package report

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Band is what somebody does at an hour, as far as it is known: work, sleep, or neither.
type Band string

// The bands.
const (
	Working Band = "working" // a person's hours, but those of Sleep
	Off     Band = "off"     // the rest
	Sleep   Band = "sleep"   // 23:00 to 07:00, also of whoever has named these as their hours
)

// sleepBegins and sleepEnds are on the clock of the person's own zone.
const (
	sleepBegins = schedule.TimeOfDay(23 * 60)
	sleepEnds   = schedule.TimeOfDay(7 * 60)
)

// workingHours are the hours of whoever has named none.
var workingHours = []schedule.Window{{
	Days: []schedule.Weekday{schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday},
	From: 9 * 60, To: 18 * 60,
}}

// A Clock knows a person's zone and hours.
type Clock struct {
	zone  *schedule.Zone
	hours *schedule.Hours
}

// Clock makes a person's clock. A zone or hours that can't be read are UTC and the usual ones.
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

// Band returns what the person does at an instant.
func (c Clock) Band(t time.Time) Band {
	if _, at := c.zone.Local(t); at >= sleepBegins || at < sleepEnds {
		return Sleep
	}
	if c.hours.Open(t) {
		return Working
	}
	return Off
}

// Night returns the night in which an instant lies: the date of its evening.
func (c Clock) Night(t time.Time) schedule.Date {
	day, at := c.zone.Local(t)
	if at < sleepEnds {
		return day.AddDays(-1)
	}
	return day
}

// clocks makes each person's clock once.
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

// All is the sum.
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

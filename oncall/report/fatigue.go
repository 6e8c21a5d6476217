package report

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// offerAt is when somebody who has no hours that begin earlier is offered cover after a bad night.
	offerAt = schedule.TimeOfDay(8 * 60)
	// offerUntil is when it is too late for that.
	offerUntil = schedule.TimeOfDay(12 * 60)

	// BadNights is how many bad nights of a person within Fortnight a manager hears of.
	BadNights = 3
	// Fortnight is how long a bad night counts for that.
	Fortnight = 14 * 24 * time.Hour
)

// Morning is what follows a night: from when it is over, and when to speak to whoever had a bad one.
type Morning struct {
	Night  schedule.Date // the date of its evening
	Begins time.Time     // 23:00 of that
	Over   time.Time     // 07:00
	Offer  time.Time     // 08:00, or when the person's hours begin if that is between 07:00 and 12:00
	Until  time.Time     // 12:00
}

// Morning returns the morning after the night that was last, at an instant: false if it is no morning.
func (c Clock) Morning(now time.Time) (Morning, bool) {
	day, at := c.zone.Local(now)
	if at < sleepEnds || at >= offerUntil {
		return Morning{}, false
	}
	night := day.AddDays(-1)
	m := Morning{
		Night: night, Begins: c.zone.Instant(night, sleepBegins), Over: c.zone.Instant(day, sleepEnds),
		Offer: c.zone.Instant(day, offerAt), Until: c.zone.Instant(day, offerUntil),
	}
	if begin := c.hours.NextOpen(m.Over); !begin.Before(m.Over) && begin.Before(m.Until) {
		m.Offer = begin
	}
	return m, true
}

// BadNightsOf returns the bad nights of those that were last, at an instant at which it is morning for whoever had them.
func BadNightsOf(pages []Page, people map[oncall.UserID]Person, now time.Time) map[oncall.UserID]Morning {
	clock := newClocks(people)
	out := map[oncall.UserID]Morning{}
	for _, n := range nights(interruptions(pages, clock)) {
		m, is := clock.of(n.User).Morning(now)
		if is && n.Bad() && n.Date == m.Night {
			out[n.User] = m
		}
	}
	return out
}

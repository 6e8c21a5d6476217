package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// offerAt is when cover is offered after a bad night, unless the person's hours begin earlier.
	offerAt = schedule.TimeOfDay(8 * 60)
	// offerUntil is when it is too late for that.
	offerUntil = schedule.TimeOfDay(12 * 60)

	// BadNights is the number of a person's bad nights within Fortnight of which managers are told.
	BadNights = 3
	// Fortnight is how long a bad night counts for that.
	Fortnight = 14 * 24 * time.Hour
)

// Morning is the time after a night: when it ended, and when to contact people who had a bad one.
type Morning struct {
	Night  schedule.Date // the date of the evening
	Begins time.Time     // 23:00 that evening
	Over   time.Time     // 07:00
	Offer  time.Time     // 08:00, or when the person's hours begin if that is between 07:00 and 12:00
	Until  time.Time     // 12:00
}

// Morning returns the morning after the last night; false if it isn't morning for the person.
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

// Wakened returns the people for whom it is morning at an instant.
func Wakened(people map[oncall.UserID]Person, now time.Time) []oncall.UserID {
	clock := newClocks(people)
	var out []oncall.UserID
	for u := range people {
		if _, ok := clock.of(u).Morning(now); ok {
			out = append(out, u)
		}
	}
	slices.Sort(out)
	return out
}

// BadNightsOf returns who had a bad night just before an instant at which it is morning for them,
// with the incidents that woke them.
func BadNightsOf(pages []Page, people map[oncall.UserID]Person, now time.Time) (tired []Tired, by map[oncall.UserID][]oncall.IncidentID) {
	clock := newClocks(people)
	rings := interruptions(pages, clock)
	by = map[oncall.UserID][]oncall.IncidentID{}
	for _, n := range nights(rings) {
		m, ok := clock.of(n.User).Morning(now)
		if !ok || !n.Bad() || n.Date != m.Night {
			continue
		}
		tired = append(tired, Tired{User: n.User, Morning: m, Wakes: n.Wakes})
		for _, i := range rings {
			if i.User == n.User && i.Band == Sleep && i.Night == n.Date {
				by[n.User] = append(by[n.User], i.Incident)
			}
		}
	}
	return tired, by
}

// A Tired is a person who had a bad night.
type Tired struct {
	User     oncall.UserID
	Morning  Morning
	Wakes    int
	Before   int             // bad nights reported within the fortnight before
	Managers []oncall.UserID // managers of the teams whose incidents woke them, as far as known
}

// Key is that of the notice to the person: one per night.
func (t Tired) Key() string { return fmt.Sprintf("badnight/%s/%s", t.User, t.Morning.Night) }

// Notices offers the person cover in the morning, and tells managers of the third bad night in a
// fortnight.
func (t Tired) Notices() []oncall.Notice {
	m := t.Morning
	detail := oncall.NoticeDetail{Users: []oncall.UserID{t.User}, Count: t.Wakes, Start: m.Begins, End: m.Over}
	out := []oncall.Notice{{Key: t.Key(), To: string(t.User), Kind: oncall.NoticeBadNight, Detail: detail, At: m.Offer, Until: &m.Until}}
	if t.Before+1 != BadNights {
		return out
	}
	detail.Count = t.Before + 1
	for _, u := range t.Managers {
		if u != t.User {
			out = append(out, oncall.Notice{
				Key: fmt.Sprintf("badnights/%s/%s/%s", t.User, m.Night, u), To: string(u), Kind: oncall.NoticeBadNights, Detail: detail, At: m.Offer,
			})
		}
	}
	return out
}

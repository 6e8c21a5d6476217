package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Lead is how far before and after a period pages have to be known: longer than a night, in which somebody may have been
// woken already or is woken again, and than a call may go on.
const Lead = 12 * time.Hour

const (
	// quiet is how long nothing has to come until the next page is another interruption.
	quiet = time.Minute
	// callLasts is how long the pages of one call by several contact methods are one interruption.
	callLasts = 10 * time.Minute
)

// BadNight is how often somebody is woken in a night that was bad.
const BadNight = 2

// An Interruption is that somebody was disturbed: one page, or several of which people would say that it rang once.
type Interruption struct {
	User     oncall.UserID
	At       time.Time
	Incident oncall.IncidentID // of its first page
	Band     Band
	Night    schedule.Date // in Sleep: which night
}

// callID names a call: all pages of a person that one decision makes.
type callID struct {
	user       oncall.UserID
	incident   oncall.IncidentID
	seq, asked int64
}

// messageID names what one person got at once.
type messageID struct {
	user oncall.UserID
	id   oncall.PageID
}

// interruptions finds which pages began to disturb somebody. A page doesn't that is of the same message or, within
// minutes, of the same call as one before it, or that comes within a minute after any. Each of that is to be seen from the
// pages just before it, so that it doesn't matter where a period is cut.
func interruptions(pages []Page, clock clocks) []Interruption {
	pages = slices.Clone(pages)
	slices.SortStableFunc(pages, func(a, b Page) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Incident, b.Incident), cmp.Compare(a.Message, b.Message))
	})
	last, calls, messages := map[oncall.UserID]time.Time{}, map[callID]time.Time{}, map[messageID]bool{}
	var out []Interruption
	for _, p := range pages {
		call, message := callID{p.User, p.Incident, p.Seq, p.Asked}, messageID{p.User, p.Message}
		before, any := last[p.User]
		called, ofCall := calls[call]
		again := any && p.At.Sub(before) < quiet || ofCall && p.At.Sub(called) < callLasts || p.Message != 0 && messages[message]
		last[p.User], calls[call], messages[message] = p.At, p.At, true
		if again {
			continue
		}
		c := clock.of(p.User)
		i := Interruption{User: p.User, At: p.At, Incident: p.Incident, Band: c.Band(p.At)}
		if i.Band == Sleep {
			i.Night = c.Night(p.At)
		}
		out = append(out, i)
	}
	return out
}

// A Night is a night in which somebody was woken.
type Night struct {
	User  oncall.UserID
	Date  schedule.Date // of its evening
	First time.Time     // when they were woken first
	Wakes int
}

// Bad reports whether it was a bad one.
func (n Night) Bad() bool { return n.Wakes >= BadNight }

// nights gathers the nights in which people were woken, by when.
func nights(of []Interruption) []Night {
	type key struct {
		user oncall.UserID
		date schedule.Date
	}
	at := map[key]int{}
	var out []Night
	for _, i := range of {
		if i.Band != Sleep {
			continue
		}
		k := key{i.User, i.Night}
		n, known := at[k]
		if !known {
			n = len(out)
			at[k] = n
			out = append(out, Night{User: i.User, Date: i.Night, First: i.At})
		}
		out[n].Wakes++
	}
	return out
}

// Nights returns the nights in which pages have woken people.
func Nights(pages []Page, people map[oncall.UserID]Person) []Night {
	return nights(interruptions(pages, newClocks(people)))
}

package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Lead is how far before and after a period pages must be known: longer than a night, whose first
// wake may lie outside, and longer than a call may last.
const Lead = 12 * time.Hour

const (
	// quiet is the pause after which the next page is another interruption.
	quiet = time.Minute
	// callLasts is how long a call's pages by several contact methods count as one interruption.
	callLasts = 10 * time.Minute
)

// BadNight is how many wakes make a night a bad one.
const BadNight = 2

// An Interruption is one disturbance of a person: one page, or several of which people would say
// that it rang once.
type Interruption struct {
	User     oncall.UserID
	At       time.Time
	Incident oncall.IncidentID // of the first page
	Band     Band
	Night    schedule.Date // the night, if in Sleep
}

// callID identifies a call: all pages of a person made by one decision.
type callID struct {
	user       oncall.UserID
	incident   oncall.IncidentID
	seq, asked int64
}

// messageID identifies one message that a person received.
type messageID struct {
	user oncall.UserID
	id   oncall.PageID
}

// interruptions finds the pages that began an interruption. A page doesn't begin one if it shares
// the message of an earlier page, comes minutes after one of the same call, or within a minute
// after any. Each condition depends only on the pages shortly before, so that the result doesn't
// depend on where a period begins.
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

// A Night is a night in which a person was woken.
type Night struct {
	User  oncall.UserID
	Date  schedule.Date // of the evening
	First time.Time     // the first wake
	Wakes int
}

// Bad reports whether it was a bad night.
func (n Night) Bad() bool { return n.Wakes >= BadNight }

// nights groups interruptions into nights, sorted by time.
func nights(interruptions []Interruption) []Night {
	type key struct {
		user oncall.UserID
		date schedule.Date
	}
	at := map[key]int{}
	var out []Night
	for _, i := range interruptions {
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

package oncall

import "time"

// A ConvoyID numbers a convoy: pages to one recipient, of one integration, that were decided on together and are
// looked after by one job. Thousands of jobs that find the same recipient told a moment ago would only wait for
// each other. The job looks at one of them, which takes the others along when it is sent. 0: there is none.
type ConvoyID int64

// A ConvoyKey is what the pages of a convoy have in common, so that what defers one of them defers them all.
type ConvoyKey struct {
	User        UserID
	Method      Method
	Contact     ContactID
	Integration IntegrationID
}

// Convoy returns which convoy a page of an incident can travel in. What is for no person takes nothing along, and
// what has a time of its own depends on the other pages of its call.
func (p Page) Convoy(in Incident, now time.Time) (key ConvoyKey, ok bool) {
	return ConvoyKey{p.UserID, p.Method, p.Contact, in.IntegrationID}, p.UserID != "" && !p.At.After(now)
}

// A ConvoyOrder is what becomes of the pages that wait behind the one that their job has looked at.
type ConvoyOrder int

// What can become of them.
const (
	ConvoyWaits     ConvoyOrder = iota // the job looks again
	ConvoyNext                         // one of those that were not taken along gets the next job
	ConvoyDissolves                    // each gets a job of its own: what ended the first says nothing about them
)

// convoy decides what becomes of those behind a page.
func (v verdict) convoy() ConvoyOrder {
	switch v {
	case pageEarly, pageDeferred:
		return ConvoyWaits
	case pageUnneeded, pageBarred, pageGone, pageTooOften:
		return ConvoyDissolves
	case pageOver, pageBusy, pageGoesNow:
	}
	return ConvoyNext
}

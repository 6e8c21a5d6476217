package oncall

import "time"

// A ConvoyID numbers a convoy: pages to one recipient about one integration that were decided on together and share a
// job. Thousands of jobs for one recipient in a cooldown would only wait for each other; instead, one job handles the
// first page, whose message takes the others along. 0: none.
type ConvoyID int64

// A ConvoyKey is what the pages of a convoy have in common, so that a cooldown defers all of them or none.
type ConvoyKey struct {
	User        UserID
	Method      Method
	Contact     ContactID
	Integration IntegrationID
}

// Convoy returns the key of the convoy that a page may join. Pages to channels and webhooks take nothing along, and a
// later page of a call depends on the ones before it, so these join none.
func (p Page) Convoy(in Incident, now time.Time) (key ConvoyKey, ok bool) {
	return ConvoyKey{p.UserID, p.Method, p.Contact, in.IntegrationID}, p.UserID != "" && !p.At.After(now)
}

// A ConvoyOrder says what happens to the rest of a convoy after its job has handled the first page.
type ConvoyOrder int

// What can happen to the rest of a convoy.
const (
	ConvoyWaits     ConvoyOrder = iota // the same job will check again
	ConvoyNext                         // one of those that were not taken along gets the next job
	ConvoyDissolves                    // each gets its own job, since the first one's fate says nothing about theirs
)

// convoy decides what happens to the rest of the page's convoy.
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

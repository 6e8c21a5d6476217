package oncall

import "time"

// A PageBatchID numbers a batch: pages to one recipient about one integration that were decided on together and share a
// job. Thousands of jobs for one recipient in a cooldown would only wait for each other; instead, one job handles the
// first page, whose message takes the others along. 0: none.
type PageBatchID int64

// A PageBatchKey is what the pages of a batch have in common, so that a cooldown defers all of them or none.
type PageBatchKey struct {
	User        UserID
	Method      Method
	Contact     ContactID
	Integration IntegrationID
}

// BatchKey returns the key of the batch that a page may join. Pages to channels and webhooks take nothing along, and a
// later page of a call depends on the ones before it, so these join none.
func (p Page) BatchKey(in Incident, now time.Time) (key PageBatchKey, ok bool) {
	return PageBatchKey{p.UserID, p.Method, p.Contact, in.IntegrationID}, p.UserID != "" && !p.At.After(now)
}

// A BatchOrder says what happens to the rest of a batch after its job has handled the first page.
type BatchOrder int

// What can happen to the rest of a batch.
const (
	BatchWaits     BatchOrder = iota // the same job will check again
	BatchNext                        // one of those that were not taken along gets the next job
	BatchDissolves                   // each gets its own job, since the first one's outcome says nothing about theirs
)

// batchOrder decides what happens to the rest of the page's batch.
func (r readiness) batchOrder() BatchOrder {
	switch r {
	case pageEarly, pageDeferred:
		return BatchWaits
	case pageUnneeded, pageBarred, pageGone, pageTooOften:
		return BatchDissolves
	case pageOver, pageBusy, pageGoesNow:
	}
	return BatchNext
}

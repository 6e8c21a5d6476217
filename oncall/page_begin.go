package oncall

import (
	"slices"
	"time"
)

// A readiness says whether a page can be sent now, and if not, why.
type readiness int

const (
	pageOver     readiness = iota // it has ended, or is part of another page's message
	pageUnneeded                  // it is no longer due
	pageBusy                      // another job is sending it
	pageBarred                    // its person can't be paged any more
	pageGone                      // its contact method can't be used any more
	pageEarly                     // its time has not come
	pageDeferred                  // its recipient is in a cooldown
	pageTooOften                  // its phone has rung too often
	pageGoesNow                   // it is sent now
)

// readiness decides whether the page is sent now and, if it is too early, when to check again.
func (f PageFacts) readiness(now time.Time) (ready readiness, again time.Time) {
	page, in := f.Lead, f.incident()
	switch {
	case page.Over():
		return pageOver, again
	case !page.Due(in):
		return pageUnneeded, again
	case page.Sending && *page.SenderJob != f.Job:
		return pageBusy, again
	case f.Lead.UserID != "" && f.Person.Unpageable() != "":
		return pageBarred, again
	case f.gone() != "":
		return pageGone, again
	}
	if again = f.early(now); !again.IsZero() {
		return pageEarly, again
	}
	if again = f.lastOther().DefersUntil(in, page.Method, now); page.takesAlong() && !again.IsZero() && !page.hasWaited(in, now) {
		return pageDeferred, again
	}
	if f.Lead.needsPhoneCalls() && f.ringsTooOften() != "" {
		return pageTooOften, time.Time{}
	}
	return pageGoesNow, time.Time{}
}

// PageNeeds tells which of the optional fields of PageFacts Begin needs.
type PageNeeds struct {
	Waiting, Codes, PhoneCalls bool
}

// Needs says which facts Begin still needs. Loading them takes further locks, so a page that isn't sent now needs none.
func (f PageFacts) Needs(now time.Time) PageNeeds {
	ready, _ := f.readiness(now)
	goes := ready == pageGoesNow
	return PageNeeds{
		Waiting: goes && f.Lead.takesAlong(), Codes: goes && f.Lead.needsCode(), PhoneCalls: goes && f.Lead.needsPhoneCalls(),
	}
}

// takesAlong reports whether other pages that wait for the same recipient join this one's message.
func (p PageStatus) takesAlong() bool { return p.untried() && p.UserID != "" }

// hasWaited reports whether the page has been deferred as long as an urgent one may be.
func (p PageStatus) hasWaited(in Incident, now time.Time) bool {
	return p.DeferredUntil != nil && !now.Before(*p.DeferredUntil) && in.cannotWait() && !p.Method.Info().Spoken
}

// needsCode reports whether a code must be chosen for the page's message.
func (p PageStatus) needsCode() bool {
	return p.Code == 0 && p.Contact != 0 && p.Method.Info().Coded
}

// Begin decides whether the page is sent now, and which incidents its message lists.
func (f PageFacts) Begin(now time.Time) PageDecision {
	page := f.Lead
	decision := PageDecision{Order: PageOrder{
		Page: page.Page, Incident: f.incident(), Incidents: []Incident{f.incident()}, Attempt: page.Attempt, Code: page.Code,
	}}
	ready, again := f.readiness(now)
	decision.Order.CheckAt, decision.Batch = again, ready.batchOrder()
	if f.Contact != nil {
		decision.Order.Address = f.Contact.Address
		decision.Order.OneWay = oneWay(page.Method, f.Contact.Address, f.Contact.NamedSender)
	}
	if page.At.After(now) { // unless pageEarly, it goes before its time
		page.At = now
	}
	switch ready {
	case pageUnneeded:
		f.skip(&decision, now)
	case pageBarred:
		decision.Order.Send, decision.Order.Unsendable = true, "who it is for "+f.Person.Unpageable()
	case pageGone:
		decision.Order.Send, decision.Order.Unsendable = true, "the contact method is switched off: "+f.gone()
	case pageTooOften:
		decision.Order.Send, decision.Order.Unsendable = true, f.ringsTooOften()
		decision.Rests = f.phoneRestsNotice(now)
	case pageDeferred:
		page.DeferredUntil, decision.Deferred = &again, true
		decision.Pages = []PageStatus{page}
	case pageGoesNow:
		f.send(&decision, page, now)
	case pageOver, pageBusy, pageEarly:
	}
	return decision
}

func (f PageFacts) incident() Incident { return f.Incidents[f.Lead.IncidentID] }

// gone says why the contact method can't be used any more.
func (f PageFacts) gone() string {
	switch c := f.Contact; {
	case f.Lead.Contact == 0:
		return ""
	case c == nil:
		return "it is not there"
	case c.Removed:
		return "it was removed"
	case c.DisabledAt != nil:
		return c.DisabledWhy
	}
	return ""
}

// early returns when to check a page again whose time has not come. Zero means that it goes now,
// because all earlier pages of its call have failed. A page that a cooldown defers has not failed, so
// this one waits until shortly after the cooldown. But if the message that caused the cooldown failed,
// the deferred page counts as failed too.
func (f PageFacts) early(now time.Time) time.Time {
	page := f.Lead
	if !page.At.After(now) {
		return time.Time{}
	}
	var before, through int
	var deferred time.Time
	for _, o := range f.others(page.Page) {
		if o.ID > page.ID {
			continue
		}
		before++
		switch {
		case o.State == PageDelivered || o.State == PageSkipped || o.Redials > 0:
			through++
		case o.State == PageWaiting && o.DeferredUntil != nil && o.LastState == PageDelivered:
			deferred = latest(deferred, *o.DeferredUntil)
		}
	}
	again := deferred.Add(FallbackDelay)
	switch {
	case before == 0 || through > 0 || again.After(page.At):
		return page.At
	case again.After(now):
		return again
	}
	return time.Time{}
}

// others returns the other pages of the same call.
func (f PageFacts) others(p Page) []CallPage {
	return slices.DeleteFunc(slices.Clone(f.SameCall), func(o CallPage) bool { return o.ID == p.ID || o.id() != p.id() })
}

// lastOther returns the recipient's last message from another page, because a page never defers
// itself.
func (f PageFacts) lastOther() LastPage {
	if f.Last.Page == f.Lead.ID {
		return LastPage{}
	}
	return f.Last
}

// forget ends the cooldown that the lead's message caused, if any. The pages that it deferred are released.
func (f PageFacts) forget() (last *LastPage, release bool) {
	if f.Last.Page != f.Lead.ID || f.Last.At.IsZero() {
		return nil, false
	}
	l := f.Last
	l.At = time.Time{}
	return &l, true
}

// skip ends a page that is no longer due. The other pages of its bundle get jobs of their own.
func (f PageFacts) skip(decision *PageDecision, now time.Time) {
	page := f.Lead
	page.State, page.EndedAt, page.SenderJob = PageSkipped, &now, nil
	decision.Pages = []PageStatus{page}
	for _, m := range f.Members {
		if m.State == PageWaiting {
			m.Bundle, m.DeferredUntil = 0, nil
			decision.Pages = append(decision.Pages, m)
			decision.Tasks = append(decision.Tasks, m.Task(0))
		}
	}
	if page.DoubtAt == nil && page.Redials == 0 {
		decision.Last, decision.Release = f.forget()
	}
}

// send begins an attempt. If an earlier attempt is in doubt, the provider is asked about that one
// first.
func (f PageFacts) send(decision *PageDecision, page PageStatus, now time.Time) {
	first := page.takesAlong()
	f.list(decision, first, now)
	page.SenderJob = &f.Job
	if page.needsCode() {
		page.Code = f.code(decision.Order.Incidents)
	}
	decision.Order.Send, decision.Order.Code, decision.Order.Blocked = true, page.Code, page.Blocked
	for _, o := range f.others(page.Page) {
		if o.State == PageWaiting && !slices.Contains(decision.Order.Others, o.Method) {
			decision.Order.Others = append(decision.Order.Others, o.Method)
		}
	}
	if page.DoubtAt != nil {
		decision.Order.Doubt, decision.Order.DoubtSince = page.DoubtAt, *page.DoubtAt
		decision.Pages = append(decision.Pages, page)
		return
	}
	if first {
		l := f.lastOther().Add(page.Method, now, decision.Order.Incidents...)
		l.Page = page.ID
		decision.Last = &l
	}
	page.Attempt++
	page.AttemptedAt, page.DoubtAt = &now, &now
	decision.Order.Attempt, decision.Order.DoubtSince = page.Attempt, now
	decision.Pages = append(decision.Pages, page)
}

// BundleLimit is how many pages share a message at most. Their outcome is saved in one transaction, which should take
// no more than a second or two.
const BundleLimit = 1000

// list collects the incidents of the message. Members that are no longer due are skipped, and waiting pages join, with
// their own bundle if they lead one that was not sent.
func (f PageFacts) list(decision *PageDecision, withWaiting bool, now time.Time) {
	asks := f.Lead.Asks()
	add := func(page PageStatus, changed bool) {
		in := f.Incidents[page.IncidentID]
		switch {
		case !page.Due(in):
			if page.State == PageWaiting {
				page.State, page.EndedAt, changed = PageSkipped, &now, true
			}
		default:
			asks = asks && page.Asks()
			if !slices.ContainsFunc(decision.Order.Incidents, func(o Incident) bool { return o.ID == in.ID }) {
				decision.Order.Incidents = append(decision.Order.Incidents, in)
			}
		}
		if changed {
			decision.Pages = append(decision.Pages, page)
		}
	}
	for _, m := range f.Members {
		add(m, false)
	}
	if withWaiting {
		for _, m := range f.joiningPages(now) {
			m.Bundle = f.Lead.ID
			add(m, true)
		}
	}
	WorstFirst(decision.Order.Incidents)
	for _, r := range f.incident().Responders {
		if asks && r.User == f.Lead.UserID {
			decision.Order.AskedBy, decision.Order.AskedFor = r.By, r.Text
		}
	}
}

// joiningPages returns the waiting pages that join the message.
func (f PageFacts) joiningPages(now time.Time) []PageStatus {
	var out []PageStatus
	leads := map[PageID]bool{}
	for _, m := range f.Waiting {
		if m.Joins(f.Lead, now) && m.Due(f.Incidents[m.IncidentID]) && len(leads) < BundleLimit-len(f.Members) {
			leads[m.ID] = true
			out = append(out, m)
		}
	}
	for _, m := range f.Waiting {
		if leads[m.Bundle] && m.State == PageWaiting {
			out = append(out, m)
		}
	}
	return out
}

// maxCode is the highest code of a message; more digits would be mistaken for a proof.
const maxCode = 99_999

// code chooses the code by which an answer names the message. In this order:
//
//   - the number of the message's only incident, unless it is the code of another message to the same address
//   - the code with a letter (negative here) of an earlier message, if this one lists nothing that the earlier one didn't,
//     and everything in it that is still open
//   - a letter and the number of the oldest incident in the message whose code with a letter is free
//   - a letter and the smallest number that is free
func (f PageFacts) code(about []Incident) int {
	taken, own := map[int]bool{}, map[IncidentID]bool{}
	var numbers []int
	for _, in := range about {
		own[in.ID] = true
		numbers = append(numbers, int(in.ID))
	}
	slices.Sort(numbers)
	latest := map[int]CodeInUse{} // a code refers to the latest message that has it
	for _, c := range f.Codes {
		taken[c.Code], latest[c.Code] = true, c
	}
	if len(numbers) == 1 && numbers[0] <= maxCode && (!taken[numbers[0]] || latest[numbers[0]].covers(own)) {
		return numbers[0]
	}
	same := 0
	for code, c := range latest {
		if code < 0 && c.covers(own) && (same == 0 || code > same) {
			same = code
		}
	}
	if same != 0 {
		return same
	}
	for _, n := range numbers {
		if n <= maxCode && !taken[-n] {
			return -n
		}
	}
	code := 1
	for taken[-code] {
		code++
	}
	return -code
}

// covers reports whether a message about the incidents can share the code: it lists everything still open in the
// earlier message, and nothing that the earlier one didn't.
func (c CodeInUse) covers(incidents map[IncidentID]bool) bool {
	if !c.Own {
		return false
	}
	for id := range incidents {
		if !slices.Contains(c.Incidents, id) {
			return false
		}
	}
	return !slices.ContainsFunc(c.Open, func(id IncidentID) bool { return !incidents[id] })
}

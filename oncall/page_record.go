package oncall

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

const (
	// TrackEvery is how often a provider is first asked what became of a message.
	TrackEvery = 5 * time.Second
	// redialAfter is the pause before a phone that nobody picked up is called again.
	redialAfter = 30 * time.Second
)

// A PageResult is the result of one attempt: one of the five types that follow.
type PageResult interface{ pageResult() }

// PageAccepted says that the provider has accepted the message.
type PageAccepted struct {
	Ref   string     // the provider's id of the message
	Track bool       // whether the provider can be asked what became of it
	Copy  *DrawnCopy // the message, if it is a Slack message that shows the incident
}

// PageRefused says that the message will never arrive.
type PageRefused struct {
	Why    string
	Dead   bool   // no message will ever reach this address
	Remedy string // what an admin has to do so that such messages arrive; empty: nothing
}

// PageBlocked says that the message can be sent once an admin has acted.
type PageBlocked struct{ Why string }

// PageThrottled says that this attempt certainly sent nothing, and doesn't count.
type PageThrottled struct {
	Why    string
	Doubt  *time.Time // an earlier attempt begun then may have been sent
	Passed bool       // the person's other contact methods go first
}

// PageDoubtful says that an attempt that began at Since or later may have sent the message.
type PageDoubtful struct {
	Why   string
	Since time.Time
}

func (PageAccepted) pageResult()  {}
func (PageRefused) pageResult()   {}
func (PageBlocked) pageResult()   {}
func (PageThrottled) pageResult() {}
func (PageDoubtful) pageResult()  {}

// A DrawnCopy is a Slack message and the version of the incident that it shows.
type DrawnCopy struct {
	Channel string
	TS      string
	Version int64
}

// ReceiptState is the state of a message after its provider accepted it.
type ReceiptState string

// The states that have an effect. Providers may report others.
const (
	ReceiptPending    ReceiptState = "pending"
	ReceiptDelivered  ReceiptState = "delivered"
	ReceiptAnswered   ReceiptState = "answered"
	ReceiptUnanswered ReceiptState = "unanswered"
	ReceiptFailed     ReceiptState = "failed"
)

// A PageReceipt is a provider's report about a message that it accepted.
type PageReceipt struct {
	State  ReceiptState
	Why    string
	Final  bool   // the state won't change any more
	Dead   bool   // no message will ever reach this address
	Remedy string // what an admin has to do, whatever the state; empty: nothing
	Named  *bool  // whether the message shows a sender name, which can't be answered; nil: not known yet
}

// A StepPage is a page of an incident's latest step.
type StepPage struct {
	ID         PageID
	IncidentID IncidentID
	State      PageState
	Blocked    bool // the timeline says that an admin has to act first
}

// Reaches reports whether the page was delivered, or can be without an admin.
func (p StepPage) Reaches() bool {
	return p.State == PageDelivered || p.State != PageFailed && !p.Blocked
}

// A PageChange is what follows from a message's result, for all of its pages.
type PageChange struct {
	PageUpdate
	Changes []Change   // to the incidents, oldest first
	Forward []PageID   // pages that no longer wait for their time
	Disable string     // why the contact method is switched off; empty: it isn't
	Named   *bool      // whether messages to the contact method show a sender name; nil: not known
	Copy    *DrawnCopy // a Slack message to keep up to date with its incident
	Bundle  *Notice    // if set, Copy is the message of this bundle
}

// A pageRecorder builds a PageChange, for Record and RecordReceipt.
type pageRecorder struct {
	PageFacts
	now     time.Time
	pages   []PageStatus // the pages of the message, the lead first
	changes map[IncidentID]*Change
	out     PageChange
}

func (f PageFacts) recorder(now time.Time) *pageRecorder {
	rec := &pageRecorder{PageFacts: f, now: now, pages: f.message(), changes: map[IncidentID]*Change{}}
	for id, in := range f.Incidents {
		rec.changes[id] = &Change{Incident: in, before: in, now: now}
	}
	return rec
}

// message returns the pages of the message, the lead first.
func (f PageFacts) message() []PageStatus { return append([]PageStatus{f.Lead}, f.Members...) }

// Record decides what follows from an attempt. Delivery, failure and blocking are noted in the timeline. Everything
// except delivery brings the person's next contact method forward.
func (f PageFacts) Record(result PageResult, now time.Time) PageChange {
	rec := f.recorder(now)
	lead := &rec.pages[0]
	accepted, _ := result.(PageAccepted)
	if accepted.Copy != nil { // even if the page has ended: the buttons of a surplus message must be right too
		rec.keepDrawn(*accepted.Copy)
	}
	if lead.State != PageWaiting {
		return rec.change()
	}
	lead.SenderJob, lead.DoubtAt = nil, nil
	switch r := result.(type) {
	case PageAccepted:
		lead.Detail = r.Ref
		rec.delivered(r)
	case PageRefused:
		rec.failed(r.Why, r.Dead)
		rec.notifyAdmins(r.Remedy)
	case PageBlocked:
		lead.Detail = r.Why
		if !lead.Blocked { // otherwise everybody has been told
			rec.blocked(r.Why)
		}
	case PageThrottled:
		lead.Detail, lead.DoubtAt = r.Why, r.Doubt
		lead.Attempt--
		if r.Passed {
			rec.forwardAll()
		}
	case PageDoubtful:
		lead.Detail, lead.DoubtAt = r.Why, &r.Since
		rec.forwardAll()
	}
	return rec.change()
}

// RecordReceipt decides what follows from a provider's report. A phone that nobody picked up is called once more; a
// failure brings the person's next contact method forward.
func (f PageFacts) RecordReceipt(receipt PageReceipt, now time.Time) PageChange {
	rec := f.recorder(now)
	lead := &rec.pages[0]
	if lead.State != PageDelivered {
		return PageChange{}
	}
	known := lead.Receipt == receipt.State
	lead.Receipt, rec.out.Named = receipt.State, receipt.Named
	if receipt.Final {
		lead.TrackAt = nil
	}
	switch {
	case known:
	case receipt.State == ReceiptDelivered || receipt.State == ReceiptAnswered:
		rec.received(receipt.State)
	case receipt.State == ReceiptUnanswered && lead.Method.Info().Spoken && lead.Redials == 0:
		rec.received(receipt.State)
		rec.redial()
	case receipt.State == ReceiptUnanswered || receipt.State == ReceiptFailed:
		rec.failed(receipt.Why, receipt.Dead)
	}
	if !known || receipt.Final {
		rec.notifyAdmins(receipt.Remedy) // last, because show drops notices when it begins a new version
	}
	return rec.change()
}

// change returns everything that has changed.
func (rec *pageRecorder) change() PageChange {
	for i, was := range rec.message() {
		if !reflect.DeepEqual(rec.pages[i], was) {
			rec.out.Pages = append(rec.out.Pages, rec.pages[i])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rec.changes)) {
		switch c := rec.changes[id]; {
		case rec.begun(c):
			rec.out.Changes = append(rec.out.Changes, c.done())
		case len(c.Events) > 0 || len(c.Notices) > 0:
			rec.out.Changes = append(rec.out.Changes, *c)
		default:
			rec.out.Tasks = append(rec.out.Tasks, c.Tasks...)
		}
	}
	return rec.out
}

// open returns the pages of the message that have neither failed nor been skipped.
func (rec *pageRecorder) open() []*PageStatus {
	var out []*PageStatus
	for i := range rec.pages {
		p := &rec.pages[i]
		if _, known := rec.changes[p.IncidentID]; known && (p.State == PageWaiting || p.State == PageDelivered) {
			out = append(out, p)
		}
	}
	return out
}

// noteQuietly records an event that Slack doesn't show, and so makes no new version of the incident. If the incident
// was raised by hand it does, because the person who raised it is shown who was reached.
func (rec *pageRecorder) noteQuietly(p *PageStatus, kind EventKind, text string) {
	if rec.changes[p.IncidentID].Incident.Raised() {
		rec.show(p, kind, p.detail(text))
		return
	}
	rec.changes[p.IncidentID].record(kind, ByTimer(), p.detail(text))
}

// show records an event that Slack shows. It makes a new version of the incident, once for all events of the message.
func (rec *pageRecorder) show(p *PageStatus, kind EventKind, d Detail) {
	c := rec.changes[p.IncidentID]
	if !rec.begun(c) {
		notes := c.Events
		*c = c.Incident.begin(ByTimer(), Facts{}, rec.now)
		c.Events = notes
	}
	c.record(kind, ByTimer(), d)
}

// begun reports whether a change makes a new version.
func (rec *pageRecorder) begun(c *Change) bool { return c.Incident.Version != c.before.Version }

func (p *PageStatus) detail(text string) Detail {
	d := Detail{Method: p.Method, Text: text}
	if p.UserID != "" {
		d.Users = []UserID{p.UserID}
	}
	return d
}

// keepDrawn registers a direct message to be kept up to date. If it is outdated already, it is redrawn at once.
func (rec *pageRecorder) keepDrawn(at DrawnCopy) {
	rec.out.Copy = &at
	if len(rec.Members) > 0 {
		n := rec.bundle()
		rec.out.Bundle = &n
		return
	}
	if in := rec.incident(); at.Version < in.Version {
		rec.changes[in.ID].Tasks = []Task{in.Redraw()}
	}
}

// bundle returns the message as a notice, which is redrawn when its incidents change.
func (rec *pageRecorder) bundle() Notice {
	var about []Incident
	for _, p := range rec.pages {
		in, known := rec.Incidents[p.IncidentID]
		if known && p.State != PageSkipped && !slices.ContainsFunc(about, func(o Incident) bool { return o.ID == in.ID }) {
			about = append(about, in)
		}
	}
	WorstFirst(about)
	return BundleNotice(rec.Lead.Key, rec.Lead.ID, rec.Lead.UserID, about)
}

// delivered notes that the message was accepted. Slack shows that only for pages that were blocked before.
func (rec *pageRecorder) delivered(taken PageAccepted) {
	lead := &rec.pages[0]
	for _, p := range rec.open() {
		if p.Blocked {
			rec.show(p, EventPageDelivered, p.detail(""))
		} else {
			rec.noteQuietly(p, EventPageDelivered, "")
		}
		p.State, p.EndedAt = PageDelivered, &rec.now
	}
	lead.Ref, lead.Receipt, lead.TrackAt = taken.Ref, "", nil
	if at := rec.now.Add(TrackEvery); taken.Track {
		lead.Receipt, lead.TrackAt = ReceiptPending, &at
	}
}

// failed notes that the message will never arrive.
func (rec *pageRecorder) failed(why string, dead bool) {
	open := rec.open()
	for _, p := range open {
		p.State, p.Detail, p.EndedAt, p.TrackAt = PageFailed, why, &rec.now, nil
	}
	rec.out.Last, rec.out.Release = rec.forget()
	rec.trouble(open, EventPageFailed, why)
	if dead && rec.Lead.Contact != 0 {
		rec.out.Disable = "its messages are refused: " + why
	}
}

// blocked notes that the message can be sent once an admin has acted.
func (rec *pageRecorder) blocked(why string) {
	rec.out.Last, rec.out.Release = rec.forget()
	rec.trouble(rec.open(), EventPageBlocked, why)
	c := rec.changes[rec.Lead.IncidentID]
	c.Notices = append(c.Notices, BlockedNotices(rec.Lead.Method, why, rec.remedyRecipients(c.Incident.TeamID), rec.now)...)
}

// remedyRecipients returns the admins, who can fix a blocked method, and the watchers of the team that has to do without it.
func (rec *pageRecorder) remedyRecipients(team TeamID) []string {
	to := slices.Clone(rec.Admins)
	for _, who := range rec.Watchers[team] {
		if !slices.Contains(to, who) {
			to = append(to, who)
		}
	}
	return to
}

// notifyAdmins tells admins what they have to fix so that such messages arrive.
func (rec *pageRecorder) notifyAdmins(what string) {
	if what == "" {
		return
	}
	c := rec.changes[rec.Lead.IncidentID]
	c.Notices = append(c.Notices, RemedyNotices(rec.Lead.Method, what, rec.remedyRecipients(c.Incident.TeamID), rec.now)...)
}

// trouble notes in the timelines that a message has not arrived, for pages that are still due. Each person's next
// contact method is brought forward; if a step reaches nobody any more, the next step runs.
func (rec *pageRecorder) trouble(pages []*PageStatus, kind EventKind, why string) {
	lost := map[PageID]bool{}
	var hit []IncidentID // incidents whose latest step lost a page
	for _, page := range pages {
		lost[page.ID] = true
		c := rec.changes[page.IncidentID]
		if !page.Due(c.Incident) {
			continue
		}
		d := page.detail(why)
		d.Page = page.ID
		rec.show(page, kind, d)
		rec.forward(page.Page)
		if page.latestStep(c.Incident) && !slices.Contains(hit, page.IncidentID) {
			hit = append(hit, page.IncidentID)
		}
	}
	for _, id := range hit {
		c := rec.changes[id]
		reached := slices.ContainsFunc(rec.Step, func(o StepPage) bool { return o.IncidentID == id && !lost[o.ID] && o.Reaches() })
		if !reached && c.unreached() {
			c.Notices = append(c.Notices, UnreachedNotices(c.Incident, rec.Watchers[c.Incident.TeamID])...)
		}
	}
}

// forwardAll brings the next page of each call in the message forward.
func (rec *pageRecorder) forwardAll() {
	for _, p := range rec.open() {
		rec.forward(p.Page)
	}
}

// forward lets the call's next page be sent now.
func (rec *pageRecorder) forward(p Page) {
	for _, o := range rec.others(p) {
		if o.ID < p.ID {
			continue
		}
		if o.State == PageWaiting && o.At.After(rec.now) && !slices.Contains(rec.out.Forward, o.ID) {
			rec.out.Forward = append(rec.out.Forward, o.ID)
			rec.out.Tasks = append(rec.out.Tasks, o.Task(0))
		}
		return
	}
}

// received notes the receipt in the timelines, which Slack doesn't show.
func (rec *pageRecorder) received(state ReceiptState) {
	for _, p := range rec.open() {
		rec.noteQuietly(p, EventPageReceipt, string(state))
	}
}

// redial lets the phone be called once more.
func (rec *pageRecorder) redial() {
	at := rec.now.Add(redialAfter)
	for _, p := range rec.open() {
		p.State, p.EndedAt, p.At = PageWaiting, nil, at
		p.Receipt, p.TrackAt, p.SenderJob, p.DoubtAt = "", nil, nil, nil
	}
	lead := &rec.pages[0]
	lead.Redials++
	lead.RedialKey = lead.Key + redialMark
	again := lead.Task(0)
	again.At = at
	rec.out.Tasks = append(rec.out.Tasks, again)
}

package oncall

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

const (
	// TrackEvery is how often a provider is asked at first what has become of a message.
	TrackEvery = 5 * time.Second
	// redialAfter is how long a phone is left alone that nobody has picked up.
	redialAfter = 30 * time.Second
)

// A PageResult is what became of one attempt: one of the five types that follow.
type PageResult interface{ pageResult() }

// PageAccepted says that the provider has taken the message.
type PageAccepted struct {
	Ref   string     // the provider's name for it
	Track bool       // the provider will tell what becomes of it
	Copy  *DrawnCopy // the message, if it is one in Slack that shows the incident
}

// PageRefused says that the message will never arrive.
type PageRefused struct {
	Why  string
	Dead bool   // nor will anything else at this address
	Mend string // what an admin has to do, so that others like it do; empty: nothing
}

// PageBlocked says that the message can go out once somebody has acted.
type PageBlocked struct{ Why string }

// PageThrottled says that this attempt surely never left, and doesn't count.
type PageThrottled struct {
	Why    string
	Doubt  *time.Time // an earlier attempt begun then may have been sent
	Passed bool       // other contact methods go first
}

// PageDoubtful says that an attempt since then may have been sent, or not.
type PageDoubtful struct {
	Why   string
	Since time.Time
}

func (PageAccepted) pageResult()  {}
func (PageRefused) pageResult()   {}
func (PageBlocked) pageResult()   {}
func (PageThrottled) pageResult() {}
func (PageDoubtful) pageResult()  {}

// A DrawnCopy is where in Slack a message is, and which version of the incident it shows.
type DrawnCopy struct {
	Channel string
	TS      string
	Version int64
}

// ReceiptState is how far a message has come that its provider has taken.
type ReceiptState string

// The states of which something follows. A provider may know others.
const (
	ReceiptPending    ReceiptState = "pending"
	ReceiptDelivered  ReceiptState = "delivered"
	ReceiptAnswered   ReceiptState = "answered"
	ReceiptUnanswered ReceiptState = "unanswered"
	ReceiptFailed     ReceiptState = "failed"
)

// A PageReceipt is what a provider says of a message that it has taken.
type PageReceipt struct {
	State ReceiptState
	Why   string
	Final bool   // asking again tells nothing new
	Dead  bool   // nothing will ever reach this address
	Mend  string // what an admin has to do, whatever the state; empty: nothing
	Named *bool  // whether the message comes from a name, which can't be answered; nil: not known yet
}

// A StepPage is a page of what an incident's policy did last.
type StepPage struct {
	ID         PageID
	IncidentID IncidentID
	State      PageState
	Blocked    bool // the timeline says that it waits until somebody has acted
}

// Reaches reports whether the page is delivered, or may be without anybody acting first.
func (p StepPage) Reaches() bool {
	return p.State == PageDelivered || p.State != PageFailed && !p.Blocked
}

// A PageChange is what follows from what became of a message: for the page that leads it and
// for those that it tells of as well.
type PageChange struct {
	PageUpdate
	Changes []Change   // of the incidents, oldest first
	Forward []PageID   // pages that don't wait for their time any more
	Disable string     // why the contact method is switched off; empty: it stays as it is
	Named   *bool      // whether its messages come from a name; nil: nothing new
	Copy    *DrawnCopy // a message in Slack that is to be kept up to date: of the incident,
	Bundle  *Notice    // or, if this is set, of several
}

// A pageRecorder makes a PageChange, for Record and Receipt.
type pageRecorder struct {
	PageFacts
	now     time.Time
	pages   []PageStatus // all of the message, the leading one first
	changes map[IncidentID]*Change
	out     PageChange
}

func (f PageFacts) recorder(now time.Time) *pageRecorder {
	e := &pageRecorder{PageFacts: f, now: now, pages: f.message(), changes: map[IncidentID]*Change{}}
	for id, in := range f.Incidents {
		e.changes[id] = &Change{Incident: in, before: in, now: now}
	}
	return e
}

// message are all pages of the message, the leading one first.
func (f PageFacts) message() []PageStatus { return append([]PageStatus{f.Lead}, f.Members...) }

// Record decides what follows from an attempt. Delivery, failure and being blocked become a
// line of the timeline. Anything but delivery starts the person's next contact method early.
func (f PageFacts) Record(r PageResult, now time.Time) PageChange {
	e := f.recorder(now)
	lead := &e.pages[0]
	accepted, _ := r.(PageAccepted)
	if accepted.Copy != nil { // also of a message that is one too many: its buttons must not lie
		e.shown(*accepted.Copy)
	}
	if lead.State != PageWaiting {
		return e.change()
	}
	lead.SenderJob, lead.DoubtAt = nil, nil
	switch r := r.(type) {
	case PageAccepted:
		lead.Detail = r.Ref
		e.delivered(r)
	case PageRefused:
		e.failed(r.Why, r.Dead)
		e.mend(r.Mend)
	case PageBlocked:
		lead.Detail = r.Why
		if !lead.Blocked { // else everybody concerned has heard
			e.blocked(r.Why)
		}
	case PageThrottled:
		lead.Detail, lead.DoubtAt = r.Why, r.Doubt
		lead.Attempt--
		if r.Passed {
			e.forwardAll()
		}
	case PageDoubtful:
		lead.Detail, lead.DoubtAt = r.Why, &r.Since
		e.forwardAll()
	}
	return e.change()
}

// Receipt decides what follows from what a provider says of a message that it has taken. A phone
// that nobody picks up rings once more; what has failed brings the next contact method forward.
func (f PageFacts) Receipt(r PageReceipt, now time.Time) PageChange {
	e := f.recorder(now)
	lead := &e.pages[0]
	if lead.State != PageDelivered {
		return PageChange{}
	}
	known := lead.Receipt == r.State
	lead.Receipt, e.out.Named = r.State, r.Named
	if r.Final {
		lead.TrackAt = nil
	}
	switch {
	case known:
	case r.State == ReceiptDelivered || r.State == ReceiptAnswered:
		e.received(r.State)
	case r.State == ReceiptUnanswered && lead.Method.Info().Spoken && lead.Redials == 0:
		e.received(r.State)
		e.redial()
	case r.State == ReceiptUnanswered || r.State == ReceiptFailed:
		e.failed(r.Why, r.Dead)
	}
	if !known || r.Final {
		e.mend(r.Mend) // last, as a new version of the incident begins without notices
	}
	return e.change()
}

// change is what has changed.
func (r *pageRecorder) change() PageChange {
	for i, was := range r.message() {
		if !reflect.DeepEqual(r.pages[i], was) {
			r.out.Pages = append(r.out.Pages, r.pages[i])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.changes)) {
		switch c := r.changes[id]; {
		case r.begun(c):
			r.out.Changes = append(r.out.Changes, c.done())
		case len(c.Events) > 0 || len(c.Notices) > 0:
			r.out.Changes = append(r.out.Changes, *c)
		default:
			r.out.Tasks = append(r.out.Tasks, c.Tasks...)
		}
	}
	return r.out
}

// open are those pages of the message for which it counts what becomes of it.
func (r *pageRecorder) open() []*PageStatus {
	var out []*PageStatus
	for i := range r.pages {
		p := &r.pages[i]
		if _, known := r.changes[p.IncidentID]; known && (p.State == PageWaiting || p.State == PageDelivered) {
			out = append(out, p)
		}
	}
	return out
}

// note adds a line to the timeline of a page's incident. Nothing in Slack shows it, so it makes no
// new version.
func (r *pageRecorder) note(p *PageStatus, kind EventKind, text string) {
	r.changes[p.IncidentID].record(kind, ByTimer(), p.detail(text))
}

// show does the same where Slack shows the line, or shows another one no longer: in a new version,
// which is one for all that the message was about.
func (r *pageRecorder) show(p *PageStatus, kind EventKind, d Detail) {
	c := r.changes[p.IncidentID]
	if !r.begun(c) {
		notes := c.Events
		*c = c.Incident.begin(ByTimer(), Facts{}, r.now)
		c.Events = notes
	}
	c.record(kind, ByTimer(), d)
}

// begun reports whether a change makes a new version.
func (r *pageRecorder) begun(c *Change) bool { return c.Incident.Version != c.before.Version }

func (p *PageStatus) detail(text string) Detail {
	d := Detail{Method: p.Method, Text: text}
	if p.UserID != "" {
		d.Users = []UserID{p.UserID}
	}
	return d
}

// shown has a message in Slack kept up to date. One that is behind is drawn again at once.
func (r *pageRecorder) shown(at DrawnCopy) {
	r.out.Copy = &at
	if len(r.Members) > 0 {
		n := r.bundle()
		r.out.Bundle = &n
		return
	}
	if in := r.incident(); at.Version < in.Version {
		r.changes[in.ID].Tasks = []Task{in.Redraw()}
	}
}

// bundle is the message as a notice, which is drawn again when its incidents change.
func (r *pageRecorder) bundle() Notice {
	var about []Incident
	for _, p := range r.pages {
		in, known := r.Incidents[p.IncidentID]
		if known && p.State != PageSkipped && !slices.ContainsFunc(about, func(o Incident) bool { return o.ID == in.ID }) {
			about = append(about, in)
		}
	}
	WorstFirst(about)
	return BundleNotice(r.Lead.Key, r.Lead.ID, r.Lead.UserID, about)
}

// delivered is for a message that was taken. Only what ends trouble is shown in Slack.
func (r *pageRecorder) delivered(taken PageAccepted) {
	lead := &r.pages[0]
	for _, p := range r.open() {
		if p.Blocked {
			r.show(p, EventPageDelivered, p.detail(""))
		} else {
			r.note(p, EventPageDelivered, "")
		}
		p.State, p.EndedAt = PageDelivered, &r.now
	}
	lead.Ref, lead.Receipt, lead.TrackAt = taken.Ref, "", nil
	if at := r.now.Add(TrackEvery); taken.Track {
		lead.Receipt, lead.TrackAt = ReceiptPending, &at
	}
}

// failed is for a message that has not arrived and never will.
func (r *pageRecorder) failed(why string, dead bool) {
	open := r.open()
	for _, p := range open {
		p.State, p.Detail, p.EndedAt, p.TrackAt = PageFailed, why, &r.now, nil
	}
	r.out.Last, r.out.Release = r.forget()
	r.trouble(open, EventPageFailed, why)
	if dead && r.Lead.Contact != 0 {
		r.out.Disable = "its messages are refused: " + why
	}
}

// blocked is for a message that goes out once somebody has acted.
func (r *pageRecorder) blocked(why string) {
	r.out.Last, r.out.Release = r.forget()
	r.trouble(r.open(), EventPageBlocked, why)
	c := r.changes[r.Lead.IncidentID]
	c.Notices = append(c.Notices, BlockedNotices(r.Lead.Method, why, r.Watchers[c.Incident.TeamID], r.now)...)
}

// mend tells admins what they have to do so that others get their messages.
func (r *pageRecorder) mend(what string) {
	if what == "" {
		return
	}
	c := r.changes[r.Lead.IncidentID]
	c.Notices = append(c.Notices, MendNotices(r.Lead.Method, what, r.Watchers[c.Incident.TeamID], r.now)...)
}

// trouble says in the timelines that a message has not arrived, where that matters to anybody. The
// people's next contact methods go now; where a step reaches nobody any more, the next step does.
func (r *pageRecorder) trouble(pages []*PageStatus, kind EventKind, why string) {
	lost := map[PageID]bool{}
	var hit []IncidentID // their latest step
	for _, p := range pages {
		lost[p.ID] = true
		c := r.changes[p.IncidentID]
		if !p.Due(c.Incident) {
			continue
		}
		d := p.detail(why)
		d.Page = p.ID
		r.show(p, kind, d)
		r.forward(p.Page)
		if p.latestStep(c.Incident) && !slices.Contains(hit, p.IncidentID) {
			hit = append(hit, p.IncidentID)
		}
	}
	for _, id := range hit {
		c := r.changes[id]
		reached := slices.ContainsFunc(r.Step, func(o StepPage) bool { return o.IncidentID == id && !lost[o.ID] && o.Reaches() })
		if !reached && c.unreached() {
			c.Notices = append(c.Notices, UnreachedNotices(c.Incident, r.Watchers[c.Incident.TeamID])...)
		}
	}
}

// forwardAll brings the next contact methods forward of all whom the message was for.
func (r *pageRecorder) forwardAll() {
	for _, p := range r.open() {
		r.forward(p.Page)
	}
}

// forward lets the page after this one of the same call go now.
func (r *pageRecorder) forward(p Page) {
	for _, o := range r.others(p) {
		if o.ID < p.ID {
			continue
		}
		if o.State == PageWaiting && o.At.After(r.now) && !slices.Contains(r.out.Forward, o.ID) {
			r.out.Forward = append(r.out.Forward, o.ID)
			r.out.Tasks = append(r.out.Tasks, o.Task())
		}
		return
	}
}

// received adds a line to the timelines, for those who look.
func (r *pageRecorder) received(state ReceiptState) {
	for _, p := range r.open() {
		r.note(p, EventPageReceipt, string(state))
	}
}

// redial has the phone ring once more.
func (r *pageRecorder) redial() {
	at := r.now.Add(redialAfter)
	for _, p := range r.open() {
		p.State, p.EndedAt, p.At = PageWaiting, nil, at
		p.Receipt, p.TrackAt, p.SenderJob, p.DoubtAt = "", nil, nil, nil
	}
	lead := &r.pages[0]
	lead.Redials++
	lead.RedialKey = lead.Key + redialMark
	again := lead.Task()
	again.At = at
	r.out.Tasks = append(r.out.Tasks, again)
}

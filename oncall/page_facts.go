package oncall

import (
	"time"
)

// A PageStatus is a page and how far it has come.
//
// A decision about an incident calls people. A call is one page for each notification rule of the
// person, in the order of their times. A job looks at each page at its time and asks
// Begin whether it goes now, and afterwards Record what follows from the attempt. Only pages in
// State waiting are sent; a delivered one waits once more if it was a phone call that nobody
// picked up. Five things decide when it is sent:
//
//   - Its time, At. Later pages of a call wait for theirs; but once it is clear that none before
//     them has got through, they go at once.
//   - The recipient's LastPage, where a recipient is a person by one contact method. After a
//     message, DeferredUntil briefly delays pages that are no more severe, so that a storm is a few
//     messages and not hundreds. The cooldown begins with an attempt. It is over when its time is, or
//     when that message turns out not to have been sent.
//   - Its Bundle. A page that is sent takes along everything untried that waits for the same
//     recipient: Bundle of those pages names it as their lead. What becomes of the message becomes
//     of all of them, but those that nobody needs any more are left out, and if the lead itself is
//     skipped the others go on alone.
//   - Its convoy, in which many pages of one decision wait behind one job.
//   - Doubt. Between the begin of an attempt and its record, DoubtAt says that it may have been
//     sent, and SenderJob who is sending it: other jobs leave it alone while that one runs. If it
//     died, or the provider gave no clear answer, the next attempt first asks the provider whether
//     the message is there.
type PageStatus struct {
	Page
	State         PageState
	Attempt       int        // how many have begun, but for those that surely never left
	AttemptedAt   *time.Time // when the latest of them began
	EndedAt       *time.Time
	Detail        string     // what went wrong last, or the provider's name for the message
	SenderJob     *int64     // the job that is sending it
	DoubtAt       *time.Time // an attempt begun then may have been sent
	DeferredUntil *time.Time // the recipient was told something a moment before
	Redials       int
	Code          int    // what the person types to mean its message; 0: nothing
	Bundle        PageID // leads the message that tells of this page; 0: the page has its own
	Ref           string // the provider's name for the message
	Receipt       ReceiptState
	TrackAt       *time.Time // when the provider is asked again what became of it; nil: never

	Blocked bool // the timeline says that it waits until somebody has acted
	Sending bool // SenderJob is running
}

// Over reports whether a job has nothing to do for the page: it has ended, or another page's message tells of it.
func (p PageStatus) Over() bool { return p.State != PageWaiting || p.Bundle != 0 }

// untried reports whether nothing has been sent of it, nor may have been.
func (p PageStatus) untried() bool { return p.Attempt == 0 && p.DoubtAt == nil }

// A recipient is a person by one contact method.
type recipient struct {
	user    UserID
	method  Method
	contact ContactID
}

func (p PageStatus) recipient() recipient { return recipient{p.UserID, p.Method, p.Contact} }

// Joins reports whether the page goes along with a message that is sent now: it waits for the same recipient,
// its time has come, and nothing of it has been sent or is being sent.
func (p PageStatus) Joins(lead PageStatus, now time.Time) bool {
	return p.ID != lead.ID && p.recipient() == lead.recipient() && !p.Over() && p.untried() && p.SenderJob == nil && !p.At.After(now)
}

// Deferred reports whether the page waits because its recipient was told something a moment before.
func (p PageStatus) Deferred(now time.Time) bool {
	return !p.Over() && p.DeferredUntil != nil && p.DeferredUntil.After(now)
}

// A CallPage is another page of a call.
type CallPage struct {
	Page
	State         PageState
	Redials       int
	DeferredUntil *time.Time
	LastState     PageState // of what its recipient was told last; empty: nothing
}

// A PageContact is what a page's contact method has become.
type PageContact struct {
	Address     string
	Removed     bool
	DisabledAt  *time.Time
	DisabledWhy string
	NamedSender bool // as in Contact
}

// A CodeInUse is a number by which people may answer another message of the same address.
type CodeInUse struct {
	Code      int
	Own       bool         // that message was to the same contact method
	Incidents []IncidentID // of that message
	Open      []IncidentID // those of them that are not resolved
}

// PageFacts are what the decision about a page depends on.
type PageFacts struct {
	Lead      PageStatus   // the page itself, which leads its message
	Members   []PageStatus // the pages that its message tells of as well
	Incidents map[IncidentID]Incident
	SameCall  []CallPage // all pages of their calls, in the order in which they go
	Last      LastPage   // of the recipient

	// To begin an attempt.
	Job        int64        // wants to send it
	Person     User         // whom it is for
	Contact    *PageContact // nil: there is none
	Waiting    []PageStatus // if it Needs them: what waits untried for the same recipient, with what that leads
	Codes      []CodeInUse  // if it Needs one
	PhoneCalls []PhoneCall  // if it Needs them: those of the last hour

	// To record what became of it.
	Step     []StepPage          // if it was not sent: the pages of the incidents' latest steps
	Watchers map[TeamID][]string // who is told when Watchbill can't reach people
	Admins   []string            // of the installation, who are told what only they can mend
}

// A PageOrder is a page with what is needed to send it.
type PageOrder struct {
	Page      Page
	Incident  Incident   // the page's own
	Incidents []Incident // of the message, worst first: several are a bundle
	Team      string     // name
	Address   string     // of the contact method; empty where that is the person, or Page.To
	Attempt   int        // from 1
	Code      int        // what the person types to mean this message; 0: nothing
	OneWay    bool       // nobody can answer where the message is
	Others    []Method   // by which methods the same call goes on, if this fails
	Blocked   bool       // the timeline says so already
	AskedBy   Actor      // who asks the person to help, where that is all of the message; zero: they are on call
	AskedFor  string     // what for, if they said

	Send  bool       // false: there is nothing to do any more, or not yet
	Again time.Time  // with Send false: when to look again; zero: never
	Other bool       // another job looks then
	Never string     // why nothing is sent and the page has failed; empty: it is sent
	Doubt *time.Time // an attempt begun then may have been sent: look for it before ResumePage
	Since time.Time  // if this attempt ends in doubt: when the earliest began that may have been sent
}

// A PageUpdate is what is to be saved of pages.
type PageUpdate struct {
	Pages   []PageStatus // those that have changed
	Last    *LastPage    // of the recipient, if that has changed
	Release bool         // the recipient's deferred pages go now: they were told nothing after all
	Tasks   []Task
}

// A PageDecision is whether a page is sent now.
type PageDecision struct {
	PageUpdate
	Order    PageOrder
	Deferred bool        // its recipient was told something a moment ago
	Convoy   ConvoyOrder // for those behind it; while it is deferred, they are
}

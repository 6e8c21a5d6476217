package oncall

import (
	"time"
)

// A PageStatus is a page and the state of its delivery.
//
// A decision about an incident makes calls. A call has one page for each of the person's notification rules, in the
// order of their times. A job checks each page at its time: Begin says whether it is sent now, and afterwards Record
// says what follows from the attempt. Only pages in state waiting are sent; a delivered phone call that nobody picked
// up waits once more, for its redial. Five things decide when a page is sent:
//
//   - Its time, At. Later pages of a call wait for theirs, but go at once when it is clear that none of the earlier
//     ones has got through.
//   - The recipient's LastPage. The cooldown after a message defers pages that are no more severe (DeferredUntil), so
//     that a storm is a few messages instead of hundreds. It begins with an attempt, and ends early if that message
//     turns out not to have been sent.
//   - Its Bundle. A page that is sent takes along all untried pages that wait for the same recipient. Their Bundle
//     names the page as their lead, and the outcome of its message is theirs too. Members that are no longer due are
//     left out; if the lead is skipped, the others go on alone.
//   - Its batch, in which many pages of one decision wait behind one job.
//   - Doubt. Between Begin and Record, DoubtAt says that an attempt may have been sent, and SenderJob by which job;
//     other jobs leave the page alone while that one runs. If the job died, or the provider gave no clear answer, the
//     next attempt first asks the provider whether it has the message.
type PageStatus struct {
	Page
	State         PageState
	Attempt       int        // attempts so far, except those that certainly sent nothing
	AttemptedAt   *time.Time // when the latest attempt began
	EndedAt       *time.Time
	Detail        string     // the latest error, or the provider's id of the message
	SenderJob     *int64     // the job that is sending the page
	DoubtAt       *time.Time // when the attempt began that may have been sent; nil: none
	DeferredUntil *time.Time // the end of the recipient's cooldown
	Redials       int
	Code          int    // the code of its message, see CodeText; 0: none
	Bundle        PageID // the page that leads its message; 0: it leads its own
	Ref           string // the provider's id of the message
	Receipt       ReceiptState
	TrackAt       *time.Time // when the provider is next asked about the message; nil: never

	Blocked bool // the timeline says that an admin has to act first
	Sending bool // SenderJob is running
}

// Over reports whether a job has nothing to do for the page: it has ended, or is part of another page's message.
func (p PageStatus) Over() bool { return p.State != PageWaiting || p.Bundle != 0 }

// untried reports whether no attempt has been made, nor may have been.
func (p PageStatus) untried() bool { return p.Attempt == 0 && p.DoubtAt == nil }

// A recipient is a person by one contact method.
type recipient struct {
	user    UserID
	method  Method
	contact ContactID
}

func (p PageStatus) recipient() recipient { return recipient{p.UserID, p.Method, p.Contact} }

// Joins reports whether the page can join a message that is sent now: it waits for the same recipient, its time has
// come, and no attempt to send it was made or is being made.
func (p PageStatus) Joins(lead PageStatus, now time.Time) bool {
	return p.ID != lead.ID && p.recipient() == lead.recipient() && !p.Over() && p.untried() && p.SenderJob == nil && !p.At.After(now)
}

// Deferred reports whether the page waits for the end of its recipient's cooldown.
func (p PageStatus) Deferred(now time.Time) bool {
	return !p.Over() && p.DeferredUntil != nil && p.DeferredUntil.After(now)
}

// A CallPage is another page of a call.
type CallPage struct {
	Page
	State         PageState
	Redials       int
	DeferredUntil *time.Time
	LastState     PageState // the state of its recipient's last message; empty: none
}

// A PageContact is the current state of a page's contact method.
type PageContact struct {
	Address     string
	Removed     bool
	DisabledAt  *time.Time
	DisabledWhy string
	NamedSender bool // as in Contact
}

// A CodeInUse is the code of another message to the same address.
type CodeInUse struct {
	Code      int
	Own       bool         // the message went to the same contact method
	Incidents []IncidentID // of the message
	Open      []IncidentID // those of them that are not resolved
}

// PageFacts is what the decision about a page depends on.
type PageFacts struct {
	Lead      PageStatus   // the page, which leads its message
	Members   []PageStatus // the other pages of the message
	Incidents map[IncidentID]Incident
	SameCall  []CallPage // all pages of the calls in the message, in order
	Last      LastPage   // the recipient's last message

	// For Begin.
	Job        int64        // the job that wants to send the page
	Person     User         // the page's person
	Contact    *PageContact // nil: none
	Waiting    []PageStatus // see Needs: untried pages that wait for the recipient, with their bundles
	Codes      []CodeInUse  // see Needs
	PhoneCalls []PhoneCall  // see Needs: the calls within CallsWithin
	RestTold   time.Time    // see Needs, like PhoneCalls: when the person last heard that the phone isn't called

	// For Record and RecordReceipt.
	Step     []StepPage          // the pages of the incidents' latest steps, unless the message was delivered
	Watchers map[TeamID][]string // who is told if people of a team can't be reached
	Admins   []string            // the installation's admins
}

// A PageOrder tells a job what to do with a page, and holds what is needed to send it.
type PageOrder struct {
	Page      Page
	Incident  Incident   // the page's own
	Incidents []Incident // all incidents of the message, worst first; several make a bundle
	Team      string     // the team's name
	Address   string     // of the contact method; empty for Slack, and for Page.To
	Attempt   int        // counted from 1
	Code      int        // the message's code, see CodeText; 0: none
	OneWay    bool       // the message can't be answered
	Others    []Method   // the methods by which the call continues if this page fails
	Blocked   bool       // the timeline already says that an admin has to act
	AskedBy   Actor      // who asked the person to help, if the message is about nothing else
	AskedFor  string     // with what, if AskedBy said

	Send       bool       // false: nothing to send, or not yet
	CheckAt    time.Time  // if Send is false: when to check again; zero: never
	OtherJob   bool       // if Send is false: another job checks again
	Unsendable string     // why the page fails without being sent; empty: it is sent
	Doubt      *time.Time // an attempt begun then may have been sent: ask the provider before ResumePage
	DoubtSince time.Time  // if this attempt ends in doubt: the start of the earliest attempt that may have been sent
}

// A PageUpdate is the changes to pages that are to be saved.
type PageUpdate struct {
	Pages   []PageStatus // pages that have changed
	Last    *LastPage    // the recipient's new LastPage; nil: unchanged
	Release bool         // the recipient's cooldown is cancelled, and deferred pages are sent
	Tasks   []Task
}

// A PageDecision is the result of Begin.
type PageDecision struct {
	PageUpdate
	Order    PageOrder
	Rests    *Notice    // tells the person that their phone isn't called; nil: nothing
	Deferred bool       // by the recipient's cooldown; the rest of the batch is deferred too
	Batch    BatchOrder // for the rest of the batch
}

package oncall

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// A Page is what one decision has to tell one person by one contact method. It may take several
// attempts to send it.
type Page struct {
	ID         PageID
	IncidentID IncidentID
	UserID     UserID // empty: it is for no person
	Method     Method
	Why        Sentence // completes "you are paged because …"
	Key        string   // one page a person, method and decision: the name that providers know it by

	Contact ContactID // 0: what everybody has
	To      string    // of a page that is for no person: a Slack channel or a URL
	At      time.Time // not sent earlier; zero: at once

	// Which decision made the page. All pages that one decision makes of one person are a call.
	CallSeq      int64  // the incident's Seq, where a step of the policy calls the person
	AskedVersion int64  // the incident's version, where somebody asks the person to help
	RedialKey    string // the name of the second phone call, once nobody has picked up the first
}

// PageState says what has become of a page.
type PageState string

// The states of a page.
const (
	PageWaiting   PageState = "waiting"   // to be sent, now or later
	PageDelivered PageState = "delivered" // its provider has taken it
	PageFailed    PageState = "failed"    // it never arrives
	PageSkipped   PageState = "skipped"   // nobody needed it any more
)

// page adds a page of somebody whom the policy calls, or who has the incident.
func (c *Change) page(u UserID, why Sentence) {
	c.add(Page{CallSeq: c.Incident.Seq, UserID: u, Method: MethodSlack, Why: why})
}

// ask adds the page of somebody who is asked to help: it is due whatever the incident's
// status, and no step of the policy.
func (c *Change) ask(u UserID, why Sentence) {
	c.add(Page{AskedVersion: c.Incident.Version, UserID: u, Method: MethodSlack, Why: why})
}

func (c *Change) add(p Page) {
	p.IncidentID = c.Incident.ID
	p.Key = p.key()
	c.Pages = append(c.Pages, p)
}

// key names the page. This release never reads anything out of it, but the one before still does.
func (p Page) key() string {
	decision, who := fmt.Sprint(p.CallSeq), string(p.UserID)
	if p.Asks() {
		decision = fmt.Sprint("ask/", p.AskedVersion)
	}
	if who == "" {
		who = url.QueryEscape(p.To)
	}
	return fmt.Sprintf("%d/%s/%s/%s", p.IncidentID, decision, who, p.Method)
}

// MessageKey is the name by which the provider knows the page's latest message.
func (p Page) MessageKey() string {
	if p.RedialKey != "" {
		return p.RedialKey
	}
	return p.Key
}

// Task has the page looked at by a job.
func (p Page) Task() Task { return p.TaskOf(0) }

// TaskOf is Task for the page that goes first in a convoy: its job looks after the others, too.
func (p Page) TaskOf(convoy ConvoyID) Task {
	return Task{Do: SendPage{Page: p.ID, Lane: p.Lane(), Convoy: convoy}}
}

// redialMark ends the key of a second phone call, so that it isn't mistaken for the first.
const redialMark = "~2"

// Asks reports whether the page asks somebody to help, rather than calls who is on call.
func (p Page) Asks() bool { return p.AskedVersion != 0 }

// Due reports whether the page is still worth sending. After an acknowledgement at most the page
// already in flight goes out. Later pages to its owners, or to whoever snoozed it, say that it got
// worse.
func (p Page) Due(in Incident) bool {
	r, known := in.responder(p.UserID)
	switch {
	case !in.Open():
		return false
	case p.Asks():
		return known && r.State == ResponderAsked && r.Asked == p.AskedVersion
	case p.CallSeq < in.PagesFrom || known && p.CallSeq <= r.Until:
		return false
	case in.Status == Acknowledged:
		return slices.Contains(in.Holders(), p.UserID)
	case in.Status == Snoozed:
		return p.UserID != "" && in.SnoozedBy.User == p.UserID
	}
	return p.UserID == "" || !slices.Contains(in.Acks, p.UserID)
}

// callID returns which call the page is of.
func (p Page) callID() callID {
	return callID{p.IncidentID, p.CallSeq, p.AskedVersion, p.UserID, p.To}
}

// A callID is what the pages of one call have in common, and no others.
type callID struct {
	incident       IncidentID
	seq, askedFrom int64
	user           UserID
	to             string
}

// latestStep reports whether the page belongs to what the incident's policy did last.
func (p Page) latestStep(in Incident) bool {
	return p.IncidentID == in.ID && !p.Asks() && p.CallSeq == in.Seq
}

// Lane names the queue in which a page waits for its turn: one for each method, so that a method that
// hangs holds up no other. Pages for no person wait apart, since anybody's server may be behind one.
func (p Page) Lane() string {
	if p.UserID == "" {
		return "step/" + string(p.Method)
	}
	return string(p.Method)
}

package oncall

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// A Call is what one decision has to tell one person. PagesOfCall makes pages of it: one for each of
// the person's notification rules.
type Call struct {
	IncidentID IncidentID
	UserID     UserID    // empty: it is for no person
	Method     Method    // of a call for no person: a channel or a webhook. Each page of a person has its own
	To         string    // of a call for no person: a Slack channel or a URL
	Why        Sentence  // completes "you are paged because …"
	At         time.Time // nothing of it is sent earlier; zero: at once

	// Which decision made it.
	CallSeq      int64 // the incident's Seq, where a step of the policy calls the person
	AskedVersion int64 // the incident's version, where somebody asks the person to help
}

// A Page is a call by one contact method. It may take several attempts to send it.
type Page struct {
	Call      // At is the page's own
	ID        PageID
	Key       string    // one page a person, method and decision: the name that providers know it by
	Contact   ContactID // 0: what everybody has
	RedialKey string    // the name of the second phone call, once nobody has picked up the first
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

// call adds a call of somebody whom the policy names, or who has the incident.
func (c *Change) call(u UserID, why Sentence) {
	c.add(Call{CallSeq: c.Incident.Seq, UserID: u, Why: why})
}

// ask adds a call of somebody who is asked to help: its pages are due whatever the incident's
// status, and no step of the policy.
func (c *Change) ask(u UserID, why Sentence) {
	c.add(Call{AskedVersion: c.Incident.Version, UserID: u, Why: why})
}

func (c *Change) add(call Call) {
	call.IncidentID = c.Incident.ID
	c.Calls = append(c.Calls, call)
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

// Asks reports whether somebody is asked to help, rather than called because they are on call.
func (c Call) Asks() bool { return c.AskedVersion != 0 }

// Due reports whether pages of the call are still worth sending. After an acknowledgement at most the
// page already in flight goes out. Later pages to its owners, or to whoever snoozed it, say that it got
// worse.
func (c Call) Due(in Incident) bool {
	r, known := in.responder(c.UserID)
	switch {
	case !in.Open():
		return false
	case c.Asks():
		return known && r.State == ResponderAsked && r.Asked == c.AskedVersion
	case c.CallSeq < in.PagesFrom || known && c.CallSeq <= r.Until:
		return false
	case in.Status == Acknowledged:
		return slices.Contains(in.Holders(), c.UserID)
	case in.Status == Snoozed:
		return c.UserID != "" && in.SnoozedBy.User == c.UserID
	}
	return c.UserID == "" || !slices.Contains(in.Acks, c.UserID)
}

// id returns what the pages of the call have in common, and no others.
func (c Call) id() callID {
	return callID{c.IncidentID, c.CallSeq, c.AskedVersion, c.UserID, c.To}
}

// A callID tells one call from another.
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

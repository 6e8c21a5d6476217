package oncall

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// A Call is the decision to page one person, channel or webhook. PagesOfCall makes its pages: one for each of the
// person's notification rules.
type Call struct {
	IncidentID IncidentID
	UserID     UserID    // empty: a channel or webhook is paged
	Method     Method    // without UserID: MethodChannel or MethodWebhook. In a Page: the page's method
	To         string    // without UserID: a Slack channel or a URL
	Why        Sentence  // completes "you are paged because …"
	At         time.Time // nothing is sent before; zero: at once

	// Exactly one of these is set, and identifies the decision.
	CallSeq      int64 // the incident's Seq, if the escalation pages the person
	AskedVersion int64 // the incident's Version, if somebody asked the person to help
}

// A Page is a call by one contact method. Sending it may take several attempts.
type Page struct {
	Call      // its At is the page's own
	ID        PageID
	Key       string    // unique; the name by which providers know the page
	Contact   ContactID // 0: Slack, a channel or a webhook
	RedialKey string    // the provider's name for the second phone call, if nobody picked up the first
}

// PageState is the state of a page.
type PageState string

// The states of a page.
const (
	PageWaiting   PageState = "waiting"   // to be sent, now or later
	PageDelivered PageState = "delivered" // its provider has accepted it
	PageFailed    PageState = "failed"    // it will never arrive
	PageSkipped   PageState = "skipped"   // it was no longer needed
)

// call adds a call to somebody whom the policy names, or who holds the incident.
func (c *Change) call(u UserID, why Sentence) {
	c.add(Call{CallSeq: c.Incident.Seq, UserID: u, Why: why})
}

// ask adds a call to somebody who is asked to help. Its pages are due while the incident is open, whatever its status,
// and don't count as a step of the policy.
func (c *Change) ask(u UserID, why Sentence) {
	c.add(Call{AskedVersion: c.Incident.Version, UserID: u, Why: why})
}

func (c *Change) add(call Call) {
	call.IncidentID = c.Incident.ID
	c.Calls = append(c.Calls, call)
}

// key makes the page's key. This release never parses it, but the previous one does.
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

// MessageKey returns the provider's name for the page's latest message.
func (p Page) MessageKey() string {
	if p.RedialKey != "" {
		return p.RedialKey
	}
	return p.Key
}

// Task returns the job that sends the page and then handles the rest of its batch, if the page is in one.
func (p Page) Task(batch PageBatchID) Task {
	return Task{Args: SendPage{Page: p.ID, Lane: p.Lane(), Batch: batch}}
}

// redialMark is the suffix for the key of a second phone call, so that it isn't mistaken for the first.
const redialMark = "~2"

// Asks reports whether the call asks somebody to help, rather than being part of the escalation.
func (c Call) Asks() bool { return c.AskedVersion != 0 }

// Due reports whether pages of the call should still be sent. After an acknowledgement at most the page already in
// flight goes out; later pages to the holders, or to the person who snoozed the incident, say that it got worse.
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

// id identifies the call: its pages have the same one.
func (c Call) id() callID {
	return callID{c.IncidentID, c.CallSeq, c.AskedVersion, c.UserID, c.To}
}

// A callID identifies a call.
type callID struct {
	incident       IncidentID
	seq, askedFrom int64
	user           UserID
	to             string
}

// latestStep reports whether the page belongs to the incident's latest step.
func (p Page) latestStep(in Incident) bool {
	return p.IncidentID == in.ID && !p.Asks() && p.CallSeq == in.Seq
}

// Lane names the queue in which a page waits: one for each method, so that a slow provider holds up no other method.
// Channels and webhooks have their own lanes, since a webhook may be anybody's server.
func (p Page) Lane() string {
	if p.UserID == "" {
		return "step/" + string(p.Method)
	}
	return string(p.Method)
}

// Package notify is what a way to reach a person looks like from the outside: a
// message goes in, and what became of it comes out. Each channel is one Sender.
package notify

import (
	"context"
	"time"
)

// A Message is one attempt to tell one person of one incident.
type Message struct {
	Key      string // the idempotency key of the page, the same in every attempt
	To       string // a Slack user id, a number, an address
	Incident int64
	Title    string
	Why      string // completes "you are paged because …"
	Attempt  int    // from 1
}

// Outcome says what became of a message. It decides what is done next, which an
// error alone can't.
type Outcome string

// The outcomes of a message.
const (
	// Accepted: the provider has taken it.
	Accepted Outcome = "accepted"
	// Throttled: it was not sent; the provider asks to wait for RetryAfter.
	Throttled Outcome = "throttled"
	// Rejected: this recipient can't be reached in this way; trying again is useless.
	Rejected Outcome = "rejected"
	// Misconfigured: nobody can be reached in this way until an admin acts, as with
	// a revoked token. It is tried again until then.
	Misconfigured Outcome = "misconfigured"
	// Unknown: the answer never came. It may have been sent, so sending again may
	// double it.
	Unknown Outcome = "unknown"
)

// A Receipt is what became of a message.
type Receipt struct {
	Outcome    Outcome
	Reference  string        // the provider's name for it; Slack: "CHANNEL TS"
	Drawn      int64         // the version of the incident that the message shows, where it is redrawn later
	RetryAfter time.Duration // with Throttled
	Err        error         // why, unless accepted
}

// A Sender reaches people by one channel. Send may be called by many at once. It
// ends in good time by itself; when ctx ends first, the outcome is Unknown.
type Sender interface {
	Send(ctx context.Context, m Message) Receipt
}

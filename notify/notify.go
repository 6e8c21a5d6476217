// Package notify reaches people outside Slack. Each channel has its own file and implements the
// interface Sender: a Message goes in, and a Receipt with its outcome comes out. The package knows
// nothing about the rest of the program.
package notify

import (
	"context"
	"time"
)

// Purpose says why something is sent.
type Purpose string

// The purposes of a message.
const (
	ForPage     Purpose = "page"   // an incident, or a bundle of them
	ForVerify   Purpose = "verify" // verifies an address: it carries a code
	ForTest     Purpose = "test"   // "this is how a page looks"
	ForCheck    Purpose = "check"  // "can we still reach you?"; any answer is a yes
	ForResponse Purpose = "answer" // the response to a person's answer: Title is its whole text
	ForOutage   Purpose = "outage" // the database is unavailable and alerts wait; can't be answered
)

// A Message is one attempt to tell one person something.
type Message struct {
	Purpose Purpose
	Key     string // the idempotency key, the same in every attempt
	To      string // a Slack user id, a number in E.164, an address, a topic, a chat id, a URL
	Attempt int    // from 1

	Incident int64
	Title    string // untrusted text
	Severity string // "critical" … "low"
	Team     string
	Why      string    // completes the sentence "you are paged because …"
	Reason   []string  // Why, as alternating words and user ids, for a channel that knows people by their ids
	Opened   time.Time // of the incident
	Since    string    // Opened, formatted for the person; empty: not shown
	AskedBy  string    // the person who asks for help; the recipient accepts ("a") or declines ("d"). Empty: an ordinary page
	AskedFor string    // the reason that AskedBy gave, also part of Why
	Joined   string    // the title of an alert that joined the incident, also part of Why. Empty: the page isn't about one

	// A bundle is about several incidents at once: Count is how many, and Lines are the worst ones.
	Count int
	Lines []string

	OneWay bool   // answers don't reach us, so the text names another way to answer
	Code   int    // by which an answer refers to this message, as in "1a"; -1 is printed as "b1", which is no incident's number; 0: none
	Token  string // signed token that allows its holder to answer for the person; empty: none
	Link   string // to a page with the actions, for mail; empty: no public address

	Verify  string    // with ForVerify: the code to send back
	Expires time.Time // when the code expires
	Until   string    // Expires, formatted for the person
}

// Outcome is the result of an attempt to send. It decides what to do next.
type Outcome string

// The outcomes of a message.
const (
	// Accepted: the provider has accepted it.
	Accepted Outcome = "accepted"
	// Throttled: it was not sent; the provider asks us to wait for RetryAfter.
	Throttled Outcome = "throttled"
	// Rejected: this recipient can't be reached by this method; retrying is useless.
	Rejected Outcome = "rejected"
	// Misconfigured: nobody can be reached by this method until an admin acts, for example because
	// a token was revoked. It is retried until then.
	Misconfigured Outcome = "misconfigured"
	// Unknown: there was no answer. The message may have been sent, so sending it again may
	// duplicate it.
	Unknown Outcome = "unknown"
)

// A SlackMessage is a message in Slack.
type SlackMessage struct{ Channel, TS string }

// String names the message as a Receipt's Reference.
func (m SlackMessage) String() string { return m.Channel + " " + m.TS }

// A Receipt describes the result of an attempt to send.
type Receipt struct {
	Outcome    Outcome
	Reference  string        // the provider's id for it
	Place      SlackMessage  // where it can be redrawn later; zero: nowhere
	Drawn      int64         // the version of the incident shown there
	RetryAfter time.Duration // with Throttled, and with Misconfigured if the problem will end by itself
	Err        error         // why, unless accepted
	// Dead: with Rejected, nothing will ever reach this address, for example because the number does
	// not exist or has answered STOP.
	Dead bool
	// Remedy tells an admin, with Rejected, how to make similar messages arrive; empty: nothing to do.
	Remedy string
}

// A Sender reaches people by one channel. Send may be called concurrently. It has a time limit of
// its own; if ctx ends first, the outcome is Unknown.
type Sender interface {
	Send(ctx context.Context, m Message) Receipt
}

// A Finder is a Sender that can find out later whether a message with the Outcome Unknown was sent. It is asked before
// the message is sent again.
type Finder interface {
	// Find looks for a message with m's key that was sent at since or later. Its receipt is Accepted.
	Find(ctx context.Context, m Message, since time.Time) (r Receipt, found bool, err error)
	// Lag is how long an attempt may be missing from the provider's list.
	Lag() time.Duration
}

// foundReceipt returns the result of Find for a reference; "" means that nothing was found.
func foundReceipt(reference string, err error) (Receipt, bool, error) {
	return Receipt{Outcome: Accepted, Reference: reference}, reference != "", err
}

// State is how far an accepted message got.
type State string

// The states of an accepted message.
const (
	Pending    State = "pending"    // on its way
	Sent       State = "sent"       // final without confirmation: neither delivered nor failed
	Delivered  State = "delivered"  // it has arrived
	Answered   State = "answered"   // somebody picked up
	Unanswered State = "unanswered" // nobody picked up, or it was busy
	Failed     State = "failed"     // it will not arrive
)

// A Track is the provider's report on an accepted message.
type Track struct {
	State State
	Err   error // why, with Failed and Unanswered
	Final bool  // asking again is pointless
	Dead  bool  // as in Receipt
	// Remedy tells an admin how to make similar messages arrive or be answerable, in any state; empty: nothing to
	// do. The same cause has the same text.
	Remedy string
	// Named says whether the sender is shown as a name, which can't be answered; nil: unknown.
	Named *bool
	// Answer is what the person answered, for providers that report it only here, such as
	// Pushover; empty: nothing.
	Answer ButtonAct
}

// A Tracker is a Sender whose accepted messages can be followed.
type Tracker interface {
	Track(ctx context.Context, reference string) (Track, error)
}

// A Canceller is a Sender that can end what it has started, such as a ringing phone.
type Canceller interface {
	Cancel(ctx context.Context, reference string) error
}

// A ButtonAct is the action of a button or phone key, in the form in which providers transmit it.
type ButtonAct string

// The acts that messages offer.
const (
	Ack      ButtonAct = "a" // to accept, if the message asks for help
	Resolve  ButtonAct = "r"
	Escalate ButtonAct = "e"
	Decline  ButtonAct = "d"
)

// known reports whether a received value is one of the acts above.
func (a ButtonAct) known() bool { return a == Ack || a == Resolve || a == Escalate || a == Decline }

// An Answer is what a person sent back: either the text that they typed, or the act of a button or
// key.
type Answer struct {
	ID   string // the provider's id, to recognise duplicates
	From string // the sender's address; empty if Key or Token identify the person
	Text string // as it was typed: "1a", "ack", "stop"

	Act   ButtonAct
	Key   string // of the message that it answers, if the provider knows, as with a call
	Token string // of the message that it answers
	Code  int    // of the message that it answers, if the button had no room for its key
}

// A Listener is a Sender that fetches answers itself, so that nobody needs to reach us. Listen
// returns what has come since the cursor, which only the Listener understands; "" is the start. It
// may wait for an answer as long as ctx allows.
type Listener interface {
	Listen(ctx context.Context, cursor string) (replies []Answer, next string, err error)
}

// A Dispatcher is a Sender that uses servers named in people's addresses, in addition to or instead of one server that an
// admin has set. A fault of one server says nothing about the others.
type Dispatcher interface {
	// Server returns the server named in an address; "" for the admin's server.
	Server(to string) string
}

// A CheckResult is the result of one check.
type CheckResult struct {
	OK     bool
	Note   bool   // not a fault, but worth knowing
	Minor  bool   // with Note: report it only when the service is set up
	Text   string // the result; never a secret
	Remedy string // what to do about it
}

// A Checker is a Sender that can check, without sending anything to anybody, whether its service
// can be reached and accepts our credentials. Check ends with its context.
type Checker interface {
	Check(ctx context.Context) []CheckResult
}

// A Phone is a Sender whose messages come from a number that people can save as a contact; "" means
// none.
type Phone interface {
	Number() string
}

// Abilities holds a sender's optional interfaces, nil where it lacks one. Nothing else makes these type assertions.
type Abilities struct {
	Sender
	Finder     Finder
	Tracker    Tracker
	Canceller  Canceller
	Listener   Listener
	Checker    Checker
	Phone      Phone
	Dispatcher Dispatcher
}

// AbilitiesOf returns what a sender can do.
func AbilitiesOf(s Sender) Abilities {
	a := Abilities{Sender: s}
	a.Finder, _ = s.(Finder)
	a.Tracker, _ = s.(Tracker)
	a.Canceller, _ = s.(Canceller)
	a.Listener, _ = s.(Listener)
	a.Checker, _ = s.(Checker)
	a.Phone, _ = s.(Phone)
	a.Dispatcher, _ = s.(Dispatcher)
	return a
}

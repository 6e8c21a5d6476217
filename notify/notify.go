// Package notify reaches people outside Slack: one file per channel, each behind the same small
// interface. A message goes in, and what became of it comes out. The package knows nothing about
// the rest of the program.
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
	ForResponse Purpose = "answer" // the reply to a reply: Title is its whole text
	ForOutage   Purpose = "outage" // the database is away and alerts wait: it can't be answered
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
	Why      string    // completes "you are paged because …"
	Reason   []string  // Why as alternating words and user ids, for a channel that knows people by their ids
	Opened   time.Time // of the incident
	Since    string    // the same, as the person reads it; empty: it is not said
	AskedBy  string    // who asks the person to help: they accept ("a") or decline ("d"); empty: they are on call
	AskedFor string    // what for, if they said: Why has it, too

	// A bundle is about several incidents at once: Count is how many, and Lines are the worst ones.
	Count int
	Lines []string

	OneWay bool   // an answer to the message doesn't reach us, so that it names another way
	Code   int    // what a person types to mean this message, as in "1a"; 0: none
	Token  string // signed: whoever has it may answer for the person; empty: none
	Link   string // to the page where the reader of the mail acts; empty: no public address

	Verify  string    // with ForVerify: the code to send back
	Expires time.Time // after that it is useless
	Until   string    // the same, as the person reads it
}

// Outcome says what became of a message. What to do next depends on it; an error alone is not
// enough.
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

// A Place is a message in Slack.
type Place struct{ Channel, TS string }

// String names the message as a Receipt's Reference.
func (p Place) String() string { return p.Channel + " " + p.TS }

// A Receipt is what became of a message.
type Receipt struct {
	Outcome    Outcome
	Reference  string        // the provider's id for it
	Place      Place         // where it can be redrawn later; zero: nowhere
	Drawn      int64         // the version of the incident shown there
	RetryAfter time.Duration // with Throttled, and with Misconfigured if it ends by itself
	Err        error         // why, unless accepted
	// Dead: with Rejected, nothing will ever reach this address, for example because the number does
	// not exist or has answered STOP.
	Dead bool
	// Remedy is what an admin has to do, with Rejected, so that others like this one arrive; empty: nothing.
	Remedy string
}

// A Sender reaches people by one channel. Send may be called concurrently. It has a time limit of
// its own; if ctx ends first, the outcome is Unknown.
type Sender interface {
	Send(ctx context.Context, m Message) Receipt
}

// A Finder is a Sender that can find out later whether a message of unknown fate was sent. It is
// asked before the message is sent again.
type Finder interface {
	// Find looks for a message with m's key that was sent at since or later. Its receipt is Accepted.
	Find(ctx context.Context, m Message, since time.Time) (r Receipt, found bool, err error)
	// Lag is how long an attempt may be missing from the provider's list.
	Lag() time.Duration
}

// foundAs is the result of Find for a reference; "" means that nothing was found.
func foundAs(reference string, err error) (Receipt, bool, error) {
	return Receipt{Outcome: Accepted, Reference: reference}, reference != "", err
}

// State is how far an accepted message got.
type State string

// The states of an accepted message.
const (
	Pending    State = "pending"    // on its way
	Sent       State = "sent"       // the provider will say no more: neither confirmed nor failed
	Delivered  State = "delivered"  // it has arrived
	Answered   State = "answered"   // somebody picked up
	Unanswered State = "unanswered" // nobody picked up, or it was busy
	Failed     State = "failed"     // it will not arrive
)

// A Track is what the provider says about an accepted message.
type Track struct {
	State State
	Err   error // why, with Failed and Unanswered
	Final bool  // asking again is pointless
	Dead  bool  // as in Receipt
	// Remedy is what an admin has to do so that others like this one arrive, or can be answered, whatever
	// the state; empty: nothing. It is the same text for the same cause.
	Remedy string
	// Named says whether the message comes from a name, which can't be answered; nil: that is not known.
	Named *bool
	// Answer is what the person answered, for providers that report it only here, such as
	// Pushover; empty: nothing.
	Answer Act
}

// A Tracker is a Sender whose accepted messages can be followed.
type Tracker interface {
	Track(ctx context.Context, reference string) (Track, error)
}

// A Canceller is a Sender that can end what it has started, such as a ringing phone.
type Canceller interface {
	Cancel(ctx context.Context, reference string) error
}

// An Act is what a button or key stands for. Providers carry it in this form.
type Act string

// The acts that messages offer.
const (
	Ack      Act = "a" // to accept, if the message asks for help
	Resolve  Act = "r"
	Escalate Act = "e"
	Decline  Act = "d"
)

// known reports whether it is one of the acts above. Strangers can send anything.
func (a Act) known() bool { return a == Ack || a == Resolve || a == Escalate || a == Decline }

// An Answer is what a person sent back: either the text that they typed, or the act of a button or
// key.
type Answer struct {
	ID   string // the provider's: of several with one ID the first counts
	From string // the address; empty if Key or Token tell
	Text string // as it was typed: "1a", "ack", "stop"

	Act   Act
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

// A Dispatcher is a Sender that goes through servers that people bring, as well as or in place of one
// that an admin has set. What is wrong with one of those says nothing about the others.
type Dispatcher interface {
	// Server names the server that a person has brought with an address; "" if it is the admin's.
	Server(to string) string
}

// A CheckResult is the result of one check.
type CheckResult struct {
	OK     bool
	Note   bool   // not a fault, but worth knowing
	Minor  bool   // with Note: once is enough, when the service is set up
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

// Abilities are a sender and whatever else it can do, nil if it can't. This is the only place that
// finds out.
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

// Package answers handles answers from people outside Slack. It turns an answer by SMS, phone key,
// link or push into an act, and the outcome into a sentence for the person. oncall.AnswerFacts decides
// what an answer means, and store carries it out.
package answers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// repliesAnHour limits the replies to useless answers from one address: two machines could otherwise talk to each other
// for ever. The last reply says that no more will come, since silence would look like a failure.
const repliesAnHour = 15

// A Response is the reply to an answer.
type Response struct {
	Text     string // empty: no reply, for instance to strangers
	Repeated bool   // the answer was handled before, so a message with this text was already sent
}

// Handle does what an answer asks for, exactly once, however often the answer is delivered.
func Handle(ctx context.Context, s *store.Store, answer oncall.Answer, now time.Time) (Response, error) {
	answer = storable(answer)
	if answer.Intent.Kind == "" {
		answer.Intent = oncall.ParseAnswer(answer.Text)
	}
	carryOut := s.Answer
	switch answer.Intent.Kind {
	case oncall.IntentProof:
		carryOut = s.ProveContact
	case oncall.IntentStop, oncall.IntentStart:
		carryOut = s.SwitchContacts
	case oncall.IntentAct, oncall.IntentTest, oncall.IntentList, oncall.IntentOther:
	}
	dir, err := s.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return Response{}, err
	}
	record, err := carryOut(ctx, answer, now)
	if err != nil || record.Lately > repliesAnHour && answer.From != "" {
		return Response{}, err
	}
	text := sentence(record.AnswerOutcome, dir)
	if record.Lately == repliesAnHour && len(text) > 0 {
		text = oncall.Say("%s What can't be understood gets no more answers for an hour.", text)
	}
	return Response{Text: text.Shown(dir.Name), Repeated: record.Again}, nil
}

// maxID is the maximum length of an ID that is stored unchanged.
const maxID = 200

// storable cleans an answer for storage and lookups. Strangers can send anything, and an answer that
// PostgreSQL refuses would be retried for ever.
func storable(a oncall.Answer) oncall.Answer {
	for _, text := range []*string{&a.ID, &a.From, &a.Token, &a.Text, &a.Message.Page, (*string)(&a.Message.Probe.User)} {
		*text = oncall.Storable(*text)
	}
	if len(a.ID) > maxID {
		a.ID = fmt.Sprintf("%x", sha256.Sum256([]byte(a.ID)))
	}
	return a
}

// sentence puts an outcome into words.
func sentence(o oncall.AnswerOutcome, dir *store.Directory) oncall.Sentence {
	switch o.Result {
	case oncall.AnswerActed:
		if len(o.Hint) > 0 {
			return oncall.Say("%s %s", oncall.SayActed(o.Acted), o.Hint)
		}
		return oncall.SayActed(o.Acted)
	case oncall.AnswerNothing:
		if len(o.Hint) > 0 {
			return o.Hint
		}
		return oncall.SayActed(nil)
	case oncall.AnswerUnclear:
		if len(o.Hint) > 0 {
			return o.Hint
		}
		return oncall.Say("Answer 1a to acknowledge, 1r to resolve or 1e to escalate, with the number from the message.")
	case oncall.AnswerSeveral:
		return oncall.Say("More than one person here has this address, and it is not clear which of them you are. Please act in Slack.")
	case oncall.AnswerReached:
		return oncall.Say("Thank you: you can be reached here.")
	case oncall.AnswerRefused:
		return o.Refusal
	case oncall.AnswerProven:
		name := dir.Users[o.User].Name
		if name == "" {
			name = "you"
		}
		return oncall.Say("Thank you. %s pages for %s can come here now.", o.Method.Name(), name)
	case oncall.AnswerNoProof:
		return oncall.Say("That code is not right, or too old. A new one can be sent from Slack.")
	case oncall.AnswerIgnored, oncall.AnswerStopped, oncall.AnswerStarted: // the provider itself confirms STOP and START
	}
	return nil
}

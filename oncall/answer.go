package oncall

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Answer is what somebody has sent back by a contact method. The person is known by Token, by
// Message, or else by the address.
type Answer struct {
	Method  Method // the contact method
	ID      string // of answers with the same ID only the first counts; empty: each counts
	From    string // the address that it came from
	Token   string // signed; names a page or a probe
	Message MessageKey
	Text    string // as the person typed it; empty if Reply is known without
	Reply   Reply
}

// AnswerFacts are what the meaning of an answer depends on.
type AnswerFacts struct {
	Known    bool              // we know who answers
	Probed   bool              // they answer a probe
	Checked  bool              // they were asked lately whether they can still be reached
	Messages []AnsweredMessage // that the answer may be about
}

// An AnsweredMessage is one that an answer may be about. If there are several, their people share an
// address.
type AnsweredMessage struct {
	Lead      PageID // the message's first page
	User      UserID
	Named     bool           // the answer itself says that it is to this message
	Incidents []Incident     // of the message, worst first
	Pages     []AnsweredPage // all pages of the person about these incidents
}

// An AnsweredPage is one page about an incident of the answered message.
type AnsweredPage struct {
	Page
	Here bool // it is part of the answered message
}

// PagedAs says how a person was paged about an incident that they answer about.
type PagedAs int

// The ways in which people are paged.
const (
	PagedOnCall PagedAs = iota // this message pages them, as a step of the policy wants
	PagedToHelp                // this message asks them to help
	PagedAsBoth                // it does, a step pages them as well, and the answer might be to either
)

// paged says how the person was paged about each incident.
func (m AnsweredMessage) paged() map[IncidentID]PagedAs {
	state := map[IncidentID]Incident{}
	for _, in := range m.Incidents {
		state[in.ID] = in
	}
	asked, told, called := map[IncidentID]bool{}, map[IncidentID]bool{}, map[IncidentID]bool{}
	for _, p := range m.Pages {
		id, asks := p.IncidentID, p.Asks()
		asked[id] = asked[id] || asks && p.Here
		told[id] = told[id] || !asks && p.Here
		called[id] = called[id] || !asks && p.Due(state[id])
	}
	out := map[IncidentID]PagedAs{}
	for id := range state {
		switch {
		case told[id] || !asked[id]:
			out[id] = PagedOnCall
		case called[id] && !m.Named:
			out[id] = PagedAsBoth
		default:
			out[id] = PagedToHelp
		}
	}
	return out
}

// ToHelp reports whether the message only asks the person to help.
func (m AnsweredMessage) ToHelp() bool {
	for _, as := range m.paged() {
		if as == PagedOnCall {
			return false
		}
	}
	return len(m.Incidents) > 0
}

// Meant is what an answer asks to do with one incident; false: it makes no sense there.
//
//	paged as           "acknowledge" means               "decline" means
//	on call            acknowledge                       nothing
//	to help            accept                            decline
//	both, triggered    acknowledge, as nobody has it     decline
//	both, otherwise    accept, as somebody has it        decline
func (in Incident) Meant(do ActKind, as PagedAs) (ActKind, bool) {
	switch {
	case do == ActDecline:
		return do, as != PagedOnCall
	case do == ActAck && (as == PagedToHelp || as == PagedAsBoth && in.Status != Triggered):
		return ActAccept, true
	}
	return do, true
}

// AnswerResult says what became of an answer.
type AnswerResult string

// What becomes of answers.
const (
	AnswerIgnored AnswerResult = "ignored"  // nobody knows who has sent it
	AnswerActed   AnswerResult = "acted"    // Acted says how
	AnswerUnclear AnswerResult = "unclear"  // it asks for nothing that can be done
	AnswerNothing AnswerResult = "nothing"  // nothing is open that it could be about
	AnswerSeveral AnswerResult = "several"  // several people may have sent it
	AnswerReached AnswerResult = "reached"  // it shows that the person can be reached, which was the question
	AnswerRefused AnswerResult = "refused"  // Refusal says why
	AnswerProven  AnswerResult = "proven"   // it proves the address of Contact
	AnswerNoProof AnswerResult = "no proof" // its code is wrong or too old
	AnswerStopped AnswerResult = "stopped"  // no more pages go to the address
	AnswerStarted AnswerResult = "started"  // pages go there again
)

// An AnswerOutcome is what became of an answer. It is stored as JSON: fields are only ever added.
type AnswerOutcome struct {
	Result  AnswerResult `json:"result"`
	Acted   []Acted      `json:"acted,omitempty"`
	Refusal Sentence     `json:"refusal,omitempty"`
	Method  Method       `json:"method,omitempty"` // with AnswerProven
	User    UserID       `json:"user,omitempty"`   // whose that is
}

// Useful reports whether Watchbill could do anything with the answer.
func (o AnswerOutcome) Useful() bool {
	switch o.Result {
	case AnswerActed, AnswerReached, AnswerProven, AnswerStopped, AnswerStarted:
		return true
	default:
		return false
	}
}

// An Acted says which incidents of a message one act was done with.
type Acted struct {
	Do      ActKind      `json:"do"`
	Done    []IncidentID `json:"done,omitempty"`
	Refused []Sentence   `json:"refused,omitempty"` // why, for each of the others
}

// Decide says what an answer about incidents does.
func (f AnswerFacts) Decide(a Answer, facts Facts, now time.Time) (AnswerOutcome, []Change, error) {
	result := AnswerNothing
	switch {
	case !f.Known:
		result = AnswerIgnored
	case f.Probed:
		result = AnswerReached
	case a.Reply.Kind == ReplyAct && len(f.Messages) == 1:
		return f.Messages[0].Do(a.Reply.Act, a.Method, facts, now)
	case a.Reply.Kind == ReplyAct && len(f.Messages) > 1:
		result = AnswerSeveral
	case f.Checked:
		result = AnswerReached
	case a.Reply.Kind != ReplyAct:
		result = AnswerUnclear
	}
	return AnswerOutcome{Result: result}, nil, nil
}

// Do does one thing with all incidents of a message. An incident that refuses is drawn again, since
// its Slack messages may be out of date.
func (m AnsweredMessage) Do(do ActKind, by Method, f Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerActed}
	var changes []Change
	paged := m.paged()
	for _, in := range m.Incidents {
		means, sense := in.Meant(do, paged[in.ID])
		if !sense {
			continue
		}
		i := slices.IndexFunc(out.Acted, func(a Acted) bool { return a.Do == means })
		if i < 0 {
			i = len(out.Acted)
			out.Acted = append(out.Acted, Acted{Do: means})
		}
		c, err := in.Do(Act{Do: means}, Actor{User: m.User, Via: string(by)}, f, now)
		if refusal, refused := errors.AsType[Refusal](err); refused {
			out.Acted[i].Refused = append(out.Acted[i].Refused, refusal.Sentence)
			c = Change{Incident: in, Tasks: []Task{in.Redraw()}}
		} else if err != nil {
			return AnswerOutcome{}, nil, err
		} else {
			out.Acted[i].Done = append(out.Acted[i].Done, in.ID)
		}
		changes = append(changes, c)
	}
	if len(out.Acted) == 0 && len(m.Incidents) > 0 {
		out.Result = AnswerUnclear
	}
	return out, changes, nil
}

// SayActed says what was done with the incidents of one message, and what was not.
func SayActed(acted []Acted) Sentence {
	if len(acted) == 0 {
		return Acted{}.say()
	}
	said := acted[0].say()
	for _, a := range acted[1:] {
		said = Say("%s %s", said, a.say())
	}
	return said
}

// say puts it into one sentence.
func (a Acted) say() Sentence {
	verb := map[ActKind]string{
		ActAck: "Acknowledged", ActResolve: "Resolved", ActEscalate: "Escalated",
		ActAccept: "Accepted", ActDecline: "Declined",
	}[a.Do]
	switch {
	case len(a.Done) == 0 && len(a.Refused) == 0:
		return Say("There is nothing open that you were paged for here.")
	case len(a.Done) == 0 && len(a.Refused) == 1:
		return a.Refused[0]
	case len(a.Done) == 0:
		return Say("None of these %d incidents needs that any more.", len(a.Refused))
	}
	var names []string
	for _, id := range a.Done[:min(len(a.Done), 10)] {
		names = append(names, id.String())
	}
	text := verb + " " + strings.Join(names, ", ")
	if more := len(a.Done) - len(names); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	if len(a.Refused) > 0 {
		were := " were"
		if len(a.Refused) == 1 {
			were = " was"
		}
		text += "; " + strconv.Itoa(len(a.Refused)) + were + " settled before"
	}
	return Say("%s.", text)
}

package oncall

import (
	"errors"
	"slices"
	"strconv"
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
	Told     Told              // what the person may answer about, if the answer names no message
	Choice   Choice            // what of it the answer is about
	Messages []AnsweredMessage // that the answer is about
}

// An AnsweredMessage is a message that an answer is about.
type AnsweredMessage struct {
	Lead      PageID // the message's first page
	User      UserID
	Named     bool           // the answer itself says that it is to this message
	Incidents []Incident     // those of the message that the answer is about, worst first
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
	AnswerProven  AnswerResult = "proven"   // it proves the address: Method and User say whose
	AnswerNoProof AnswerResult = "no proof" // its code is wrong or too old
	AnswerStopped AnswerResult = "stopped"  // no more pages go to the address
	AnswerStarted AnswerResult = "started"  // pages go there again
)

// An AnswerOutcome is what became of an answer. It is stored as JSON: fields are only ever added.
type AnswerOutcome struct {
	Result  AnswerResult `json:"result"`
	Acted   []ActResult  `json:"acted,omitempty"`
	Refusal Sentence     `json:"refusal,omitempty"`
	Hint    Sentence     `json:"hint,omitempty"`   // what else is to be said
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

// An ActResult says which incidents of a message one act was done with.
type ActResult struct {
	Do      ActKind      `json:"do"`
	Done    []IncidentID `json:"done,omitempty"`
	Refused []Sentence   `json:"refused,omitempty"` // why, for each of the others
}

// Decide says what an answer about incidents does.
func (f AnswerFacts) Decide(a Answer, facts Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerNothing}
	act := a.Reply.Kind == ReplyAct
	left := f.Told.Remaining(a.Reply, f.Choice)
	switch {
	case !f.Known:
		out.Result = AnswerIgnored
	case f.Probed, a.Reply.Kind == ReplyTest:
		out.Result = AnswerReached
	case act && f.Choice.Several:
		out.Result = AnswerSeveral
	case act && len(f.Messages) > 0:
		return f.do(a, facts, now)
	case f.Checked && (!act || left == nil):
		out.Result = AnswerReached
	case act:
		out.Hint = sentences(f.Choice.Missed, left)
		if left == nil {
			out.Hint = nil // not even that one
		}
	default:
		out.Result, out.Hint = AnswerUnclear, f.Told.Help(ActAck)
	}
	return out, nil, nil
}

// do carries out what the answer asks for. Whoever gives no number is told what else is open, since
// they may have meant that.
func (f AnswerFacts) do(a Answer, facts Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerActed}
	var changes []Change
	incidents := 0
	for _, m := range f.Messages {
		incidents += len(m.Incidents)
		acted, more, err := m.act(a.Reply.Act, a.Method, facts, now)
		if err != nil {
			return AnswerOutcome{}, nil, err
		}
		out.Acted, changes = addActed(out.Acted, acted), append(changes, more...)
	}
	if len(out.Acted) == 0 && incidents > 0 {
		told := f.Told
		if len(told.Shown) == 0 { // the answer named its message
			told = toldOf(f.Messages)
		}
		out.Result, out.Hint = AnswerUnclear, told.Help(ActAck)
		return out, changes, nil
	}
	out.Hint = f.Choice.Missed
	typed := a.Token == "" && a.Message == (MessageKey{}) && a.Reply.Code == 0
	if out.Hint != nil || typed && len(a.Reply.Numbers) == 0 {
		out.Hint = sentences(out.Hint, f.Told.Remaining(a.Reply, f.Choice))
	}
	return out, changes, nil
}

// sentences joins those that are not empty.
func sentences(all ...Sentence) (out Sentence) {
	for _, s := range all {
		switch {
		case len(s) == 0:
		case out == nil:
			out = s
		default:
			out = Say("%s %s", out, s)
		}
	}
	return out
}

// addActed adds what was done with another message.
func addActed(all, more []ActResult) []ActResult {
	for _, a := range more {
		i := slices.IndexFunc(all, func(b ActResult) bool { return b.Do == a.Do })
		if i < 0 {
			all = append(all, a)
			continue
		}
		all[i].Done, all[i].Refused = append(all[i].Done, a.Done...), append(all[i].Refused, a.Refused...)
	}
	return all
}

// Do does one thing with all incidents of a message, for its button.
func (m AnsweredMessage) Do(do ActKind, by Method, f Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerActed}
	acted, changes, err := m.act(do, by, f, now)
	if err != nil {
		return AnswerOutcome{}, nil, err
	}
	if out.Acted = acted; len(acted) == 0 && len(m.Incidents) > 0 {
		out.Result = AnswerUnclear
	}
	return out, changes, nil
}

// act does one thing with each incident. Where that is refused, the Slack messages are drawn again: they
// may have been out of date.
func (m AnsweredMessage) act(do ActKind, by Method, f Facts, now time.Time) (all []ActResult, changes []Change, err error) {
	paged := m.paged()
	for _, in := range m.Incidents {
		means, sense := in.Meant(do, paged[in.ID])
		if !sense {
			continue
		}
		i := slices.IndexFunc(all, func(a ActResult) bool { return a.Do == means })
		if i < 0 {
			i = len(all)
			all = append(all, ActResult{Do: means})
		}
		c, err := in.Do(Act{Do: means}, Actor{User: m.User, Via: string(by)}, f, now)
		if refusal, refused := errors.AsType[Refusal](err); refused {
			all[i].Refused = append(all[i].Refused, refusal.Sentence)
			c = Change{Incident: in, Tasks: []Task{in.RedrawFor(Actor{User: m.User})}}
		} else if err != nil {
			return nil, nil, err
		} else {
			all[i].Done = append(all[i].Done, in.ID)
		}
		changes = append(changes, c)
	}
	return all, changes, nil
}

// SayActed says what was done with the incidents of one message, and what was not.
func SayActed(acted []ActResult) Sentence {
	if len(acted) == 0 {
		return ActResult{}.say()
	}
	said := acted[0].say()
	for _, a := range acted[1:] {
		said = Say("%s %s", said, a.say())
	}
	return said
}

// say puts it into one sentence.
func (a ActResult) say() Sentence {
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
	text := verb + " " + nameAll(a.Done)
	if len(a.Refused) > 0 {
		were := " were"
		if len(a.Refused) == 1 {
			were = " was"
		}
		text += "; " + strconv.Itoa(len(a.Refused)) + were + " settled before"
	}
	return Say("%s.", text)
}

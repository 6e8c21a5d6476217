package oncall

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// An Answer is what somebody sent back by a contact method. Token or Message identifies the person;
// without either, the address does.
type Answer struct {
	Method  Method // the contact method
	ID      string // the provider's id, so that a redelivery isn't acted on twice; empty: there is none
	From    string // the sender's address
	Token   string // signed; names a page or a probe
	Message MessageKey
	Text    string // as the person typed it; empty if Intent is known from something else
	Intent  Intent
}

// AnswerFacts is what the meaning of an answer depends on.
type AnswerFacts struct {
	Known    bool              // the sender was identified
	Probed   bool              // the answer is to a probe
	Checked  bool              // the person was recently asked whether they can still be reached
	Scope    AnswerScope       // what the person may answer about, if the answer names no message
	Choice   AnswerSubject     // which of those incidents the answer is about
	Messages []AnsweredMessage // the messages that the answer is about
}

// An AnsweredMessage is a message that an answer is about.
type AnsweredMessage struct {
	Lead      PageID // the message's first page
	User      UserID
	Named     bool           // the answer itself identifies this message
	Incidents []Incident     // the message's incidents that the answer is about, worst first
	Pages     []AnsweredPage // all pages to the person about these incidents
}

// An AnsweredPage is one page about an incident of the answered message.
type AnsweredPage struct {
	Page
	Here bool // part of the answered message
}

// PagedAs says how a person was paged about an incident that they answer about.
type PagedAs int

// The ways in which people are paged.
const (
	PagedOnCall PagedAs = iota // this message pages them, as a step of the policy wants
	PagedToHelp                // this message asks them to help
	PagedAsBoth                // both: this message asks for help and a policy step pages them too, so the answer may be to either
)

// paged says how the person was paged about each incident.
func (m AnsweredMessage) paged() map[IncidentID]PagedAs {
	state := map[IncidentID]Incident{}
	for _, in := range m.Incidents {
		state[in.ID] = in
	}
	askedToHelp, pagedHere, pagedAtAll := map[IncidentID]bool{}, map[IncidentID]bool{}, map[IncidentID]bool{}
	for _, p := range m.Pages {
		id, asks := p.IncidentID, p.Asks()
		askedToHelp[id] = askedToHelp[id] || asks && p.Here
		pagedHere[id] = pagedHere[id] || !asks && p.Here
		pagedAtAll[id] = pagedAtAll[id] || !asks && p.Due(state[id])
	}
	out := map[IncidentID]PagedAs{}
	for id := range state {
		switch {
		case pagedHere[id] || !askedToHelp[id]:
			out[id] = PagedOnCall
		case pagedAtAll[id] && !m.Named:
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

// Meant returns the act that an answer means for one incident; false: it makes no sense for that incident.
//
//	paged as           "acknowledge" means               "decline" means
//	on call            acknowledge                       nothing
//	to help            accept                            decline
//	both, triggered    acknowledge, as nobody has it     decline
//	both, otherwise    accept, as somebody has it        decline
func (in Incident) Meant(act ActKind, as PagedAs) (ActKind, bool) {
	switch {
	case act == ActDecline:
		return act, as != PagedOnCall
	case act == ActAck && (as == PagedToHelp || as == PagedAsBoth && in.Status != Triggered):
		return ActAccept, true
	}
	return act, true
}

// AnswerResult says what became of an answer.
type AnswerResult string

// What becomes of answers.
const (
	AnswerIgnored AnswerResult = "ignored"  // the sender is unknown
	AnswerActed   AnswerResult = "acted"    // see Acted
	AnswerUnclear AnswerResult = "unclear"  // it asks for nothing that can be done
	AnswerNothing AnswerResult = "nothing"  // nothing is open that it could be about
	AnswerSeveral AnswerResult = "several"  // several people share the address, and any of them may have sent it
	AnswerReached AnswerResult = "reached"  // it shows that the person can be reached, as a probe asked
	AnswerRefused AnswerResult = "refused"  // see Refusal
	AnswerProven  AnswerResult = "proven"   // the answer verifies the address of User's contact method Method
	AnswerNoProof AnswerResult = "no proof" // its code is wrong or has expired
	AnswerStopped AnswerResult = "stopped"  // the address gets no more pages
	AnswerStarted AnswerResult = "started"  // the address gets pages again
)

// An AnswerOutcome is what became of an answer. It is stored as JSON: fields are only ever added.
type AnswerOutcome struct {
	Result  AnswerResult `json:"result"`
	Acted   []ActResult  `json:"acted,omitempty"`
	Refusal Sentence     `json:"refusal,omitempty"`
	Hint    Sentence     `json:"hint,omitempty"`   // added to the response
	Method  Method       `json:"method,omitempty"` // with AnswerProven
	User    UserID       `json:"user,omitempty"`   // with AnswerProven
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

// An ActResult says on which incidents of a message an act was carried out.
type ActResult struct {
	Do      ActKind      `json:"do"`
	Done    []IncidentID `json:"done,omitempty"`
	Refused []Sentence   `json:"refused,omitempty"` // one reason for each incident that refused the act
}

// Decide works out what an answer does to incidents.
func (f AnswerFacts) Decide(answer Answer, facts Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerNothing}
	act := answer.Intent.Kind == IntentAct
	left := f.Scope.Remaining(answer.Intent, f.Choice)
	switch {
	case !f.Known:
		out.Result = AnswerIgnored
	case f.Probed, answer.Intent.Kind == IntentTest:
		out.Result = AnswerReached
	case f.Checked && answer.Intent.Spoken == SpokenYes: // more likely it answers the check
		out.Result = AnswerReached
	case act && f.Choice.Several:
		out.Result = AnswerSeveral
	case act && len(f.Messages) > 0:
		return f.carryOut(answer, facts, now)
	case answer.Intent.Kind == IntentList:
		out.Hint = f.Scope.List()
	case f.Checked && (!act || left == nil):
		out.Result = AnswerReached
	case act:
		out.Hint = sentences(f.Choice.Missed, left)
		if left == nil {
			out.Hint = nil // with nothing open, AnswerNothing says it all
		}
	default:
		out.Result, out.Hint = AnswerUnclear, f.Scope.Help()
	}
	return out, nil, nil
}

// carryOut does what the answer asks for. If the person typed no number, the hint says what else is open, since
// they may have meant that.
func (f AnswerFacts) carryOut(answer Answer, facts Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerActed}
	var changes []Change
	incidents := 0
	for _, m := range f.Messages {
		incidents += len(m.Incidents)
		acted, more, err := m.actOnEach(answer.Intent.Act, answer.Method, facts, now)
		if err != nil {
			return AnswerOutcome{}, nil, err
		}
		out.Acted, changes = addActed(out.Acted, acted), append(changes, more...)
	}
	if len(out.Acted) == 0 && incidents > 0 {
		scope := f.Scope
		if len(scope.Shown) == 0 { // the answer named its message
			scope = scopeOf(f.Messages)
		}
		out.Result, out.Hint = AnswerUnclear, scope.Help()
		return out, changes, nil
	}
	out.Hint = f.Choice.Missed
	typed := answer.Token == "" && answer.Message == (MessageKey{}) && answer.Intent.Code == 0
	if out.Hint != nil || typed && len(answer.Intent.Numbers) == 0 {
		out.Hint = sentences(out.Hint, f.Scope.Remaining(answer.Intent, f.Choice))
	}
	return out, changes, nil
}

// sentences joins the sentences that are not empty.
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

// addActed merges the results of another message, act by act.
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

// Do applies one act to all incidents of a message, for a button of that message.
func (m AnsweredMessage) Do(act ActKind, by Method, f Facts, now time.Time) (AnswerOutcome, []Change, error) {
	out := AnswerOutcome{Result: AnswerActed}
	acted, changes, err := m.actOnEach(act, by, f, now)
	if err != nil {
		return AnswerOutcome{}, nil, err
	}
	if out.Acted = acted; len(acted) == 0 && len(m.Incidents) > 0 {
		out.Result = AnswerUnclear
	}
	return out, changes, nil
}

// actOnEach applies an act to each incident. Where an incident refuses it, its Slack messages are redrawn: the person
// may have seen an outdated one.
func (m AnsweredMessage) actOnEach(act ActKind, by Method, f Facts, now time.Time) (all []ActResult, changes []Change, err error) {
	paged := m.paged()
	for _, in := range m.Incidents {
		means, sense := in.Meant(act, paged[in.ID])
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

// SayActed describes what was done with the incidents of one message, and what was refused.
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

// say describes one act's result in a sentence.
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

package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// answerWithin is how long the person coming on call has to confirm the hand-off.
const answerWithin = 15 * time.Minute

// A Handoff is the latest announced hand-off of a role in a schedule. Numbers are never reused; Number 0 means that
// there was no hand-off yet.
type Handoff struct {
	Schedule ScheduleID
	Role     string
	Number   int64
	Users    []UserID // who has been on call since then
	Incoming []UserID // who came on call
	Outgoing []UserID // who went off call
	At       time.Time
	AckedBy  UserID // who said "I have it"
}

// The states of a hand-off as its notices show them.
const (
	HandoffTaken      = "taken"
	HandoffUnanswered = "unanswered"
	HandoffOver       = "over"
)

// The notices about a hand-off.
const (
	NoticeComing     NoticeKind = "handoff_coming"  // to those who come on call
	NoticeGoing      NoticeKind = "handoff_going"   // to those who go off call
	NoticeHandoff    NoticeKind = "handoff_channel" // to the team's channel
	NoticeUnanswered NoticeKind = "handoff_unanswered"
)

// HandoffNotices are the kinds that are redrawn when their hand-off changes.
var HandoffNotices = []NoticeKind{NoticeComing, NoticeGoing, NoticeHandoff, NoticeUnanswered}

// Next compares the people announced with those on call, and reports whether that is a new hand-off.
// The caller numbers it.
func (h Handoff) Next(users []UserID, at time.Time) (Handoff, bool) {
	came, went := without(users, h.Users), without(h.Users, users)
	if len(came)+len(went) == 0 {
		return h, false
	}
	return Handoff{Schedule: h.Schedule, Role: h.Role, Users: users, Incoming: came, Outgoing: went, At: at}, true
}

// open reports whether the hand-off waits to be confirmed; a shadow's never does.
func (h Handoff) open() bool {
	return h.Number != 0 && len(h.Incoming) > 0 && h.AckedBy == "" && h.Role != schedule.RoleShadow
}

// Confirm confirms the hand-off for a person who says "I have it".
func (h Handoff) Confirm(by UserID) (Handoff, error) {
	switch {
	case !slices.Contains(h.Incoming, by):
		return h, Refuse("Only %s can say that.", schedule.People(h.Incoming, " or "))
	case h.AckedBy == by:
		return h, Refuse("You have said so already.")
	case h.AckedBy != "":
		return h, Refuse("%s has it already.", h.AckedBy)
	}
	h.AckedBy = by
	return h, nil
}

// ConfirmedBy confirms the hand-off if one of these people came on call by it, since the person who acts on an incident has
// taken over. It returns that person, or "".
func (h Handoff) ConfirmedBy(acted []UserID) (Handoff, UserID) {
	for _, u := range acted {
		if h.open() && slices.Contains(h.Incoming, u) {
			h.AckedBy = u
			return h, u
		}
	}
	return h, ""
}

// TakenOver confirms the hand-off if somebody has just come on call by an override of their own,
// because they needn't be asked whether they took over.
func (h Handoff) TakenOver(overrides []schedule.Override) Handoff {
	for _, o := range overrides {
		applies := o.CancelledAt == nil && !o.Start.After(h.At) && o.End.After(h.At)
		if !applies || h.At.Sub(o.CreatedAt) >= answerWithin || !slices.Contains(o.Users, o.CreatedBy) {
			continue
		}
		if took, who := h.ConfirmedBy([]UserID{o.CreatedBy}); who != "" {
			return took
		}
	}
	return h
}

// KnownBy returns the person who has just made the hand-off by an override of their own and takes part
// in it. The answer already told them, so a notice would repeat it.
func (h Handoff) KnownBy(overrides []schedule.Override) UserID {
	for _, o := range slices.Backward(overrides) {
		made := !o.Start.After(h.At) && o.CancelledAt == nil && h.At.Sub(o.CreatedAt) < toldFor && h.At.Sub(o.Start) < toldFor
		if made && (o.Role == "" || o.Role == h.Role) && (slices.Contains(h.Incoming, o.CreatedBy) || slices.Contains(h.Outgoing, o.CreatedBy)) {
			return o.CreatedBy
		}
	}
	return ""
}

// toldFor is how long after an override begins its hand-off follows from making it.
const toldFor = time.Minute

// A Briefing is what the notices of a hand-off contain besides the people.
type Briefing struct {
	ScheduleName string
	TeamChannel  string        // "": the channel isn't told
	Duty         schedule.Duty // the role's current duty
	Incidents    []Incident    // the team's open incidents
	Watchers     []string      // the team's managers, or its channel
	Told         UserID        // person not told of the hand-off unless there are open incidents
}

// detail returns the common content of the hand-off's notices.
func (h Handoff) detail(b Briefing) NoticeDetail {
	facts := NoticeDetail{
		Schedule: h.Schedule, ScheduleName: b.ScheduleName, Role: h.Role, Start: h.At, End: b.Duty.Until,
		Users: h.Incoming, Others: h.Outgoing, Stays: without(h.Users, h.Incoming), Next: b.Duty.Next,
	}
	if h.AckedBy != "" {
		facts.State, facts.StateAt, facts.By = HandoffTaken, h.At, h.AckedBy
	}
	for _, in := range b.Incidents {
		facts.Incidents = append(facts.Incidents, in.ID)
		facts.Lines = append(facts.Lines, fmt.Sprintf("%s %s (%s)", in.ID, in.Title, in.Status))
	}
	return facts
}

// Announce returns the notices of the hand-off, and the timer that waits for its confirmation. A shadow's hand-off
// is told to nobody else.
func (h Handoff) Announce(b Briefing) ([]Notice, []Task) {
	var notices []Notice
	notify := func(kind NoticeKind, to string) {
		if to == string(b.Told) && len(b.Incidents) == 0 {
			return
		}
		notices = append(notices, Notice{
			Key: fmt.Sprintf("handoff/%d/%s/%s", h.Number, kind, to), To: to, Kind: kind, About: h.Number, Detail: h.detail(b),
		})
	}
	for _, u := range h.Incoming {
		notify(NoticeComing, string(u))
	}
	for _, u := range h.Outgoing {
		notify(NoticeGoing, string(u))
	}
	if h.Role != schedule.RoleShadow && b.TeamChannel != "" {
		notify(NoticeHandoff, b.TeamChannel)
	}
	if !h.open() {
		return notices, nil
	}
	return notices, []Task{{Args: ChaseHandoff{Number: h.Number}, At: h.At.Add(answerWithin)}}
}

// UnconfirmedNotices returns the notices that nobody has confirmed the hand-off; none if somebody has.
func (h Handoff) UnconfirmedNotices(b Briefing) []Notice {
	if !h.open() {
		return nil
	}
	var to []string
	for _, u := range h.Outgoing {
		to = append(to, string(u))
	}
	var notices []Notice
	for _, who := range append(to, without(b.Watchers, to)...) {
		notices = append(notices, Notice{
			Key: fmt.Sprintf("handoff/%d/%s/%s", h.Number, NoticeUnanswered, who), To: who, Kind: NoticeUnanswered,
			About: h.Number, Detail: h.detail(b),
		})
	}
	return notices
}

// PageNewlyOnCall pages people who have just come on call about an incident whose policy ran out or had nobody to page. It
// reports false for other incidents.
func (in Incident) PageNewlyOnCall(users []UserID, schedule string, f Facts, now time.Time) (Change, bool) {
	if in.Status != Triggered || !in.Exhausted && !in.Unassigned || len(users) == 0 {
		return Change{}, false
	}
	change := in.begin(ByTimer(), f, now)
	change.Incident.Seq++
	why := "nobody has it"
	if len(in.Acks) > 0 {
		why = "more must acknowledge it"
	}
	people := make([]pagedPerson, len(users))
	for i, u := range users {
		people[i] = pagedPerson{u, Say("you have come on call in %s and %s", schedule, why)}
	}
	_, from := change.pagePeople(people, change.now, nil)
	change.record(EventAdopted, ByTimer(), Detail{Users: users, Text: schedule, Acked: in.Acks, Until: shownUntil(from, now)})
	return change.done(), true
}

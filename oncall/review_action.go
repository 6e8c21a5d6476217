package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ReviewActionID identifies a ReviewAction.
type ReviewActionID int64

// A ReviewAction is something that is to be done after an incident. The person is asked about it every working morning
// after it is due, until it is done.
type ReviewAction struct {
	ID         ReviewActionID
	IncidentID IncidentID
	UserID     UserID // who has to do it
	Text       string
	By         UserID // who wants it done
	MadeAt     time.Time
	DueAt      time.Time  // the end of its last day
	AskAt      *time.Time // when the person is asked next; nil: it is done
	DoneAt     *time.Time
	DoneBy     UserID
}

// NoticeReviewAction asks a person whether an action is done, and NoticeActionGiven tells them that they were given one.
const (
	NoticeReviewAction NoticeKind = "review_action"
	NoticeActionGiven  NoticeKind = "action_given"
)

// ActionNotices are the notices that end with an action.
var ActionNotices = []NoticeKind{NoticeReviewAction, NoticeActionGiven}

// The states of a NoticeReviewAction.
const (
	ReviewActionDone  = "done"
	ReviewActionLater = "later"
	ReviewActionAgain = "again" // there is a newer notice
)

const (
	reviewActionTerm  = 7 * 24 * time.Hour // if nobody says until when
	reviewActionLater = 7 * 24 * time.Hour
	maxReviewAction   = 500
	maxReviewActions  = 30 // of one incident
	maxReviewTerm     = 366 * 24 * time.Hour
)

// AddReviewAction adds an action. A zero DueAt means in a week. Has is how many the incident has already.
func (in Incident) AddReviewAction(action ReviewAction, has int, by Actor, f Facts, now time.Time) (ReviewAction, Change, error) {
	action.Text = strings.Join(strings.Fields(Storable(action.Text)), " ")
	if action.DueAt.IsZero() {
		action.DueAt = now.Add(reviewActionTerm)
	}
	n := utf8.RuneCountInString(action.Text)
	switch {
	case in.MergedInto != 0:
		return action, Change{}, in.refuseClosed()
	case n == 0:
		return action, Change{}, Refuse("Say what is to be done.")
	case n > maxReviewAction:
		return action, Change{}, Refuse("An action can have %d characters, not %d.", maxReviewAction, n)
	case has >= maxReviewActions:
		return action, Change{}, Refuse("Incident %s has %d actions already.", in.ID, has)
	case !action.DueAt.After(now):
		return action, Change{}, Refuse("That day is over. Say a later one.")
	case action.DueAt.Sub(now) > maxReviewTerm:
		return action, Change{}, Refuse("An action is for a year at most.")
	}
	if err := f.reachable(action.UserID); err != nil {
		return action, Change{}, err
	}
	action.IncidentID, action.By, action.MadeAt, action.AskAt = in.ID, by.User, now, new(workMorning(action.UserID, f.Roster, action.DueAt))
	c := in.begin(by, f, now)
	zone := f.Roster.Users[cmp.Or(by.User, action.UserID)].TimeZone
	c.record(EventReviewAction, by, Detail{Users: []UserID{action.UserID}, Text: action.Text, Until: action.DueAt, Day: action.LastDay(zone)})
	return action, c.done(), nil
}

// LastDay returns the day that ends at DueAt in a time zone, as people write it: "Fri 4 Dec".
func (a ReviewAction) LastDay(zone string) string {
	at, err := time.LoadLocation(zone)
	if err != nil {
		at = time.UTC
	}
	return a.DueAt.Add(-time.Second).In(at).Format("Mon 2 Jan")
}

// AssignedNotice tells the person of the action that somebody else has given them; false: they know it themselves.
func (a ReviewAction) AssignedNotice(in Incident, r Roster) (Notice, bool) {
	if a.UserID == a.By {
		return Notice{}, false
	}
	zone := r.Users[a.UserID].TimeZone
	said := Say("You were given something to do after %s, until %s: %s", in.ID, a.LastDay(zone), a.Text)
	if a.By != "" {
		said = Say("%s gave you something to do after %s, until %s: %s", a.By, in.ID, a.LastDay(zone), a.Text)
	}
	n := Notice{Key: fmt.Sprintf("action_given/%d", a.ID), To: string(a.UserID), Kind: NoticeActionGiven, About: int64(a.ID), Detail: Saying(said)}
	n.Detail.Incidents, n.Detail.Title, n.Detail.Note, n.Detail.Start = []IncidentID{in.ID}, in.Title, a.Text, a.DueAt
	n.Detail.Users, n.Detail.Others, n.Detail.TimeZone = []UserID{a.UserID}, []UserID{a.By}, zone
	return n, true
}

// EndReviewAction notes that an action is done. It reports false if it was done before.
func (in Incident) EndReviewAction(a ReviewAction, by Actor, now time.Time) (ReviewAction, Change, bool) {
	if a.DoneAt != nil {
		return a, Change{}, false
	}
	a.DoneAt, a.DoneBy, a.AskAt = &now, by.User, nil
	c := in.begin(by, Facts{}, now)
	c.record(EventReviewActionDone, by, Detail{Users: []UserID{a.UserID}, Text: a.Text})
	return a, c.done(), true
}

// PutOff returns the action, to be asked about in a week, and not before it is due.
func (a ReviewAction) PutOff(r Roster, now time.Time) ReviewAction {
	from := now.Add(reviewActionLater)
	if a.DueAt.After(from) {
		from = a.DueAt
	}
	a.AskAt = new(workMorning(a.UserID, r, from))
	return a
}

// Ask returns the notice that asks about a due action, and the action as it is asked about next. The person who can't be
// reached, or may not see the incident any more, is not asked; the person who wanted it done is, or else a manager of the
// team. It reports false if there is nobody to ask.
func (a ReviewAction) Ask(in Incident, roster Roster, sees func(UserID) bool, now time.Time) (Notice, ReviewAction, bool) {
	people := append([]UserID{a.UserID, a.By}, roster.managers(in.TeamID)...)
	i := slices.IndexFunc(people, func(u UserID) bool { return u != "" && !roster.unpageable(u) && sees(u) })
	if i < 0 {
		a.AskAt = new(workMorning(a.UserID, roster, now))
		return Notice{}, a, false
	}
	to := people[i]
	n := Notice{
		Key: fmt.Sprintf("review_action/%d/%d", a.ID, a.AskAt.Unix()), To: string(to), Kind: NoticeReviewAction, About: int64(a.ID),
		Detail: NoticeDetail{Incidents: []IncidentID{in.ID}, Title: in.Title, Note: a.Text, Start: a.DueAt, Users: []UserID{a.UserID}, Others: []UserID{a.By}},
	}
	a.AskAt = new(workMorning(to, roster, now))
	return n, a, true
}

// RefuseReview refuses the review of an incident that is not over.
func (in Incident) RefuseReview() error {
	if in.Open() {
		return Refuse("Incident %s is open; its review is drafted once it is resolved.", in.ID)
	}
	return nil
}

// workMorning returns when a person's working hours begin at or after an instant; a day later, if they always work.
func workMorning(u UserID, r Roster, from time.Time) time.Time {
	hours, err := r.HoursOf(u)
	if err == nil {
		if at, found := hours.NextOpening(from); found {
			return at
		}
	}
	return from.Add(24 * time.Hour)
}

// ResponseTimes returns how long it took until a person first acknowledged the incident, and until it was resolved for the last
// time; 0: that has not happened.
func (in Incident) ResponseTimes(events []Event) (acked, resolved time.Duration) {
	for _, e := range events {
		switch {
		case acked == 0 && e.Actor.User != "" && (e.Kind == EventAcknowledged || e.Kind == EventAckCounted):
			acked = e.At.Sub(in.OpenedAt)
		case e.Kind == EventResolved:
			resolved = e.At.Sub(in.OpenedAt)
		}
	}
	if in.Open() {
		resolved = 0
	}
	return acked, resolved
}

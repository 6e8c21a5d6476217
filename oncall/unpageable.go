package oncall

import (
	"slices"
	"time"
)

// Unpageable says why nothing ever pages somebody, and why they are not on call, whatever names them; ""
// if they may be. Of whom Slack has not told yet are paged: nobody takes back a page that was not sent.
func (u User) Unpageable() string {
	switch {
	case u.DeactivatedAt != nil:
		return "is deactivated in Slack"
	case u.Standing == Stranger:
		return "is of another organisation"
	case u.Standing == GuestMember && !u.InTeam:
		return "is a guest whom no team names"
	}
	return ""
}

// UnpageableSince says from when on schedules leave somebody out, if they do. Only of deactivated people is
// it known since when they are.
func (u User) UnpageableSince() (since time.Time, is bool) {
	if u.DeactivatedAt != nil {
		since = *u.DeactivatedAt
	}
	return since, u.Unpageable() != ""
}

// RefusePage refuses to page somebody who is never paged.
func (u User) RefusePage() error {
	switch why := u.Unpageable(); {
	case why == "":
		return nil
	case u.DeactivatedAt == nil && u.Standing == GuestMember:
		return Refuse("%s %s, and can't be paged.", u.ID, why)
	default:
		return Refuse("%s %s and can't be paged.", u.ID, why)
	}
}

// HearsNot reports whether somebody is not told of a kind of notice: nothing goes to people of other
// organisations. What guests have of their own they are told.
func (u User) HearsNot(kind NoticeKind) bool {
	if u.DeactivatedAt == nil && u.Standing == GuestMember {
		return !u.InTeam && slices.Contains(HandoffNotices, kind)
	}
	return u.Unpageable() != ""
}

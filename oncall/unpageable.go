package oncall

import (
	"slices"
	"time"
)

// Unpageable says why somebody is never paged nor on call, whatever names them; "" if they may be. People
// of whom Slack has said nothing yet are paged: a page too many is better than one that is missing.
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

// UnpageableSince says from when on schedules leave somebody out, if they do. A time is known only for
// deactivated people.
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

// HearsNot reports whether a kind of notice isn't sent to somebody. People of other organisations get none;
// guests get those about what is their own.
func (u User) HearsNot(kind NoticeKind) bool {
	if u.DeactivatedAt == nil && u.Standing == GuestMember {
		return !u.InTeam && slices.Contains(HandoffNotices, kind)
	}
	return u.Unpageable() != ""
}

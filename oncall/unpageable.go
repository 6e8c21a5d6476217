package oncall

import (
	"slices"
	"time"
)

// Unpageable says why somebody can't be paged or on call, no matter who names them, or "" if they can.
// People of unknown status are paged: a page too many is better than a missing one.
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

// UnpageableSince says whether schedules leave somebody out, and since when. The time is known only for deactivated
// people.
func (u User) UnpageableSince() (since time.Time, ok bool) {
	if u.DeactivatedAt != nil {
		since = *u.DeactivatedAt
	}
	return since, u.Unpageable() != ""
}

// RefusePage refuses to page somebody who can't be paged.
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

// SkipsNotice reports whether a kind of notice isn't sent to somebody. People who can't be paged get none, but a guest
// gets all except those about hand-offs, which concern a guest only in a team.
func (u User) SkipsNotice(kind NoticeKind) bool {
	if u.DeactivatedAt == nil && u.Standing == GuestMember {
		return !u.InTeam && slices.Contains(HandoffNotices, kind)
	}
	return u.Unpageable() != ""
}

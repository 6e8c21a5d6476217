package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// NoticeUnacked reminds a team's channel of incidents that wait for an acknowledgement. There is one message for each
// episode, which begins with the first such incident and ends when none is left.
const NoticeUnacked NoticeKind = "unacked"

// UnackedOver is the state of a reminder whose episode has ended.
const UnackedOver = "over"

// unackedListed is how many incidents a reminder lists.
const unackedListed = 10

// An Unacked is an incident that waits for an acknowledgement.
type Unacked struct {
	Team     TeamID
	ID       IncidentID
	Title    string
	Severity Severity
	Since    time.Time
}

// UnackedDetail returns the content of a reminder of incidents, sorted by severity, then by age.
func UnackedDetail(all []Unacked, now time.Time) NoticeDetail {
	all = slices.SortedFunc(slices.Values(all), func(a, b Unacked) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	f := NoticeDetail{Start: now, Count: len(all)}
	for _, u := range all[:min(len(all), unackedListed)] {
		f.Incidents = append(f.Incidents, u.ID)
		f.Lines = append(f.Lines, fmt.Sprintf("%s %s (%s, for %s)", u.ID, u.Title, u.Severity, roundedText(now.Sub(u.Since))))
	}
	return f
}

// RemindUnacked decides the next content of a team's reminder. Last is its current content; nil: there is no open
// reminder. It reports false if nothing changes.
func RemindUnacked(last *NoticeDetail, all []Unacked, every Seconds, now time.Time) (NoticeDetail, bool) {
	next := UnackedDetail(all, now)
	switch {
	case last == nil:
		return next, len(all) > 0
	case len(all) == 0:
		over := *last
		over.State, over.StateAt = UnackedOver, now
		return over, true
	}
	other := next.Count != last.Count || !slices.Equal(next.Incidents, last.Incidents)
	return next, other || now.Sub(last.Start) >= every.Duration()
}

// roundedText formats a duration in one unit, rounded down.
func roundedText(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

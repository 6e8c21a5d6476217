package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// NoticeUnacked reminds a team's channel of incidents that wait to be acknowledged, by anybody
// or by more people. There is one message for each episode, which begins with the first such
// incident and ends when none is left.
const NoticeUnacked NoticeKind = "unacked"

// UnackedOver is the state of a reminder whose episode has ended.
const UnackedOver = "over"

// unackedListed bounds the incidents that a reminder names.
const unackedListed = 10

// An Unacked is an incident that has been triggered since an instant.
type Unacked struct {
	Team     TeamID
	ID       IncidentID
	Title    string
	Severity Severity
	Since    time.Time
}

// UnackedDetail is what a reminder shows of incidents at an instant: the worst first, and of equally
// bad ones the oldest.
func UnackedDetail(all []Unacked, now time.Time) NoticeDetail {
	all = slices.SortedFunc(slices.Values(all), func(a, b Unacked) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	f := NoticeDetail{Start: now, Count: len(all)}
	for _, u := range all[:min(len(all), unackedListed)] {
		f.Incidents = append(f.Incidents, u.ID)
		f.Lines = append(f.Lines, fmt.Sprintf("%s %s (%s, for %s)", u.ID, u.Title, u.Severity, roughly(now.Sub(u.Since))))
	}
	return f
}

// RemindUnacked decides what a team's reminder shows next; last is what it shows now, nil if there
// is none. It reports false if nothing changes.
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

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

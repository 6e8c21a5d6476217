package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// RemindBefore is how long before a shift people are reminded by default.
var RemindBefore = []time.Duration{24 * time.Hour, time.Hour}

// MaxRemindBefore is the earliest reminder that somebody can ask for.
const MaxRemindBefore = 14 * 24 * time.Hour

// NoticeReminder is a reminder before a shift.
const NoticeReminder NoticeKind = "reminder"

// planAhead is how far ahead people are told of changes to their shifts, and reminders are planned.
const planAhead = 8 * 7 * 24 * time.Hour

// Reminders returns the reminders that are due at now, and when the next one will be; zero: there is none. Before says
// how long before a shift each person wants to be reminded.
func Reminders(compiled *schedule.Schedule, now time.Time, before func(UserID) []time.Duration) (due []Notice, next time.Time) {
	end := now.Add(planAhead)
	for _, role := range compiled.Roles() {
		shifts := compiled.Shifts(now, end, role)
		for i := 1; i < len(shifts) && !shifts[i].Start.After(now.Add(MaxRemindBefore)); i++ {
			for _, u := range without(shifts[i].Users, shifts[i-1].Users) {
				for _, d := range before(u) {
					at := shifts[i].Start.Add(-d)
					switch {
					case at.After(now) && (next.IsZero() || at.Before(next)):
						next = at
					case !at.After(now) && now.Sub(at) <= remindLate(d):
						due = append(due, reminder(compiled, role, u, d, shifts[i:]))
					}
				}
			}
		}
	}
	return due, next
}

// remindLate returns how late a reminder still helps.
func remindLate(before time.Duration) time.Duration { return min(before/4, time.Hour) }

// reminder returns the reminder of the first shift, which may continue in the following ones.
func reminder(compiled *schedule.Schedule, role string, u UserID, before time.Duration, shifts []schedule.Shift) Notice {
	start, end := shifts[0].Start, shifts[0].End
	for _, s := range shifts[1:] {
		if !slices.Contains(s.Users, u) {
			break
		}
		end = s.End
	}
	return Notice{
		Key:    fmt.Sprintf("remind/%d/%s/%s/%d/%d", compiled.ID(), role, u, start.Unix(), before/time.Second),
		To:     string(u),
		Kind:   NoticeReminder,
		Detail: NoticeDetail{Schedule: compiled.ID(), ScheduleName: compiled.Name(), Role: role, Start: start, End: end, Users: []UserID{u}},
		Until:  &start,
	}
}

// NoticeMoved tells somebody that their shifts have changed.
const NoticeMoved NoticeKind = "shift_moved"

// ShiftChangeNotices returns the notices to people whose shifts within planAhead an edit has changed, except by and the aware, who
// know already. Changes that begin at once are announced as hand-offs instead. Key identifies the edit.
func ShiftChangeNotices(before, after *schedule.Schedule, now time.Time, key string, by UserID, aware []UserID) []Notice {
	moves := map[UserID][]schedule.Move{}
	var people []UserID
	for _, m := range movedAhead(before, after, now) {
		if !m.Start.After(now) || m.User == by || slices.Contains(aware, m.User) {
			continue
		}
		if moves[m.User] == nil {
			people = append(people, m.User)
		}
		moves[m.User] = append(moves[m.User], m)
	}
	var notices []Notice
	for _, u := range people {
		notices = append(notices, Notice{
			Key: fmt.Sprintf("moved/%s/%s", key, u), To: string(u), Kind: NoticeMoved,
			Detail: NoticeDetail{Schedule: after.ID(), ScheduleName: after.Name(), By: by, Moves: moves[u]},
		})
	}
	return notices
}

// movedAhead returns the moves that begin within planAhead, each with its real end; zero: it has none within years.
func movedAhead(before, after *schedule.Schedule, now time.Time) []schedule.Move {
	ahead := now.Add(planAhead)
	for look := 2 * planAhead; ; look *= 4 {
		end := now.Add(look)
		moves := slices.DeleteFunc(schedule.MovedShifts(before, after, now, end), func(m schedule.Move) bool {
			return !m.Start.Before(ahead)
		})
		cut := func(m schedule.Move) bool { return !m.End.Before(end) }
		if !slices.ContainsFunc(moves, cut) {
			return moves
		}
		if look < 10*planAhead {
			continue
		}
		for i, m := range moves {
			if cut(m) {
				moves[i].End = time.Time{}
			}
		}
		return moves
	}
}

// ParseRemindBefore parses how long before a shift somebody wants to be reminded: "24h 1h", "2d", "30m", or "off". The
// result is sorted, the longest first.
func ParseRemindBefore(words []string) ([]time.Duration, error) {
	before := []time.Duration{}
	if len(words) == 1 && words[0] == "off" {
		return before, nil
	}
	for _, w := range words {
		d, err := time.ParseDuration(w)
		var days int
		if n, scanErr := fmt.Sscanf(w, "%dd", &days); err != nil && n == 1 && scanErr == nil && w == fmt.Sprintf("%dd", days) {
			d, err = time.Duration(min(days, 1000))*24*time.Hour, nil
		}
		switch {
		case err != nil:
			return nil, Refuse("%q is not a length of time such as `24h`, `30m` or `2d`.", w)
		case d < time.Minute || d > MaxRemindBefore:
			return nil, Refuse("A reminder can come 1 minute to 14 days before a shift, not %s.", w)
		}
		if !slices.Contains(before, d) {
			before = append(before, d)
		}
	}
	if len(before) == 0 || len(before) > 5 {
		return nil, Refuse("Say up to five lengths of time, such as `24h 1h`, or `off`.")
	}
	slices.Sort(before)
	slices.Reverse(before)
	return before, nil
}

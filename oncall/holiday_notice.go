package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeHoliday asks somebody whether they want cover for a shift on a holiday. Lines has the holiday's name.
const NoticeHoliday NoticeKind = "holiday"

// holidayAhead is how long before a holiday people are asked.
const holidayAhead = 4 * 7 * 24 * time.Hour

// HolidayNotices ask the person who has a shift on a holiday, where the schedule says so. Their keys stay the same, so that
// nobody is asked twice.
func (f ShiftFacts) HolidayNotices(now time.Time) []Notice {
	var out []Notice
	for _, c := range f.Schedules {
		for _, h := range c.HolidaysIn(now, now.Add(holidayAhead)) {
			if h.Ask && h.Start.After(now) {
				out = append(out, f.holidayNotices(c, h)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b Notice) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (f ShiftFacts) holidayNotices(compiled *schedule.Schedule, h schedule.HolidayAhead) []Notice {
	var out []Notice
	for _, u := range onCallIn(compiled, h.Start, h.End) {
		if f.unpageable(u) {
			continue
		}
		notice := Notice{
			Key: fmt.Sprintf("holiday/%d/%s/%s", compiled.ID(), h.Date, u), To: string(u), Kind: NoticeHoliday, About: int64(compiled.ID()), Until: &h.Start,
			Detail: NoticeDetail{
				Schedule: compiled.ID(), ScheduleName: compiled.Name(), Start: h.Start, End: h.End, Users: []UserID{u}, Lines: []string{h.Name},
				TimeZone: f.Users[u].TimeZone,
			},
		}
		for _, s := range compiled.Stints(u, h.Start, h.End) {
			if s.End.After(h.End) {
				s.End = h.End
			}
			notice.Detail.Stints = append(notice.Detail.Stints, s)
		}
		if len(notice.Detail.Stints) > 0 {
			out = append(out, notice)
		}
	}
	return out
}

// onCallIn returns the people who are on call in a schedule at any time between two instants.
func onCallIn(c *schedule.Schedule, from, to time.Time) []UserID {
	var people []UserID
	for _, role := range c.Roles() {
		for _, shift := range c.Shifts(from, to, role) {
			people = append(people, shift.Users...)
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// NoticeHolidaysUnread tells managers that the calendar of a schedule's holidays can't be read.
const NoticeHolidaysUnread NoticeKind = "holidays_unread"

// HolidaysUnreadNotice returns the notice to a manager that a calendar has been unreadable since the given
// time. The argument host is the part of its address that is shown.
func HolidaysUnreadNotice(id ScheduleID, name, host, why string, to UserID, since time.Time) Notice {
	return Notice{
		Key: fmt.Sprintf("holidays_unread/%d/%d/%s", id, since.Unix(), to), To: string(to), Kind: NoticeHolidaysUnread, About: int64(id),
		Detail: Saying(Say("The calendar of holidays at %s, which the schedule %s names, can't be read: %s. What was read of it before counts.",
			host, name, strings.TrimSuffix(why, "."))),
	}
}

package setup

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// movedWithin is how far ahead the moved hours are counted.
const movedWithin = 8 * 7 * 24 * time.Hour

// EditedInSlack describes who made a version of a schedule in Slack, and when.
func EditedInSlack(v schedule.Version) oncall.Sentence {
	if v.Note == "" {
		return oncall.Say("edited in Slack by %s, %s UTC", v.CreatedBy, schedule.Stamp(v.CreatedAt, time.UTC))
	}
	return oncall.Say("edited in Slack by %s, %s UTC: %s", v.CreatedBy, schedule.Stamp(v.CreatedAt, time.UTC), v.Note)
}

// HoursMoved describes what each person gains and loses within eight weeks if a schedule becomes
// another.
func HoursMoved(was, is *schedule.Schedule, now time.Time) []oncall.Sentence {
	type sum struct {
		length   time.Duration
		from, to time.Time
	}
	sums := map[oncall.UserID]*[2]sum{} // gained, lost
	var people []oncall.UserID
	for _, m := range schedule.MovedShifts(was, is, now, now.Add(movedWithin)) {
		if sums[m.User] == nil {
			sums[m.User] = &[2]sum{}
			people = append(people, m.User)
		}
		s := &sums[m.User][1]
		if m.Gained {
			s = &sums[m.User][0]
		}
		if s.length == 0 {
			s.from = m.Start
		}
		s.length, s.to = s.length+m.End.Sub(m.Start), m.End
	}
	slices.SortFunc(people, func(a, b oncall.UserID) int {
		return cmp.Or(cmp.Compare(sums[b][0].length, sums[a][0].length), cmp.Compare(a, b))
	})
	zone := time.UTC
	if z, err := schedule.LoadZone(is.TimeZone()); err == nil {
		zone = z.Location()
	}
	describe := func(verb string, s sum) string {
		hours := oncall.Say("%s %s h from %s to %s", verb, hoursText(s.length), s.from.In(zone).Format("2 Jan"), s.to.In(zone).Format("2 Jan"))
		return hours.String()
	}
	var out []oncall.Sentence
	for _, u := range people {
		gains, loses := sums[u][0], sums[u][1]
		switch {
		case loses.length == 0:
			out = append(out, oncall.Say("%s %s", u, describe("gains", gains)))
		case gains.length == 0:
			out = append(out, oncall.Say("%s %s", u, describe("loses", loses)))
		default:
			out = append(out, oncall.Say("%s %s and %s", u, describe("gains", gains), describe("loses", loses)))
		}
	}
	return out
}

// hoursText formats hours with at most one decimal.
func hoursText(d time.Duration) string {
	tenths := int64(d.Round(6*time.Minute) / (6 * time.Minute))
	if tenths%10 == 0 {
		return oncall.Say("%d", tenths/10).String()
	}
	return oncall.Say("%d.%d", tenths/10, tenths%10).String()
}

package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

type gaSchedule struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	TimeZone  string         `json:"timeZone"`
	Targets   []gaAssignment `json:"targets"`
	Temporary []struct {
		Start  time.Time `json:"start"`
		End    time.Time `json:"end"`
		Shifts []gaShift `json:"shifts"`
	} `json:"temporarySchedules"`
	Shifts []gaShift `json:"shifts"`
}

// A gaAssignment puts a user or a rotation on call by rules, which are combined.
type gaAssignment struct {
	Target gaTarget `json:"target"`
	Rules  []gaRule `json:"rules"`
}

type gaRule struct {
	Start string  `json:"start"` // 09:00
	End   string  `json:"end"`
	Days  [7]bool `json:"weekdayFilter"` // from Sunday
}

type gaShift struct {
	User  string    `json:"userID"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type gaRotation struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type"` // hourly, daily, weekly, monthly
	Length   int       `json:"shiftLength"`
	Start    time.Time `json:"start"`
	TimeZone string    `json:"timeZone"`
	Users    []string  `json:"userIDs"`
	Active   int       `json:"activeUserIndex"` // whose turn it was at the time of the response
}

type gaOverride struct {
	ID     string    `json:"id"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Add    string    `json:"addUserID"`
	Remove string    `json:"removeUserID"`
	Target gaTarget  `json:"target"`
}

// longAgo is the start of those who are on call without turns.
const longAgo = "2020-01-01 00:00"

var slackChannelForm = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)

func (g *goAlert) schedule(from gaSchedule) {
	name := g.schedules.of(from.ID, "")
	where := Location{"schedule", name, ""}
	location, err := time.LoadLocation(from.TimeZone)
	if err != nil || from.TimeZone == "" {
		g.addLoss(where, "its time zone is %q, which is none; it is left out", from.TimeZone)
		return
	}
	out := setup.Schedule{Name: name, Team: g.team(noTeam), TimeZone: from.TimeZone}
	called := newNames()
	for _, a := range from.Targets {
		if r, ok := g.assignment(a, out, location, called, where); ok {
			out.Rotations = append(out.Rotations, r)
		}
	}
	if len(out.Rotations) == 0 {
		g.addLoss(where, "no rule of it has anybody be on call")
	}
	g.addOverrides(&out, g.overrides(from, out.Team, where), called, g.now, where)
	g.Setup.Schedules = append(g.Setup.Schedules, out)
	g.final(from, name)
}

// assignment makes a rotation from an assignment.
func (g *goAlert) assignment(a gaAssignment, made setup.Schedule, location *time.Location, called *names, where Location) (setup.Rotation, bool) {
	only, ever, err := gaWindows(a.Rules)
	if err != nil {
		g.addLoss(where, "%v; it is left out, so that nobody is paged who should not be", err)
		return setup.Rotation{}, false
	}
	if !ever {
		return setup.Rotation{}, false
	}
	// All rules apply together: the same priority.
	out := setup.Rotation{Priority: 1, Only: only}
	var here Location
	switch a.Target.Type {
	case "user":
		turn := g.people([]string{a.Target.ID}, made.Team, where)
		if len(turn) == 0 {
			return out, false
		}
		out.Name, out.Start, out.Every, out.Turns = called.of(a.Target.ID, turn[0]), longAgo, "12 months", []setup.Turn{turn}
		here = where.at("rule of " + turn[0])
	case "rotation":
		i := slices.IndexFunc(g.in.Rotations, func(r gaRotation) bool { return r.ID == a.Target.ID })
		if i < 0 {
			g.addLoss(where, "its rotation %s is not among the answers", a.Target.Name)
			return out, false
		}
		r := g.in.Rotations[i]
		here = where.at("rotation " + r.Name)
		if !g.rotation(&out, r, made, location, called, here) {
			return out, false
		}
	default:
		g.addLoss(where, "it is assigned to %s (%s), which can't be on call here", a.Target.Name, a.Target.Type)
		return out, false
	}
	g.warnAmbiguousEnd(only, location, here)
	return out, true
}

// rotation imports turns: GoAlert records whose turn it is now, and the order follows from that.
func (g *goAlert) rotation(out *setup.Rotation, r gaRotation, made setup.Schedule, location *time.Location, called *names, where Location) bool {
	own, err := time.LoadLocation(r.TimeZone)
	unit, ok := map[string]string{"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}[r.Type]
	if err != nil || !ok || len(r.Users) == 0 {
		g.addLoss(where, "its turns are %q among %d people in the time zone %q; it is left out", r.Type, len(r.Users), r.TimeZone)
		return false
	}
	zone := own
	switch {
	case r.TimeZone == made.TimeZone:
	case len(out.Only) == 0:
		out.TimeZone = r.TimeZone
	default:
		zone = location
		g.addLoss(where, "its hand-offs go by the clock of %s and its rules by that of %s; here both by the latter, so that hand-offs differ while only one of them has summer time", r.TimeZone, made.TimeZone)
	}
	length := max(r.Length, 1)
	start := wallTime(r.Start, zone)
	if start.Day() > 28 && r.Type == "monthly" {
		g.addLoss(where, "its monthly turns begin on day %d. Where a month has no such day they begin in the next one there, and here on the last of it", start.Day())
	}
	ref := g.in.Asked.Since
	for start.After(wallTime(ref, zone)) { // turns before the first one count too
		switch r.Type {
		case "hourly":
			start = start.Add(-time.Duration(length) * time.Hour)
		case "monthly":
			start = time.Date(start.Year(), start.Month()-time.Month(length), min(start.Day(), 28), start.Hour(), start.Minute(), 0, 0, time.UTC)
		default:
			start = start.AddDate(0, 0, -length*map[string]int{"daily": 1, "weekly": 7}[r.Type])
		}
	}
	out.Name, out.Start, out.Every = called.of(r.ID, r.Name), formatWall(start), plural(int64(length), unit)
	n := len(r.Users)
	turn, err := turnAt(*out, n, made, ref)
	if err != nil {
		g.addLoss(where, "%v; it is left out", err)
		return false
	}
	for i := range r.Users {
		id := r.Users[((i-turn+r.Active)%n+n)%n]
		out.Turns = append(out.Turns, g.people([]string{id}, made.Team, where))
	}
	return true
}

// turnAt returns which of n turns is in progress at an instant.
func turnAt(r setup.Rotation, n int, s setup.Schedule, at time.Time) (int, error) {
	r.Only = nil
	for i := range n {
		r.Turns = append(r.Turns, setup.Turn{strconv.Itoa(i)})
	}
	c, err := compiled(setup.Schedule{Name: s.Name, TimeZone: s.TimeZone, Rotations: []setup.Rotation{r}})
	if err != nil {
		return 0, err
	}
	shifts := c.Shifts(at, at.Add(time.Minute), schedule.RolePrimary)
	if len(shifts) == 0 || len(shifts[0].Users) == 0 {
		return 0, fmt.Errorf("nobody has a turn at %s", at.Format(time.RFC3339))
	}
	return strconv.Atoi(string(shifts[0].Users[0]))
}

// gaWindows converts rules to windows; no windows means always. ever reports whether any rule is
// ever in force.
func gaWindows(rules []gaRule) (out []schedule.Window, ever bool, err error) {
	for _, r := range rules {
		from, err := schedule.ParseTimeOfDay(r.Start)
		if err != nil {
			return nil, false, fmt.Errorf("a rule begins at %q, which is no time of day", r.Start)
		}
		to, err := schedule.ParseTimeOfDay(r.End)
		if err != nil {
			return nil, false, fmt.Errorf("a rule ends at %q, which is no time of day", r.End)
		}
		var days []time.Weekday
		for d, on := range r.Days {
			if on {
				days = append(days, time.Weekday(d))
			}
		}
		switch {
		case len(days) == 0:
			continue
		case len(days) == 7 && from == to:
			return nil, true, nil
		}
		ever = true
		out = append(out, schedule.Window{Days: daysOf(days), From: from, To: to})
	}
	return out, ever, nil
}

// warnAmbiguousEnd warns of a rule that ends at a time which occurs twice on some day of the coming year:
// GoAlert ends it at the second, we at the first.
func (g *goAlert) warnAmbiguousEnd(only []schedule.Window, location *time.Location, where Location) {
	for _, change := range backward(g.now, g.now.AddDate(1, 0, 0), location) {
		for _, w := range only {
			end := int(w.To)
			if end >= change.from && end < change.to {
				g.addLoss(where, "a rule ends at %s, which comes twice on %s: there at the second, here at the first", w.To, change.day)
			}
		}
	}
}

// A foldedHour is a time that occurs twice on a day, in minutes.
type foldedHour struct {
	day      string
	from, to int
}

// backward returns when clocks go back.
func backward(from, until time.Time, location *time.Location) (out []foldedHour) {
	for t := from.Truncate(time.Hour); t.Before(until); t = t.Add(30 * time.Minute) {
		_, before := t.In(location).Zone()
		_, after := t.Add(30 * time.Minute).In(location).Zone()
		if after >= before {
			continue
		}
		shows := wallTime(t.Add(30*time.Minute), location)
		minute := shows.Hour()*60 + shows.Minute()
		out = append(out, foldedHour{day: shows.Format("2006-01-02"), from: minute, to: minute + (before-after)/60})
	}
	return out
}

// overrides imports overrides and temporary schedules. In GoAlert a temporary schedule outranks all
// others.
func (g *goAlert) overrides(from gaSchedule, team string, where Location) (out []schedule.Override) {
	for _, o := range g.in.Overrides {
		if o.Target.ID != from.ID || !o.End.After(g.now) {
			continue
		}
		here := where.at("override of " + o.Start.Format(time.RFC3339))
		over := schedule.Override{Start: o.Start, End: o.End}
		add, removed := g.people(nonempty(o.Add), team, here), g.users.byID[o.Remove]
		switch {
		case o.Add != "" && len(add) == 0:
			continue
		case o.Remove == "":
			over.Kind, over.Users = schedule.OverrideAdd, append(over.Users, userID(add[0]))
		case removed == "": // a removed user is not on call
			continue
		case o.Add == "":
			over.Kind, over.Users = schedule.OverrideRemove, append(over.Users, userID(removed))
		case add[0] == removed:
			continue
		default:
			over.Kind, over.From, over.To = schedule.OverrideSwap, userID(removed), userID(add[0])
		}
		out = append(out, over)
	}
	for _, t := range from.Temporary {
		if !t.End.After(g.now) {
			continue
		}
		here := where.at("temporary schedule of " + t.Start.Format(time.RFC3339))
		over := schedule.Override{Kind: schedule.OverrideTemporary, Start: t.Start, End: t.End, AllowGaps: true}
		for _, x := range t.Shifts {
			if who := g.people([]string{x.User}, team, here); len(who) > 0 {
				over.Shifts = append(over.Shifts, schedule.ManualShift{Start: x.Start, End: x.End, Users: append([]schedule.UserID{}, userID(who[0]))})
			}
		}
		out = append(out, over)
	}
	return out
}

func nonempty(id string) []string {
	if strings.TrimSpace(id) == "" {
		return nil
	}
	return []string{id}
}

// final records GoAlert's own final schedule.
func (g *goAlert) final(s gaSchedule, name string) {
	if s.Shifts == nil {
		return
	}
	var shifts []FinalShift
	for _, x := range s.Shifts {
		shifts = append(shifts, FinalShift{User: g.users.byID[x.User], From: x.Start, To: x.End})
	}
	g.addFinal(name, g.in.Asked, g.now, shifts)
}

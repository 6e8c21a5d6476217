package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A teamPage shows all schedules of a team on one timeline.
type teamPage struct {
	Team     oncall.Team
	Now      teamOnCall
	Weeks    int
	First    string // day, for links
	Before   string
	After    string
	Today    string
	IsNow    bool // today is in view
	From, To time.Time
	Ticks    []tick
	Shade    []axisSpan // weekends
	NowAt    string     // where now is; "" if it isn't shown
	Tracks   []track
	People   []legend
	Gaps     int
	Days     []listDay
	Members  []oncall.UserID
	Managers []oncall.UserID
}

// A tick is a mark of the axis.
type tick struct {
	At, Label, Month string
	Monday           bool
}

// An axisSpan is a section of the axis.
type axisSpan struct{ X, Width string }

// A track is one role of one schedule.
type track struct {
	Schedule, Role, Zone string
	Free                 bool // empty is not a gap
	Lanes                int
	Height               int
	Bars                 []bar
	Summary              string
}

// A bar is a shift of one person, or a gap.
type bar struct {
	axisSpan
	Y, Height int
	Text      int // x position of the name
	Label     string
	Title     string
	Class     string
	Hatch     bool
}

type legend struct {
	Name   string
	Colour int
}

// A listDay is one day of the list, with the shifts that begin on it.
type listDay struct {
	Day    string
	Shifts []listShift
}

type listShift struct {
	Schedule, Role string
	Start, End     time.Time
	Users          []oncall.UserID
	Free           bool
	Changed        bool
	Why            string
	Now            bool
}

const (
	laneHeight = 26
	laneGap    = 3
	rowPad     = 6
	maxLanes   = 4
)

// team returns the page of one team.
func (v *visit) team() (page, error) {
	team, known := v.teamNamed(v.r.PathValue("team"))
	if !known {
		return page{}, oncall.ErrNotFound
	}
	q := v.r.URL.Query()
	p := teamPage{Team: team, Weeks: 2, Members: v.dir.Members[team.ID], Managers: v.dir.Managers(team.ID)}
	if q.Get("weeks") == "4" {
		p.Weeks = 4
	}
	first := v.monday()
	if day, err := schedule.ParseDate(q.Get("from")); err == nil && day.Year >= 2000 && day.Year < 2100 {
		first = day
	}
	days := 7 * p.Weeks
	p.First, p.Before, p.After = first.String(), first.AddDays(-days).String(), first.AddDays(days).String()
	p.Today = v.monday().String()
	p.From, p.To = v.wall.Instant(first, 0), v.wall.Instant(first.AddDays(days), 0)
	p.IsNow = !v.now.Before(p.From) && v.now.Before(p.To)
	dir, err := v.Store.DirectoryAt(v.ctx, v.by, v.dir, p.From)
	if err != nil {
		return page{}, err
	}
	v.dir, v.reader.dir = dir, dir
	p.Now = v.teamOnCall(team, 0)
	v.axis(&p, first, days)
	v.tracks(&p)
	return page{name: "team", title: team.Name, tab: "on-call", data: p, live: true}, nil
}

// monday returns the first day of the current week.
func (rd reader) monday() schedule.Date {
	day := rd.date(rd.now)
	for day.Weekday() != schedule.Monday {
		day = day.AddDays(-1)
	}
	return day
}

func (p *teamPage) x(t time.Time) string {
	return percent(float64(t.Sub(p.From)), float64(p.To.Sub(p.From)))
}

func (p *teamPage) stretch(from, to time.Time) axisSpan {
	if from.Before(p.From) {
		from = p.From
	}
	if to.After(p.To) {
		to = p.To
	}
	return axisSpan{p.x(from), percent(float64(to.Sub(from)), float64(p.To.Sub(p.From)))}
}

// axis marks the days.
func (v *visit) axis(p *teamPage, first schedule.Date, days int) {
	for i := range days {
		day := first.AddDays(i)
		at := v.wall.Instant(day, 0)
		name := string(day.Weekday())
		one := tick{At: p.x(at), Monday: day.Weekday() == schedule.Monday, Label: string(name[0]-'a'+'A') + name[1:3] + " " + strconv.Itoa(day.Day)}
		if p.Weeks == 4 {
			one.Label = strconv.Itoa(day.Day)
		}
		if day.Day == 1 && i > 0 && i <= 2*p.Weeks { // no room for the previous month's name
			p.Ticks[0].Month = ""
		}
		if i == 0 || day.Day == 1 {
			one.Month = day.Month.String() + " " + strconv.Itoa(day.Year)
		}
		p.Ticks = append(p.Ticks, one)
		if w := day.Weekday(); w == schedule.Saturday || w == schedule.Sunday {
			p.Shade = append(p.Shade, p.stretch(at, v.wall.Instant(day.AddDays(1), 0)))
		}
	}
	if p.IsNow {
		p.NowAt = p.x(v.now)
	}
}

// A roleShift is a shift with its schedule and role.
type roleShift struct {
	schedule.Shift
	of   *schedule.Schedule
	role string
}

// tracks draws the schedules, computed the same way as for paging.
func (v *visit) tracks(p *teamPage) {
	var all []roleShift
	var people []oncall.UserID
	type rowOf struct {
		of     *schedule.Schedule
		role   string
		shifts []schedule.Shift
	}
	var rows []rowOf
	for _, sched := range v.dir.Schedules {
		if sched.TeamID() != p.Team.ID {
			continue
		}
		for _, role := range sched.Roles() {
			shifts := sched.Shifts(p.From, p.To, role)
			rows = append(rows, rowOf{sched, role, shifts})
			for _, shift := range shifts {
				all = append(all, roleShift{shift, sched, role})
				people = append(people, shift.Users...)
			}
		}
	}
	colour := coloursOf(people)
	for _, r := range rows {
		p.Tracks = append(p.Tracks, v.track(p, r.of, r.role, r.shifts, colour))
	}
	slices.Sort(people)
	for _, u := range slices.Compact(people) {
		p.People = append(p.People, legend{v.Name(u), colour[u]})
	}
	slices.SortFunc(p.People, func(a, b legend) int { return cmp.Compare(a.Name, b.Name) })
	v.list(p, all)
}

func (v *visit) track(p *teamPage, sched *schedule.Schedule, role string, shifts []schedule.Shift, colour map[oncall.UserID]int) track {
	t := track{Schedule: sched.Name(), Role: role, Zone: sched.TimeZone(), Free: role == schedule.RoleShadow, Lanes: 1}
	if role == schedule.RolePrimary {
		t.Role = ""
	}
	for _, shift := range shifts {
		t.Lanes = max(t.Lanes, min(len(shift.Users), maxLanes))
	}
	full := t.Lanes*laneHeight + (t.Lanes-1)*laneGap
	t.Height = full + 2*rowPad
	gaps := 0
	for _, shift := range shifts {
		when := schedule.Between(shift.Start, shift.End, v.zone)
		at := p.stretch(shift.Start, shift.End)
		if len(shift.Users) == 0 {
			if !t.Free {
				gaps++
				label := "nobody"
				if shift.End.Sub(shift.Start) < p.To.Sub(p.From)/20 { // it is red in any case
					label = ""
				}
				t.Bars = append(t.Bars, bar{axisSpan: at, Y: rowPad, Height: full, Text: full/2 + 4, Label: label, Title: "Nobody, " + when, Class: "gap"})
			}
			continue
		}
		lanes := min(len(shift.Users), maxLanes)
		height := (full - (lanes-1)*laneGap) / lanes
		for i, u := range shift.Users[:lanes] {
			b := bar{
				axisSpan: at, Y: rowPad + i*(height+laneGap), Height: height, Text: height/2 + 4, Label: v.Name(u),
				Title: v.Name(u) + ", " + when, Class: "p" + strconv.Itoa(colour[u]), Hatch: changed(shift.Source),
			}
			if i == lanes-1 && len(shift.Users) > lanes {
				b.Label += fmt.Sprintf(" +%d", len(shift.Users)-lanes)
			}
			if shift.End.Sub(shift.Start) < p.To.Sub(p.From)/50 { // too narrow for a name
				b.Label = ""
			}
			if b.Hatch {
				b.Title += " (" + v.why(shift.Source) + ")"
			}
			t.Bars = append(t.Bars, b)
		}
	}
	p.Gaps += gaps
	t.Summary = t.Schedule + ", " + count(len(shifts)-gaps, "shift")
	if gaps > 0 {
		t.Summary += ", " + count(gaps, "gap")
	}
	return t
}

// list is the text version of the picture, day by day.
func (v *visit) list(p *teamPage, all []roleShift) {
	slices.SortStableFunc(all, func(a, b roleShift) int { return a.Start.Compare(b.Start) })
	for _, s := range all {
		free := s.role == schedule.RoleShadow
		if len(s.Users) == 0 && free {
			continue
		}
		begins := s.Start
		if begins.Before(p.From) {
			begins = p.From
		}
		day := v.Day(begins)
		if n := len(p.Days); n == 0 || p.Days[n-1].Day != day {
			p.Days = append(p.Days, listDay{Day: day})
		}
		role := s.role
		if role == schedule.RolePrimary {
			role = ""
		}
		one := listShift{
			Schedule: s.of.Name(), Role: role, Start: s.Start, End: s.End, Users: s.Users, Free: free, Changed: changed(s.Source),
			Now: !v.now.Before(s.Start) && v.now.Before(s.End),
		}
		if one.Changed {
			one.Why = v.why(s.Source)
		}
		last := &p.Days[len(p.Days)-1]
		last.Shifts = append(last.Shifts, one)
	}
}

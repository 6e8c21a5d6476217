package web

import (
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A duty is who has a role of a schedule now.
type duty struct {
	Schedule string
	Zone     string // of the schedule
	Role     string // "" for the usual one
	Users    []oncall.UserID
	Mine     bool // the reader is one of them
	Shadow   bool // empty is not a gap
	Changed  bool // by an override or a manual shift
	Why      string
	Until    time.Time
	Next     []oncall.UserID
}

// A teamOnCall is who is on call for a team now.
type teamOnCall struct {
	Team   oncall.Team
	Duties []duty
	Open   int // incidents
}

// A homePage is the front page.
type homePage struct {
	Mine   []teamOnCall
	Asked  string // the search text
	Others []teamOnCall
	More   int // teams not shown
	All    int // teams visible to the reader
	Shifts []schedule.Stint
	Open   []row
	OrMore bool
}

const (
	teamsShown  = 12
	openShown   = 100
	shiftsShown = 6
	shiftsAhead = 12 * 7 * 24 * time.Hour
)

// onCall returns the front page: who is on call, open incidents, and the reader's own shifts.
func (v *visit) onCall() (page, error) {
	open, err := v.Store.OpenIncidents(v.ctx, v.by, openShown+1)
	if err != nil {
		return page{}, err
	}
	h := homePage{Asked: strings.TrimSpace(v.r.URL.Query().Get("q")), OrMore: len(open) > openShown, All: len(v.dir.Teams)}
	count := map[oncall.TeamID]int{}
	for _, in := range open {
		count[in.TeamID]++
	}
	mine, others := v.myTeams()
	if len(mine) == 0 && h.Asked == "" && len(others) <= teamsShown {
		mine, others = others, nil
	}
	for _, t := range mine {
		h.Mine = append(h.Mine, v.teamOnCall(t, count[t.ID]))
	}
	if h.Asked != "" {
		for _, t := range others {
			if !v.matches(t, h.Asked) {
				continue
			}
			if len(h.Others) == teamsShown {
				h.More++
				continue
			}
			h.Others = append(h.Others, v.teamOnCall(t, count[t.ID]))
		}
	}
	open = open[:min(len(open), openShown)]
	h.Shifts = v.ownShifts()
	h.Open, err = v.rows(v.mineFirst(open))
	return page{name: "on_call", title: "On call", tab: "on-call", data: h, live: true}, err
}

// matches reports whether a search finds a team: by its name, or by one of its schedules or people.
func (v *visit) matches(t oncall.Team, asked string) bool {
	asked = strings.ToLower(asked)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), asked) }
	if has(t.Name) || slices.ContainsFunc(v.dir.Members[t.ID], func(u oncall.UserID) bool { return has(v.Name(u)) }) {
		return true
	}
	return slices.ContainsFunc(v.dir.Schedules, func(s *schedule.Schedule) bool { return s.TeamID() == t.ID && has(s.Name()) })
}

// mineFirst moves the incidents of the reader and their teams to the front.
func (v *visit) mineFirst(open []oncall.Incident) []oncall.Incident {
	mine := func(in oncall.Incident) bool {
		return slices.Contains(v.dir.Members[in.TeamID], v.user.ID) || slices.Contains(in.Holders(), v.user.ID)
	}
	var first, rest []oncall.Incident
	for _, in := range open {
		if mine(in) {
			first = append(first, in)
		} else {
			rest = append(rest, in)
		}
	}
	return append(first, rest...)
}

func (v *visit) teamOnCall(t oncall.Team, open int) teamOnCall {
	out := teamOnCall{Team: t, Open: open}
	for _, sched := range v.dir.Schedules {
		if sched.TeamID() != t.ID {
			continue
		}
		for _, d := range sched.Who(v.now) {
			one := duty{
				Schedule: sched.Name(), Zone: sched.TimeZone(), Role: d.Role, Users: d.Users, Mine: slices.Contains(d.Users, v.user.ID), Shadow: d.Role == schedule.RoleShadow,
				Changed: changed(d.Source), Why: v.why(d.Source), Until: d.Until, Next: d.Next,
			}
			if one.Role == schedule.RolePrimary {
				one.Role = ""
			}
			out.Duties = append(out.Duties, one)
		}
	}
	return out
}

// changed reports whether somebody was put on call by hand.
func changed(s schedule.Source) bool { return s.Override != 0 || s.Shift != 0 }

// why returns the reason why people are on call.
func (rd reader) why(s schedule.Source) string {
	o, known := rd.dir.Override(s.Override)
	switch {
	case known && o.Reason != "" && o.CreatedBy != "":
		return kindName(o.Kind) + " by " + rd.Name(o.CreatedBy) + ": " + o.Reason
	case known && o.CreatedBy != "":
		return kindName(o.Kind) + " by " + rd.Name(o.CreatedBy)
	case known:
		return kindName(o.Kind)
	case s.Shift != 0:
		return "shift made by hand"
	case s.Rotation != "":
		return "rotation " + s.Rotation
	}
	return ""
}

// kindName names an override as people do, who call most of them just that.
func kindName(k schedule.OverrideKind) string {
	switch k {
	case schedule.OverrideSwap:
		return "swap"
	case schedule.OverrideTemporary:
		return "temporary schedule"
	default:
		return "override"
	}
}

// ownShifts returns the reader's next shifts, including shadow ones.
func (v *visit) ownShifts() []schedule.Stint {
	until := v.now.Add(shiftsAhead)
	mine := v.dir.Roster().Stints(v.user.ID, v.now, until)
	for _, sched := range v.dir.Schedules {
		for shift := range sched.Each(v.now, until, schedule.RoleShadow) {
			if slices.Contains(shift.Users, v.user.ID) {
				mine = append(mine, schedule.Stint{
					Schedule: sched.ID(), Name: sched.Name(), TimeZone: sched.TimeZone(), Role: schedule.RoleShadow, User: v.user.ID, Start: shift.Start, End: shift.End,
				})
			}
		}
	}
	slices.SortStableFunc(mine, func(a, b schedule.Stint) int { return a.Start.Compare(b.Start) })
	return mine[:min(len(mine), shiftsShown)]
}

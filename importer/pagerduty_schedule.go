package importer

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

type pagerDutySchedule struct {
	pagerDutyRef
	TimeZone string           `json:"time_zone"`
	Layers   []pagerDutyLayer `json:"schedule_layers"` // highest first
	Teams    []pagerDutyRef   `json:"teams"`
	Final    *struct {
		Entries []pagerDutyEntry `json:"rendered_schedule_entries"`
	} `json:"final_schedule"`
}

type pagerDutyLayer struct {
	pagerDutyRef
	Start        time.Time              `json:"start"`
	End          *time.Time             `json:"end"`
	VirtualStart time.Time              `json:"rotation_virtual_start"` // start of a turn of the first user
	TurnSeconds  int64                  `json:"rotation_turn_length_seconds"`
	Restrictions []pagerDutyRestriction `json:"restrictions"`
	Users        []struct {
		User pagerDutyRef `json:"user"`
	} `json:"users"`
}

type pagerDutyRestriction struct {
	Type     string `json:"type"`
	Start    string `json:"start_time_of_day"` // "08:00:00"
	Duration int64  `json:"duration_seconds"`
	Day      int    `json:"start_day_of_week"` // 1: Monday
}

type pagerDutyEntry struct {
	Start time.Time    `json:"start"`
	End   time.Time    `json:"end"`
	User  pagerDutyRef `json:"user"`
}

const (
	day  = 24 * 60 * 60
	week = 7 * day
)

func (p *pagerDuty) schedule(s pagerDutySchedule) {
	name := p.schedules.of(s.ID, s.name())
	where := Location{"schedule", name, ""}
	location, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" {
		p.addLoss(where, "its time zone is %q, which is none; it is left out", s.TimeZone)
		return
	}
	team := p.team(s.Teams, where)
	out := setup.Schedule{Name: name, Team: p.teamName(team), TimeZone: s.TimeZone}
	layers := slices.Clone(s.Layers)
	slices.Reverse(layers) // lowest first, as priorities increase
	rotationNames := newNames()
	for i, l := range layers {
		if l.End != nil && !l.End.After(p.now) {
			continue // it is past
		}
		here := where.at("layer " + l.name())
		for _, u := range l.Users {
			p.join(team, u.User.ID)
		}
		out.Rotations = append(out.Rotations, p.layer(l, rotationNames, i+1, location, here)...)
	}
	switch {
	case len(s.Layers) == 0:
		p.addLoss(where, "its layers are not among the answers, so nobody is on call; GET /schedules/%s has them", s.ID)
	case len(out.Rotations) == 0:
		p.addLoss(where, "no layer is in force any more, so nobody is on call")
	}
	p.overrides(&out, s, len(layers)+1, rotationNames, location, where)
	p.Setup.Schedules = append(p.Setup.Schedules, out)
	p.final(s, name)
}

// layer converts a layer to a rotation; to two, if it will begin in the middle of a turn.
func (p *pagerDuty) layer(l pagerDutyLayer, names *names, priority int, location *time.Location, where Location) []setup.Rotation {
	every := period(l.TurnSeconds)
	if every == "" || len(l.Users) == 0 {
		p.addLoss(where, "a turn of %d seconds among %d people can't be said here; it is left out", l.TurnSeconds, len(l.Users))
		return nil
	}
	if l.VirtualStart.Second() != 0 {
		p.addLoss(where, "its hand-offs are at second %d of a minute; here at its beginning", l.VirtualStart.Second())
	}
	only, err := windows(l.Restrictions)
	if err != nil {
		p.addLoss(where, "%v; it is left out, so that nobody is paged who should not be", err)
		return nil
	}
	r := setup.Rotation{Name: names.of(l.ID+fmt.Sprint(priority), l.name()), Priority: priority, Every: every, Only: only, Start: local(l.VirtualStart, location)}
	for _, u := range l.Users {
		turn := setup.Turn{}
		if name, ok := p.person(u.User, where); ok {
			turn = setup.Turn{name}
		}
		r.Turns = append(r.Turns, turn)
	}
	if l.End != nil {
		r.Until = local(*l.End, location)
	}
	return beginning(r, time.Duration(l.TurnSeconds)*time.Second, l.Start, location, p.now)
}

// overrides imports current and future overrides, as rotations of top priority that end with them.
// Of two that overlap, the later one in the list wins, like the one created last in PagerDuty.
func (p *pagerDuty) overrides(out *setup.Schedule, s pagerDutySchedule, priority int, names *names, location *time.Location, where Location) {
	for _, o := range p.in.Overrides[s.ID] {
		if !o.End.After(p.now) {
			continue
		}
		name, ok := p.person(o.User, where.at("override of "+o.Start.Format(time.RFC3339)))
		if !ok {
			continue
		}
		if o.Start.Second() != 0 || o.End.Second() != 0 {
			p.addLoss(where, "the override of %s from %s begins or ends within a minute; here at its beginning", name, o.Start.Format(time.RFC3339))
		}
		out.Rotations = append(out.Rotations, setup.Rotation{
			Name:     names.of(fmt.Sprint("override ", priority), fmt.Sprintf("override %s %s", name, o.Start.In(location).Format("2006-01-02"))),
			Priority: priority, Start: local(o.Start, location), Every: "12 months", Until: local(o.End, location), Turns: []setup.Turn{{name}},
		})
		priority++
	}
}

// final records PagerDuty's own final schedule.
func (p *pagerDuty) final(s pagerDutySchedule, name string) {
	if s.Final == nil {
		return
	}
	var shifts []FinalShift
	for _, e := range s.Final.Entries {
		shifts = append(shifts, FinalShift{User: p.users.byID[e.User.ID], From: e.Start, To: e.End})
	}
	p.addFinal(name, p.in.Asked, p.now, shifts)
}

// period formats a turn's length.
func period(seconds int64) string {
	switch {
	case seconds <= 0 || seconds%3600 != 0:
		return ""
	case seconds%week == 0:
		return plural(seconds/week, "week")
	case seconds%day == 0:
		return plural(seconds/day, "day")
	}
	return plural(seconds/3600, "hour")
}

func plural(n int64, unit string) string {
	if n == 1 {
		return unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func local(t time.Time, location *time.Location) string {
	return t.In(location).Format("2006-01-02 15:04")
}

var weekdays = [7]schedule.Weekday{
	schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday, schedule.Saturday, schedule.Sunday,
}

// windows converts restrictions; several form a union there too.
func windows(restrictions []pagerDutyRestriction) (out []schedule.Window, err error) {
	for _, r := range restrictions {
		var h, m, s int
		if _, err := fmt.Sscanf(r.Start, "%d:%d:%d", &h, &m, &s); err != nil || h > 23 || m > 59 || h < 0 || m < 0 {
			return nil, fmt.Errorf("a restriction begins at %q, which is no time of day", r.Start)
		}
		if r.Duration <= 0 || r.Duration%60 != 0 {
			return nil, fmt.Errorf("a restriction lasts %d seconds, which is no number of minutes", r.Duration)
		}
		from := int64(h*60 + m)
		to := from + r.Duration/60
		window := schedule.Window{From: schedule.TimeOfDay(from), To: schedule.TimeOfDay(to % (24 * 60))}
		switch r.Type {
		case "daily_restriction":
			if r.Duration >= day {
				return nil, nil // always
			}
			window.Days = weekdays[:]
		case "weekly_restriction":
			if r.Day < 1 || r.Day > 7 {
				return nil, fmt.Errorf("a restriction begins on day %d of the week; they are 1 to 7", r.Day)
			}
			if r.Duration >= week {
				return nil, nil // always
			}
			window.FromDay = weekdays[r.Day-1]
			window.ToDay = weekdays[(int64(r.Day-1)+to/(24*60))%7]
		default:
			return nil, fmt.Errorf("a restriction is %q, which is not known", r.Type)
		}
		out = append(out, window)
	}
	return out, nil
}

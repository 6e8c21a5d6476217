package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

type opsgenieSchedule struct {
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	TimeZone  string             `json:"timezone"`
	Enabled   *bool              `json:"enabled"`
	Owner     opsgenieRef        `json:"ownerTeam"`
	Rotations []opsgenieRotation `json:"rotations"`
}

type opsgenieRotation struct {
	ID           string               `json:"id"`
	Name         string               `json:"name"`
	Start        time.Time            `json:"startDate"`
	End          *time.Time           `json:"endDate"`
	Type         string               `json:"type"` // hourly, daily, weekly
	Length       int                  `json:"length"`
	Participants []opsgenieRef        `json:"participants"`
	Restriction  *opsgenieRestriction `json:"timeRestriction"`
}

type opsgenieRestriction struct {
	Type string         `json:"type"` // time-of-day, weekday-and-time-of-day
	One  opsgenieSpan   `json:"restriction"`
	Many []opsgenieSpan `json:"restrictions"`
}

type opsgenieSpan struct {
	StartDay  string `json:"startDay"`
	StartHour int    `json:"startHour"`
	StartMin  int    `json:"startMin"`
	EndDay    string `json:"endDay"`
	EndHour   int    `json:"endHour"`
	EndMin    int    `json:"endMin"`
}

type opsgenieOverride struct {
	User      opsgenieRef   `json:"user"`
	Start     time.Time     `json:"startDate"`
	End       time.Time     `json:"endDate"`
	Rotations []opsgenieRef `json:"rotations"`
}

type opsgeniePeriod struct {
	Start     time.Time   `json:"startDate"`
	End       time.Time   `json:"endDate"`
	Recipient opsgenieRef `json:"recipient"`
}

// finalPeriod is the period for which a vendor's final schedules were requested.
type finalPeriod struct{ Since, Until time.Time }

func (o *opsgenie) schedule(s opsgenieSchedule) {
	name := o.schedules.of(s.ID, "")
	where := Location{"schedule", name, ""}
	location, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" {
		o.addLoss(where, "its time zone is %q, which is none; it is left out", s.TimeZone)
		return
	}
	if s.Enabled != nil && !*s.Enabled {
		o.addLoss(where, "it is disabled there")
	}
	team := o.teamName(o.team(s.Owner))
	out := setup.Schedule{Name: name, Team: team, TimeZone: s.TimeZone}
	called := newNames()
	for _, r := range s.Rotations {
		if r.End != nil && !r.End.After(o.now) {
			continue // it is past
		}
		if rotation, ok := o.rotation(r, called, team, location, where.at("rotation "+r.Name)); ok {
			out.Rotations = append(out.Rotations, rotation)
		}
	}
	if len(out.Rotations) == 0 {
		o.addLoss(where, "no rotation is in force any more, so nobody is on call")
	}
	o.overrides(&out, s, called, location, where)
	o.Setup.Schedules = append(o.Setup.Schedules, out)
	o.final(s, name)
}

func (o *opsgenie) rotation(r opsgenieRotation, called *names, team string, location *time.Location, where Location) (setup.Rotation, bool) {
	unit, ok := map[string]string{"hourly": "hour", "daily": "day", "weekly": "week"}[r.Type]
	if !ok || len(r.Participants) == 0 {
		o.addLoss(where, "its turns are %q among %d participants; it is left out", r.Type, len(r.Participants))
		return setup.Rotation{}, false
	}
	only, err := r.Restriction.windows()
	if err != nil {
		o.addLoss(where, "%v; it is left out, so that nobody is paged who should not be", err)
		return setup.Rotation{}, false
	}
	// All rotations apply together: the same priority.
	out := setup.Rotation{Name: called.of(r.ID, r.Name), Priority: 1, Start: local(r.Start, location), Every: plural(int64(max(r.Length, 1)), unit), Only: only}
	if r.End != nil {
		out.Until = local(*r.End, location)
	}
	for _, p := range r.Participants {
		out.Turns = append(out.Turns, o.turn(p, team, where))
	}
	return out, true
}

func (o *opsgenie) turn(p opsgenieRef, team string, where Location) setup.Turn {
	switch p.Type {
	case "none":
		return setup.Turn{}
	case "user", "":
		if name, ok := o.person(p, where); ok {
			o.members[team+"\x00"+name] = true
			return setup.Turn{name}
		}
		return setup.Turn{}
	case "team":
		turn := setup.Turn{}
		for _, t := range o.in.Teams {
			for _, m := range t.Members {
				if t.ID != find(o.teams, p) {
					continue
				}
				if name, ok := o.person(m.User, where); ok {
					turn = append(turn, name)
					o.members[team+"\x00"+name] = true
				}
			}
		}
		o.addLoss(where, "a turn is of the team %s; here of who is in it now", p.name())
		return turn
	}
	o.addLoss(where, "a turn is of %s (%s), which can't have one here", p.name(), p.Type)
	return setup.Turn{}
}

// overrides imports current and future overrides, as rotations of top priority that end with them.
func (o *opsgenie) overrides(out *setup.Schedule, s opsgenieSchedule, called *names, location *time.Location, where Location) {
	priority := 2
	var off []schedule.Override // those that take everybody off call
	for _, v := range o.in.Overrides[s.ID] {
		if !v.End.After(o.now) {
			continue
		}
		here := where.at("override of " + v.Start.Format(time.RFC3339))
		if len(v.Rotations) > 0 && len(out.Rotations) > 1 {
			o.addLoss(here, "%s takes over %d of its rotations until %s; here an override is of the whole schedule, so it is left out", v.User.name(), len(v.Rotations), v.End.Format(time.RFC3339))
			continue
		}
		if v.User.Type == "none" {
			off = append(off, schedule.Override{Kind: schedule.OverrideTemporary, Start: v.Start, End: v.End, AllowGaps: true})
			continue
		}
		name, ok := o.person(v.User, here)
		if !ok {
			continue
		}
		out.Rotations = append(out.Rotations, setup.Rotation{
			Name:     called.of(fmt.Sprint("override ", priority), fmt.Sprintf("override %s %s", name, v.Start.In(location).Format("2006-01-02"))),
			Priority: priority, Start: local(v.Start, location), Every: "12 months", Until: local(v.End, location), Turns: []setup.Turn{{name}},
		})
		priority++
	}
	o.addOverrides(out, off, called, o.now, where)
}

// final records Opsgenie's own final schedule.
func (o *opsgenie) final(s opsgenieSchedule, name string) {
	periods, there := o.in.Timelines[s.ID]
	if !there {
		return
	}
	var shifts []FinalShift
	for _, p := range periods {
		id := p.Recipient.ID
		if !o.users.has(id) {
			id = o.byMail[strings.ToLower(p.Recipient.Name)]
		}
		if p.Recipient.Type == "user" {
			shifts = append(shifts, FinalShift{User: o.users.byID[id], From: p.Start, To: p.End})
		}
	}
	o.addFinal(name, o.in.Asked, o.now, shifts)
}

// windows converts a restriction. A span from Monday to Friday is one stretch there, including
// nights.
func (r *opsgenieRestriction) windows() (out []schedule.Window, err error) {
	if r == nil {
		return nil, nil
	}
	spans := r.Many
	if r.Type == "time-of-day" {
		spans = []opsgenieSpan{r.One}
	}
	for _, s := range spans {
		if s.StartHour < 0 || s.StartHour > 23 || s.EndHour < 0 || s.EndHour > 24 || s.StartMin < 0 || s.StartMin > 59 || s.EndMin < 0 || s.EndMin > 59 {
			return nil, fmt.Errorf("a restriction from %d:%02d to %d:%02d is no time of day", s.StartHour, s.StartMin, s.EndHour, s.EndMin)
		}
		window := schedule.Window{From: schedule.TimeOfDay(s.StartHour*60 + s.StartMin), To: schedule.TimeOfDay((s.EndHour%24)*60 + s.EndMin)}
		if r.Type == "time-of-day" {
			if window.From == window.To {
				return nil, nil // always
			}
			window.Days = slices.Clone(weekdays[:])
			out = append(out, window)
			continue
		}
		if window.FromDay, err = schedule.ParseWeekday(s.StartDay); err != nil {
			return nil, err
		}
		if window.ToDay, err = schedule.ParseWeekday(s.EndDay); err != nil {
			return nil, err
		}
		if s.EndHour == 24 {
			window.ToDay = weekdays[(slices.Index(weekdays[:], window.ToDay)+1)%7]
		}
		if window.FromDay == window.ToDay && window.From == window.To {
			return nil, nil // all week
		}
		out = append(out, window)
	}
	return out, nil
}

package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A pagerDutyShiftBased is a schedule of the API v3: rotations of events, each with an iCalendar rule.
type pagerDutyShiftBased struct {
	pagerDutyRef
	TimeZone  string         `json:"time_zone"`
	Teams     []pagerDutyRef `json:"teams"`
	Rotations []struct {
		ID     string           `json:"id"`
		Events []pagerDutyEvent `json:"events"`
	} `json:"rotations"`
	Final *struct {
		Assignments []pagerDutyAssigned `json:"computed_shift_assignments"`
	} `json:"final_schedule"`
}

type pagerDutyEvent struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Start      pagerDutyMoment `json:"start_time"`
	End        pagerDutyMoment `json:"end_time"`
	Since      *time.Time      `json:"effective_since"`
	Until      *time.Time      `json:"effective_until"`
	Recurrence []string        `json:"recurrence"`
	Strategy   struct {
		Type    string              `json:"type"`
		Each    int                 `json:"shifts_per_member"`
		Members []pagerDutyV3Member `json:"members"`
	} `json:"assignment_strategy"`
}

type pagerDutyMoment struct {
	Time time.Time `json:"date_time"`
	Zone string    `json:"time_zone"`
}

// A pagerDutyV3Member is a user, or nobody.
type pagerDutyV3Member struct {
	Type string `json:"type"`
	User string `json:"user_id"`
}

type pagerDutyAssigned struct {
	Start  time.Time         `json:"start_time"`
	End    time.Time         `json:"end_time"`
	Member pagerDutyV3Member `json:"member"`
	Source struct {
		Type     string `json:"type"`
		Rotation string `json:"rotation_id"`
	} `json:"source"`
}

// A pagerDutySwap replaces one member by another in one rotation.
type pagerDutySwap struct {
	Rotation   string            `json:"rotation_id"`
	Start      time.Time         `json:"start_time"`
	End        time.Time         `json:"end_time"`
	Overridden pagerDutyV3Member `json:"overridden_member"`
	Overriding pagerDutyV3Member `json:"overriding_member"`
}

// A pagerDutyCustom is a shift outside the rotations.
type pagerDutyCustom struct {
	Start       time.Time `json:"start_time"`
	End         time.Time `json:"end_time"`
	Assignments []struct {
		Member pagerDutyV3Member `json:"member"`
	} `json:"assignments"`
}

func (p *pagerDuty) shiftBased(shift pagerDutyShiftBased) {
	name := p.schedules.of(shift.ID, shift.name())
	where := Location{"schedule", name, ""}
	if shift.TimeZone == "" {
		p.addLoss(where, "it is shift-based, and its rotations are not among the answers, so nobody is on call; GET /v3/schedules/%s has them", shift.ID)
		shift.TimeZone = "UTC"
	}
	if _, err := time.LoadLocation(shift.TimeZone); err != nil {
		p.addLoss(where, "its time zone is %q, which is none; it is left out", shift.TimeZone)
		return
	}
	team := p.team(shift.Teams, where)
	out := setup.Schedule{Name: name, Team: p.teamName(team), TimeZone: shift.TimeZone}
	called := newNames()
	for i, r := range shift.Rotations {
		for _, e := range r.Events {
			if e.Until != nil && !e.Until.After(p.now) {
				continue // it is past
			}
			if e.Name == "" {
				e.Name = fmt.Sprintf("Rotation %d", i+1)
			}
			out.Rotations = append(out.Rotations, p.event(e, shift, r.ID, team, called, where.at("event "+e.Name))...)
		}
	}
	p.addOverrides(&out, p.exceptions(shift, team, where), called, p.now, where)
	p.Setup.Schedules = append(p.Setup.Schedules, out)
	p.finalShifts(shift, name)
}

// member returns a member's turn: empty, if nobody has it or the member has left.
func (p *pagerDuty) member(m pagerDutyV3Member, team string, where Location) setup.Turn {
	if m.Type == "empty_member" {
		return setup.Turn{}
	}
	name, ok := p.person(pagerDutyRef{ID: m.User}, where)
	if !ok {
		return setup.Turn{}
	}
	p.join(team, m.User)
	return setup.Turn{name}
}

// event converts an event to rotations. Events apply together: the same priority.
func (p *pagerDuty) event(e pagerDutyEvent, shift pagerDutyShiftBased, rotation, team string, called *names, where Location) []setup.Rotation {
	zone, err := time.LoadLocation(e.Start.Zone)
	if err != nil || e.Start.Zone == "" {
		zone, _ = time.LoadLocation(shift.TimeZone)
	}
	rule := recurrence{
		name: e.Name, priority: 1, zone: zone, start: wallTime(e.Start.Time, zone), weekFrom: time.Monday, counted: true,
		lasts: wallTime(e.End.Time, zone).Sub(wallTime(e.Start.Time, zone)),
	}
	if e.Since != nil {
		rule.from = *e.Since
	}
	if e.Until != nil {
		rule.until = *e.Until
	}
	if err := rule.rule(e.Recurrence); err != nil {
		p.addLoss(where, "%v; it is left out", err)
		return nil
	}
	var turns []setup.Turn
	for _, m := range e.Strategy.Members {
		turns = append(turns, p.member(m, team, where))
	}
	if e.Strategy.Type == "every_member_assignment_strategy" {
		rule.groups = []setup.Turn{slices.Concat(turns...)}
	} else {
		rule.groups, rule.each = turns, e.Strategy.Each
	}
	if len(rule.groups) == 0 {
		p.addLoss(where, "it has no members; it is left out")
		return nil
	}
	if rule.freq == "" {
		return []setup.Rotation{zoned(singleRotation(called.of(e.ID, e.Name), 1, e.Start.Time, e.End.Time, zone, rule.groups[0]), zone, shift.TimeZone)}
	}
	made := p.addRecurrence(rule, e.ID, shift.TimeZone, called, p.now, where)
	return p.aligned(made, shift, rotation, where)
}

// rule parses the only RRULE of an event.
func (r *recurrence) rule(lines []string) error {
	for _, line := range lines {
		text, ok := strings.CutPrefix(line, "RRULE:")
		if !ok {
			return fmt.Errorf("its recurrence has %q, which can't be said here", excerpt(line))
		}
		for part := range strings.SplitSeq(text, ";") {
			key, value, _ := strings.Cut(part, "=")
			if err := r.part(key, value); err != nil {
				return fmt.Errorf("its recurrence %q: %w", excerpt(line), err)
			}
		}
	}
	return nil
}

// part parses one part of an RRULE.
func (r *recurrence) part(key, value string) (err error) {
	switch key {
	case "FREQ":
		r.freq = strings.ToLower(value)
	case "INTERVAL":
		r.interval, err = strconv.Atoi(value)
	case "BYDAY":
		r.weekday, err = icalDays(strings.Split(value, ","))
	case "WKST":
		var days []time.Weekday
		if days, err = icalDays([]string{value}); err == nil {
			r.weekFrom = days[0]
		}
	case "BYMONTHDAY":
		r.dates, err = numbers(value)
	case "BYMONTH":
		var months []int
		months, err = numbers(value)
		for _, m := range months {
			r.months = append(r.months, time.Month(m))
		}
	case "UNTIL":
		var until time.Time
		if until, err = time.Parse("20060102T150405Z", value); err == nil && (r.until.IsZero() || until.Before(r.until)) {
			r.until = until.Add(time.Second)
		}
	default:
		err = fmt.Errorf("%s can't be said here", key)
	}
	return err
}

func numbers(list string) (out []int, err error) {
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// aligned aligns turns with PagerDuty's. The response doesn't tell which member has the first
// occurrence, but the final schedule tells who has the next one: the order is rotated until ours is
// the same.
func (p *pagerDuty) aligned(made []setup.Rotation, shift pagerDutyShiftBased, rotation string, where Location) []setup.Rotation {
	if shift.Final == nil || len(made) != 1 || len(made[0].Turns) < 2 {
		return made
	}
	next, found := p.nextOf(shift.Final.Assignments, rotation)
	if !found {
		return made
	}
	want, ok := p.users.byID[next.Member.User]
	if !ok {
		return made
	}
	at := next.Start
	if at.Before(p.now) {
		at = p.now
	}
	r := made[0]
	for by := range r.Turns {
		turned := r
		turned.Turns = slices.Concat(r.Turns[by:], r.Turns[:by])
		c, err := compiled(setup.Schedule{Name: shift.ID, TimeZone: shift.TimeZone, Rotations: []setup.Rotation{turned}})
		if err != nil {
			return made
		}
		shifts := c.Shifts(at, at.Add(time.Minute), schedule.RolePrimary)
		if len(shifts) > 0 && slices.Equal(shifts[0].Users, []schedule.UserID{schedule.UserID(want)}) {
			if by > 0 {
				p.addLoss(where, "by the rule alone it would be another's turn: its order begins as the final schedule says, at %s", at.Format(time.RFC3339))
			}
			return []setup.Rotation{turned}
		}
	}
	return made
}

// nextOf returns the first assignment in a rotation that comes from its turns.
func (p *pagerDuty) nextOf(all []pagerDutyAssigned, rotation string) (next pagerDutyAssigned, found bool) {
	for _, a := range all {
		if a.Source.Type == "schedule_rotation" && a.Source.Rotation == rotation && a.Member.Type != "empty_member" && a.End.After(p.now) && (!found || a.Start.Before(next.Start)) {
			next, found = a, true
		}
	}
	return next, found
}

// exceptions imports manual shifts and overrides.
func (p *pagerDuty) exceptions(shift pagerDutyShiftBased, team string, where Location) (out []schedule.Override) {
	for _, c := range p.in.Custom[shift.ID] {
		for _, a := range c.Assignments {
			if turn := p.member(a.Member, team, where.at("custom shift of "+c.Start.Format(time.RFC3339))); len(turn) > 0 {
				out = append(out, schedule.Override{Kind: schedule.OverrideAdd, Users: []schedule.UserID{schedule.UserID(turn[0])}, Start: c.Start, End: c.End})
			}
		}
	}
	for _, w := range p.in.Swaps[shift.ID] {
		if !w.End.After(p.now) {
			continue
		}
		here := where.at("override of " + w.Start.Format(time.RFC3339))
		if len(shift.Rotations) > 1 {
			p.addLoss(here, "it is of one rotation there; here of whatever the person has then")
		}
		override := schedule.Override{Start: w.Start, End: w.End}
		from, to := p.member(w.Overridden, team, here), p.member(w.Overriding, team, here)
		switch {
		case len(from) > 0 && len(to) > 0 && from[0] != to[0]:
			override.Kind, override.From, override.To = schedule.OverrideSwap, schedule.UserID(from[0]), schedule.UserID(to[0])
		case len(from) > 0 && w.Overriding.Type == "empty_member":
			override.Kind, override.Users = schedule.OverrideRemove, []schedule.UserID{schedule.UserID(from[0])}
		case len(to) > 0 && w.Overridden.Type == "empty_member":
			override.Kind, override.Users = schedule.OverrideAdd, []schedule.UserID{schedule.UserID(to[0])}
		default:
			continue
		}
		out = append(out, override)
	}
	return out
}

// finalShifts records PagerDuty's own final schedule.
func (p *pagerDuty) finalShifts(s pagerDutyShiftBased, name string) {
	if s.Final == nil {
		return
	}
	var shifts []FinalShift
	for _, a := range s.Final.Assignments {
		if a.Member.Type != "empty_member" {
			shifts = append(shifts, FinalShift{User: p.users.byID[a.Member.User], From: a.Start, To: a.End})
		}
	}
	p.addFinal(name, p.in.Asked, p.now, shifts)
}

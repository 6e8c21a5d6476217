package rest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A pagerDutyScheduleShown is a schedule in PagerDuty's format.
type pagerDutyScheduleShown struct {
	pagerDutyRef
	Name        string         `json:"name"`
	TimeZone    string         `json:"time_zone"`
	Description *string        `json:"description"`
	Policies    []pagerDutyRef `json:"escalation_policies"`
	Users       []pagerDutyRef `json:"users"`
	Teams       []pagerDutyRef `json:"teams"`
}

// A pagerDutyLayer is a part of a schedule: a role, all overrides, or the final result.
type pagerDutyLayer struct {
	ID       *string          `json:"id,omitempty"`
	Name     string           `json:"name"`
	Start    *string          `json:"start,omitempty"`
	End      *string          `json:"end,omitempty"`
	Users    []any            `json:"users,omitempty"`
	Entries  []pagerDutyEntry `json:"rendered_schedule_entries"`
	Coverage *float64         `json:"rendered_coverage_percentage"`
}

type pagerDutyEntry struct {
	Start *string      `json:"start"`
	End   *string      `json:"end"`
	User  pagerDutyRef `json:"user"`
}

// A pagerDutyScheduleDetail is a schedule with its shifts.
type pagerDutyScheduleDetail struct {
	pagerDutyScheduleShown
	Layers    []pagerDutyLayer `json:"schedule_layers"`
	Overrides *pagerDutyLayer  `json:"overrides_subschedule,omitempty"`
	Final     *pagerDutyLayer  `json:"final_schedule,omitempty"`
}

const (
	pagerDutyRenderedWithin = 14 * 24 * time.Hour // the default length
	pagerDutyPeopleWithin   = 92 * 24 * time.Hour // in which a schedule's people are searched
)

func (dr *dialectRequest) pagerDutySchedule(sched *schedule.Schedule) pagerDutyScheduleShown {
	out := pagerDutyScheduleShown{
		pagerDutyRef: dr.pagerDutyObject("schedule", pagerDutyNumber(sched.ID()), sched.Name()), Name: sched.Name(), TimeZone: sched.TimeZone(),
		Policies: []pagerDutyRef{}, Users: []pagerDutyRef{}, Teams: []pagerDutyRef{},
	}
	for _, p := range dr.policies() {
		if p.Pages(sched.ID()) {
			out.Policies = append(out.Policies, *dr.pagerDutyPolicyRef(p.ID))
		}
	}
	if t, known := dr.Team(sched.TeamID()); known {
		out.Teams = append(out.Teams, dr.pagerDutyTeamRef(t))
	}
	var people []oncall.UserID
	for _, role := range sched.Roles() {
		for shift := range sched.Each(dr.caller.now, dr.caller.now.Add(pagerDutyPeopleWithin), role) {
			people = append(people, shift.Users...)
		}
	}
	slices.Sort(people)
	out.Users = mapSlice(slices.Compact(people), dr.pagerDutyUserRef)
	return out
}

func pagerDutySchedules(f *dialectRequest) (dialectResponse, error) {
	all := []any{}
	for _, sched := range f.Schedules {
		switch shown := f.pagerDutySchedule(sched); {
		case !strings.Contains(strings.ToLower(sched.Name()), strings.ToLower(f.query.Get("query"))):
		case f.includes("schedule_layers"):
			all = append(all, pagerDutyScheduleDetail{pagerDutyScheduleShown: shown, Layers: f.layers(sched, f.caller.now, f.caller.now.Add(pagerDutyRenderedWithin))})
		default:
			all = append(all, shown)
		}
	}
	return pagerDutyPage(f, "schedules", all)
}

// scheduleInPath returns the schedule in the path, as of an instant that may be long past.
func (s *server) scheduleInPath(f *dialectRequest, at time.Time) (*schedule.Schedule, error) {
	id, err := f.id()
	if err != nil {
		return nil, err
	}
	if !at.IsZero() {
		if f.Directory, err = s.Store.DirectoryAt(f.ctx(), f.caller.by, f.Directory, at); err != nil {
			return nil, err
		}
	}
	i := slices.IndexFunc(f.Schedules, func(sched *schedule.Schedule) bool { return int64(sched.ID()) == id })
	if i < 0 {
		return nil, oncall.ErrNotFound
	}
	return f.Schedules[i], nil
}

// span parses since and until; by default from now for the usual length.
func (dr *dialectRequest) span(usual time.Duration) (from, to time.Time, err error) {
	if from, err = dr.instant("since"); err != nil {
		return from, to, err
	}
	if to, err = dr.instant("until"); err != nil {
		return from, to, err
	}
	if from.IsZero() {
		from = dr.caller.now
	}
	if to.IsZero() {
		to = from.Add(max(usual, time.Second))
	}
	if to.Equal(from) {
		to = from.Add(time.Second)
	}
	return Span{from, to}.between(dr.caller.now)
}

func (s *server) pagerDutySchedule(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(pagerDutyRenderedWithin)
	if err != nil {
		return dialectResponse{}, err
	}
	sched, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	out := pagerDutyScheduleDetail{pagerDutyScheduleShown: f.pagerDutySchedule(sched), Layers: f.layers(sched, from, to)}
	over := pagerDutyLayer{Name: "Overrides", Entries: []pagerDutyEntry{}}
	for _, o := range f.overridesOf(sched, from, to) {
		over.Entries = append(over.Entries, f.entries(later(o.Start, from), earlier(o.End, to), o.Users)...)
	}
	out.Overrides = &over
	final := f.layer("Final Schedule", from, to, f.duties(sched, from, to))
	out.Final = &final
	return dialectResponse{http.StatusOK, map[string]any{"schedule": out}}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// layers returns one layer for each role of a schedule.
func (dr *dialectRequest) layers(sched *schedule.Schedule, from, to time.Time) []pagerDutyLayer {
	type member struct {
		User pagerDutyRef `json:"user"`
	}
	out := []pagerDutyLayer{}
	for _, role := range sched.Roles() {
		shifts := sched.Shifts(from, to, role)
		l := dr.layer(role, from, to, shifts)
		l.ID, l.Start, l.Users = new(pagerDutyNumber(sched.ID())+"-"+role), dr.stamp(&from), []any{}
		var people []oncall.UserID
		for _, shift := range shifts {
			for _, u := range shift.Users {
				if !slices.Contains(people, u) {
					people, l.Users = append(people, u), append(l.Users, member{dr.pagerDutyUserRef(u)})
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// duties returns the shifts of everybody who is paged: of all roles but shadow.
func (dr *dialectRequest) duties(sched *schedule.Schedule, from, to time.Time) []schedule.Shift {
	var all []schedule.Shift
	for _, role := range sched.Roles() {
		if role != schedule.RoleShadow {
			all = append(all, sched.Shifts(from, to, role)...)
		}
	}
	slices.SortStableFunc(all, func(a, b schedule.Shift) int { return a.Start.Compare(b.Start) })
	return all
}

func (dr *dialectRequest) layer(name string, from, to time.Time, shifts []schedule.Shift) pagerDutyLayer {
	l := pagerDutyLayer{Name: name, Entries: []pagerDutyEntry{}}
	until, covered := from, time.Duration(0)
	for _, shift := range shifts {
		l.Entries = append(l.Entries, dr.entries(shift.Start, shift.End, shift.Users)...)
		if len(shift.Users) > 0 && shift.End.After(until) {
			covered += shift.End.Sub(later(shift.Start, until))
			until = shift.End
		}
	}
	l.Coverage = new(float64(covered) / float64(to.Sub(from)) * 100)
	return l
}

// entries converts a shift to PagerDuty's entries: one for each of its people.
func (dr *dialectRequest) entries(start, end time.Time, people []oncall.UserID) []pagerDutyEntry {
	return mapSlice(people, func(u oncall.UserID) pagerDutyEntry {
		return pagerDutyEntry{dr.stamp(&start), dr.stamp(&end), dr.pagerDutyUserRef(u)}
	})
}

// pagerDutyScheduleUsers responds with the people and nothing else, because a client reads every field as
// a list of people.
func (s *server) pagerDutyScheduleUsers(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(0)
	if err != nil {
		return dialectResponse{}, err
	}
	sched, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	var people []oncall.UserID
	for _, shift := range f.duties(sched, from, to) {
		for _, u := range shift.Users {
			if !slices.Contains(people, u) {
				people = append(people, u)
			}
		}
	}
	return dialectResponse{http.StatusOK, map[string]any{"users": mapSlice(people, f.pagerDutyUser)}}, nil
}

// A pagerDutyOverrideShown is an override in PagerDuty's format.
type pagerDutyOverrideShown struct {
	pagerDutyRef
	Start *string      `json:"start"`
	End   *string      `json:"end"`
	User  pagerDutyRef `json:"user"`
}

// overridesOf returns the overrides of a schedule in a stretch of time that put somebody on call,
// with these people as their users.
func (dr *dialectRequest) overridesOf(sched *schedule.Schedule, from, to time.Time) []schedule.Override {
	var out []schedule.Override
	for _, o := range dr.Overrides(sched.ID()) {
		if o.To != "" {
			o.Users = []oncall.UserID{o.To}
		}
		if o.Kind != schedule.OverrideRemove && o.CancelledAt == nil && o.Start.Before(to) && o.End.After(from) {
			out = append(out, o)
		}
	}
	return out
}

func (dr *dialectRequest) pagerDutyOverride(o schedule.Override, user oncall.UserID) pagerDutyOverrideShown {
	return pagerDutyOverrideShown{dr.pagerDutyObject("override", pagerDutyNumber(o.ID), ""), dr.stamp(&o.Start), dr.stamp(&o.End), dr.pagerDutyUserRef(user)}
}

func (s *server) pagerDutyOverrides(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(pagerDutyPeopleWithin)
	if err != nil {
		return dialectResponse{}, err
	}
	sched, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	all := []pagerDutyOverrideShown{}
	for _, o := range f.overridesOf(sched, from, to) {
		for _, u := range o.Users {
			all = append(all, f.pagerDutyOverride(o, u))
		}
	}
	return dialectResponse{http.StatusOK, map[string]any{"overrides": all}}, nil
}

// pagerDutyOverride makes overrides. The response has the shape of the request: a list as in PagerDuty's
// documentation, or a single one as in go-pagerduty.
func (s *server) pagerDutyOverride(f *dialectRequest) (dialectResponse, error) {
	type wanted struct {
		Start, End bodyTime
		User       struct{ ID string }
	}
	var body struct {
		Override  *wanted
		Overrides []wanted
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	sched, err := s.scheduleInPath(f, time.Time{})
	if err != nil {
		return dialectResponse{}, err
	}
	add := func(o wanted) (pagerDutyOverrideShown, error) {
		u, err := f.user(o.User.ID)
		if err != nil {
			return pagerDutyOverrideShown{}, invalid("There is no user of this id.")
		}
		created, err := s.Store.AddOverride(f.ctx(), f.caller.by, sched.ID(), schedule.Override{
			Kind: schedule.OverrideCover, Start: o.Start.UTC(), End: o.End.UTC(), Users: []oncall.UserID{u.ID},
		}, f.caller.now)
		return f.pagerDutyOverride(created, u.ID), err
	}
	switch {
	case body.Override != nil:
		created, err := add(*body.Override)
		return dialectResponse{http.StatusCreated, map[string]any{"override": created}}, err
	case len(body.Overrides) == 0:
		return dialectResponse{}, invalid("The body has neither override nor overrides.")
	case len(body.Overrides) > 20:
		return dialectResponse{}, invalid("Twenty overrides at once are the most.")
	}
	out := []map[string]any{}
	for _, o := range body.Overrides {
		created, err := add(o)
		if err != nil && len(out) == 0 {
			return dialectResponse{}, err
		}
		if err != nil { // the others remain
			out = append(out, map[string]any{"status": http.StatusBadRequest, "errors": []string{s.problem(err).Error()}})
			continue
		}
		out = append(out, map[string]any{"status": http.StatusCreated, "override": created})
	}
	return dialectResponse{http.StatusCreated, out}, nil
}

func (s *server) pagerDutyOverrideEnd(f *dialectRequest) (dialectResponse, error) {
	sched, err := s.scheduleInPath(f, time.Time{})
	if err != nil {
		return dialectResponse{}, err
	}
	id := f.r.PathValue("override")
	for _, o := range f.Overrides(sched.ID()) {
		if pagerDutyNumber(o.ID) == id && o.CancelledAt == nil {
			_, err := s.Store.CancelOverride(f.ctx(), f.caller.by, o.ID, f.caller.now)
			return dialectResponse{http.StatusNoContent, nil}, err
		}
	}
	return dialectResponse{}, oncall.ErrNotFound
}

package rest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A pdScheduleShown is a schedule in PagerDuty's format.
type pdScheduleShown struct {
	pdRef
	Name        string  `json:"name"`
	TimeZone    string  `json:"time_zone"`
	Description *string `json:"description"`
	Policies    []pdRef `json:"escalation_policies"`
	Users       []pdRef `json:"users"`
	Teams       []pdRef `json:"teams"`
}

// A pdLayer is a part of a schedule: a role, all overrides, or the final result.
type pdLayer struct {
	ID       *string   `json:"id,omitempty"`
	Name     string    `json:"name"`
	Start    *string   `json:"start,omitempty"`
	End      *string   `json:"end,omitempty"`
	Users    []any     `json:"users,omitempty"`
	Entries  []pdEntry `json:"rendered_schedule_entries"`
	Coverage *float64  `json:"rendered_coverage_percentage"`
}

type pdEntry struct {
	Start *string `json:"start"`
	End   *string `json:"end"`
	User  pdRef   `json:"user"`
}

// A pdScheduleDetail is a schedule with its shifts.
type pdScheduleDetail struct {
	pdScheduleShown
	Layers    []pdLayer `json:"schedule_layers"`
	Overrides *pdLayer  `json:"overrides_subschedule,omitempty"`
	Final     *pdLayer  `json:"final_schedule,omitempty"`
}

const (
	pdRendered = 14 * 24 * time.Hour // the default length
	pdWhose    = 92 * 24 * time.Hour // in which a schedule's people are searched
)

func (dr *dialectRequest) pdSchedule(is *schedule.Schedule) pdScheduleShown {
	out := pdScheduleShown{
		pdRef: dr.pdObject("schedule", pdNumber(is.ID()), is.Name()), Name: is.Name(), TimeZone: is.TimeZone(),
		Policies: []pdRef{}, Users: []pdRef{}, Teams: []pdRef{},
	}
	for _, p := range dr.policies() {
		if p.Pages(is.ID()) {
			out.Policies = append(out.Policies, *dr.pdPolicyRef(p.ID))
		}
	}
	if t, known := dr.Team(is.TeamID()); known {
		out.Teams = append(out.Teams, dr.pdTeamRef(t))
	}
	var people []oncall.UserID
	for _, role := range is.Roles() {
		for shift := range is.Each(dr.caller.now, dr.caller.now.Add(pdWhose), role) {
			people = append(people, shift.Users...)
		}
	}
	slices.Sort(people)
	out.Users = mapSlice(slices.Compact(people), dr.pdUserRef)
	return out
}

func pdSchedules(f *dialectRequest) (dialectResponse, error) {
	all := []any{}
	for _, is := range f.Schedules {
		switch shown := f.pdSchedule(is); {
		case !strings.Contains(strings.ToLower(is.Name()), strings.ToLower(f.query.Get("query"))):
		case f.includes("schedule_layers"):
			all = append(all, pdScheduleDetail{pdScheduleShown: shown, Layers: f.layers(is, f.caller.now, f.caller.now.Add(pdRendered))})
		default:
			all = append(all, shown)
		}
	}
	return pdPage(f, "schedules", all)
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
	i := slices.IndexFunc(f.Schedules, func(is *schedule.Schedule) bool { return int64(is.ID()) == id })
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

func (s *server) pdSchedule(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(pdRendered)
	if err != nil {
		return dialectResponse{}, err
	}
	is, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	out := pdScheduleDetail{pdScheduleShown: f.pdSchedule(is), Layers: f.layers(is, from, to)}
	over := pdLayer{Name: "Overrides", Entries: []pdEntry{}}
	for _, o := range f.overridesOf(is, from, to) {
		over.Entries = append(over.Entries, f.entries(later(o.Start, from), earlier(o.End, to), o.Users)...)
	}
	out.Overrides = &over
	final := f.layer("Final Schedule", from, to, f.duties(is, from, to))
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
func (dr *dialectRequest) layers(is *schedule.Schedule, from, to time.Time) []pdLayer {
	type member struct {
		User pdRef `json:"user"`
	}
	out := []pdLayer{}
	for _, role := range is.Roles() {
		shifts := is.Shifts(from, to, role)
		l := dr.layer(role, from, to, shifts)
		l.ID, l.Start, l.Users = new(pdNumber(is.ID())+"-"+role), dr.stamp(&from), []any{}
		var people []oncall.UserID
		for _, shift := range shifts {
			for _, u := range shift.Users {
				if !slices.Contains(people, u) {
					people, l.Users = append(people, u), append(l.Users, member{dr.pdUserRef(u)})
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// duties returns the shifts of everybody who is paged: of all roles but shadow.
func (dr *dialectRequest) duties(is *schedule.Schedule, from, to time.Time) []schedule.Shift {
	var all []schedule.Shift
	for _, role := range is.Roles() {
		if role != schedule.RoleShadow {
			all = append(all, is.Shifts(from, to, role)...)
		}
	}
	slices.SortStableFunc(all, func(a, b schedule.Shift) int { return a.Start.Compare(b.Start) })
	return all
}

func (dr *dialectRequest) layer(name string, from, to time.Time, shifts []schedule.Shift) pdLayer {
	l := pdLayer{Name: name, Entries: []pdEntry{}}
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
func (dr *dialectRequest) entries(start, end time.Time, people []oncall.UserID) []pdEntry {
	return mapSlice(people, func(u oncall.UserID) pdEntry { return pdEntry{dr.stamp(&start), dr.stamp(&end), dr.pdUserRef(u)} })
}

// pdScheduleUsers responds with the people and nothing else, because a client reads every field as
// a list of people.
func (s *server) pdScheduleUsers(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(0)
	if err != nil {
		return dialectResponse{}, err
	}
	is, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	var people []oncall.UserID
	for _, shift := range f.duties(is, from, to) {
		for _, u := range shift.Users {
			if !slices.Contains(people, u) {
				people = append(people, u)
			}
		}
	}
	return dialectResponse{http.StatusOK, map[string]any{"users": mapSlice(people, f.pdUser)}}, nil
}

// A pdOverrideShown is an override in PagerDuty's format.
type pdOverrideShown struct {
	pdRef
	Start *string `json:"start"`
	End   *string `json:"end"`
	User  pdRef   `json:"user"`
}

// overridesOf returns the overrides of a schedule in a stretch of time that put somebody on call,
// with these people as their users.
func (dr *dialectRequest) overridesOf(is *schedule.Schedule, from, to time.Time) []schedule.Override {
	var out []schedule.Override
	for _, o := range dr.Overrides(is.ID()) {
		if o.To != "" {
			o.Users = []oncall.UserID{o.To}
		}
		if o.Kind != schedule.OverrideRemove && o.CancelledAt == nil && o.Start.Before(to) && o.End.After(from) {
			out = append(out, o)
		}
	}
	return out
}

func (dr *dialectRequest) pdOverride(o schedule.Override, user oncall.UserID) pdOverrideShown {
	return pdOverrideShown{dr.pdObject("override", pdNumber(o.ID), ""), dr.stamp(&o.Start), dr.stamp(&o.End), dr.pdUserRef(user)}
}

func (s *server) pdOverrides(f *dialectRequest) (dialectResponse, error) {
	from, to, err := f.span(pdWhose)
	if err != nil {
		return dialectResponse{}, err
	}
	is, err := s.scheduleInPath(f, from)
	if err != nil {
		return dialectResponse{}, err
	}
	all := []pdOverrideShown{}
	for _, o := range f.overridesOf(is, from, to) {
		for _, u := range o.Users {
			all = append(all, f.pdOverride(o, u))
		}
	}
	return dialectResponse{http.StatusOK, map[string]any{"overrides": all}}, nil
}

// pdOverride makes overrides. The response has the shape of the request: a list as in PagerDuty's
// documentation, or a single one as in go-pagerduty.
func (s *server) pdOverride(f *dialectRequest) (dialectResponse, error) {
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
	is, err := s.scheduleInPath(f, time.Time{})
	if err != nil {
		return dialectResponse{}, err
	}
	add := func(o wanted) (pdOverrideShown, error) {
		u, err := f.user(o.User.ID)
		if err != nil {
			return pdOverrideShown{}, invalid("There is no user of this id.")
		}
		made, err := s.Store.AddOverride(f.ctx(), f.caller.by, is.ID(), schedule.Override{
			Kind: schedule.OverrideCover, Start: o.Start.UTC(), End: o.End.UTC(), Users: []oncall.UserID{u.ID},
		}, f.caller.now)
		return f.pdOverride(made, u.ID), err
	}
	switch {
	case body.Override != nil:
		made, err := add(*body.Override)
		return dialectResponse{http.StatusCreated, map[string]any{"override": made}}, err
	case len(body.Overrides) == 0:
		return dialectResponse{}, invalid("The body has neither override nor overrides.")
	case len(body.Overrides) > 20:
		return dialectResponse{}, invalid("Twenty overrides at once are the most.")
	}
	out := []map[string]any{}
	for _, o := range body.Overrides {
		made, err := add(o)
		if err != nil && len(out) == 0 {
			return dialectResponse{}, err
		}
		if err != nil { // the others remain
			out = append(out, map[string]any{"status": http.StatusBadRequest, "errors": []string{s.problem(err).Error()}})
			continue
		}
		out = append(out, map[string]any{"status": http.StatusCreated, "override": made})
	}
	return dialectResponse{http.StatusCreated, out}, nil
}

func (s *server) pdOverrideEnd(f *dialectRequest) (dialectResponse, error) {
	is, err := s.scheduleInPath(f, time.Time{})
	if err != nil {
		return dialectResponse{}, err
	}
	id := f.r.PathValue("override")
	for _, o := range f.Overrides(is.ID()) {
		if pdNumber(o.ID) == id && o.CancelledAt == nil {
			_, err := s.Store.CancelOverride(f.ctx(), f.caller.by, o.ID, f.caller.now)
			return dialectResponse{http.StatusNoContent, nil}, err
		}
	}
	return dialectResponse{}, oncall.ErrNotFound
}

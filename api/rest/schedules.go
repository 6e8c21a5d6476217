package rest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A Schedule is a schedule in a list.
type Schedule struct {
	Ref
	Team     Ref      `json:"team"`
	TimeZone string   `json:"time_zone"`
	Roles    []string `json:"roles"`
}

// A ScheduleSetup is a schedule as in the set-up file, with its id.
type ScheduleSetup struct {
	ID int64 `json:"id"`
	setup.Schedule
}

// A Shift is who is on call from one instant to another.
type Shift struct {
	Schedule Ref       `json:"schedule"`
	Role     string    `json:"role"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Users    []Person  `json:"users" doc:"Nobody where it is empty."`
	Why      Why       `json:"why"`
	Holidays []Holiday `json:"holidays,omitempty" doc:"The holidays that the schedule shows and the shift overlaps."`
}

// A Holiday is a day of a schedule's calendar.
type Holiday struct {
	Date string `json:"date" format:"date" example:"2026-12-25"`
	Name string `json:"name,omitempty"`
}

// A Why is the reason why people are on call.
type Why struct {
	Rotation string  `json:"rotation,omitempty" doc:"The rotation, or several of one priority: days + nights."`
	Override int64   `json:"override,omitempty" doc:"The id of the override that has changed it."`
	Shift    int64   `json:"shift,omitempty" doc:"The id of the shift made by hand."`
	Kind     string  `json:"kind,omitempty" doc:"Of the override: cover, swap, add, remove or temporary."`
	By       *Person `json:"by,omitempty" doc:"Who has made the override."`
	Reason   string  `json:"reason,omitempty"`
}

// An Override changes who is on call for a while.
type Override struct {
	ID        int64      `json:"id"`
	Schedule  Ref        `json:"schedule"`
	Kind      string     `json:"kind" enum:"cover,swap,add,remove,temporary"`
	Role      string     `json:"role,omitempty"`
	Start     time.Time  `json:"start"`
	End       time.Time  `json:"end"`
	Users     []Person   `json:"users,omitempty"`
	From      *Person    `json:"from,omitempty" doc:"Of a swap: who leaves."`
	To        *Person    `json:"to,omitempty" doc:"Of a swap: who comes."`
	Reason    string     `json:"reason,omitempty"`
	CreatedBy *Person    `json:"created_by,omitempty"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
	Cancelled *time.Time `json:"cancelled_at,omitempty"`
}

// Span are the parameters of a stretch of time.
type Span struct {
	From time.Time `query:"from" doc:"From then; now where it is left out."`
	To   time.Time `query:"to" doc:"Until then; four weeks later where it is left out, a year at most."`
}

const (
	spanUsual = 28 * 24 * time.Hour
	spanMost  = 366 * 24 * time.Hour
)

// between returns the requested stretch of time.
func (s Span) between(now time.Time) (from, to time.Time, err error) {
	if from = s.From; from.IsZero() {
		from = now
	}
	if to = s.To; to.IsZero() {
		to = from.Add(spanUsual)
	}
	switch {
	case !to.After(from):
		return from, to, invalid("The end lies before the beginning.")
	case to.Sub(from) > spanMost:
		return from, to, invalid("That is more than a year; ask for less at once.")
	}
	return from.UTC(), to.UTC(), nil
}

func (s *server) scheduleRoutes() {
	listByTeam(s, operation{path: "/schedules", id: "list-schedules", tag: "schedules", summary: "List schedules"}, func(_ context.Context, v view) ([]Schedule, error) {
		return mapSlice(v.Schedules, func(sched *schedule.Schedule) Schedule {
			return Schedule{Ref{int64(sched.ID()), sched.Name()}, v.teamRef(sched.TeamID()), sched.TimeZone(), sched.Roles()}
		}), nil
	}, func(c Schedule) Ref { return c.Team })
	handle(s, operation{
		method: http.MethodGet, path: "/schedules/{name}/shifts", id: "list-shifts", tag: "schedules", summary: "List who is on call when", scope: oncall.ScopeRead,
		about: "Shifts follow each other without a hole: one without people is a gap.", errors: []int{404},
	}, s.listShifts)
	handle(s, operation{
		method: http.MethodGet, path: "/overrides", id: "list-overrides", tag: "schedules", summary: "List overrides", scope: oncall.ScopeRead,
		about: "Those that are not over at the beginning of the stretch, also cancelled ones.",
	}, s.listOverrides)
}

func (s *server) listShifts(ctx context.Context, c caller, in *struct {
	NamePath
	Paged
	Span
	Role string `query:"role" doc:"Of one role only." example:"primary"`
},
) (*ListResponse[Shift], error) {
	from, to, err := in.between(c.now)
	if err != nil {
		return nil, err
	}
	v, err := s.viewAt(ctx, c, from)
	if err != nil {
		return nil, err
	}
	sched, err := v.schedule(in.Name)
	if err != nil {
		return nil, err
	}
	return page(v.shifts(sched, in.Role, from, to), in.Paged)
}

// viewAt is look as of an instant that may be long past.
func (s *server) viewAt(ctx context.Context, c caller, at time.Time) (view, error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return v, err
	}
	v.Directory, err = s.Store.DirectoryAt(ctx, c.by, v.Directory, at)
	return v, err
}

// shifts returns the shifts of a schedule, of one role or of all, by their beginning.
func (v view) shifts(sched *schedule.Schedule, role string, from, to time.Time) []Shift {
	out := []Shift{}
	for _, r := range sched.Roles() {
		if role != "" && r != role {
			continue
		}
		for _, shift := range sched.Shifts(from, to, r) {
			out = append(out, Shift{
				Holidays: holidaysOf(sched, shift), Schedule: Ref{int64(sched.ID()), sched.Name()}, Role: r, Start: shift.Start, End: shift.End, Users: v.people(shift.Users), Why: v.why(shift.Source),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Shift) int { return a.Start.Compare(b.Start) })
	return out
}

// holidaysOf returns the holidays that a shift overlaps.
func holidaysOf(sched *schedule.Schedule, shift schedule.Shift) []Holiday {
	var out []Holiday
	for _, h := range sched.HolidaysIn(shift.Start, shift.End) {
		one := Holiday{Date: h.Date.String(), Name: h.Name}
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

func (v view) why(source schedule.Source) Why {
	w := Why{Rotation: source.Rotation, Override: int64(source.Override), Shift: int64(source.Shift)}
	if o, known := v.Override(source.Override); known {
		w.Kind, w.Reason = string(o.Kind), o.Reason
		if o.CreatedBy != "" {
			w.By = new(v.person(o.CreatedBy))
		}
	}
	return w
}

func (s *server) listOverrides(ctx context.Context, c caller, in *struct {
	Paged
	Span
	Schedule string `query:"schedule" doc:"Of one schedule only: its name or id."`
	Team     string `query:"team" doc:"Of one team only: its name or id."`
},
) (*ListResponse[Override], error) {
	from, to, err := in.between(c.now)
	if err != nil {
		return nil, err
	}
	v, err := s.viewAt(ctx, c, from)
	if err != nil {
		return nil, err
	}
	team, ofTeam, err := filterValue(in.Team, v.team, "team")
	if err != nil {
		return nil, err
	}
	only, ofSchedule, err := filterValue(in.Schedule, v.schedule, "schedule")
	if err != nil {
		return nil, err
	}
	all := []Override{}
	for _, sched := range v.Schedules {
		if ofTeam && sched.TeamID() != team.ID || ofSchedule && sched.ID() != only.ID() {
			continue
		}
		for _, o := range v.Overrides(sched.ID()) {
			if o.Start.Before(to) && o.Ends().After(from) {
				all = append(all, v.override(o, sched.Name()))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Override) int { return a.Start.Compare(b.Start) })
	return page(all, in.Paged)
}

func (v view) override(override schedule.Override, name string) Override {
	out := Override{
		ID: int64(override.ID), Schedule: Ref{int64(override.ScheduleID), name}, Kind: string(override.Kind), Role: override.Role, Start: override.Start, End: override.End,
		Reason: override.Reason, Cancelled: override.CancelledAt,
	}
	personOf := func(id oncall.UserID) *Person {
		if id == "" {
			return nil
		}
		return new(v.person(id))
	}
	out.From, out.To, out.CreatedBy = personOf(override.From), personOf(override.To), personOf(override.CreatedBy)
	if len(override.Users) > 0 {
		out.Users = v.people(override.Users)
	}
	if !override.CreatedAt.IsZero() {
		out.CreatedAt = &override.CreatedAt
	}
	return out
}

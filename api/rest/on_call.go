package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// An OnCall is who has a role of a schedule at an instant.
type OnCall struct {
	Schedule Ref        `json:"schedule"`
	Team     Ref        `json:"team"`
	Role     string     `json:"role" example:"primary"`
	Users    []Person   `json:"users" doc:"Nobody where it is empty."`
	Why      Why        `json:"why"`
	Since    *time.Time `json:"since,omitempty" doc:"Left out where it is longer than a year."`
	Until    *time.Time `json:"until,omitempty" doc:"Left out where nothing changes within a year."`
	Next     []Person   `json:"next" doc:"Who comes then."`
}

// OnCallQuery are the parameters of the question who is on call.
type OnCallQuery struct {
	Paged
	Team     string    `query:"team" doc:"Of one team only: its name or id."`
	Schedule string    `query:"schedule" doc:"Of one schedule only: its name or id."`
	Role     string    `query:"role" doc:"Of one role only." example:"primary"`
	At       time.Time `query:"at" doc:"At this instant; now where it is left out."`
}

func (s *server) onCallRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/oncall", id: "list-oncall", tag: "on call", summary: "Who is on call now, or at an instant", scope: oncall.ScopeRead,
		about: "It is the computation that pages. `GET /shifts` answers for a stretch of time.",
	}, s.listOnCall)
	handle(s, operation{
		method: http.MethodGet, path: "/shifts", id: "list-all-shifts", tag: "on call", summary: "Who is on call in a stretch of time", scope: oncall.ScopeRead,
	}, func(ctx context.Context, c caller, in *struct {
		Paged
		Span
		Team     string `query:"team" doc:"Of one team only: its name or id."`
		Schedule string `query:"schedule" doc:"Of one schedule only: its name or id."`
		Role     string `query:"role" doc:"Of one role only." example:"primary"`
		User     string `query:"user" doc:"Of one person only: Slack id, mail address or whole name."`
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
		some, err := v.matchingSchedules(in.Team, in.Schedule)
		if err != nil {
			return nil, err
		}
		user, of, err := filterValue(in.User, v.user, "person")
		if err != nil {
			return nil, err
		}
		all := []Shift{}
		for _, sched := range some {
			for _, shift := range v.shifts(sched, in.Role, from, to) {
				if !of || hasPerson(shift.Users, user.ID) {
					all = append(all, shift)
				}
			}
		}
		return page(all, in.Paged)
	})
}

func hasPerson(people []Person, id oncall.UserID) bool {
	for _, p := range people {
		if p.ID == id {
			return true
		}
	}
	return false
}

// matchingSchedules returns the schedules that match a team and a name.
func (v view) matchingSchedules(team, name string) ([]*schedule.Schedule, error) {
	t, ofTeam, err := filterValue(team, v.team, "team")
	if err != nil {
		return nil, err
	}
	only, ofSchedule, err := filterValue(name, v.schedule, "schedule")
	if err != nil {
		return nil, err
	}
	var out []*schedule.Schedule
	for _, sched := range v.Schedules {
		if (!ofTeam || sched.TeamID() == t.ID) && (!ofSchedule || sched.ID() == only.ID()) {
			out = append(out, sched)
		}
	}
	return out, nil
}

func (s *server) listOnCall(ctx context.Context, c caller, in *OnCallQuery) (*ListResponse[OnCall], error) {
	at := in.At.UTC()
	if in.At.IsZero() {
		at = c.now
	}
	v, err := s.viewAt(ctx, c, at)
	if err != nil {
		return nil, err
	}
	some, err := v.matchingSchedules(in.Team, in.Schedule)
	if err != nil {
		return nil, err
	}
	// Pages consist of schedules, so that only those of this page have to be evaluated.
	part, err := page(some, in.Paged)
	if err != nil {
		return nil, err
	}
	out := &ListResponse[OnCall]{Body: List[OnCall]{Items: []OnCall{}, Next: part.Body.Next}}
	instant := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	for _, sched := range part.Body.Items {
		for _, d := range sched.Who(at) {
			if in.Role != "" && d.Role != in.Role {
				continue
			}
			out.Body.Items = append(out.Body.Items, OnCall{
				Schedule: Ref{int64(sched.ID()), sched.Name()}, Team: v.teamRef(sched.TeamID()), Role: d.Role, Users: v.people(d.Users),
				Why: v.why(d.Source), Since: instant(d.Since), Until: instant(d.Until), Next: v.people(d.Next),
			})
		}
	}
	return out, nil
}

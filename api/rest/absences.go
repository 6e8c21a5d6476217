package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A TimeOff is a period in which a person is away.
type TimeOff struct {
	ID    int64     `json:"id"`
	User  Person    `json:"user"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Note  string    `json:"note,omitempty"`
}

// A MaintenanceBody is a maintenance window to start.
type MaintenanceBody struct {
	Team          string    `json:"team,omitempty" maxLength:"200" doc:"Name or id; that of the integration where it is left out."`
	Integration   string    `json:"integration,omitempty" maxLength:"200" doc:"Name or id; all of the team's where it is left out."`
	Match         []string  `json:"match,omitempty" maxItems:"10" doc:"Which alerts only, all of which must hold." example:"[\"service=checkout\"]"`
	StartsAt      time.Time `json:"starts_at,omitzero" doc:"Now where it is left out."`
	EndsAt        time.Time `json:"ends_at"`
	Reason        string    `json:"reason,omitempty" maxLength:"500"`
	PagesCritical bool      `json:"pages_critical,omitempty" doc:"Critical alerts page all the same."`
}

func (s *server) absenceRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/time-off", id: "list-time-off", tag: "time off", summary: "List who is away when", scope: oncall.ScopeAct,
		about: "It takes a key of a person's own.", errors: []int{409},
	}, func(ctx context.Context, c caller, in *struct {
		Paged
		Span
	},
	) (*ListResponse[TimeOff], error) {
		from, to, err := in.between(c.now)
		if err != nil {
			return nil, err
		}
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		found, err := s.Store.TimeOff(ctx, c.by, from, to)
		if err != nil {
			return nil, err
		}
		all := []TimeOff{}
		for _, t := range found {
			all = append(all, v.timeOff(t))
		}
		return page(all, in.Paged)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/time-off", id: "create-time-off", tag: "time off", summary: "Say that somebody is away",
		about: "With a key of their own, or an admin's.", scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		IdempotencyHeader
		Body struct {
			User  string    `json:"user" maxLength:"200" doc:"Slack id, mail address or whole name."`
			Start time.Time `json:"start"`
			End   time.Time `json:"end"`
			Note  string    `json:"note,omitempty" maxLength:"500"`
		}
	},
	) (*ObjectResponse[TimeOff], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		u, _, err := filterValue(in.Body.User, v.user, "person")
		if err != nil {
			return nil, err
		}
		t, err := s.Store.AddTimeOff(ctx, c.by, oncall.TimeOff{UserID: u.ID, Start: in.Body.Start.UTC(), End: in.Body.End.UTC(), Note: in.Body.Note}, c.now)
		return &ObjectResponse[TimeOff]{v.timeOff(t)}, err
	})
	handle(s, operation{
		method: http.MethodDelete, path: "/time-off/{id}", id: "delete-time-off", tag: "time off", summary: "Take time off back",
		scope: oncall.ScopeAct, status: http.StatusNoContent, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
	},
	) (*NoContent, error) {
		_, err := s.Store.CancelTimeOff(ctx, c.by, oncall.TimeOffID(in.ID), c.now)
		return &NoContent{http.StatusNoContent}, err
	})
}

func (s *server) maintenanceRoutes() {
	handle(s, operation{
		method: http.MethodPost, path: "/maintenance", id: "begin-maintenance", tag: "maintenance", summary: "Begin or plan a maintenance window",
		scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{404, 409},
	}, s.beginMaintenance)
	handle(s, operation{
		method: http.MethodDelete, path: "/maintenance/{id}", id: "end-maintenance", tag: "maintenance", summary: "End a maintenance window, or take it back",
		about: "What it has kept and still fires pages.", scope: oncall.ScopeAct, status: http.StatusNoContent, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
	},
	) (*NoContent, error) {
		_, err := s.Store.EndMaintenance(ctx, c.by, oncall.MaintenanceID(in.ID), c.now)
		return &NoContent{http.StatusNoContent}, err
	})
}

func (v view) timeOff(t oncall.TimeOff) TimeOff {
	return TimeOff{ID: int64(t.ID), User: v.person(t.UserID), Start: t.Start, End: t.End, Note: t.Note}
}

func (s *server) beginMaintenance(ctx context.Context, c caller, in *struct {
	IdempotencyHeader
	Body MaintenanceBody
},
) (*ObjectResponse[Maintenance], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	window := oncall.Maintenance{StartsAt: in.Body.StartsAt.UTC(), EndsAt: in.Body.EndsAt.UTC(), Reason: in.Body.Reason, PagesCritical: in.Body.PagesCritical}
	if in.Body.StartsAt.IsZero() {
		window.StartsAt = c.now
	}
	team, ofTeam, err := filterValue(in.Body.Team, v.team, "team")
	if err != nil {
		return nil, err
	}
	from, ofOne, err := filterValue(in.Body.Integration, v.integration, "integration")
	switch {
	case err != nil:
		return nil, err
	case !ofTeam && !ofOne:
		return nil, invalid("Say of which team, or of which integration.")
	case ofTeam && ofOne && from.TeamID != team.ID:
		return nil, invalid("The integration " + strconv.Quote(from.Name) + " is of another team.")
	}
	window.TeamID, window.IntegrationID = team.ID, from.ID
	if !ofTeam {
		window.TeamID = from.TeamID
	}
	for _, text := range in.Body.Match {
		match, ok, err := oncall.ParseMatcher(text)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, invalid(strconv.Quote(text) + " is no condition such as service=checkout.")
		}
		window.Match = append(window.Match, match)
	}
	if window, err = s.Store.AddMaintenance(ctx, c.by, window, c.now); err != nil {
		return nil, err
	}
	out := Maintenance{
		ID: int64(window.ID), Team: v.teamRef(window.TeamID), StartsAt: window.StartsAt, EndsAt: window.EndsAt, Reason: window.Reason, By: v.actor(window.By),
		Match: in.Body.Match, PagesCritical: window.PagesCritical,
	}
	if window.IntegrationID != 0 {
		out.Integration = &Ref{int64(window.IntegrationID), from.Name}
	}
	return &ObjectResponse[Maintenance]{out}, nil
}

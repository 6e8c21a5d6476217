package rest

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
)

// ReportQuery selects the period of a report.
type ReportQuery struct {
	Period   string `query:"period" maxLength:"60" doc:"As in Slack: last month, november, 90 days, last quarter, 2026-10-01 to 2026-10-31; the last 30 days where it is left out." example:"last month"`
	TimeZone string `query:"time_zone" maxLength:"60" doc:"In which its days begin; the team's or the person's where it is left out." example:"Europe/Berlin"`
}

// period parses the query, up to now.
func (q ReportQuery) period(zone string, now time.Time) (report.Period, error) {
	zone = cmp.Or(q.TimeZone, zone, "UTC")
	if _, err := time.LoadLocation(zone); err != nil {
		return report.Period{}, invalid("There is no such time zone.")
	}
	p, err := report.ParsePeriod(strings.Fields(q.Period), zone, now)
	if err != nil {
		return p, invalid(strings.ReplaceAll(err.Error(), "`", "\""))
	}
	return p.Until(now), nil
}

// A CSV is a table for spreadsheets.
type CSV struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

const reportAbout = "The period and the one before it. Durations are nanoseconds. Of single people it tells those only who may know: themselves, the team's managers."

func (s *server) reportRoutes() {
	type ofTeam struct {
		NamePath
		ReportQuery
	}
	team := func(ctx context.Context, c caller, in *ofTeam) (v view, figures report.Comparison, err error) {
		if v, err = s.viewFor(ctx, c); err != nil {
			return v, figures, err
		}
		t, err := v.team(in.Name)
		if err != nil {
			return v, figures, err
		}
		p, err := in.period(v.TeamZone(t.ID), c.now)
		if err != nil {
			return v, figures, err
		}
		figures, err = s.Store.TeamReport(ctx, c.by, t.ID, p)
		return v, figures, err
	}
	handle(s, operation{
		method: http.MethodGet, path: "/teams/{name}/report", id: "get-team-report", tag: "reports", summary: "Get what being on call was like in a team", scope: oncall.ScopeRead,
		about: reportAbout, errors: []int{404},
	}, func(ctx context.Context, c caller, in *ofTeam) (*ObjectResponse[report.Comparison], error) {
		_, figures, err := team(ctx, c, in)
		return &ObjectResponse[report.Comparison]{figures}, err
	})
	handle(s, operation{
		method: http.MethodGet, path: "/teams/{name}/report.csv", id: "get-team-report-csv", tag: "reports", summary: "Get a team's report as a table", scope: oncall.ScopeRead,
		about: "One figure a line.", errors: []int{404},
	}, func(ctx context.Context, c caller, in *ofTeam) (*CSV, error) {
		v, figures, err := team(ctx, c, in)
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		err = figures.Now.WriteCSV(&text, v.Name)
		return &CSV{"text/csv; charset=utf-8", text.Bytes()}, err
	})
	s.ownReport()
}

func (s *server) ownReport() {
	handle(s, operation{
		method: http.MethodGet, path: "/users/{name}/report", id: "get-user-report", tag: "reports", summary: "Get what being on call was like for a person", scope: oncall.ScopeAct,
		about: "With a key of their own, or an admin's. Durations are nanoseconds.", errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		PersonPath
		ReportQuery
	},
	) (*ObjectResponse[report.Comparison], error) {
		_, u, err := viewWith(ctx, s, c, view.user, in.Name)
		if err != nil {
			return nil, err
		}
		p, err := in.period(u.TimeZone, c.now)
		if err != nil {
			return nil, err
		}
		figures, err := s.Store.MyReport(ctx, c.by, u.ID, p)
		return &ObjectResponse[report.Comparison]{figures}, err
	})
}

// A Planned is what the policy does next if nobody reacts.
type Planned struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind" example:"paging" doc:"As the timeline will have it."`
	Policy   *Ref      `json:"policy,omitempty"`
	Round    int       `json:"round,omitempty"`
	Step     int       `json:"step,omitempty"`
	Users    []Person  `json:"users" doc:"Whom it pages."`
	Channels []string  `json:"channels,omitempty"`
	Webhooks []string  `json:"webhooks,omitempty" doc:"Their hosts."`
	Skipped  string    `json:"skipped,omitempty" doc:"Why the step pages nobody."`
	Note     string    `json:"note,omitempty"`
}

func (s *server) planRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}/plan", id: "get-plan", tag: "incidents", summary: "See whom the policy pages next, and when", scope: oncall.ScopeRead, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		IncidentPath
		Paged
	},
	) (*ListResponse[Planned], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		found, err := s.Store.Plan(ctx, c.by, oncall.IncidentID(in.ID), c.now)
		if err != nil {
			return nil, err
		}
		return page(mapSlice(found, v.planned), in.Paged)
	})
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}/alerts", id: "list-alerts", tag: "incidents", summary: "List an incident's alerts: those that fire, then the latest that have cleared",
		scope: oncall.ScopeRead, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		IncidentPath
		Paged
	},
	) (*ListResponse[Alert], error) {
		from, err := in.position()
		if err != nil {
			return nil, err
		}
		found, all, err := s.Store.Alerts(ctx, c.by, oncall.IncidentID(in.ID), int(from), in.Limit)
		if err != nil {
			return nil, err
		}
		out := &ListResponse[Alert]{Body: List[Alert]{Items: mapSlice(found, alertOf)}}
		if end := from + int64(len(found)); end < int64(all) {
			out.Body.Next = cursor(end)
		}
		return out, nil
	})
	for _, mute := range []bool{true, false} {
		s.heartbeatRoute(mute)
	}
}

func (v view) planned(e oncall.PlanEntry) Planned {
	out := Planned{At: e.At, Kind: string(e.Kind), Round: e.Round, Step: e.Step, Channels: e.Channels, Webhooks: e.Webhooks, Skipped: e.Skipped, Note: e.Note.Shown(v.Name)}
	out.Users = mapSlice(e.People, func(p oncall.PlannedPerson) Person { return v.person(p.User) })
	if p, known := v.Policies[e.Policy]; known {
		out.Policy = &Ref{int64(p.ID), p.Name}
	}
	return out
}

func (s *server) heartbeatRoute(mute bool) {
	op := operation{
		method: http.MethodPost, path: "/integrations/{name}/heartbeats/{heartbeat}/mute", id: "mute-heartbeat", tag: "heartbeats", summary: "Let a heartbeat page nobody",
		scope: oncall.ScopeEdit, status: http.StatusNoContent, errors: []int{404, 409},
	}
	if !mute {
		op.path, op.id, op.summary = "/integrations/{name}/heartbeats/{heartbeat}/unmute", "unmute-heartbeat", "Let a heartbeat page again"
	}
	handle(s, op, func(ctx context.Context, c caller, in *struct {
		NamePath
		Heartbeat string `path:"heartbeat" maxLength:"200" doc:"Its name."`
		Body      struct {
			Until *time.Time `json:"until,omitempty" doc:"Of mute: until then; without it until it is unmuted."`
		}
	},
	) (*NoContent, error) {
		_, of, err := viewWith(ctx, s, c, view.integration, in.Name)
		if err != nil {
			return nil, err
		}
		if mute {
			err = s.Store.MuteHeartbeat(ctx, c.by, of.Name, in.Heartbeat, in.Body.Until, c.now)
		} else {
			_, err = s.Store.UnmuteHeartbeat(ctx, c.by, of.Name, in.Heartbeat, c.now)
		}
		return &NoContent{http.StatusNoContent}, err
	})
}

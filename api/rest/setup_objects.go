package rest

import (
	"context"
	"net/http"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A setupKind is one kind of set-up object, which is read, replaced and removed in the form of the
// set-up file.
type setupKind struct {
	kind  setup.PartKind
	path  string
	tag   string
	noun  string       // for summaries
	scope oncall.Scope // required for removal
	find  func(view, string) (Ref, error)
}

var (
	teams = setupKind{setup.TeamPart, "/teams", "teams", "a team", oncall.ScopeAdmin, func(v view, text string) (Ref, error) {
		t, err := v.team(text)
		return Ref{int64(t.ID), t.Name}, err
	}}
	schedules = setupKind{setup.SchedulePart, "/schedules", "schedules", "a schedule", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		sched, err := v.schedule(text)
		if err != nil {
			return Ref{}, err
		}
		return Ref{int64(sched.ID()), sched.Name()}, nil
	}}
	policies = setupKind{setup.PolicyPart, "/policies", "policies", "an escalation policy", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		p, err := v.policy(text)
		return Ref{int64(p.ID), p.Name}, err
	}}
	integrations = setupKind{setup.IntegrationPart, "/integrations", "integrations", "an integration", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		in, err := v.integration(text)
		return Ref{int64(in.ID), in.Name}, err
	}}
)

func (s *server) setupRoutes() {
	getPart(s, teams, func(id int64, p setup.Part) TeamSetup { return TeamSetup{id, *p.Team} })
	getPart(s, schedules, func(id int64, p setup.Part) ScheduleSetup { return ScheduleSetup{id, *p.Schedule} })
	getPart(s, policies, func(id int64, p setup.Part) PolicySetup { return PolicySetup{id, *p.Policy} })
	getPart(s, integrations, func(id int64, p setup.Part) IntegrationShown { return IntegrationShown{id, *p.Integration} })
	putPart(s, teams, readTeam, func(e store.EditedSetup) setup.Team { return *e.Part.Team })
	putPart(s, schedules, readSchedule, func(e store.EditedSetup) setup.Schedule { return *e.Part.Schedule })
	putPart(s, policies, readPolicy, func(e store.EditedSetup) setup.Policy { return *e.Part.Policy })
	putPart(s, integrations, readIntegration, shownIntegration)
	previewPart(s, teams, readTeam)
	previewPart(s, schedules, readSchedule)
	previewPart(s, policies, readPolicy)
	previewPart(s, integrations, readIntegration)
	s.userEditRoute()
	for _, t := range []setupKind{teams, schedules, policies, integrations} {
		s.removePart(t)
	}
}

func readTeam(t *setup.Team) (setup.Part, *string, error) {
	return setup.Part{Kind: setup.TeamPart, Team: t}, &t.Name, nil
}

func readSchedule(c *setup.Schedule) (setup.Part, *string, error) {
	return setup.Part{Kind: setup.SchedulePart, Schedule: c}, &c.Name, nil
}

func readPolicy(p *setup.Policy) (setup.Part, *string, error) {
	return setup.Part{Kind: setup.PolicyPart, Policy: p}, &p.Name, nil
}

// getPart registers the operation that reads an object, with the ETag that an edit of it needs.
func getPart[T any](s *server, t setupKind, show func(id int64, p setup.Part) T) {
	handle(s, operation{
		method: http.MethodGet, path: t.path + "/{name}", id: "get-" + string(t.kind), tag: t.tag, summary: getSummary(t), scope: oncall.ScopeRead,
		about: "As the set-up file has it.", errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		Fields
	},
	) (*VersionedResponse[T], error) {
		_, is, err := viewWith(ctx, s, c, t.find, in.Name)
		if err != nil {
			return nil, err
		}
		doc, err := s.Store.SetupFor(ctx, c.by, c.now)
		if err != nil {
			return nil, err
		}
		p, known := doc.Find(t.kind, is.Name)
		if !known {
			return nil, oncall.ErrNotFound
		}
		return &VersionedResponse[T]{ETag: p.ETag(), Body: show(is.ID, p)}, nil
	})
}

func getSummary(t setupKind) string {
	if t.kind == setup.SchedulePart {
		return "Get a schedule with its rotations"
	}
	return "Get " + t.noun
}

// putPart registers the operation that makes or replaces an object.
func putPart[In, Out any](s *server, t setupKind, read func(*In) (p setup.Part, name *string, err error), show func(store.EditedSetup) Out) {
	handle(s, operation{
		method: http.MethodPut, path: t.path + "/{name}", id: "put-" + string(t.kind), tag: t.tag, summary: "Make or change " + t.noun, scope: oncall.ScopeEdit,
		about: "The body is as in the set-up file, all of it: what is left out is as if it were left out there. People may be named by Slack id or mail address, too.",
		makes: true, errors: []int{404, 409, 412},
	}, func(ctx context.Context, c caller, in *struct {
		EditPath
		EditCondition
		Body In
	},
	) (*EditResponse[Out], error) {
		p, name, err := read(&in.Body)
		if err != nil {
			return nil, err
		}
		if *name == "" { // it is in the path
			*name = in.Name
		}
		return edit(ctx, s, c, in.Name, p, in.EditCondition, show)
	})
}

// removePart registers the operation that removes an object.
func (s *server) removePart(t setupKind) {
	handle(s, operation{
		method: http.MethodDelete, path: t.path + "/{name}", id: "delete-" + string(t.kind), tag: t.tag, summary: "Remove " + t.noun, scope: t.scope,
		about: "What other things need stays, and is refused with 422.", status: http.StatusNoContent, errors: []int{404, 409, 412},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		IfMatch string `header:"If-Match" maxLength:"100" doc:"Only if this is still its ETag."`
	},
	) (*NoContent, error) {
		_, is, err := viewWith(ctx, s, c, t.find, in.Name)
		if err != nil {
			return nil, err
		}
		_, err = s.Store.EditSetup(ctx, c.by, store.SetupEdit{
			Part: setup.Part{Kind: t.kind}, Name: is.Name, Remove: true, IfMatch: in.IfMatch, Formats: s.Formats,
		}, c.now)
		return &NoContent{http.StatusNoContent}, err
	})
}

// listByTeam registers the operation that lists objects of one team, or of all.
func listByTeam[T any](s *server, op operation, list func(context.Context, view) ([]T, error), team func(T) Ref) {
	op.method, op.scope = http.MethodGet, oncall.ScopeRead
	handle(s, op, func(ctx context.Context, c caller, in *struct {
		Paged
		Team string `query:"team" doc:"Of one team only: its name or id."`
	},
	) (*ListResponse[T], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		only, of, err := filterValue(in.Team, v.team, "team")
		if err != nil {
			return nil, err
		}
		found, err := list(ctx, v)
		if err != nil {
			return nil, err
		}
		some := []T{}
		for _, one := range found {
			if !of || team(one).ID == int64(only.ID) {
				some = append(some, one)
			}
		}
		return page(some, in.Paged)
	})
}

// listAll registers the operation that lists all objects of a kind.
func listAll[T any](s *server, op operation, list func(context.Context, view) ([]T, error)) {
	op.method, op.scope = http.MethodGet, oncall.ScopeRead
	handle(s, op, func(ctx context.Context, c caller, in *Paged) (*ListResponse[T], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		all, err := list(ctx, v)
		if err != nil {
			return nil, err
		}
		return page(all, *in)
	})
}

// mapSlice converts a list element by element.
func mapSlice[A, B any](all []A, show func(A) B) []B {
	out := make([]B, 0, len(all))
	for _, one := range all {
		out = append(out, show(one))
	}
	return out
}

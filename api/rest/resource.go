package rest

import (
	"context"
	"net/http"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A thing is one kind of set-up object, which is read, replaced and removed in the form of the
// set-up file.
type thing struct {
	kind  setup.PartKind
	path  string
	tag   string
	word  string       // for summaries
	scope oncall.Scope // required for removal
	find  func(view, string) (Ref, error)
}

var (
	teams = thing{setup.TeamPart, "/teams", "teams", "a team", oncall.ScopeAdmin, func(v view, text string) (Ref, error) {
		t, err := v.team(text)
		return Ref{int64(t.ID), t.Name}, err
	}}
	schedules = thing{setup.SchedulePart, "/schedules", "schedules", "a schedule", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		is, err := v.schedule(text)
		if err != nil {
			return Ref{}, err
		}
		return Ref{int64(is.ID()), is.Name()}, nil
	}}
	policies = thing{setup.PolicyPart, "/policies", "policies", "an escalation policy", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		p, err := v.policy(text)
		return Ref{int64(p.ID), p.Name}, err
	}}
	integrations = thing{setup.IntegrationPart, "/integrations", "integrations", "an integration", oncall.ScopeEdit, func(v view, text string) (Ref, error) {
		in, err := v.integration(text)
		return Ref{int64(in.ID), in.Name}, err
	}}
)

func (s *server) setupRoutes() {
	getThing(s, teams, func(id int64, p setup.Part) TeamSetup { return TeamSetup{id, *p.Team} })
	getThing(s, schedules, func(id int64, p setup.Part) ScheduleSetup { return ScheduleSetup{id, *p.Schedule} })
	getThing(s, policies, func(id int64, p setup.Part) PolicySetup { return PolicySetup{id, *p.Policy} })
	getThing(s, integrations, func(id int64, p setup.Part) IntegrationShown { return IntegrationShown{id, *p.Integration} })
	putThing(s, teams, readTeam, func(e store.EditedSetup) setup.Team { return *e.Part.Team })
	putThing(s, schedules, readSchedule, func(e store.EditedSetup) setup.Schedule { return *e.Part.Schedule })
	putThing(s, policies, readPolicy, func(e store.EditedSetup) setup.Policy { return *e.Part.Policy })
	putThing(s, integrations, readIntegration, madeIntegration)
	previewThing(s, teams, readTeam)
	previewThing(s, schedules, readSchedule)
	previewThing(s, policies, readPolicy)
	previewThing(s, integrations, readIntegration)
	s.userEdit()
	for _, t := range []thing{teams, schedules, policies, integrations} {
		s.removeThing(t)
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

// getThing registers the operation that reads an object, with the ETag that an edit of it needs.
func getThing[T any](s *server, t thing, show func(id int64, p setup.Part) T) {
	handle(s, operation{
		method: http.MethodGet, path: t.path + "/{name}", id: "get-" + string(t.kind), tag: t.tag, summary: getting(t), scope: oncall.ScopeRead,
		about: "As the set-up file has it.", errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		Named
		Fields
	},
	) (*Versioned[T], error) {
		_, is, err := lookFor(ctx, s, c, t.find, in.Name)
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
		return &Versioned[T]{ETag: p.ETag(), Body: show(is.ID, p)}, nil
	})
}

func getting(t thing) string {
	if t.kind == setup.SchedulePart {
		return "Get a schedule with its rotations"
	}
	return "Get " + t.word
}

// putThing registers the operation that makes or replaces an object.
func putThing[In, Out any](s *server, t thing, read func(*In) (p setup.Part, name *string, err error), show func(store.EditedSetup) Out) {
	handle(s, operation{
		method: http.MethodPut, path: t.path + "/{name}", id: "put-" + string(t.kind), tag: t.tag, summary: "Make or change " + t.word, scope: oncall.ScopeEdit,
		about: "The body is as in the set-up file, all of it: what is left out is as if it were left out there. People may be named by Slack id or mail address, too.",
		makes: true, errors: []int{404, 409, 412},
	}, func(ctx context.Context, c caller, in *struct {
		Exact
		Condition
		Body In
	},
	) (*Edited[Out], error) {
		p, name, err := read(&in.Body)
		if err != nil {
			return nil, err
		}
		if *name == "" { // it is in the path
			*name = in.Name
		}
		return edit(ctx, s, c, in.Name, p, in.Condition, show)
	})
}

// removeThing registers the operation that removes an object.
func (s *server) removeThing(t thing) {
	handle(s, operation{
		method: http.MethodDelete, path: t.path + "/{name}", id: "delete-" + string(t.kind), tag: t.tag, summary: "Remove " + t.word, scope: t.scope,
		about: "What other things need stays, and is refused with 422.", status: http.StatusNoContent, errors: []int{404, 409, 412},
	}, func(ctx context.Context, c caller, in *struct {
		Named
		IfMatch string `header:"If-Match" maxLength:"100" doc:"Only if this is still its ETag."`
	},
	) (*Gone, error) {
		_, is, err := lookFor(ctx, s, c, t.find, in.Name)
		if err != nil {
			return nil, err
		}
		_, err = s.Store.EditSetup(ctx, c.by, store.SetupEdit{
			Part: setup.Part{Kind: t.kind}, Name: is.Name, Remove: true, IfMatch: in.IfMatch, Formats: s.Formats,
		}, c.now)
		return &Gone{http.StatusNoContent}, err
	})
}

// listOfTeams registers the operation that lists objects of one team, or of all.
func listOfTeams[T any](s *server, op operation, list func(context.Context, view) ([]T, error), team func(T) Ref) {
	op.method, op.scope = http.MethodGet, oncall.ScopeRead
	handle(s, op, func(ctx context.Context, c caller, in *struct {
		Paged
		Team string `query:"team" doc:"Of one team only: its name or id."`
	},
	) (*Listed[T], error) {
		v, err := s.look(ctx, c)
		if err != nil {
			return nil, err
		}
		only, of, err := filtered(in.Team, v.team, "team")
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
	handle(s, op, func(ctx context.Context, c caller, in *Paged) (*Listed[T], error) {
		v, err := s.look(ctx, c)
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

// each converts a list element by element.
func each[A, B any](all []A, show func(A) B) []B {
	out := make([]B, 0, len(all))
	for _, one := range all {
		out = append(out, show(one))
	}
	return out
}

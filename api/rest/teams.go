package rest

import (
	"context"
	"net/http"
	"slices"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A Team is a team in a list.
type Team struct {
	Ref
	Channel  string   `json:"channel" doc:"The Slack channel's id, or its name until Slack has told us."`
	Members  []Person `json:"members"`
	Managers []Person `json:"managers" doc:"Who may change everything of the team's."`
	Private  bool     `json:"private" doc:"Only members see what is the team's."`
	Acts     string   `json:"acts" enum:"team,workspace" doc:"Who acts on its incidents."`
	Owner    string   `json:"owner" enum:"file,slack" doc:"Where its schedules are kept: watchbill apply undoes edits in a team of the file."`
	TimeZone string   `json:"time_zone,omitempty"`
}

// A TeamSetup is a team as the set-up file has it, with its id.
type TeamSetup struct {
	ID int64 `json:"id"`
	setup.Team
}

// A PolicySetup is a policy as the set-up file has it, with its id.
type PolicySetup struct {
	ID int64 `json:"id"`
	setup.Policy
}

// A Policy is a policy in a list.
type Policy struct {
	Ref
	Team  Ref `json:"team"`
	Steps int `json:"steps" doc:"How many there are."`
}

// Named is the path of one thing.
type Named struct {
	Name string `path:"name" maxLength:"200" doc:"Its name, or its id."`
}

// A Versioned is one thing that can be edited.
type Versioned[T any] struct {
	ETag string `header:"ETag" doc:"Changes when the thing does; If-Match of an edit wants it."`
	Body T
}

func (s *server) teamRoutes() {
	handle(s, operation{method: http.MethodGet, path: "/teams", id: "list-teams", tag: "teams", summary: "List teams", scope: oncall.ScopeRead},
		func(ctx context.Context, c caller, in *Paged) (*Listed[Team], error) {
			v, err := s.look(ctx, c)
			if err != nil {
				return nil, err
			}
			all := make([]Team, 0, len(v.Teams))
			for _, t := range v.Teams {
				all = append(all, v.listedTeam(t))
			}
			return page(all, *in)
		})
	handle(s, operation{
		method: http.MethodGet, path: "/teams/{name}", id: "get-team", tag: "teams", summary: "Get a team", scope: oncall.ScopeRead,
		about: "As the set-up file has it.", errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		Named
		Fields
	},
	) (*Versioned[TeamSetup], error) {
		v, err := s.look(ctx, c)
		if err != nil {
			return nil, err
		}
		t, err := v.team(in.Name)
		if err != nil {
			return nil, err
		}
		doc, err := s.Store.SetupFor(ctx, c.by, c.now)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(doc.Teams, func(is setup.Team) bool { return is.Name == t.Name })
		if i < 0 {
			return nil, oncall.ErrNotFound
		}
		return versioned(doc.Teams[i], TeamSetup{ID: int64(t.ID), Team: doc.Teams[i]}), nil
	})
	s.policyRoutes()
	s.routeRoutes()
}

func (s *server) policyRoutes() {
	handle(s, operation{method: http.MethodGet, path: "/policies", id: "list-policies", tag: "policies", summary: "List escalation policies", scope: oncall.ScopeRead},
		func(ctx context.Context, c caller, in *struct {
			Paged
			Team string `query:"team" doc:"Of one team only: its name or id."`
		},
		) (*Listed[Policy], error) {
			v, err := s.look(ctx, c)
			if err != nil {
				return nil, err
			}
			team, of, err := filtered(in.Team, v.team, "team")
			if err != nil {
				return nil, err
			}
			all := []Policy{}
			for _, p := range v.policies() {
				if !of || p.TeamID == team.ID {
					all = append(all, Policy{Ref{int64(p.ID), p.Name}, v.teamRef(p.TeamID), len(p.Steps)})
				}
			}
			return page(all, in.Paged)
		})
	handle(s, operation{
		method: http.MethodGet, path: "/policies/{name}", id: "get-policy", tag: "policies", summary: "Get an escalation policy", scope: oncall.ScopeRead,
		about: "As the set-up file has it.", errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		Named
		Fields
	},
	) (*Versioned[PolicySetup], error) {
		v, err := s.look(ctx, c)
		if err != nil {
			return nil, err
		}
		p, err := v.policy(in.Name)
		if err != nil {
			return nil, err
		}
		doc, err := s.Store.SetupFor(ctx, c.by, c.now)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(doc.Policies, func(is setup.Policy) bool { return is.Name == p.Name })
		if i < 0 {
			return nil, oncall.ErrNotFound
		}
		return versioned(doc.Policies[i], PolicySetup{ID: int64(p.ID), Policy: doc.Policies[i]}), nil
	})
}

func (v view) listedTeam(t oncall.Team) Team {
	acts, owner := string(oncall.TeamActs), string(t.Owner)
	if t.Acts == oncall.WorkspaceActs {
		acts = "workspace"
	}
	if owner == "" {
		owner = string(oncall.OwnerFile)
	}
	return Team{
		Ref: Ref{int64(t.ID), t.Name}, Channel: t.Channel, Members: v.people(v.Members[t.ID]), Managers: v.people(v.Managers(t.ID)),
		Private: t.Private, Acts: acts, Owner: owner, TimeZone: t.TimeZone,
	}
}

func versioned[P, T any](part P, body T) *Versioned[T] {
	return &Versioned[T]{ETag: setup.ETag(part), Body: body}
}

// Routes are the rules of a team or an integration, as the set-up file has them.
type Routes struct {
	Team        string        `json:"team,omitempty" doc:"Whose rules these are,"`
	Integration string        `json:"integration,omitempty" doc:"or of which integration."`
	Shadow      bool          `json:"shadow" doc:"They change nothing, and tell what they would."`
	Routes      []setup.Route `json:"routes"`
}

func (s *server) routeRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/routes", id: "list-routes", tag: "routes", summary: "List the rules of teams and integrations", scope: oncall.ScopeRead,
	}, func(ctx context.Context, c caller, in *Paged) (*Listed[Routes], error) {
		doc, err := s.Store.SetupFor(ctx, c.by, c.now)
		if err != nil {
			return nil, err
		}
		all := []Routes{}
		for _, in := range doc.Integrations {
			if len(in.Routes) > 0 {
				all = append(all, Routes{Integration: in.Name, Shadow: in.ShadowRoutes, Routes: in.Routes})
			}
		}
		for _, t := range doc.Teams {
			if len(t.Routes) > 0 {
				all = append(all, Routes{Team: t.Name, Shadow: t.ShadowRoutes, Routes: t.Routes})
			}
		}
		return page(all, *in)
	})
}

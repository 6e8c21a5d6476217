package rest

import (
	"context"

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

// A TeamSetup is a team as in the set-up file, with its id.
type TeamSetup struct {
	ID int64 `json:"id"`
	setup.Team
}

// A PolicySetup is a policy as in the set-up file, with its id.
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

// NamePath is the path of one object.
type NamePath struct {
	Name string `path:"name" maxLength:"200" doc:"Its name, or its id."`
}

// A VersionedResponse is an object that can be edited.
type VersionedResponse[T any] struct {
	ETag string `header:"ETag" doc:"Changes when the thing does; If-Match of an edit wants it."`
	Body T
}

func (s *server) teamRoutes() {
	listAll(s, operation{path: "/teams", id: "list-teams", tag: "teams", summary: "List teams"}, func(_ context.Context, v view) ([]Team, error) {
		return mapSlice(v.Teams, v.listedTeam), nil
	})
	listByTeam(s, operation{path: "/policies", id: "list-policies", tag: "policies", summary: "List escalation policies"}, func(_ context.Context, v view) ([]Policy, error) {
		return mapSlice(v.policies(), func(p oncall.Policy) Policy {
			return Policy{Ref{int64(p.ID), p.Name}, v.teamRef(p.TeamID), len(p.Steps)}
		}), nil
	}, func(p Policy) Ref { return p.Team })
	s.routeRoutes()
}

func (v view) listedTeam(team oncall.Team) Team {
	acts, owner := string(oncall.TeamActs), string(team.Owner)
	if team.Acts == oncall.WorkspaceActs {
		acts = "workspace"
	}
	if owner == "" {
		owner = string(oncall.OwnerFile)
	}
	return Team{
		Ref: Ref{int64(team.ID), team.Name}, Channel: team.Channel, Members: v.people(v.Members[team.ID]), Managers: v.people(v.Managers(team.ID)),
		Private: team.Private, Acts: acts, Owner: owner, TimeZone: team.TimeZone,
	}
}

// Routes are the routing rules of a team or an integration, as in the set-up file.
type Routes struct {
	Team        string        `json:"team,omitempty" doc:"Whose rules these are,"`
	Integration string        `json:"integration,omitempty" doc:"or of which integration."`
	Shadow      bool          `json:"shadow" doc:"They change nothing, and tell what they would."`
	Routes      []setup.Route `json:"routes"`
}

func (s *server) routeRoutes() {
	listAll(s, operation{path: "/routes", id: "list-routes", tag: "routes", summary: "List the rules of teams and integrations"}, func(ctx context.Context, v view) ([]Routes, error) {
		doc, err := s.Store.SetupFor(ctx, v.caller.by, v.caller.now)
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
		return all, nil
	})
}

package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// A User is a person.
type User struct {
	Person
	Email       string     `json:"email,omitempty" doc:"As in Slack."`
	TimeZone    string     `json:"time_zone,omitempty"`
	Standing    string     `json:"standing" enum:"member,guest,stranger,unknown" doc:"What they are in the workspace."`
	Deactivated *time.Time `json:"deactivated_at,omitempty"`
	Teams       []Ref      `json:"teams" doc:"Of which they are a member."`
	Contacts    []Contact  `json:"contacts,omitempty" doc:"How they are reached beside Slack; shown to their own key and to admins."`
}

// A Contact is a way to reach a person. Its full address is never shown.
type Contact struct {
	ID       int64  `json:"id"`
	Method   string `json:"method" example:"sms"`
	Shown    string `json:"shown" doc:"As much of the address as tells it from others." example:"SMS …0102"`
	Verified bool   `json:"verified"`
}

func (s *server) userRoutes() {
	handle(s, operation{method: http.MethodGet, path: "/users", id: "list-users", tag: "users", summary: "List people", scope: oncall.ScopeRead},
		func(ctx context.Context, c caller, in *struct {
			Paged
			Team string `query:"team" doc:"Members of one team only: its name or id."`
			Text string `query:"text" maxLength:"200" doc:"In the name or the address."`
		},
		) (*ListResponse[User], error) {
			v, err := s.viewFor(ctx, c)
			if err != nil {
				return nil, err
			}
			team, of, err := filterValue(in.Team, v.team, "team")
			if err != nil {
				return nil, err
			}
			all := []User{}
			for id, u := range v.Users {
				if of && !slices.Contains(v.Members[team.ID], id) {
					continue
				}
				if text := strings.ToLower(in.Text); text != "" && !strings.Contains(strings.ToLower(u.Name+"\n"+u.Email), text) {
					continue
				}
				all = append(all, v.listedUser(u))
			}
			slices.SortFunc(all, func(a, b User) int { return strings.Compare(string(a.ID), string(b.ID)) })
			return page(all, in.Paged)
		})
	handle(s, operation{
		method: http.MethodGet, path: "/users/{name}", id: "get-user", tag: "users", summary: "Get a person", scope: oncall.ScopeRead, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		Name string `path:"name" maxLength:"200" doc:"Slack id, mail address or whole name."`
		Fields
	},
	) (*ObjectResponse[User], error) {
		v, u, err := viewWith(ctx, s, c, view.user, in.Name)
		if err != nil {
			return nil, err
		}
		return &ObjectResponse[User]{v.listedUser(u)}, nil
	})
}

func (v view) listedUser(user oncall.User) User {
	standing := string(user.Standing)
	if user.Standing == oncall.UnknownStanding {
		standing = "unknown"
	}
	out := User{Person: v.person(user.ID), Email: user.Email, TimeZone: user.TimeZone, Standing: standing, Deactivated: user.DeactivatedAt, Teams: []Ref{}}
	for _, t := range v.Teams {
		if slices.Contains(v.Members[t.ID], user.ID) {
			out.Teams = append(out.Teams, Ref{int64(t.ID), t.Name})
		}
	}
	if v.caller.by.User == user.ID || v.Access().May(v.caller.by, access.OthersThings, access.Object{}) == nil {
		out.Contacts = mapSlice(v.ContactSettings[user.ID].Contacts, contactOf)
	}
	return out
}

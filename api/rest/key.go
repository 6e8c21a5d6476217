package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A KeyShown is the API key with which a request is made.
type KeyShown struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes" doc:"read, page, act, edit, admin. Others may come."`
	Team      *Ref       `json:"team,omitempty" doc:"Whose it is, if it is a team's."`
	User      *Person    `json:"user,omitempty" doc:"Or a person's. Without both it is the installation's."`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func (s *server) keyRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/key", id: "get-key", tag: "keys", summary: "See what the key that you ask with is good for", scope: anyScope,
	}, func(ctx context.Context, c caller, _ *struct{}) (*ObjectResponse[KeyShown], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		out := KeyShown{ID: int64(c.key.ID), Name: c.key.Name, ExpiresAt: c.key.ExpiresAt}
		out.Scopes = mapSlice(c.key.Scopes, func(s oncall.Scope) string { return string(s) })
		if c.key.TeamID != 0 {
			out.Team = new(v.teamRef(c.key.TeamID))
		}
		if c.key.Owner != "" {
			out.User = new(v.person(c.key.Owner))
		}
		return &ObjectResponse[KeyShown]{out}, nil
	})
}

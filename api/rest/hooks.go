package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A Hook is an outgoing webhook: an address that is called when incidents change.
type Hook struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Team      *Ref       `json:"team,omitempty" doc:"Of one team only; of all but private ones where it is left out."`
	Host      string     `json:"host" doc:"What is shown of the address."`
	Kinds     []string   `json:"kinds" doc:"Of events; all of them where it is empty."`
	Template  string     `json:"template" enum:"events,jira,github,gitlab,servicenow"`
	State     string     `json:"state" enum:"ok,failing,stopped" doc:"stopped: the receiver has answered 410, and is called no more."`
	Trouble   string     `json:"trouble,omitempty" doc:"Why the last call failed."`
	NextAt    *time.Time `json:"next_at,omitempty" doc:"When what failed is tried again."`
	ToldAt    *time.Time `json:"told_at,omitempty" doc:"The last call that was taken."`
	Position  int64      `json:"position" doc:"The last event that is done with."`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy *Actor     `json:"created_by,omitempty"`
}

// A HookSecret is a webhook with the secret that signs its calls.
type HookSecret struct {
	Hook
	Secret string `json:"secret" doc:"Shown this once. Calls are signed as standardwebhooks.com says."`
}

// A HookBody is a webhook to make.
type HookBody struct {
	Name     string            `json:"name" maxLength:"64"`
	Team     string            `json:"team,omitempty" maxLength:"200" doc:"Name or id."`
	URL      string            `json:"url" maxLength:"2000" example:"https://tickets.example.com/hook"`
	Headers  []string          `json:"headers,omitempty" maxItems:"10" doc:"Sent with each call, and never shown again." example:"[\"Authorization: Bearer TOKEN\"]"`
	Kinds    []string          `json:"kinds,omitempty" maxItems:"50" example:"[\"opened\",\"acknowledged\",\"resolved\"]"`
	Template string            `json:"template,omitempty" enum:"events,jira,github,gitlab,servicenow" default:"events"`
	Options  map[string]string `json:"options,omitempty" doc:"Of the template: project and issue_type of jira; labels of github and gitlab; assignment_group of servicenow."`
}

func (v view) hook(h store.HookState) Hook {
	out := Hook{
		ID: int64(h.ID), Name: h.Name, Host: h.Host, Kinds: mapSlice(h.Kinds, func(k oncall.EventKind) string { return string(k) }), Template: string(h.Template), State: "ok",
		Trouble: h.Trouble, NextAt: h.NextAt, ToldAt: h.ToldAt, Position: h.Position, CreatedAt: h.MadeAt, CreatedBy: v.actor(h.MadeBy),
	}
	if h.TeamID != 0 {
		out.Team = new(v.teamRef(h.TeamID))
	}
	switch {
	case h.StoppedAt != nil:
		out.State = "stopped"
	case h.Trouble != "":
		out.State = "failing"
	}
	return out
}

func (s *server) hookRoutes() {
	listAll(s, operation{
		path: "/webhooks", id: "list-webhooks", tag: "webhooks", summary: "List outgoing webhooks", about: "Those that the key's owner manages.",
	}, func(ctx context.Context, v view) ([]Hook, error) {
		all, err := s.Store.Hooks(ctx, v.caller.by)
		return mapSlice(all, v.hook), err
	})
	handle(s, operation{
		method: http.MethodPost, path: "/webhooks", id: "create-webhook", tag: "webhooks", summary: "Tell another service what happens to incidents, from now on",
		about: "Each event is a call, in order, at least once; what fails is tried again for a day. The templates of ticket systems make a ticket of each incident that opens.",
		scope: oncall.ScopeEdit, status: http.StatusCreated, errors: []int{409},
	}, func(ctx context.Context, c caller, in *struct {
		IdempotencyHeader
		Body HookBody
	},
	) (*ObjectResponse[HookSecret], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		b := in.Body
		team, _, err := filterValue(b.Team, v.team, "team")
		if err != nil {
			return nil, err
		}
		secret, made, err := s.Store.MakeHook(ctx, c.by, oncall.Hook{
			Name: b.Name, TeamID: team.ID, URL: b.URL, Headers: b.Headers, Kinds: mapSlice(b.Kinds, func(k string) oncall.EventKind { return oncall.EventKind(k) }),
			Template: oncall.HookTemplate(b.Template), Options: b.Options,
		}, c.now)
		return &ObjectResponse[HookSecret]{HookSecret{v.hook(made), secret}}, err
	})
	handle(s, operation{
		method: http.MethodPost, path: "/webhooks/{name}/rotate", id: "rotate-webhook-secret", tag: "webhooks", summary: "Give a webhook another secret",
		scope: oncall.ScopeEdit, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *OneHook) (*ObjectResponse[RotatedSecret], error) {
		secret, until, err := s.Store.RotateHook(ctx, c.by, in.Name, c.now)
		return &ObjectResponse[RotatedSecret]{RotatedSecret{secret, until}}, err
	})
	handle(s, operation{
		method: http.MethodPost, path: "/webhooks/{name}/resume", id: "resume-webhook", tag: "webhooks", summary: "Call a webhook again that has stopped or fails",
		scope: oncall.ScopeEdit, status: http.StatusNoContent, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *OneHook) (*NoContent, error) {
		return &NoContent{http.StatusNoContent}, s.Store.ResumeHook(ctx, c.by, in.Name, c.now)
	})
	handle(s, operation{
		method: http.MethodDelete, path: "/webhooks/{name}", id: "delete-webhook", tag: "webhooks", summary: "Remove a webhook",
		scope: oncall.ScopeEdit, status: http.StatusNoContent, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *OneHook) (*NoContent, error) {
		return &NoContent{http.StatusNoContent}, s.Store.RemoveHook(ctx, c.by, in.Name, c.now)
	})
}

// OneHook is the path of a webhook.
type OneHook struct {
	Name string `path:"name" maxLength:"64" doc:"The webhook's name."`
}

// A RotatedSecret is a webhook's new secret.
type RotatedSecret struct {
	Secret    string    `json:"secret" doc:"Shown this once."`
	OldEndsAt time.Time `json:"old_ends_at" doc:"Until when the one before signs as well."`
}

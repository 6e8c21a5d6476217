package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// EditCondition are the parameters of an edit.
type EditCondition struct {
	IfMatch     string `header:"If-Match" maxLength:"100" doc:"Only if this is still its ETag: else somebody has changed it meanwhile, which is answered with 412."`
	IfNoneMatch string `header:"If-None-Match" enum:"*" doc:"*: only if there is none of this name."`
}

// An EditResponse is the response to an edit.
type EditResponse[T any] struct {
	Status int
	ETag   string `header:"ETag"`
	// Warning says that the set-up file has the last word.
	Warning string `header:"Warning" doc:"Says that the next watchbill apply undoes it, where the team is the set-up file's."`
	Body    T
}

const undoneWarning = `199 watchbill "This team is kept in a set-up file: the next apply undoes this."`

// edit changes one object of the set-up.
func edit[T any](ctx context.Context, s *server, c caller, name string, part setup.Part, on EditCondition, show func(store.EditedSetup) T) (*EditResponse[T], error) {
	done, err := s.Store.EditSetup(ctx, c.by, store.SetupEdit{
		Part: part, Name: name, New: on.IfNoneMatch == "*", IfMatch: on.IfMatch, Formats: s.Formats,
	}, c.now)
	if err != nil {
		return nil, err
	}
	out := &EditResponse[T]{Status: http.StatusOK, ETag: done.Part.ETag(), Body: show(done)}
	if done.Made {
		out.Status = http.StatusCreated
	}
	if done.ByFile {
		out.Warning = undoneWarning
	}
	return out, nil
}

// NoContent is the response to a removal.
type NoContent struct{ Status int }

// EditPath is the path of an object to edit.
type EditPath struct {
	Name string `path:"name" maxLength:"200" doc:"Its name."`
}

func (s *server) userEditRoute() {
	handle(s, operation{
		method: http.MethodPut, path: "/users/{name}", id: "put-user", tag: "users", summary: "Make a person known", scope: oncall.ScopeAdmin, makes: true,
		about: "By Slack id. Once Slack has told of them, what it says counts.", errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		Name string `path:"name" pattern:"^[UW][A-Z0-9]{2,}$" doc:"The Slack id."`
		Body struct {
			Name     string `json:"name" minLength:"1" maxLength:"200"`
			Email    string `json:"email,omitempty" maxLength:"200"`
			TimeZone string `json:"time_zone,omitempty" maxLength:"100" example:"Europe/Berlin"`
		}
	},
	) (*EditResponse[setup.User], error) {
		u := setup.User{Name: in.Body.Name, Slack: oncall.UserID(in.Name), Email: in.Body.Email, TimeZone: in.Body.TimeZone}
		return edit(ctx, s, c, in.Name, setup.Part{Kind: setup.UserPart, User: &u}, EditCondition{}, func(e store.EditedSetup) setup.User { return *e.Part.User })
	})
}

// An IntegrationShown is an integration as in the set-up file, with its id and without its key.
type IntegrationShown struct {
	ID int64 `json:"id"`
	setup.Integration
}

// An IntegrationSetup is an integration as in the set-up file, with its key if that is new.
type IntegrationSetup struct {
	setup.Integration
	NewKey string `json:"new_key,omitempty" doc:"The key, shown this once."`
}

func readIntegration(in *setup.Integration) (setup.Part, *string, error) {
	if in.Key != "" {
		return setup.Part{}, nil, invalid("A key is made by Watchbill; leave it out, and rotate it if you need another one.")
	}
	return setup.Part{Kind: setup.IntegrationPart, Integration: in}, &in.Name, nil
}

func shownIntegration(e store.EditedSetup) IntegrationSetup {
	out := IntegrationSetup{Integration: *e.Part.Integration}
	for _, k := range e.Report.Keys {
		out.NewKey = k.Key
	}
	return out
}

// A RotatedKey is a new key of an integration.
type RotatedKey struct {
	Integration string     `json:"integration"`
	Key         string     `json:"key" doc:"The key, shown this once."`
	OldHint     string     `json:"old_hint" doc:"The last four characters of the one that it replaces."`
	OldEndsAt   *time.Time `json:"old_ends_at,omitempty" doc:"Until when that one is good."`
}

func (s *server) integrationRoutes() {
	handle(s, operation{
		method: http.MethodPost, path: "/integrations/{name}/rotate", id: "rotate-integration-key", tag: "integrations", summary: "Give an integration a new key",
		about: "The old one is good for a day.", scope: oncall.ScopeEdit, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		Body struct {
			AtOnce bool `json:"at_once,omitempty" doc:"The old one ends at once, as it should where somebody else has it."`
		}
	},
	) (*ObjectResponse[RotatedKey], error) {
		_, of, err := viewWith(ctx, s, c, view.integration, in.Name)
		if err != nil {
			return nil, err
		}
		made, old, err := s.Store.RotateKey(ctx, c.by, of.Name, store.Rotation{AtOnce: in.Body.AtOnce}, c.now)
		if err != nil {
			return nil, err
		}
		return &ObjectResponse[RotatedKey]{RotatedKey{made.Integration, made.Key, old.Hint, old.EndsAt}}, nil
	})
	for _, mute := range []bool{true, false} {
		s.muteRoute(mute)
	}
}

func (s *server) muteRoute(mute bool) {
	op := operation{
		method: http.MethodPost, path: "/integrations/{name}/mute", id: "mute-integration", tag: "integrations", summary: "Let an integration page nobody",
		scope: oncall.ScopeEdit, status: http.StatusNoContent, errors: []int{404, 409},
	}
	if !mute {
		op.path, op.id, op.summary = "/integrations/{name}/unmute", "unmute-integration", "Let an integration page again"
	}
	handle(s, op, func(ctx context.Context, c caller, in *struct {
		NamePath
		Body struct {
			Until *time.Time `json:"until,omitempty" doc:"Of mute: until then; without it until it is unmuted."`
		}
	},
	) (*NoContent, error) {
		_, of, err := viewWith(ctx, s, c, view.integration, in.Name)
		if err != nil {
			return nil, err
		}
		if mute {
			err = s.Store.MuteIntegration(ctx, c.by, of.Name, in.Body.Until, c.now)
		} else {
			_, err = s.Store.UnmuteIntegration(ctx, c.by, of.Name, c.now)
		}
		return &NoContent{http.StatusNoContent}, err
	})
}

package rest

import (
	"cmp"
	"context"
	"net/http"
	"time"

	wording "github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An Action is something that is to be done after an incident.
type Action struct {
	ID        int64      `json:"id"`
	Incident  int64      `json:"incident" doc:"Its number."`
	User      Person     `json:"user" doc:"Who is to do it."`
	Text      string     `json:"text"`
	CreatedBy *Person    `json:"created_by,omitempty" doc:"Left out where it was an API key of nobody's own."`
	CreatedAt time.Time  `json:"created_at"`
	DueAt     time.Time  `json:"due_at"`
	AskAt     *time.Time `json:"ask_at,omitempty" doc:"When the person is asked next whether it is done."`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	DoneBy    *Person    `json:"done_by,omitempty"`
}

// An ActionBody is an action to add.
type ActionBody struct {
	User  string    `json:"user" maxLength:"200" doc:"Who is to do it: Slack id, mail address or whole name."`
	Text  string    `json:"text" maxLength:"4000"`
	DueAt time.Time `json:"due_at,omitzero" doc:"The end of its last day; in a week where it is left out."`
}

// ActionFilter are the parameters of the list of open actions.
type ActionFilter struct {
	Paged
	User string `query:"user" maxLength:"200" doc:"Of one person only: Slack id, mail address or whole name."`
	Team string `query:"team" maxLength:"200" doc:"Of one team's incidents only: its name or id."`
}

// A Markdown is a text for people.
type Markdown struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (v view) action(a oncall.ReviewAction) Action {
	out := Action{
		ID: int64(a.ID), Incident: int64(a.IncidentID), User: v.person(a.UserID), Text: a.Text,
		CreatedAt: a.MadeAt, DueAt: a.DueAt, AskAt: a.AskAt, DoneAt: a.DoneAt,
	}
	if a.By != "" {
		out.CreatedBy = new(v.person(a.By))
	}
	if a.DoneBy != "" {
		out.DoneBy = new(v.person(a.DoneBy))
	}
	return out
}

func (s *server) reviewRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}/review", id: "get-review", tag: "reviews", summary: "Get the draft of a resolved incident's review",
		about: "In Markdown, as /oncall review drafts it, from the timeline, the notes and the actions. What people wrote in Slack, in the thread and in the incident's own channel, is left out.",
		scope: oncall.ScopeRead, errors: []int{404, 409},
	}, s.getReview)
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}/actions", id: "list-incident-actions", tag: "reviews", summary: "List what is to be done after an incident, the oldest first",
		scope: oncall.ScopeRead, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		IncidentPath
		Paged
	},
	) (*ListResponse[Action], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		found, err := s.Store.ReviewActions(ctx, c.by, oncall.IncidentID(in.ID))
		if err != nil {
			return nil, err
		}
		return page(mapSlice(found, v.action), in.Paged)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/incidents/{id}/actions", id: "create-action", tag: "reviews", summary: "Say what is to be done after an incident, and by whom",
		about: "The person is asked about it in Slack every working morning after it is due, until it is done.", scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{404, 409},
	}, s.createAction)
	handle(s, operation{
		method: http.MethodGet, path: "/actions", id: "list-actions", tag: "reviews", summary: "List all actions that are not done, the oldest first", scope: oncall.ScopeRead,
	}, s.listActions)
	handle(s, operation{
		method: http.MethodPost, path: "/actions/{id}/acts", id: "act-on-action", tag: "reviews", summary: "Say that an action is done, or put it off for a week",
		about: "As the person whose it is, or whoever may act on the incident. One that is done stays done.", scope: oncall.ScopeAct, errors: []int{404, 409},
	}, s.actOnAction)
}

func (s *server) createAction(ctx context.Context, c caller, in *struct {
	IncidentPath
	IdempotencyHeader
	Body ActionBody
},
) (*ObjectResponse[Action], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	id := oncall.IncidentID(in.ID)
	if _, err := s.Store.Incident(ctx, c.by, id); err != nil { // an incident that the caller may not see doesn't exist
		return nil, err
	}
	user, _, err := filterValue(in.Body.User, v.user, "person")
	if err != nil {
		return nil, err
	}
	a := oncall.ReviewAction{UserID: user.ID, Text: in.Body.Text}
	if !in.Body.DueAt.IsZero() {
		a.DueAt = in.Body.DueAt.UTC()
	}
	if a, err = s.Store.AddReviewAction(ctx, c.by, id, a, c.now); err != nil {
		return nil, err
	}
	return &ObjectResponse[Action]{v.action(a)}, nil
}

func (s *server) listActions(ctx context.Context, c caller, in *ActionFilter) (*ListResponse[Action], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	after, err := in.position()
	if err != nil {
		return nil, err
	}
	user, _, err := filterValue(in.User, v.user, "person")
	if err != nil {
		return nil, err
	}
	team, _, err := filterValue(in.Team, v.team, "team")
	if err != nil {
		return nil, err
	}
	f := store.ReviewActionFilter{User: user.ID, Team: team.ID, After: oncall.ReviewActionID(after), Limit: in.Limit}
	found, more, err := s.Store.OpenReviewActions(ctx, c.by, f)
	if err != nil {
		return nil, err
	}
	out := &ListResponse[Action]{Body: List[Action]{Items: mapSlice(found, v.action)}}
	if more {
		out.Body.Next = cursor(int64(found[len(found)-1].ID))
	}
	return out, nil
}

func (s *server) actOnAction(ctx context.Context, c caller, in *struct {
	ID int64 `path:"id" minimum:"1"`
	IdempotencyHeader
	Body struct {
		Act string `json:"act" enum:"done,put_off"`
	}
},
) (*ObjectResponse[Action], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	id := oncall.ReviewActionID(in.ID)
	if _, err := s.Store.ReviewAction(ctx, c.by, id); err != nil { // one that the caller may not see doesn't exist
		return nil, err
	}
	a, err := s.Store.EndReviewAction(ctx, c.by, id, in.Body.Act == "put_off", c.now)
	if err != nil {
		return nil, err
	}
	return &ObjectResponse[Action]{v.action(a)}, nil
}

func (s *server) getReview(ctx context.Context, c caller, in *struct {
	IncidentPath
	TimeZone string `query:"time_zone" maxLength:"60" doc:"Of its times; the key's person's or the team's where it is left out." example:"Europe/Berlin"`
},
) (*Markdown, error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	picture, err := s.Store.Picture(ctx, c.by, oncall.IncidentID(in.ID), c.now)
	if err != nil {
		return nil, err
	}
	if err := picture.Incident.RefuseReview(); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(cmp.Or(in.TimeZone, v.Users[c.by.User].TimeZone, v.TeamZone(picture.Incident.TeamID), "UTC"))
	if err != nil {
		return nil, invalid("There is no such time zone.")
	}
	actions, err := s.Store.ReviewActions(ctx, c.by, picture.Incident.ID)
	if err != nil {
		return nil, err
	}
	r := wording.Review{Picture: picture, WithoutTalk: true, Actions: actions, Names: v.Users, Channels: v.ChannelCalled, Zone: zone, Now: c.now}
	return &Markdown{"text/markdown; charset=utf-8", []byte(r.Markdown())}, nil
}

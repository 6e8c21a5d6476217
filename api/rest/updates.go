package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// An Update tells people who don't work on an incident how it stands.
type Update struct {
	Number   int       `json:"number" doc:"Counts the incident's updates."`
	Text     string    `json:"text"`
	Channels []string  `json:"channels" doc:"Where it was posted, as the team names them, and its own channel by Slack id; none: in its thread alone."`
	By       *Actor    `json:"by,omitempty"`
	At       time.Time `json:"at"`
}

// An UpdateBody is an update to post.
type UpdateBody struct {
	Text     string   `json:"text" maxLength:"4000"`
	Channels []string `json:"channels,omitempty" maxItems:"10" doc:"Some of the channels that the team chose, by name or Slack id; all of them where it is left out." example:"[\"#status\"]"`
}

func (s *server) updateRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}/updates", id: "list-updates", tag: "incidents", summary: "List an incident's updates, the oldest first",
		about: "They are in its timeline, too.", scope: oncall.ScopeRead, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		IncidentPath
		Paged
	},
	) (*ListResponse[Update], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		found, err := s.updates(ctx, v, oncall.IncidentID(in.ID))
		if err != nil {
			return nil, err
		}
		return page(found, in.Paged)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/incidents/{id}/updates", id: "create-update", tag: "incidents", summary: "Tell people who don't work on an incident how it stands",
		about: "As /oncall update does: in its own channel, if it has one, and in the channels that the team chose; without any, in its thread.", scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{404, 409},
	}, s.createUpdate)
}

func (s *server) createUpdate(ctx context.Context, c caller, in *struct {
	IncidentPath
	IdempotencyHeader
	Body UpdateBody
},
) (*ObjectResponse[Update], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	id := oncall.IncidentID(in.ID)
	about, err := s.Store.Incident(ctx, c.by, id) // an incident that the caller may not see doesn't exist
	if err != nil {
		return nil, err
	}
	act := oncall.Act{Do: oncall.ActUpdate, Text: in.Body.Text}
	if act.Channels, err = v.updateChannels(about.TeamID, in.Body.Channels); err != nil {
		return nil, err
	}
	done, err := s.Store.Act(ctx, id, c.by, act, c.now)
	if err != nil {
		return nil, err
	}
	posted, err := s.updates(ctx, v, id)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(posted, func(u Update) bool { return u.Number == done.Updates })
	if i < 0 {
		return nil, oncall.ErrNotFound
	}
	return &ObjectResponse[Update]{posted[i]}, nil
}

func (s *server) updates(ctx context.Context, v view, id oncall.IncidentID) ([]Update, error) {
	events, err := s.Store.Events(ctx, v.caller.by, id)
	if err != nil {
		return nil, err
	}
	var out []Update
	for _, e := range events {
		if e.Kind == oncall.EventUpdate {
			out = append(out, Update{e.Detail.Count, e.Detail.Text, append([]string{}, e.Detail.To...), v.actor(e.Actor), e.At})
		}
	}
	return out, nil
}

// updateChannels finds some of a team's channels for updates, each once.
func (v view) updateChannels(id oncall.TeamID, texts []string) (out []string, err error) {
	team, _ := v.Team(id)
	for _, text := range texts {
		named := strings.TrimPrefix(text, "#")
		i := slices.IndexFunc(team.Updates, func(c string) bool {
			return strings.EqualFold(strings.TrimPrefix(c, "#"), named) || v.Channel(c) == text
		})
		switch {
		case i < 0:
			return nil, invalid("The team's updates don't go to " + strconv.Quote(text) + ".")
		case !slices.Contains(out, team.Updates[i]):
			out = append(out, team.Updates[i])
		}
	}
	return out, nil
}

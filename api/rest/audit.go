package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/store"
)

// An AuditEntry is one act of somebody on one object.
type AuditEntry struct {
	ID      int64         `json:"id"`
	At      time.Time     `json:"at"`
	By      *Actor        `json:"by,omitempty"`
	Act     string        `json:"act" example:"changed"`
	Kind    string        `json:"kind" example:"schedule"`
	Name    string        `json:"name,omitempty"`
	User    *Person       `json:"user,omitempty" doc:"Whom it is about."`
	Teams   []Ref         `json:"teams"`
	Changes []AuditChange `json:"changes"`
	Text    string        `json:"text"`
}

// An AuditChange is one field that was changed.
type AuditChange struct {
	What   string `json:"what"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func (s *server) auditRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/audit", id: "list-audit", tag: "audit", summary: "Read who has changed what, the newest first", scope: oncall.ScopeAdmin,
		about: "A team's key reads what is of its team.",
	}, func(ctx context.Context, c caller, in *struct {
		Paged
		Since time.Time `query:"since" doc:"Then or later."`
		Kind  string    `query:"kind" doc:"About one kind of thing only." example:"schedule"`
		Name  string    `query:"name" doc:"About the thing of this name only."`
		Team  string    `query:"team" doc:"Of one team only: its name or id."`
		User  string    `query:"user" doc:"About one person, or done by them: Slack id, mail address or whole name."`
	},
	) (*ListResponse[AuditEntry], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		before, err := in.position()
		if err != nil {
			return nil, err
		}
		filter := store.AuditFilter{Name: in.Name, Since: in.Since, Before: before, Limit: in.Limit}
		if kind, known := audit.ParseKind(in.Kind); known {
			filter.Kind = kind
		} else if in.Kind != "" {
			return nil, invalid("There is no kind of thing that is called so.")
		}
		team, _, err := filterValue(in.Team, v.team, "team")
		if err != nil {
			return nil, err
		}
		user, _, err := filterValue(in.User, v.user, "person")
		if err != nil {
			return nil, err
		}
		filter.Team, filter.Person = team.ID, user.ID
		found, more, err := s.Store.History(ctx, c.by, filter)
		if err != nil {
			return nil, err
		}
		out := &ListResponse[AuditEntry]{Body: List[AuditEntry]{Items: []AuditEntry{}}}
		for _, e := range found {
			out.Body.Items = append(out.Body.Items, v.auditEntry(e))
		}
		if more {
			out.Body.Next = cursor(found[len(found)-1].ID)
		}
		return out, nil
	})
}

func (v view) auditEntry(entry audit.Entry) AuditEntry {
	text := entry.By.Shown(v.Name) + " " + entry.Sentence().Shown(v.Name)
	if way := entry.Way(); way != "" {
		text += ", " + way
	}
	out := AuditEntry{
		ID: entry.ID, At: entry.At, By: v.actor(entry.By), Act: string(entry.Act), Kind: string(entry.Kind), Name: entry.Name, Teams: []Ref{}, Changes: []AuditChange{}, Text: text,
	}
	if entry.About != "" {
		out.User = new(v.person(entry.About))
	}
	for _, id := range entry.Teams {
		out.Teams = append(out.Teams, v.teamRef(id))
	}
	for _, change := range entry.Changes {
		out.Changes = append(out.Changes, AuditChange{change.What, change.Before.Shown(v.Name), change.After.Shown(v.Name)})
	}
	return out
}

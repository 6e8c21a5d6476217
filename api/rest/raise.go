package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// A RaiseBody is the person or team to page, and the problem.
type RaiseBody struct {
	Team     string `json:"team,omitempty" maxLength:"200" doc:"Name or id. It may be left out with schedule, and with a user who is in a team."`
	Schedule string `json:"schedule,omitempty" maxLength:"200" doc:"Whoever is on call there is paged at once, and the team's policy begins five minutes later: name or id."`
	User     string `json:"user,omitempty" maxLength:"200" doc:"So is this person: Slack id, mail address or whole name."`
	Text     string `json:"text" minLength:"1" maxLength:"10000" doc:"What is wrong. Its first line is the title."`
	Link     string `json:"link,omitempty" maxLength:"2000" doc:"Where there is more of it." example:"https://ci.example.com/run/77"`
	Severity string `json:"severity,omitempty" enum:"critical,high,medium,low" default:"high"`
	Key      string `json:"key,omitempty" maxLength:"200" doc:"Names what is wrong: while an incident of the team's that has this key is open, nobody is paged anew."`
	Confirm  bool   `json:"confirm,omitempty" doc:"Page although there was much paging by hand of late, which is refused with 409 otherwise."`
}

// A RaisedIncident is an incident raised by a request. A key with only the scope page sees no more
// of it.
type RaisedIncident struct {
	ID       int64     `json:"id"`
	Title    string    `json:"title,omitempty"`
	State    string    `json:"state" enum:"triggered,acknowledged,snoozed,resolved"`
	Severity string    `json:"severity,omitempty" enum:"critical,high,medium,low"`
	Team     Ref       `json:"team"`
	OpenedAt time.Time `json:"opened_at"`
	Again    bool      `json:"again" doc:"It was open already: nobody was paged anew."`
}

// A Raised is the response to paging by hand.
type Raised struct {
	Status int
	Body   RaisedIncident
}

func (s *server) raiseRoutes() {
	handle(s, operation{
		method: http.MethodPost, path: "/incidents", id: "create-incident", tag: "incidents", summary: "Page a team, a schedule or a person by hand",
		about: "As /oncall page does. What the same key raised with the same title less than ten minutes ago, and is open, is not raised again.",
		scope: oncall.ScopePage, makes: true, errors: []int{409},
	}, func(ctx context.Context, c caller, in *struct {
		IdempotencyHeader
		Body RaiseBody
	},
	) (*Raised, error) {
		r, err := s.readRaise(ctx, c, in.Body)
		if err != nil {
			return nil, err
		}
		raised, err := s.Store.Raise(ctx, c.by, r, store.MessageRef{}, c.now)
		if err != nil {
			return nil, err
		}
		if raised.NeedsConfirmation != nil {
			return nil, oncall.Refuse("%s Nobody was paged; send confirm: true to page all the same.", raised.NeedsConfirmation)
		}
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		return v.raised(raised), nil
	})
}

// readRaise resolves the names in a body. If one doesn't exist, the request is invalid.
func (s *server) readRaise(ctx context.Context, c caller, b RaiseBody) (oncall.RaiseRequest, error) {
	raise, err := s.Store.FindToPage(ctx, c.by, store.Whom{Team: b.Team, Schedule: b.Schedule, User: b.User})
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return raise, invalid(refusal.Error())
	}
	if err != nil {
		return raise, err
	}
	if b.Link != "" {
		if u, err := url.Parse(b.Link); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return raise, invalid("link is the address of a web page, such as https://ci.example.com/run/77.")
		}
	}
	raise.Text, raise.Link, raise.Severity, raise.Confirmed = b.Text, b.Link, oncall.Severity(b.Severity), b.Confirm
	if b.Key != "" {
		raise.Key = "api/" + b.Key
	}
	return raise, nil
}

func (v view) raised(made store.Raised) *Raised {
	in := made.Incident
	out := &Raised{Status: http.StatusCreated, Body: RaisedIncident{
		ID: int64(in.ID), State: string(in.Status), Team: Ref{ID: int64(in.TeamID)}, OpenedAt: in.OpenedAt, Again: made.Again,
	}}
	if made.Again {
		out.Status = http.StatusOK
	}
	// Text that others wrote about a private team's incident is hidden; the caller's own is no
	// secret.
	if t, _ := v.Team(in.TeamID); !made.Again || !t.Private || v.Access().May(v.caller.by, access.See, access.Object{Team: t.ID}) == nil {
		out.Body.Title, out.Body.Severity, out.Body.Team.Name = in.Title, string(in.Severity), t.Name
	}
	return out
}

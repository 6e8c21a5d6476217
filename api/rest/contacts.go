package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Rule is one of a person's notification rules.
type Rule struct {
	Contact int64  `json:"contact" doc:"The id of a contact method; 0 is a direct message in Slack."`
	After   string `json:"after" maxLength:"20" doc:"How long after the page." example:"5m0s"`
}

// Rules are a person's notification rules.
type Rules struct {
	High  []Rule            `json:"high" maxItems:"20" doc:"For all but low severity; the defaults where it is empty."`
	Low   []Rule            `json:"low" maxItems:"20" doc:"For low severity; the defaults where it is empty."`
	Hours []schedule.Window `json:"hours" maxItems:"20" doc:"When a low severity may disturb, in the person's zone; working hours where it is empty."`
}

// PersonPath is the path of a person.
type PersonPath struct {
	Name string `path:"name" maxLength:"200" doc:"Slack id, mail address or whole name."`
}

// OneContact is the path of a contact method.
type OneContact struct {
	PersonPath
	ID int64 `path:"id" minimum:"1" doc:"The contact method's id."`
}

func contactOf(c oncall.Contact) Contact {
	return Contact{ID: int64(c.ID), Method: string(c.Method), Shown: audit.Masked(c), Verified: c.VerifiedAt != nil}
}

// handlePersonal registers an operation on a person's own data, for them and for admins.
func handlePersonal[I interface{ person() string }, O any](s *server, op operation, do func(context.Context, view, oncall.UserID, *I) (*O, error)) {
	op.scope, op.errors = oncall.ScopeAct, []int{404, 409}
	op.about = "With a key of their own, or an admin's. " + op.about
	handle(s, op, func(ctx context.Context, c caller, in *I) (*O, error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		u, err := v.user((*in).person())
		if err != nil {
			return nil, err
		}
		return do(ctx, v, u.ID, in)
	})
}

func (p PersonPath) person() string { return p.Name }

func (s *server) contactRoutes() {
	handlePersonal(s, operation{
		method: http.MethodPost, path: "/users/{name}/contacts", id: "create-contact", tag: "users", summary: "Add a contact method",
		about: "A code is sent there; until it is given back by verify, nothing is paged by it.", status: http.StatusCreated,
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		PersonPath
		IdempotencyHeader
		Body struct {
			Method  string `json:"method" maxLength:"40" example:"sms"`
			Address string `json:"address" maxLength:"500" example:"+49 30 901820"`
		}
	},
	) (*ObjectResponse[Contact], error) {
		made, err := s.Store.AddContact(ctx, v.caller.by, user, oncall.Method(in.Body.Method), in.Body.Address, v.caller.now)
		return &ObjectResponse[Contact]{contactOf(made)}, err
	})
	handlePersonal(s, operation{
		method: http.MethodPost, path: "/users/{name}/contacts/{id}/verify", id: "verify-contact", tag: "users", summary: "Give back the code that a contact method got",
		about: "Without a code another one is sent.", status: http.StatusNoContent,
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		OneContact
		Body struct {
			Code string `json:"code,omitempty" maxLength:"40"`
		}
	},
	) (*NoContent, error) {
		if in.Body.Code == "" {
			return &NoContent{http.StatusNoContent}, s.Store.SendProof(ctx, v.caller.by, user, oncall.ContactID(in.ID), v.caller.now)
		}
		return &NoContent{http.StatusNoContent}, s.Store.ConfirmContact(ctx, v.caller.by, user, oncall.ContactID(in.ID), in.Body.Code, v.caller.now)
	})
	handlePersonal(s, operation{
		method: http.MethodDelete, path: "/users/{name}/contacts/{id}", id: "delete-contact", tag: "users", summary: "Remove a contact method", status: http.StatusNoContent,
	}, func(ctx context.Context, v view, user oncall.UserID, in *OneContact) (*NoContent, error) {
		return &NoContent{http.StatusNoContent}, s.Store.RemoveContact(ctx, v.caller.by, user, oncall.ContactID(in.ID), v.caller.now)
	})
	handlePersonal(s, operation{
		method: http.MethodPost, path: "/users/{name}/contacts/test", id: "test-contacts", tag: "users", summary: "Send a test page by contact methods", status: http.StatusNoContent,
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		PersonPath
		Body struct {
			Contacts []int64 `json:"contacts" minItems:"1" maxItems:"20" doc:"Their ids; 0 is Slack."`
		}
	},
	) (*NoContent, error) {
		ids := mapSlice(in.Body.Contacts, func(id int64) oncall.ContactID { return oncall.ContactID(id) })
		return &NoContent{http.StatusNoContent}, s.Store.TestContacts(ctx, v.caller.by, user, ids, v.caller.now)
	})
	s.ruleRoutes()
}

func (s *server) ruleRoutes() {
	handlePersonal(s, operation{
		method: http.MethodGet, path: "/users/{name}/rules", id: "get-rules", tag: "users", summary: "Get how a person is reached: the rules in force",
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		PersonPath
		Fields
	},
	) (*ObjectResponse[Rules], error) {
		if err := s.checkOwn(ctx, v, user); err != nil {
			return nil, err
		}
		r, err := s.Store.ContactSettings(ctx, v.caller.by, user)
		if err != nil {
			return nil, err
		}
		hours := r.Hours
		if hours == nil {
			hours = oncall.WorkingHours
		}
		return &ObjectResponse[Rules]{Rules{mapSlice(r.Rules(false), ruleOf), mapSlice(r.Rules(true), ruleOf), hours}}, nil
	})
	handlePersonal(s, operation{
		method: http.MethodPut, path: "/users/{name}/rules", id: "put-rules", tag: "users", summary: "Say how a person is reached", status: http.StatusNoContent,
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		PersonPath
		Body Rules
	},
	) (*NoContent, error) {
		p := oncall.Preferences{Hours: in.Body.Hours}
		if len(p.Hours) == 0 {
			p.Hours = nil
		}
		var err error
		if p.High, err = readRules(in.Body.High); err != nil {
			return nil, err
		}
		if p.Low, err = readRules(in.Body.Low); err != nil {
			return nil, err
		}
		return &NoContent{http.StatusNoContent}, s.Store.SetPreferences(ctx, v.caller.by, user, p, v.caller.now)
	})
	s.reminderRoutes()
}

func (s *server) reminderRoutes() {
	handlePersonal(s, operation{
		method: http.MethodGet, path: "/users/{name}/reminders", id: "get-reminders", tag: "users", summary: "Get how long before their shifts a person is reminded",
	}, func(ctx context.Context, v view, user oncall.UserID, _ *PersonPath) (*ObjectResponse[Reminders], error) {
		before, err := s.Store.Reminders(ctx, v.caller.by, user)
		return &ObjectResponse[Reminders]{Reminders{mapSlice(before, time.Duration.String)}}, err
	})
	handlePersonal(s, operation{
		method: http.MethodPut, path: "/users/{name}/reminders", id: "put-reminders", tag: "users", summary: "Say how long before their shifts a person is reminded",
		about: "An empty list: never.", status: http.StatusNoContent,
	}, func(ctx context.Context, v view, user oncall.UserID, in *struct {
		PersonPath
		Body Reminders
	},
	) (*NoContent, error) {
		before := []time.Duration{}
		for _, text := range in.Body.Before {
			d, err := time.ParseDuration(text)
			if err != nil || d <= 0 {
				return nil, invalid("before is how long before the shift, such as 1h or 30m.")
			}
			before = append(before, d)
		}
		return &NoContent{http.StatusNoContent}, s.Store.SetReminders(ctx, v.caller.by, user, before, v.caller.now)
	})
}

// Reminders are how long before their shifts a person is reminded.
type Reminders struct {
	Before []string `json:"before" maxItems:"10" example:"[\"24h0m0s\",\"1h0m0s\"]"`
}

func ruleOf(r oncall.Rule) Rule { return Rule{int64(r.Contact), r.After.Duration().String()} }

func readRules(all []Rule) ([]oncall.Rule, error) {
	var out []oncall.Rule
	for _, r := range all {
		after, err := time.ParseDuration(r.After)
		if err != nil || after < 0 {
			return nil, invalid("after is how long after the page, such as 5m or 0s.")
		}
		out = append(out, oncall.Rule{Contact: oncall.ContactID(r.Contact), After: oncall.Seconds(after / time.Second)})
	}
	return out, nil
}

// checkOwn checks whether the caller may see a person's own data.
func (s *server) checkOwn(ctx context.Context, v view, user oncall.UserID) error {
	_, err := s.Store.Reminders(ctx, v.caller.by, user) // reminders are part of it
	return err
}

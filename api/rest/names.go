package rest

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A Ref refers to an object by id, which survives renaming, and name.
type Ref struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// A Person refers to a person by their Slack id.
type Person struct {
	ID   oncall.UserID `json:"id" example:"U024BE7LH"`
	Name string        `json:"name" doc:"As Slack shows it; the id where that is not known."`
}

// An Actor is who did something.
type Actor struct {
	User   *Person `json:"user,omitempty" doc:"A person, also by an API key of their own."`
	Name   string  `json:"name,omitempty" doc:"A monitor, or an API key."`
	Via    string  `json:"via,omitempty" doc:"How: slack, integration, api, timer, or a contact method such as sms."`
	APIKey int64   `json:"api_key,omitempty" doc:"The id of the API key."`
}

// A view is the directory as a caller may see it.
type view struct {
	*store.Directory
	caller  caller
	address string // base URL of Watchbill
	pages   string // of the web pages; empty: they are off
}

func (s *server) viewFor(ctx context.Context, c caller) (view, error) {
	dir, err := s.Store.DirectoryFor(ctx, c.by)
	return view{dir, c, strings.TrimSuffix(s.Address, "/"), strings.TrimSuffix(s.Pages, "/")}, err
}

// viewWith is look, and finds the object that a path names.
func viewWith[T any](ctx context.Context, s *server, c caller, find func(view, string) (T, error), name string) (v view, found T, err error) {
	if v, err = s.viewFor(ctx, c); err != nil {
		return v, found, err
	}
	found, err = find(v, name)
	return v, found, err
}

func (v view) person(id oncall.UserID) Person { return Person{ID: id, Name: v.Name(id)} }

func (v view) people(ids []oncall.UserID) []Person {
	out := make([]Person, 0, len(ids))
	for _, id := range ids {
		out = append(out, v.person(id))
	}
	return out
}

func (v view) actor(a oncall.Actor) *Actor {
	if a == (oncall.Actor{}) {
		return nil
	}
	out := &Actor{Name: a.Name, Via: a.Via, APIKey: int64(a.Key)}
	if a.User != "" {
		out.User = new(v.person(a.User))
	}
	return out
}

// sees reports whether the caller may see a team.
func (v view) sees(id oncall.TeamID) bool {
	return slices.ContainsFunc(v.Teams, func(t oncall.Team) bool { return t.ID == id })
}

// teamRef refers to a team; without its name, if the caller may not see it.
func (v view) teamRef(id oncall.TeamID) Ref {
	r := Ref{ID: int64(id)}
	if t, known := v.Team(id); known && (v.sees(id) || !t.Private) {
		r.Name = t.Name
	}
	return r
}

// findByName finds an object by its name, ignoring case, or by its id.
func findByName[T any](all []T, text string, name func(T) string, id func(T) int64) (found T, err error) {
	for _, one := range all {
		if name(one) == text {
			return one, nil
		}
	}
	number, bad := strconv.ParseInt(text, 10, 64)
	for _, one := range all {
		if strings.EqualFold(name(one), text) || bad == nil && id(one) == number {
			return one, nil
		}
	}
	return found, oncall.ErrNotFound
}

func (v view) team(text string) (oncall.Team, error) {
	return findByName(v.Teams, text, func(t oncall.Team) string { return t.Name }, func(t oncall.Team) int64 { return int64(t.ID) })
}

func (v view) schedule(text string) (*schedule.Schedule, error) {
	return findByName(v.Schedules, text, (*schedule.Schedule).Name, func(s *schedule.Schedule) int64 { return int64(s.ID()) })
}

func (v view) integration(text string) (oncall.Integration, error) {
	return findByName(v.Integrations, text, func(in oncall.Integration) string { return in.Name }, func(in oncall.Integration) int64 { return int64(in.ID) })
}

// policies returns the existing policies that the caller may see, sorted by name.
func (v view) policies() []oncall.Policy {
	var out []oncall.Policy
	for _, p := range v.Policies {
		if !p.Removed && v.sees(p.TeamID) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b oncall.Policy) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (v view) policy(text string) (oncall.Policy, error) {
	return findByName(v.policies(), text, func(p oncall.Policy) string { return p.Name }, func(p oncall.Policy) int64 { return int64(p.ID) })
}

// user finds a person by Slack id, mail address or full name.
func (v view) user(text string) (oncall.User, error) {
	if u, known := v.Users[oncall.UserID(text)]; known {
		return u, nil
	}
	var found []oncall.User
	for _, u := range v.Users {
		if u.Email != "" && strings.EqualFold(u.Email, text) || strings.EqualFold(u.Name, text) {
			found = append(found, u)
		}
	}
	switch len(found) {
	case 0:
		return oncall.User{}, oncall.ErrNotFound
	case 1:
		return found[0], nil
	}
	return oncall.User{}, oncall.Refuse("Several people are called %q; give the Slack id.", text)
}

// filterValue looks up the value of a filter parameter; if it doesn't exist, the request is invalid.
func filterValue[T any](text string, find func(string) (T, error), what string) (found T, given bool, err error) {
	if text == "" {
		return found, false, nil
	}
	if found, err = find(text); err != nil {
		return found, true, invalid("There is no " + what + " " + strconv.Quote(text) + ", or it is not yours to see.")
	}
	return found, true, nil
}

package setup

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// A PartKind is the kind of a part, as problems name it.
type PartKind string

// The kinds of parts that can be edited individually.
const (
	UserPart        PartKind = "user"
	TeamPart        PartKind = "team"
	SchedulePart    PartKind = "schedule"
	PolicyPart      PartKind = "policy"
	IntegrationPart PartKind = "integration"
	UserGroupPart   PartKind = "user group"
)

// A Part is one object of a document: the field of its kind is set.
type Part struct {
	Kind        PartKind
	User        *User
	Team        *Team
	Schedule    *Schedule
	Policy      *Policy
	Integration *Integration
	UserGroup   *UserGroup
}

// ETag returns a text that changes when the part does.
func (p Part) ETag() string {
	switch p.Kind {
	case UserPart:
		return ETag(p.User)
	case TeamPart:
		return ETag(p.Team)
	case SchedulePart:
		return ETag(p.Schedule)
	case PolicyPart:
		return ETag(p.Policy)
	case UserGroupPart:
		return ETag(p.UserGroup)
	default:
		return ETag(p.Integration)
	}
}

// Name returns the part's name in the document.
func (p Part) Name() string {
	switch p.Kind {
	case UserPart:
		return p.User.Name
	case TeamPart:
		return p.Team.Name
	case SchedulePart:
		return p.Schedule.Name
	case PolicyPart:
		return p.Policy.Name
	case UserGroupPart:
		return p.UserGroup.Name()
	default:
		return p.Integration.Name
	}
}

// TeamName returns the team it belongs to; people and user groups have none.
func (p Part) TeamName() string {
	switch p.Kind {
	case UserPart, UserGroupPart:
		return ""
	case TeamPart:
		return p.Team.Name
	case SchedulePart:
		return p.Schedule.Team
	case PolicyPart:
		return p.Policy.Team
	default:
		return p.Integration.Team
	}
}

// Find returns a part of the document.
func (s Setup) Find(kind PartKind, name string) (Part, bool) {
	part := Part{Kind: kind}
	switch kind {
	case UserPart:
		part.User = find(s.Users, func(u User) bool { return u.Name == name || string(u.Slack) == name })
		return part, part.User != nil
	case TeamPart:
		part.Team = find(s.Teams, func(t Team) bool { return t.Name == name })
		return part, part.Team != nil
	case SchedulePart:
		part.Schedule = find(s.Schedules, func(c Schedule) bool { return c.Name == name })
		return part, part.Schedule != nil
	case PolicyPart:
		part.Policy = find(s.Policies, func(c Policy) bool { return c.Name == name })
		return part, part.Policy != nil
	case UserGroupPart:
		part.UserGroup = find(s.UserGroups, func(g UserGroup) bool { return g.Name() == name })
		return part, part.UserGroup != nil
	default:
		part.Integration = find(s.Integrations, func(in Integration) bool { return in.Name == name })
		return part, part.Integration != nil
	}
}

func find[T any](all []T, is func(T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return &all[i]
	}
	return nil
}

// Put adds a part to the document, replacing the one of the same name.
func (s Setup) Put(part Part) Setup {
	switch part.Kind {
	case UserPart:
		s.Users = put(s.Users, *part.User, func(u User) bool { return u.Name == part.User.Name || u.Slack != "" && u.Slack == part.User.Slack })
	case TeamPart:
		s.Teams = put(s.Teams, *part.Team, func(t Team) bool { return t.Name == part.Team.Name })
	case SchedulePart:
		s.Schedules = put(s.Schedules, *part.Schedule, func(c Schedule) bool { return c.Name == part.Schedule.Name })
	case PolicyPart:
		s.Policies = put(s.Policies, *part.Policy, func(c Policy) bool { return c.Name == part.Policy.Name })
	case UserGroupPart:
		s.UserGroups = put(s.UserGroups, *part.UserGroup, func(g UserGroup) bool { return g.Name() == part.UserGroup.Name() })
	default:
		s.Integrations = put(s.Integrations, *part.Integration, func(in Integration) bool { return in.Name == part.Integration.Name })
	}
	return s
}

func put[T any](all []T, part T, is func(T) bool) []T {
	all = slices.Clone(all)
	if i := slices.IndexFunc(all, is); i >= 0 {
		all[i] = part
		return all
	}
	return append(all, part)
}

// Without removes a part from the document.
func (s Setup) Without(kind PartKind, name string) Setup {
	switch kind {
	case UserPart: // people belong to Slack
	case TeamPart:
		s.Teams = slices.DeleteFunc(slices.Clone(s.Teams), func(t Team) bool { return t.Name == name })
	case SchedulePart:
		s.Schedules = slices.DeleteFunc(slices.Clone(s.Schedules), func(c Schedule) bool { return c.Name == name })
	case PolicyPart:
		s.Policies = slices.DeleteFunc(slices.Clone(s.Policies), func(c Policy) bool { return c.Name == name })
	case IntegrationPart:
		s.Integrations = slices.DeleteFunc(slices.Clone(s.Integrations), func(in Integration) bool { return in.Name == name })
	case UserGroupPart:
		s.UserGroups = slices.DeleteFunc(slices.Clone(s.UserGroups), func(g UserGroup) bool { return g.Name() == name })
	}
	return s
}

// WithoutTeam removes a team and everything that belongs to it from the document, and returns what it removed. A user
// group is removed if it follows no other team's schedule; otherwise it follows one schedule less.
func (s Setup) WithoutTeam(name string) (rest, goes Setup) {
	rest = s.Without(TeamPart, name)
	rest.Schedules, goes.Schedules = apart(s.Schedules, func(c Schedule) bool { return c.Team == name })
	rest.Policies, goes.Policies = apart(s.Policies, func(p Policy) bool { return p.Team == name })
	rest.Integrations, goes.Integrations = apart(s.Integrations, func(in Integration) bool { return in.Team == name })
	rest.Maintenance, goes.Maintenance = apart(s.Maintenance, func(m Maintenance) bool { return m.Team == name })
	gone := map[string]bool{}
	for _, c := range goes.Schedules {
		gone[c.Name] = true
	}
	rest.UserGroups = nil
	for _, g := range s.UserGroups {
		left := slices.DeleteFunc(slices.Clone(g.Schedules), func(of string) bool { return gone[of] })
		if len(left) == 0 && len(g.Schedules) > 0 {
			goes.UserGroups = append(goes.UserGroups, g)
			continue
		}
		g.Schedules = left
		rest.UserGroups = append(rest.UserGroups, g)
	}
	return rest, goes
}

// apart splits a list in two.
func apart[T any](all []T, is func(T) bool) (rest, those []T) {
	for _, one := range all {
		if is(one) {
			those = append(those, one)
		} else {
			rest = append(rest, one)
		}
	}
	return rest, those
}

// Everybody adds the people whom nothing in the document mentions, so that an added part may name
// them.
func (in Installation) Everybody(doc Setup) Setup {
	x := in.names()
	there := map[oncall.UserID]bool{}
	for _, u := range doc.Users {
		there[u.Slack] = true
	}
	doc.Users = slices.Clone(doc.Users)
	for _, u := range in.Users {
		if !there[u.ID] {
			doc.Users = append(doc.Users, User{Name: x.users[u.ID], Slack: u.ID, Email: u.Named})
		}
	}
	return doc
}

// InNames replaces Slack ids and mail addresses in a part by the names in the document.
func (p Part) InNames(doc Setup) Part {
	called := func(text string) string {
		for _, u := range doc.Users {
			if u.Name == text {
				return text
			}
		}
		for _, u := range doc.Users {
			if string(u.Slack) == text || u.Email != "" && strings.EqualFold(u.Email, text) {
				return u.Name
			}
		}
		return text
	}
	list := func(texts []string, prefix string) []string {
		out := slices.Clone(texts)
		for i, text := range out {
			if name, ok := strings.CutPrefix(text, prefix); ok {
				out[i] = prefix + called(strings.TrimSpace(name))
			}
		}
		return out
	}
	switch p.Kind {
	case TeamPart:
		t := *p.Team
		t.Members, t.Managers, t.Fallback = list(t.Members, ""), list(t.Managers, ""), list(t.Fallback, "")
		p.Team = &t
	case SchedulePart:
		made := *p.Schedule
		made.Rotations = rotationsInNames(made.Rotations, list, called)
		made.Later = slices.Clone(made.Later)
		for i := range made.Later {
			made.Later[i].Rotations = rotationsInNames(made.Later[i].Rotations, list, called)
		}
		made.Shifts = slices.Clone(made.Shifts)
		for i := range made.Shifts {
			made.Shifts[i].Users = list(made.Shifts[i].Users, "")
		}
		p.Schedule = &made
	case PolicyPart:
		c := *p.Policy
		c.Steps = slices.Clone(c.Steps)
		for i := range c.Steps {
			c.Steps[i].Page = list(c.Steps[i].Page, "user ")
		}
		p.Policy = &c
	case UserGroupPart:
		g := *p.UserGroup
		g.Fallback = called(g.Fallback)
		p.UserGroup = &g
	case UserPart, IntegrationPart:
	}
	return p
}

func rotationsInNames(all []Rotation, list func([]string, string) []string, called func(string) string) []Rotation {
	out := slices.Clone(all)
	for i := range out {
		out[i].Turns = slices.Clone(out[i].Turns)
		for j, turn := range out[i].Turns {
			out[i].Turns[j] = list(turn, "")
		}
		out[i].Members = slices.Clone(out[i].Members)
		for j := range out[i].Members {
			out[i].Members[j].User = called(out[i].Members[j].User)
		}
	}
	return out
}

package slacksim

import (
	"slices"
	"strings"
)

func (s *Sim) authTest(args) (obj, error) {
	o := obj{
		"url": s.base + "/", "team": "Simulator", "team_id": TeamID, "user": s.opt.BotName,
		"user_id": BotUserID, "bot_id": BotID, "is_enterprise_install": false, "app_id": AppID, "app_name": s.opt.BotName,
	}
	if s.opt.Enterprise != "" {
		o["enterprise_id"] = s.opt.Enterprise
	}
	return o, nil
}

func (s *Sim) usersInfo(a args) (obj, error) {
	u := s.user(a.str("user"))
	if u == nil {
		return nil, refuse("user_not_found")
	}
	o := s.userObject(u)
	if a.yes("include_locale") {
		o["locale"] = "en-US"
	}
	return obj{"user": o}, nil
}

// usersList lists everybody, including former members.
func (s *Sim) usersList(a args) (obj, error) {
	part, next, err := page(s.users, a, 100)
	if err != nil {
		return nil, err
	}
	list := []obj{}
	for _, u := range part {
		list = append(list, s.userObject(u))
	}
	return obj{"members": list, "cache_ts": s.opt.Now().Unix(), "response_metadata": obj{"next_cursor": next}}, nil
}

func (s *Sim) usersLookupByEmail(a args) (obj, error) {
	for _, u := range s.users {
		if u.Email != "" && strings.EqualFold(u.Email, a.str("email")) && !u.Deleted {
			return obj{"user": s.userObject(u)}, nil
		}
	}
	return nil, refuse("users_not_found")
}

func (s *Sim) group(id string) *Group {
	for _, g := range s.groups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

func (s *Sim) usergroupsList(a args) (obj, error) {
	list := []obj{}
	for _, g := range s.groups {
		if !g.Disabled || a.yes("include_disabled") {
			o := groupObject(g, a.yes("include_users"))
			if a.yes("include_count") {
				o["user_count"] = len(g.Users)
			}
			list = append(list, o)
		}
	}
	return obj{"usergroups": list}, nil
}

func (s *Sim) usergroupsCreate(a args) (obj, error) {
	g := &Group{Name: a.str("name"), Handle: a.str("handle"), Updated: s.opt.Now().Unix()}
	for _, other := range s.groups {
		if other.Name == g.Name {
			return nil, refuse("name_already_exists")
		}
		if g.Handle != "" && other.Handle == g.Handle {
			return nil, refuse("handle_already_exists")
		}
	}
	setDefault(&g.Handle, strings.ReplaceAll(strings.ToLower(g.Name), " ", "-"))
	g.ID = s.id("S")
	s.groups = append(s.groups, g)
	return obj{"usergroup": groupObject(g, true)}, nil
}

// ownGroup finds the group of a call. The methods that write list no code for an unknown group;
// the one that lists members has this.
func (s *Sim) ownGroup(a args) (*Group, error) {
	if g := s.group(a.str("usergroup")); g != nil {
		return g, nil
	}
	return nil, refuse("no_such_subteam")
}

func (s *Sim) groupChanged(g *Group) {
	g.Updated = s.opt.Now().Unix()
	s.emit("subteam_updated", obj{"subteam": groupObject(g, true)})
}

func (s *Sim) usergroupsEnable(a args) (obj, error)  { return s.setDisabled(a, false) }
func (s *Sim) usergroupsDisable(a args) (obj, error) { return s.setDisabled(a, true) }

func (s *Sim) setDisabled(a args, disabled bool) (obj, error) {
	g, err := s.ownGroup(a)
	if err != nil {
		return nil, err
	}
	if g.Disabled != disabled {
		g.Disabled = disabled
		s.groupChanged(g)
	}
	return obj{"usergroup": groupObject(g, true)}, nil
}

// usergroupsUsersUpdate sets the whole list; a group can't be emptied, and bots and guests are refused.
func (s *Sim) usergroupsUsersUpdate(a args) (obj, error) {
	g, err := s.ownGroup(a)
	if err != nil {
		return nil, err
	}
	if a["users"] == nil {
		return nil, refuseArguments("[ERROR] missing required field: users")
	}
	users := a.list("users")
	if len(users) == 0 {
		return nil, refuse("no_users_provided")
	}
	for _, id := range users {
		if u := s.user(id); u == nil || u.Bot || u.Deleted || u.Guest {
			return nil, refuse("invalid_users")
		}
	}
	slices.Sort(users)
	users = slices.Compact(users)
	added, removed := minus(users, g.Users), minus(g.Users, users)
	before := g.Updated
	g.Users = users
	s.groupChanged(g)
	if len(added)+len(removed) > 0 {
		s.emit("subteam_members_changed", obj{
			"subteam_id": g.ID, "team_id": TeamID, "date_previous_update": before, "date_update": g.Updated,
			"added_users": added, "added_users_count": len(added),
			"removed_users": removed, "removed_users_count": len(removed),
		})
	}
	return obj{"usergroup": groupObject(g, true)}, nil
}

func minus(list, other []string) []string {
	out := []string{}
	for _, v := range list {
		if !slices.Contains(other, v) {
			out = append(out, v)
		}
	}
	return out
}

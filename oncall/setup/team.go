package setup

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// ActsOf returns who may act on the team's incidents, in stored form.
func (t Team) ActsOf() oncall.Acts {
	if t.Acts == "workspace" {
		return oncall.WorkspaceActs
	}
	return t.Acts
}

// OnTimeOff returns what happens if somebody is away while on call, in stored form.
func (t Team) OnTimeOff() oncall.OnTimeOff {
	if t.TimeOff == "warn" {
		return oncall.TimeOffWarn
	}
	return t.TimeOff
}

// ManagedBy returns the handle of the Slack user group whose members manage the team, or "".
func (t Team) ManagedBy() string {
	for _, name := range t.Managers {
		if handle, group := strings.CutPrefix(name, "group "); group {
			return strings.TrimPrefix(strings.TrimSpace(handle), "@")
		}
	}
	return ""
}

// NamedManagers returns the members who are listed as managers.
func (t Team) NamedManagers() []string {
	return slices.DeleteFunc(slices.Concat(t.Managers, t.Admins), func(name string) bool { return strings.HasPrefix(name, "group ") })
}

// managers checks who may change a team and act on its incidents.
func (c *checker) managers(team Team) {
	if len(team.Managers) > 0 && len(team.Admins) > 0 {
		c.say("team %q: it has both managers and admins, which are the same; write managers", team.Name)
	}
	groups := 0
	for _, name := range team.Managers {
		if handle, group := strings.CutPrefix(name, "group "); group {
			if groups++; strings.TrimPrefix(strings.TrimSpace(handle), "@") == "" {
				c.say("team %q: managers, %q names no user group; write \"group @HANDLE\"", team.Name, name)
			}
		}
	}
	if groups > 1 {
		c.say("team %q: managers may follow one user group, and there are %d", team.Name, groups)
	}
	for _, name := range team.NamedManagers() {
		if !slices.Contains(team.Members, name) {
			c.say("team %q: manager %q is not among its members", team.Name, name)
		}
	}
	if team.Acts != "" && team.Acts != "workspace" && team.Acts != oncall.TeamActs {
		c.say("team %q: acts is %q; write team or workspace", team.Name, team.Acts)
	}
}

// teamPolicies checks the default policies of teams.
func (c *checker) teamPolicies(s Setup) {
	for _, t := range s.Teams {
		if t.Policy == "" {
			continue
		}
		c.refer("policy", t.Policy, "team %q: policy", t.Name)
		if i := slices.IndexFunc(s.Policies, func(p Policy) bool { return p.Name == t.Policy }); i >= 0 && s.Policies[i].Team != t.Name {
			c.say("team %q: policy %q is of the team %q", t.Name, t.Policy, s.Policies[i].Team)
		}
	}
}

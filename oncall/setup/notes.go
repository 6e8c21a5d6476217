package setup

import (
	"fmt"
	"slices"
)

// Notes returns what is valid but may be unintended, such as targets that reach nobody. The
// document has passed its Check.
func (s Setup) Notes() []string {
	notes := s.leaks()
	roles := s.roles()
	for _, p := range s.Policies {
		for n, st := range p.Steps {
			for _, written := range st.Page {
				if t, err := parseTarget(written); err == nil && t.role != "" && !slices.Contains(roles[t.name], t.role) {
					notes = append(notes, fmt.Sprintf("policy %q, step %d: %q pages nobody: no rotation of schedule %q has the role %q", p.Name, n+1, written, t.name, t.role))
				}
			}
		}
	}
	return notes
}

// leaks describes where a private team's information reaches others than its members because of the
// set-up itself.
func (s Setup) leaks() []string {
	var notes []string
	private, teamOf := map[string]bool{}, map[string]string{}
	ofPrivate := map[string]string{} // private teams' schedules
	for _, t := range s.Teams {
		private[t.Name] = t.Private
	}
	for _, p := range s.Policies {
		teamOf[p.Name] = p.Team
	}
	for _, sc := range s.Schedules {
		if private[sc.Team] {
			ofPrivate[sc.Name] = sc.Team
		}
	}
	for _, policy := range s.Policies {
		for n, st := range policy.Steps {
			for _, written := range st.Page {
				t, err := parseTarget(written)
				if err != nil {
					continue
				}
				named := map[string]string{"policy": teamOf[t.name], "schedule": ofPrivate[t.name], "team": t.name, "managers": t.name}[t.kind]
				if private[named] && named != policy.Team {
					notes = append(notes, fmt.Sprintf("policy %q, step %d: whoever sees incidents of the team %q reads there of the %s %q, and whom it pages, though the team %q is private", policy.Name, n+1, policy.Team, t.kind, t.name, named))
				}
				if t.kind == "policy" && private[policy.Team] && teamOf[t.name] != policy.Team {
					notes = append(notes, fmt.Sprintf("policy %q, step %d: the team %q is private, and whoever the policy %q of another team pages sees its incidents; channels and webhooks of that one get only their numbers", policy.Name, n+1, policy.Team, t.name))
				}
			}
		}
	}
	for _, g := range s.UserGroups {
		for _, name := range g.Schedules {
			if team := ofPrivate[name]; team != "" {
				notes = append(notes, fmt.Sprintf("user group %q: everybody in Slack sees in it who is on call in %q, which is of the private team %q", g.Handle, name, team))
			}
		}
	}
	return notes
}

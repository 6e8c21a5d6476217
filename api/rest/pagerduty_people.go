package rest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A pagerDutyUserShown is a person in PagerDuty's format.
type pagerDutyUserShown struct {
	pagerDutyRef
	Name           string         `json:"name"`
	Email          string         `json:"email"`
	TimeZone       string         `json:"time_zone"`
	Color          string         `json:"color"`
	Role           string         `json:"role"`
	AvatarURL      *string        `json:"avatar_url"`
	Description    *string        `json:"description"`
	JobTitle       *string        `json:"job_title"`
	InvitationSent bool           `json:"invitation_sent"`
	Teams          []pagerDutyRef `json:"teams"`
	Contacts       []pagerDutyRef `json:"contact_methods"`
	Rules          []pagerDutyRef `json:"notification_rules"`
}

func (v view) pagerDutyUserRef(id oncall.UserID) pagerDutyRef {
	return v.pagerDutyReference("user", string(id), v.Name(id))
}

func (v view) pagerDutyUser(id oncall.UserID) pagerDutyUserShown {
	u := v.Users[id]
	out := pagerDutyUserShown{
		pagerDutyRef: v.pagerDutyObject("user", string(id), v.Name(id)), Name: v.Name(id), Email: u.Email, TimeZone: cmp.Or(u.TimeZone, "Etc/UTC"), Color: "purple", Role: "user",
		Teams: []pagerDutyRef{}, Contacts: []pagerDutyRef{}, Rules: []pagerDutyRef{},
	}
	for _, t := range v.Teams {
		if slices.Contains(v.Members[t.ID], id) {
			out.Teams = append(out.Teams, v.pagerDutyTeamRef(t))
		}
	}
	return out
}

func pagerDutyUsers(f *dialectRequest) (dialectResponse, error) {
	all := []pagerDutyUserShown{}
	query := strings.ToLower(f.query.Get("query"))
	for id, u := range f.Users {
		if u.DeactivatedAt != nil || query != "" && !strings.Contains(strings.ToLower(u.Name+"\n"+u.Email), query) {
			continue
		}
		shown := f.pagerDutyUser(id)
		if len(f.list("team_ids")) == 0 || slices.ContainsFunc(shown.Teams, func(t pagerDutyRef) bool { return f.has("team_ids", t.ID) }) {
			all = append(all, shown)
		}
	}
	slices.SortFunc(all, func(a, b pagerDutyUserShown) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return pagerDutyPage(f, "users", all)
}

func pagerDutyUser(f *dialectRequest) (dialectResponse, error) {
	id := oncall.UserID(f.r.PathValue("id"))
	if id == "me" {
		if id = f.caller.by.User; id == "" {
			return dialectResponse{}, invalid("This API key is nobody's own, so there is no current user.")
		}
	}
	if _, known := f.Users[id]; !known {
		return dialectResponse{}, oncall.ErrNotFound
	}
	return dialectResponse{http.StatusOK, map[string]any{"user": f.pagerDutyUser(id)}}, nil
}

// A pagerDutyTeamShown is a team in PagerDuty's format.
type pagerDutyTeamShown struct {
	pagerDutyRef
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

func (v view) pagerDutyTeamRef(t oncall.Team) pagerDutyRef {
	return v.pagerDutyReference("team", pagerDutyNumber(t.ID), t.Name)
}

func (v view) pagerDutyTeamOf(t oncall.Team) pagerDutyTeamShown {
	return pagerDutyTeamShown{pagerDutyRef: v.pagerDutyObject("team", pagerDutyNumber(t.ID), t.Name), Name: t.Name}
}

func pagerDutyTeams(f *dialectRequest) (dialectResponse, error) {
	all := []pagerDutyTeamShown{}
	for _, t := range f.Teams {
		if strings.Contains(strings.ToLower(t.Name), strings.ToLower(f.query.Get("query"))) {
			all = append(all, f.pagerDutyTeamOf(t))
		}
	}
	return pagerDutyPage(f, "teams", all)
}

// teamInPath returns the team in the path.
func (dr *dialectRequest) teamInPath() (t oncall.Team, err error) {
	id, err := dr.id()
	if err != nil {
		return t, err
	}
	i := slices.IndexFunc(dr.Teams, func(t oncall.Team) bool { return int64(t.ID) == id })
	if i < 0 {
		return t, oncall.ErrNotFound
	}
	return dr.Teams[i], nil
}

func pagerDutyTeam(f *dialectRequest) (dialectResponse, error) {
	t, err := f.teamInPath()
	return dialectResponse{http.StatusOK, map[string]any{"team": f.pagerDutyTeamOf(t)}}, err
}

func pagerDutyMembers(f *dialectRequest) (dialectResponse, error) {
	type member struct {
		User any    `json:"user"`
		Role string `json:"role"`
	}
	team, err := f.teamInPath()
	if err != nil {
		return dialectResponse{}, err
	}
	all := []member{}
	for _, id := range f.Members[team.ID] {
		m := member{User: f.pagerDutyUserRef(id), Role: "responder"}
		if f.includes("users") {
			m.User = f.pagerDutyUser(id)
		}
		if slices.Contains(f.Managers(team.ID), id) {
			m.Role = "manager"
		}
		all = append(all, m)
	}
	return pagerDutyPage(f, "members", all)
}

func (dr *dialectRequest) includes(what string) bool {
	return slices.Contains(dr.list("include"), what)
}

// A pagerDutyPolicyShown is an escalation policy in PagerDuty's format.
type pagerDutyPolicyShown struct {
	pagerDutyRef
	Name        string          `json:"name"`
	Description *string         `json:"description"`
	Loops       int             `json:"num_loops"`
	Handoff     string          `json:"on_call_handoff_notifications"`
	Rules       []pagerDutyRule `json:"escalation_rules"`
	Services    []pagerDutyRef  `json:"services"`
	Teams       []pagerDutyRef  `json:"teams"`
}

type pagerDutyRule struct {
	ID      string         `json:"id"`
	Delay   int64          `json:"escalation_delay_in_minutes"`
	Targets []pagerDutyRef `json:"targets"`
}

func (v view) pagerDutyPolicyRef(id oncall.PolicyID) *pagerDutyRef {
	p, known := v.Policies[id]
	if !known {
		return nil
	}
	return new(v.pagerDutyReference("escalation_policy", pagerDutyNumber(p.ID), p.Name))
}

func (v view) pagerDutyPolicy(policy oncall.Policy) pagerDutyPolicyShown {
	out := pagerDutyPolicyShown{
		pagerDutyRef: v.pagerDutyObject("escalation_policy", pagerDutyNumber(policy.ID), policy.Name), Name: policy.Name, Loops: policy.Repeat, Handoff: "if_has_services",
		Rules: []pagerDutyRule{}, Services: []pagerDutyRef{}, Teams: []pagerDutyRef{},
	}
	if t, known := v.Team(policy.TeamID); known {
		out.Teams = append(out.Teams, v.pagerDutyTeamRef(t))
	}
	for _, in := range v.Integrations {
		if in.PolicyID == policy.ID {
			out.Services = append(out.Services, v.pagerDutyReference("service", pagerDutyNumber(in.ID), in.Name))
		}
	}
	for i, step := range policy.Steps {
		rule := pagerDutyRule{ID: pagerDutyNumber(policy.ID) + "-" + pagerDutyNumber(int64(i+1)), Targets: []pagerDutyRef{}}
		took := step.Delay.Duration() + time.Duration(step.Repeat)*step.Every.Duration()
		rule.Delay = int64((took + time.Minute - 1) / time.Minute)
		for _, t := range step.Targets {
			rule.Targets = append(rule.Targets, v.pagerDutyTargets(t)...)
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

// pagerDutyTargets converts a target to PagerDuty's: schedules and people.
func (v view) pagerDutyTargets(t oncall.Target) []pagerDutyRef {
	if sched, known := v.Schedule(t.Schedule); known {
		return []pagerDutyRef{v.pagerDutyReference("schedule", pagerDutyNumber(sched.ID()), sched.Name())}
	}
	return mapSlice(v.always(t), v.pagerDutyUserRef)
}

// always returns the people whom a target names, whoever is on call.
func (v view) always(t oncall.Target) []oncall.UserID {
	switch {
	case t.User != "":
		return []oncall.UserID{t.User}
	case t.Team != 0:
		return v.Members[t.Team]
	case t.Managers != 0:
		return v.Managers(t.Managers)
	case t.Group != "":
		return v.Roster().Groups[t.Group]
	}
	return nil
}

func pagerDutyPolicies(f *dialectRequest) (dialectResponse, error) {
	all := []pagerDutyPolicyShown{}
	for _, p := range f.policies() {
		shown := f.pagerDutyPolicy(p)
		of := len(f.list("user_ids")) == 0
		for _, rule := range shown.Rules {
			of = of || slices.ContainsFunc(rule.Targets, func(t pagerDutyRef) bool { return f.has("user_ids", t.ID) })
		}
		if of && f.has("team_ids", pagerDutyNumber(p.TeamID)) && strings.Contains(strings.ToLower(p.Name), strings.ToLower(f.query.Get("query"))) {
			all = append(all, shown)
		}
	}
	return pagerDutyPage(f, "escalation_policies", all)
}

func pagerDutyPolicy(f *dialectRequest) (dialectResponse, error) {
	id, err := f.id()
	if err != nil {
		return dialectResponse{}, err
	}
	p, known := f.Policies[oncall.PolicyID(id)]
	if !known || p.Removed {
		return dialectResponse{}, oncall.ErrNotFound
	}
	return dialectResponse{http.StatusOK, map[string]any{"escalation_policy": f.pagerDutyPolicy(p)}}, nil
}

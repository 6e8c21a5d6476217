package rest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A pdUserShown is a person in PagerDuty's format.
type pdUserShown struct {
	pdRef
	Name           string  `json:"name"`
	Email          string  `json:"email"`
	TimeZone       string  `json:"time_zone"`
	Color          string  `json:"color"`
	Role           string  `json:"role"`
	AvatarURL      *string `json:"avatar_url"`
	Description    *string `json:"description"`
	JobTitle       *string `json:"job_title"`
	InvitationSent bool    `json:"invitation_sent"`
	Teams          []pdRef `json:"teams"`
	Contacts       []pdRef `json:"contact_methods"`
	Rules          []pdRef `json:"notification_rules"`
}

func (v view) pdUserRef(id oncall.UserID) pdRef { return v.pdReference("user", string(id), v.Name(id)) }

func (v view) pdUser(id oncall.UserID) pdUserShown {
	u := v.Users[id]
	out := pdUserShown{
		pdRef: v.pdObject("user", string(id), v.Name(id)), Name: v.Name(id), Email: u.Email, TimeZone: cmp.Or(u.TimeZone, "Etc/UTC"), Color: "purple", Role: "user",
		Teams: []pdRef{}, Contacts: []pdRef{}, Rules: []pdRef{},
	}
	for _, t := range v.Teams {
		if slices.Contains(v.Members[t.ID], id) {
			out.Teams = append(out.Teams, v.pdTeamRef(t))
		}
	}
	return out
}

func pdUsers(f *dialectRequest) (dialectResponse, error) {
	all := []pdUserShown{}
	query := strings.ToLower(f.query.Get("query"))
	for id, u := range f.Users {
		if u.DeactivatedAt != nil || query != "" && !strings.Contains(strings.ToLower(u.Name+"\n"+u.Email), query) {
			continue
		}
		shown := f.pdUser(id)
		if len(f.list("team_ids")) == 0 || slices.ContainsFunc(shown.Teams, func(t pdRef) bool { return f.has("team_ids", t.ID) }) {
			all = append(all, shown)
		}
	}
	slices.SortFunc(all, func(a, b pdUserShown) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return pdPage(f, "users", all)
}

func pdUser(f *dialectRequest) (dialectResponse, error) {
	id := oncall.UserID(f.r.PathValue("id"))
	if id == "me" {
		if id = f.caller.by.User; id == "" {
			return dialectResponse{}, invalid("This API key is nobody's own, so there is no current user.")
		}
	}
	if _, known := f.Users[id]; !known {
		return dialectResponse{}, oncall.ErrNotFound
	}
	return dialectResponse{http.StatusOK, map[string]any{"user": f.pdUser(id)}}, nil
}

// A pdTeamShown is a team in PagerDuty's format.
type pdTeamShown struct {
	pdRef
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

func (v view) pdTeamRef(t oncall.Team) pdRef { return v.pdReference("team", pdNumber(t.ID), t.Name) }

func (v view) pdTeamOf(t oncall.Team) pdTeamShown {
	return pdTeamShown{pdRef: v.pdObject("team", pdNumber(t.ID), t.Name), Name: t.Name}
}

func pdTeams(f *dialectRequest) (dialectResponse, error) {
	all := []pdTeamShown{}
	for _, t := range f.Teams {
		if strings.Contains(strings.ToLower(t.Name), strings.ToLower(f.query.Get("query"))) {
			all = append(all, f.pdTeamOf(t))
		}
	}
	return pdPage(f, "teams", all)
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

func pdTeam(f *dialectRequest) (dialectResponse, error) {
	t, err := f.teamInPath()
	return dialectResponse{http.StatusOK, map[string]any{"team": f.pdTeamOf(t)}}, err
}

func pdMembers(f *dialectRequest) (dialectResponse, error) {
	type member struct {
		User any    `json:"user"`
		Role string `json:"role"`
	}
	t, err := f.teamInPath()
	if err != nil {
		return dialectResponse{}, err
	}
	all := []member{}
	for _, id := range f.Members[t.ID] {
		m := member{User: f.pdUserRef(id), Role: "responder"}
		if f.includes("users") {
			m.User = f.pdUser(id)
		}
		if slices.Contains(f.Managers(t.ID), id) {
			m.Role = "manager"
		}
		all = append(all, m)
	}
	return pdPage(f, "members", all)
}

func (dr *dialectRequest) includes(what string) bool {
	return slices.Contains(dr.list("include"), what)
}

// A pdPolicyShown is an escalation policy in PagerDuty's format.
type pdPolicyShown struct {
	pdRef
	Name        string   `json:"name"`
	Description *string  `json:"description"`
	Loops       int      `json:"num_loops"`
	Handoff     string   `json:"on_call_handoff_notifications"`
	Rules       []pdRule `json:"escalation_rules"`
	Services    []pdRef  `json:"services"`
	Teams       []pdRef  `json:"teams"`
}

type pdRule struct {
	ID      string  `json:"id"`
	Delay   int64   `json:"escalation_delay_in_minutes"`
	Targets []pdRef `json:"targets"`
}

func (v view) pdPolicyRef(id oncall.PolicyID) *pdRef {
	p, known := v.Policies[id]
	if !known {
		return nil
	}
	return new(v.pdReference("escalation_policy", pdNumber(p.ID), p.Name))
}

func (v view) pdPolicy(p oncall.Policy) pdPolicyShown {
	out := pdPolicyShown{
		pdRef: v.pdObject("escalation_policy", pdNumber(p.ID), p.Name), Name: p.Name, Loops: p.Repeat, Handoff: "if_has_services",
		Rules: []pdRule{}, Services: []pdRef{}, Teams: []pdRef{},
	}
	if t, known := v.Team(p.TeamID); known {
		out.Teams = append(out.Teams, v.pdTeamRef(t))
	}
	for _, in := range v.Integrations {
		if in.PolicyID == p.ID {
			out.Services = append(out.Services, v.pdReference("service", pdNumber(in.ID), in.Name))
		}
	}
	for i, step := range p.Steps {
		rule := pdRule{ID: pdNumber(p.ID) + "-" + pdNumber(int64(i+1)), Targets: []pdRef{}}
		took := step.Delay.Duration() + time.Duration(step.Repeat)*step.Every.Duration()
		rule.Delay = int64((took + time.Minute - 1) / time.Minute)
		for _, t := range step.Targets {
			rule.Targets = append(rule.Targets, v.pdTargets(t)...)
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

// pdTargets converts a target to PagerDuty's: schedules and people.
func (v view) pdTargets(t oncall.Target) []pdRef {
	if is, known := v.Schedule(t.Schedule); known {
		return []pdRef{v.pdReference("schedule", pdNumber(is.ID()), is.Name())}
	}
	return mapSlice(v.always(t), v.pdUserRef)
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

func pdPolicies(f *dialectRequest) (dialectResponse, error) {
	all := []pdPolicyShown{}
	for _, p := range f.policies() {
		shown := f.pdPolicy(p)
		of := len(f.list("user_ids")) == 0
		for _, rule := range shown.Rules {
			of = of || slices.ContainsFunc(rule.Targets, func(t pdRef) bool { return f.has("user_ids", t.ID) })
		}
		if of && f.has("team_ids", pdNumber(p.TeamID)) && strings.Contains(strings.ToLower(p.Name), strings.ToLower(f.query.Get("query"))) {
			all = append(all, shown)
		}
	}
	return pdPage(f, "escalation_policies", all)
}

func pdPolicy(f *dialectRequest) (dialectResponse, error) {
	id, err := f.id()
	if err != nil {
		return dialectResponse{}, err
	}
	p, known := f.Policies[oncall.PolicyID(id)]
	if !known || p.Removed {
		return dialectResponse{}, oncall.ErrNotFound
	}
	return dialectResponse{http.StatusOK, map[string]any{"escalation_policy": f.pdPolicy(p)}}, nil
}

package view

import (
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// setupViews returns the forms of the set-up, by golden file, with a text wherever others can write.
func setupViews(text string) map[string]slack.ModalViewRequest {
	kinds := []Choice{{"auto", "Any: what it sends is recognised"}, {"grafana", "Grafana"}}
	policy := setup.Policy{Name: text, Team: text, Repeat: 1, Acks: 2, AckTimeout: "30m", Steps: []setup.Step{
		{Page: []string{"schedule " + text, "user Ann"}, Wait: "5m", Repeat: 2, Every: "1m"},
		{Page: []string{"team " + text}, RoundRobin: "incident", Only: &setup.Condition{Severity: []oncall.Severity{oncall.Critical}, Hours: oncall.HoursOff}},
		{Page: []string{"channel #ops", "webhook https://hooks.example.com/x", "secondary in " + text}},
	}}
	after := policy
	after.Steps = []setup.Step{policy.Steps[1], policy.Steps[0]}
	paging, acked := triggered().Incident, acknowledged().Incident
	paging.Step, paging.NextAt, acked.ID, acked.NextAt = 2, new(noon.Add(5*time.Minute)), 9, nil
	open := []oncall.Incident{paging, acked, paging, paging, paging, paging}
	short := after
	short.Name, short.Team, short.Steps = CutPlain(text, 60), CutPlain(text, 60), []setup.Step{{Page: []string{"team " + CutPlain(text, 60)}}, policy.Steps[2]}
	short.Steps[1].Page = []string{"channel #ops", "secondary in " + CutPlain(text, 60)}
	meta := SetupMeta{Team: CutPlain(text, 60), Name: CutPlain(text, 60), ETag: `"0a"`, Policy: &short}
	made := MadeKey{Name: text, Key: strings.Repeat("0a", 16), Where: "In " + text + ":", Snippet: text, Local: true}
	team := setup.Team{Name: text, Channel: "#payments", Members: []string{"Ann", "Bo"}, Managers: []string{"Ann", "group @leads"}, Private: true, Acts: oncall.TeamActs}
	of := SetupTeam{
		Team: team, ETag: `"0a"`, Members: []oncall.UserID{ann, bo}, Managers: []oncall.UserID{ann}, Fallback: []oncall.UserID{cy}, ByFile: true, Edits: true, Manages: true, Maintains: true,
		Policies: []setup.Policy{policy}, Integrations: integrationsWith(text), Routes: routeListsWith(text), Message: Name(text), Now: noon, Zone: time.UTC,
		Groups:      []setup.UserGroup{{Handle: "@" + text, Schedules: []string{text}, Roles: []string{"primary"}, WhenEmpty: oncall.WhenEmptyFallback, Fallback: text}},
		Maintenance: []MaintenanceWindow{{Team: text, Manages: true, Maintenance: oncall.Maintenance{ID: 4, StartsAt: noon, EndsAt: noon.Add(time.Hour), By: oncall.ByUser(bo), Reason: text}}},
	}
	seen := of
	seen.Edits, seen.Manages, seen.Maintains, seen.ByFile, seen.Policies, seen.Integrations, seen.Routes, seen.Maintenance = false, false, false, false, nil, nil, nil, nil
	many := SetupTeams{Makes: true}
	for range 2 * maxTeams {
		many.Teams = append(many.Teams, of)
	}
	step := SetupStep{Meta: meta, Whom: []Choice{{"schedule " + CutPlain(text, 60), text}, {"team x", text}}, People: map[string]oncall.UserID{"Ann": ann}}
	step.Meta.Step = 1
	added := step
	added.Meta.Step = 9
	is := setup.Integration{Name: text, Team: text, Policy: "p", Format: "grafana", Group: &setup.Group{By: []string{text}, Window: "5m"}, Storm: "20"}
	is.Heartbeats = []setup.Heartbeat{{Name: "backup", Every: "1d", Grace: "2h", MaxRuntime: "30m", Severity: oncall.Low}}
	goes := setup.Setup{
		Schedules: []setup.Schedule{{Name: text}, {Name: "b"}}, Policies: []setup.Policy{policy}, Integrations: []setup.Integration{is}, UserGroups: []setup.UserGroup{{Handle: "@oncall"}},
	}
	return map[string]slack.ModalViewRequest{
		"setup_guide":           SetupGuide{People: []oncall.UserID{ann}, Zone: "Europe/Berlin", Kinds: kinds, First: true}.Draw(),
		"setup_done":            SetupDone{Team: text, Integration: 3, Key: made, Invite: true, Reached: "You can only be reached in Slack.", Now: noon, Zone: time.UTC}.Draw(),
		"setup_teams":           SetupTeams{Teams: []SetupTeam{of, seen}, Makes: true}.Draw(),
		"setup_teams_none":      SetupTeams{}.Draw(),
		"setup_teams_many":      many.Draw(),
		"setup_team":            of.Draw(),
		"setup_team_seen":       seen.Draw(),
		"setup_team_edit":       SetupTeamForm{Meta: meta, Team: team, Members: of.Members, Managers: of.Managers, Fallback: of.Fallback, Policies: []string{"p"}, ByFile: true, Admin: true}.Draw(),
		"setup_policy":          SetupPolicy{Meta: meta, Before: policy, Open: open, ByFile: true, Message: "Not saved yet.", Zone: time.UTC}.Draw(),
		"setup_policy_new":      SetupPolicy{Meta: SetupMeta{Team: CutPlain(text, 60), Policy: &setup.Policy{}}, Zone: time.UTC}.Draw(),
		"setup_step":            step.Draw(),
		"setup_step_new":        added.Draw(),
		"setup_integration":     SetupIntegrationForm{Meta: meta, Is: is, Kinds: kinds, Policies: []string{"p"}, ByFile: true}.Draw(),
		"setup_integration_new": SetupIntegrationForm{Meta: SetupMeta{Team: CutPlain(text, 60)}, Is: setup.Integration{Policy: "p"}, Kinds: kinds, Policies: []string{"p"}}.Draw(),
		"setup_integration_key": NewIntegrationKey(3, made, TestAlert{Names: []string{text}}),
		"setup_test":            TestForm(3, text, TestAlert{}),
		"setup_routes":          routesEdited(text).Draw(),
		"setup_routes_none":     SetupRoutes{Meta: SetupMeta{Team: CutPlain(text, 60)}, End: "the policy of its monitor", Zone: time.UTC}.Draw(),
		"setup_route":           SetupRoute{Meta: routesEdited(text).Meta, Policies: []string{"p", "q"}}.Draw(),
		"setup_user_group":      SetupGroupForm{Meta: meta, Group: setup.UserGroup{Handle: "@" + text, Schedules: []string{"b"}, WhenEmpty: oncall.WhenEmptyFallback}, Schedules: []string{"a", "b"}, Fallback: ann, ByFile: true}.Draw(),
		"setup_user_group_new":  SetupGroupForm{Meta: SetupMeta{Team: CutPlain(text, 60)}, Schedules: []string{"a"}}.Draw(),
		"setup_maintenance":     MaintenanceForm{Team: CutPlain(text, 60), When: "2h", Integrations: []Choice{{"3", text}}}.Draw(),
		"setup_team_rename":     RenameTeamForm{Team: CutPlain(text, 60)}.Draw(),
		"setup_team_remove":     RemoveTeamForm{Team: CutPlain(text, 60), Goes: goes, Open: 2, ByFile: true}.Draw(),
		"setup_team_needed":     RemoveTeamForm{Team: CutPlain(text, 60), InTheWay: []string{"policy \"ops\": step 2 names team \"" + text + "\""}}.Draw(),
		"find_team":             FindTeam{Teams: []oncall.Team{{ID: 1, Name: text}, {ID: 2, Name: "data"}}, Found: 1, Open: []oncall.Incident{paging}, Zone: time.UTC, Now: noon}.Draw(),
		"find_team_none":        FindTeam{}.Draw(),
	}
}

// routesEdited returns the form of two rules, of which one was just added.
func routesEdited(text string) SetupRoutes {
	meta := SetupMeta{Team: CutPlain(text, 60), Name: CutPlain(text, 60), ETag: `"0a"`, Shadow: true, Rules: []setup.Route{
		{Name: CutPlain(text, 60), If: []string{"labels.env is staging", "title is " + CutPlain(text, 60)}, Drop: true},
		{Name: "disks", When: `labels.env == "prod"`, To: "p", Severity: oncall.Low, Labels: map[string]string{"service": "storage"}, Hold: "5m", Group: &setup.Group{By: []string{"instance"}}},
	}}
	meta.Step = 1
	before := oncall.Outcome{Action: oncall.Trigger, Title: text, DedupKey: text, Severity: oncall.Critical, Policy: 1}
	after := before
	after.Dropped, after.Rule = true, oncall.RouteName{Rule: text}
	var tried oncall.Preview
	tried.Add(oncall.OutcomeDiff{At: noon.Add(-time.Hour), Before: before, After: after})
	return SetupRoutes{
		Meta: meta, End: "the escalation policy " + text, Tried: tried, Policy: func(oncall.PolicyID) string { return text }, ByFile: true, Message: "Not saved yet.", Zone: time.UTC,
		Rules: []RouteRule{{Name: text, Asks: []string{"title is " + text}, Does: "drop it", Shadow: true}, {Name: "disks", Asks: []string{`labels.env == "prod"`}, Does: "to policy p; severity low"}},
	}
}

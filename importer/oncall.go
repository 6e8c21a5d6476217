package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// OnCall is the responses of Grafana OnCall's public API: the lists, and the final shifts of each
// schedule.
type OnCall struct {
	Users        []gocUser
	Teams        []gocTeam
	Schedules    []gocSchedule
	Shifts       []gocShift
	ShiftsOf     map[string][]string // by schedule
	Finals       map[string][]gocFinal
	Swaps        []gocSwap
	Chains       []gocChain
	Steps        []gocStep
	Integrations []gocIntegration
	Routes       []gocRoute
	Rules        []gocRule
	Groups       []gocGroup
	Asked        finalPeriod
}

type gocUser struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Username string `json:"username"`
	Role     string `json:"role"`
	TimeZone string `json:"timezone"`
	Slack    []struct {
		UserID string `json:"user_id"`
	} `json:"slack"`
	Teams []string `json:"teams"`
}

type gocTeam struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type gocChain struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	TeamID string `json:"team_id"`
}

type gocStep struct {
	ID        string   `json:"id"`
	Chain     string   `json:"escalation_chain_id"`
	Position  int      `json:"position"`
	Type      string   `json:"type"`
	Duration  float64  `json:"duration"` // seconds
	Important bool     `json:"important"`
	Persons   []string `json:"persons_to_notify"`
	Next      []string `json:"persons_to_notify_next_each_time"`
	Schedule  string   `json:"notify_on_call_from_schedule"`
	Group     string   `json:"group_to_notify"`
	Team      string   `json:"team_to_notify"`
	Action    string   `json:"action_to_trigger"`
	From      string   `json:"notify_if_time_from"`
	To        string   `json:"notify_if_time_to"`
	Alerts    int      `json:"num_alerts_in_window"`
	Minutes   int      `json:"num_minutes_in_window"`
}

type gocSlack struct {
	Channel string `json:"channel_id"`
	Group   string `json:"user_group_id"`
}

type gocIntegration struct {
	ID      string                     `json:"id"`
	Name    string                     `json:"name"`
	TeamID  string                     `json:"team_id"`
	Type    string                     `json:"type"`
	Mail    string                     `json:"inbound_email"`
	Default gocRoute                   `json:"default_route"`
	Texts   map[string]json.RawMessage `json:"templates"`
}

type gocRoute struct {
	ID          string   `json:"id"`
	Integration string   `json:"integration_id"`
	Chain       string   `json:"escalation_chain_id"`
	Kind        string   `json:"routing_type"`
	Regex       string   `json:"routing_regex"`
	Position    int      `json:"position"`
	Last        bool     `json:"is_the_last_route"`
	Slack       gocSlack `json:"slack"`
}

type gocRule struct {
	User      string  `json:"user_id"`
	Position  int     `json:"position"`
	Important bool    `json:"important"`
	Type      string  `json:"type"`
	Duration  float64 `json:"duration"`
}

type gocGroup struct {
	ID    string `json:"id"`
	Slack struct {
		ID     string `json:"id"`
		Handle string `json:"handle"`
	} `json:"slack"`
}

// grafanaOnCall imports one installation.
type grafanaOnCall struct {
	builder
	in OnCall
}

// FromOnCall converts Grafana OnCall's set-up to ours, as in force from now on.
func FromOnCall(in OnCall, now time.Time) Result {
	g := &grafanaOnCall{builder: newBuilder(now), in: in}
	for _, t := range in.Teams {
		g.teams.of(t.ID, t.Name)
	}
	for _, u := range in.Users {
		g.user(u)
	}
	for _, s := range in.Schedules {
		g.schedules.of(s.ID, s.Name)
	}
	for _, c := range in.Chains {
		g.policies.of(c.ID, c.Name)
	}
	for _, s := range in.Schedules {
		g.schedule(s)
	}
	g.userGroups()
	for _, c := range in.Chains {
		g.chain(c)
	}
	for _, i := range in.Integrations {
		g.integration(i)
	}
	var ids []string
	for _, t := range in.Teams {
		ids = append(ids, t.ID)
	}
	g.writeTeams(ids)
	return g.Result
}

func (g *grafanaOnCall) user(u gocUser) {
	name := g.users.of(u.ID, cmp.Or(u.Username, u.Email))
	out := setup.User{Name: name, Email: u.Email, TimeZone: zone(u.TimeZone)}
	for _, s := range u.Slack {
		if slackUserForm.MatchString(s.UserID) {
			out.Slack = userID(s.UserID)
		}
	}
	if out.Email == "" && out.Slack == "" {
		g.addLoss(Location{"user", name, ""}, "they have neither a mail address nor a Slack account; give one")
	}
	g.Setup.Users = append(g.Setup.Users, out)
	for _, t := range u.Teams {
		if g.teams.has(t) {
			addTo(g.members, g.team(t), name)
		}
	}
	var ways []string
	for _, important := range []bool{false, true} {
		if words := g.rules(u.ID, important); words != "" {
			ways = append(ways, map[bool]string{false: "default: ", true: "important: "}[important]+words)
		}
	}
	g.contactMethods(name, ways)
}

// rules describes a person's notification rules of one kind, in order.
func (g *grafanaOnCall) rules(user string, important bool) string {
	var words []string
	list := slices.SortedStableFunc(slices.Values(g.in.Rules), func(a, b gocRule) int { return a.Position - b.Position })
	for _, r := range list {
		if r.User != user || r.Important != important {
			continue
		}
		what := strings.ReplaceAll(strings.TrimPrefix(r.Type, "notify_by_"), "_", " ")
		if r.Type == "wait" {
			what = "wait " + formatDuration(time.Duration(r.Duration)*time.Second)
		}
		words = append(words, what)
	}
	return strings.Join(words, ", ")
}

func (g *grafanaOnCall) chain(c gocChain) {
	name := g.policies.of(c.ID, "")
	where := Location{"policy", name, ""}
	team := g.team(c.TeamID)
	out := setup.Policy{Name: name, Team: team}
	steps := slices.SortedStableFunc(slices.Values(g.in.Steps), func(a, b gocStep) int { return a.Position - b.Position })
	important, together := false, false // the next targets are paged together with the previous ones
	for _, s := range steps {
		if s.Chain != c.ID {
			continue
		}
		important = important || s.Important
		here := where.at(fmt.Sprintf("step %d", s.Position+1))
		if s.Type == "wait" {
			g.addWait(&out, time.Duration(s.Duration)*time.Second, !together && len(out.Steps) > 0, here)
			together = false
			continue
		}
		if s.Type == "repeat_escalation" {
			out.Repeat = 5
			continue
		}
		page, robin := g.targets(s, team, here)
		switch n := len(out.Steps); {
		case len(page) == 0:
		case together && !robin && out.Steps[n-1].RoundRobin == "":
			out.Steps[n-1].Page = append(out.Steps[n-1].Page, page...)
		default:
			if together {
				out.Steps[n-1].Wait = "1s"
			}
			step := setup.Step{Page: page, Wait: "5m"}
			if robin {
				step.RoundRobin = "incident"
			}
			out.Steps, together = append(out.Steps, step), true
		}
	}
	if important {
		g.addLoss(where, "some of its steps are marked important there; here the severity of the incident says by which rules people are paged (docs/contacts.md)")
	}
	g.addPolicy(out, where)
}

// addWait adds a wait after the last step; consecutive waits add up.
func (g *grafanaOnCall) addWait(out *setup.Policy, d time.Duration, more bool, where Location) {
	n := len(out.Steps)
	if n == 0 {
		g.addLoss(where, "it waits %s before anybody is paged; here they are at once (hold in docs/routes.md waits)", formatDuration(d))
		return
	}
	if before, err := time.ParseDuration(out.Steps[n-1].Wait); more && err == nil {
		d += before
	}
	out.Steps[n-1].Wait = formatWait(d)
}

// targets returns the people that a step pages; with robin, one of them in turn.
func (g *grafanaOnCall) targets(step gocStep, team string, where Location) (page []string, robin bool) {
	each := func(ids []string) (out []string) {
		for _, name := range g.people(ids, team, where) {
			out = append(out, "user "+name)
		}
		return out
	}
	switch step.Type {
	case "notify_persons":
		return each(step.Persons), false
	case "notify_person_next_each_time":
		page = each(step.Next)
		return page, len(page) > 1
	case "notify_on_call_from_schedule":
		if g.schedules.has(step.Schedule) && slices.ContainsFunc(g.Setup.Schedules, func(have setup.Schedule) bool { return have.Name == g.schedules.of(step.Schedule, "") }) {
			return []string{"schedule " + g.schedules.of(step.Schedule, "")}, false
		}
		g.addLoss(where, "it pages the schedule %s, which is not there", step.Schedule)
	case "notify_user_group":
		if handle := g.handle(step.Group); handle != "" {
			return []string{"group @" + handle}, false
		}
		g.addLoss(where, "it pages a Slack user group, %s, which is not there", step.Group)
	case "notify_team_members":
		if g.teams.has(step.Team) {
			return []string{"team " + g.team(step.Team)}, false
		}
		g.addLoss(where, "it pages a team, %s, which is not there", step.Team)
	case "notify_whole_channel":
		g.addLoss(where, "it pages the whole channel of the alert; write \"channel #NAME\" if that is wanted")
	case "trigger_webhook", "trigger_action":
		g.addLoss(where, "it calls the outgoing webhook %s; write \"webhook https://…\" if that is wanted (docs/escalation.md)", step.Action)
	case "notify_if_time_from_to":
		g.addLoss(where, "what follows waits there until it is between %s and %s; here it comes at any time, unless a step says only (docs/escalation.md)", step.From, step.To)
	case "notify_if_num_alerts_in_window":
		g.addLoss(where, "what follows comes there only after %d alerts in %d minutes; here always", step.Alerts, step.Minutes)
	case "resolve":
		g.addLoss(where, "it resolves the alert group by itself; here nothing that still fires is resolved")
	default:
		g.addLoss(where, "it is %q, which is not known", step.Type)
	}
	return nil, false
}

// handle returns a user group's handle, by Grafana's id or Slack's.
func (g *grafanaOnCall) handle(id string) string {
	for _, u := range g.in.Groups {
		if (u.ID == id || u.Slack.ID == id) && id != "" {
			return u.Slack.Handle
		}
	}
	return ""
}

func (g *grafanaOnCall) integration(i gocIntegration) {
	name := g.senders.of(i.ID, i.Name)
	where := Location{"integration", name, ""}
	team := g.team(i.TeamID)
	routes := slices.DeleteFunc(slices.Clone(g.in.Routes), func(r gocRoute) bool { return r.Integration != i.ID || r.Last })
	slices.SortStableFunc(routes, func(a, b gocRoute) int { return a.Position - b.Position })
	chain := i.Default.Chain
	if !g.policies.has(chain) {
		if n := slices.IndexFunc(routes, func(r gocRoute) bool { return g.policies.has(r.Chain) }); n >= 0 {
			chain = routes[n].Chain
			g.addLoss(where, "its default route leads to no escalation chain, so that nobody is paged; here to that of its first route that has one")
		}
	}
	if !g.policies.has(chain) {
		g.addLoss(where, "no route of it leads to an escalation chain, so that nobody is paged; it is left out")
		return
	}
	g.channel(team, i.Default.Slack.Channel)
	out := setup.Integration{Name: name, Team: team, Policy: g.policies.of(chain, "")}
	titles := newNames()
	for _, r := range routes {
		if rule, ok := g.route(r, titles, where); ok {
			g.channel(team, r.Slack.Channel)
			out.Routes = append(out.Routes, rule)
		}
	}
	for _, key := range []string{"grouping_key", "resolve_signal", "acknowledge_signal"} {
		var text string
		if json.Unmarshal(i.Texts[key], &text) == nil && text != "" {
			g.addLoss(where, "its template %s: %s; see group and mapping in docs/signals.md", key, excerpt(text))
		}
	}
	if i.Mail != "" {
		g.addLoss(where, "it takes mail there (%s); let the monitor send to an address with its key (docs/monitors.md)", i.Mail)
	}
	g.Setup.Integrations = append(g.Setup.Integrations, out)
	g.Senders = append(g.Senders, Sender{Integration: name, What: cmp.Or(i.Type, "webhook")})
}

// route keeps a route that can't be translated as one without effect: there, a regular expression
// matches the whole payload, and a template anything.
func (g *grafanaOnCall) route(r gocRoute, titles *names, where Location) (setup.Route, bool) {
	here := where.at(fmt.Sprintf("route %d", r.Position+1))
	if !g.policies.has(r.Chain) {
		g.addLoss(here, "%s leads to no escalation chain: it is left out, and what it matched is paged as the rest", excerpt(r.Regex))
		return setup.Route{}, false
	}
	out := setup.Route{Name: titles.of(r.ID, fmt.Sprintf("route %d", r.Position+1)), To: g.policies.of(r.Chain, ""), Shadow: true}
	if _, err := regexp.Compile(r.Regex); r.Kind != "jinja2" && err == nil && !strings.Contains(r.Regex, "\n") {
		out.If = []string{"title matches .*(" + r.Regex + ").*"}
		g.addLoss(here, "the regular expression %s is searched in the whole payload there. Here it is about the title and switched off (shadow); name the field it means, and take out shadow", excerpt(r.Regex))
		return out, true
	}
	out.If = []string{"labels.grafana_oncall_route is " + out.Name} // no alert has this label
	g.addLoss(here, "its template %s can't be translated: the route is switched off (shadow); write it as if or when (docs/routes.md), and take out shadow", excerpt(r.Regex))
	return out, true
}

// userGroups imports the user groups that follow schedules.
func (g *grafanaOnCall) userGroups() {
	follow := map[string][]string{}
	for _, s := range g.in.Schedules {
		if s.Slack.Group != "" && slices.ContainsFunc(g.Setup.Schedules, func(have setup.Schedule) bool { return have.Name == g.schedules.of(s.ID, "") }) {
			follow[s.Slack.Group] = append(follow[s.Slack.Group], g.schedules.of(s.ID, ""))
		}
	}
	ids := map[string]bool{}
	for id := range follow {
		ids[id] = true
	}
	for _, id := range sorted(ids) {
		handle := "@" + g.handle(id)
		if handle == "@" {
			handle = id
		}
		g.Setup.UserGroups = append(g.Setup.UserGroups, setup.UserGroup{Handle: handle, Schedules: follow[id]})
	}
}

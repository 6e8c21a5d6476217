package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// GoAlertQuery requests everything that is imported. A GoAlert key is made for one query, which has
// to be this one. Each list is paged separately.
const GoAlertQuery = `query Watchbill($users: String = "", $schedules: String = "", $rotations: String = "", $overrides: String = "", $policies: String = "", $services: String = "", $since: ISOTimestamp!, $until: ISOTimestamp!) {
  users(first: 50, after: $users) {
    nodes { id name email role contactMethods { id type name disabled } notificationRules { delayMinutes contactMethodID } }
    pageInfo { endCursor hasNextPage }
  }
  schedules(input: {first: 10, after: $schedules}) {
    nodes {
      id name timeZone
      targets { target { id type name } rules { start end weekdayFilter } }
      temporarySchedules { start end shifts { userID start end } }
      shifts(start: $since, end: $until) { userID start end truncated }
    }
    pageInfo { endCursor hasNextPage }
  }
  rotations(input: {first: 50, after: $rotations}) {
    nodes { id name type shiftLength start timeZone userIDs activeUserIndex }
    pageInfo { endCursor hasNextPage }
  }
  userOverrides(input: {first: 50, after: $overrides, start: $since}) {
    nodes { id start end addUserID removeUserID target { id type } }
    pageInfo { endCursor hasNextPage }
  }
  escalationPolicies(input: {first: 50, after: $policies}) {
    nodes { id name repeat steps { stepNumber delayMinutes targets { id type name } } }
    pageInfo { endCursor hasNextPage }
  }
  services(input: {first: 50, after: $services}) {
    nodes { id name escalationPolicyID maintenanceExpiresAt integrationKeys { id type name } heartbeatMonitors { name timeoutMinutes } }
    pageInfo { endCursor hasNextPage }
  }
}
`

// GoAlertLists maps the lists in GoAlertQuery to their paging variables.
var GoAlertLists = map[string]string{
	"users": "users", "schedules": "schedules", "rotations": "rotations", "userOverrides": "overrides", "escalationPolicies": "policies", "services": "services",
}

// GoAlert is the response of GoAlert's GraphQL API to GoAlertQuery.
type GoAlert struct {
	Users     []gaUser
	Schedules []gaSchedule
	Rotations []gaRotation
	Overrides []gaOverride
	Policies  []gaPolicy
	Services  []gaService
	Asked     finalPeriod
}

type gaUser struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Role    string `json:"role"`
	Methods []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Name     string `json:"name"`
		Disabled bool   `json:"disabled"`
		Dest     gaDest `json:"dest"`
	} `json:"contactMethods"`
	Rules []struct {
		Delay  int    `json:"delayMinutes"`
		Method string `json:"contactMethodID"`
	} `json:"notificationRules"`
}

// A gaDest is a target or contact method in newer versions.
type gaDest struct {
	Type string            `json:"type"`
	Args map[string]string `json:"args"`
}

type gaTarget struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

type gaPolicy struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Repeat int    `json:"repeat"`
	Steps  []struct {
		Number  int        `json:"stepNumber"`
		Delay   int        `json:"delayMinutes"`
		Targets []gaTarget `json:"targets"`
		Actions []gaDest   `json:"actions"`
	} `json:"steps"`
}

type gaService struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Policy      string     `json:"escalationPolicyID"`
	Maintenance *time.Time `json:"maintenanceExpiresAt"`
	Keys        []gaTarget `json:"integrationKeys"`
	Heartbeats  []struct {
		Name    string `json:"name"`
		Timeout int    `json:"timeoutMinutes"`
	} `json:"heartbeatMonitors"`
}

// goAlert imports one installation. GoAlert has no teams.
type goAlert struct {
	builder
	in    GoAlert
	pages map[string]string // schedules made for rotations that policies page directly
}

// FromGoAlert converts GoAlert's set-up to ours, as in force from now on.
func FromGoAlert(in GoAlert, now time.Time) Result {
	g := &goAlert{builder: newBuilder(now), in: in, pages: map[string]string{}}
	if g.in.Asked.Since.IsZero() {
		g.in.Asked.Since = now
	}
	for _, u := range in.Users {
		g.user(u)
	}
	for _, s := range in.Schedules {
		g.schedules.of(s.ID, s.Name)
	}
	for _, p := range in.Policies {
		g.policies.of(p.ID, p.Name)
	}
	for _, s := range in.Schedules {
		g.schedule(s)
	}
	for _, p := range in.Policies {
		g.policy(p)
	}
	for _, s := range in.Services {
		g.service(s)
	}
	g.addLoss(Location{"team", g.team(noTeam), ""}, "GoAlert has no teams: all is of this one. Make teams, and give each what is its own")
	g.writeTeams(nil)
	return g.Result
}

func (g *goAlert) user(u gaUser) {
	name := g.users.of(u.ID, u.Name)
	g.Setup.Users = append(g.Setup.Users, setup.User{Name: name, Email: u.Email})
	if u.Email == "" {
		g.addLoss(Location{"user", name, ""}, "they have no mail address by which they are found in Slack; give one, or slack")
	}
	methods := map[string]string{}
	for _, m := range u.Methods {
		kind := cmp.Or(m.Type, strings.TrimPrefix(m.Dest.Type, "builtin-"))
		if m.Disabled {
			kind += " (disabled)"
		}
		methods[m.ID] = kind
	}
	var ways []string
	for _, r := range u.Rules {
		when := "at once"
		if r.Delay > 0 {
			when = fmt.Sprintf("after %d minutes", r.Delay)
		}
		ways = append(ways, cmp.Or(methods[r.Method], "a method that is gone")+" "+when)
	}
	g.contactMethods(name, ways)
}

func (g *goAlert) policy(p gaPolicy) {
	name := g.policies.of(p.ID, "")
	where := Location{"policy", name, ""}
	out := setup.Policy{Name: name, Team: g.team(noTeam), Repeat: min(max(p.Repeat, 0), 20)}
	if p.Repeat > 20 {
		g.addLoss(where, "it repeats %d times; here 20", p.Repeat)
	}
	for i, s := range p.Steps {
		here := where.at(fmt.Sprintf("step %d", i+1))
		targets := s.Targets
		if len(targets) == 0 {
			for _, a := range s.Actions {
				targets = append(targets, a.target())
			}
		}
		step := setup.Step{Wait: formatWait(time.Duration(max(s.Delay, 1)) * time.Minute)}
		for _, t := range targets {
			if page := g.target(t, here); page != "" && !slices.Contains(step.Page, page) {
				step.Page = append(step.Page, page)
			}
		}
		if len(step.Page) == 0 {
			g.addLoss(here, "it pages nobody who is left, and is left out")
			continue
		}
		out.Steps = append(out.Steps, step)
	}
	g.addPolicy(out, where)
}

// target converts a destination to the form of older versions.
func (d gaDest) target() gaTarget {
	kinds := map[string][2]string{
		"builtin-user": {"user", "user_id"}, "builtin-schedule": {"schedule", "schedule_id"}, "builtin-rotation": {"rotation", "rotation_id"},
		"builtin-slack-channel": {"slackChannel", "slack_channel_id"}, "builtin-slack-usergroup": {"slackUserGroup", "slack_usergroup_id"}, "builtin-webhook": {"chanWebhook", "webhook_url"},
	}
	k, known := kinds[d.Type]
	if !known {
		return gaTarget{Type: d.Type}
	}
	return gaTarget{Type: k[0], ID: d.Args[k[1]]}
}

func (g *goAlert) target(t gaTarget, where Location) string {
	team := g.team(noTeam)
	switch t.Type {
	case "user":
		if turn := g.people([]string{t.ID}, team, where); len(turn) > 0 {
			return "user " + turn[0]
		}
		return ""
	case "schedule":
		if g.schedules.has(t.ID) && slices.ContainsFunc(g.Setup.Schedules, func(s setup.Schedule) bool { return s.Name == g.schedules.of(t.ID, "") }) {
			return "schedule " + g.schedules.of(t.ID, "")
		}
	case "rotation":
		if name, ok := g.scheduleOfRotation(t.ID, where); ok {
			return "schedule " + name
		}
	case "slackChannel":
		if slackChannelForm.MatchString(t.ID) {
			return "channel " + t.ID
		}
	case "chanWebhook":
		g.addLoss(where, "it posts to a webhook, whose address may be a secret; write \"webhook https://…\" if that is wanted (docs/escalation.md)")
		return ""
	}
	g.addLoss(where, "it pages %s (%s), which can't be said here", cmp.Or(t.Name, t.ID, "something"), t.Type)
	return ""
}

// scheduleOfRotation makes a schedule from a rotation that a policy pages directly.
func (g *goAlert) scheduleOfRotation(id string, where Location) (string, bool) {
	if name, made := g.pages[id]; made {
		return name, name != ""
	}
	g.pages[id] = ""
	i := slices.IndexFunc(g.in.Rotations, func(r gaRotation) bool { return r.ID == id })
	if i < 0 {
		g.addLoss(where, "it pages a rotation that is not there")
		return "", false
	}
	r := g.in.Rotations[i]
	name := g.schedules.of("rotation "+id, r.Name)
	s := gaSchedule{ID: "rotation " + id, Name: name, TimeZone: r.TimeZone}
	s.Targets = append(s.Targets, gaAssignment{Target: gaTarget{ID: id, Type: "rotation", Name: r.Name}, Rules: []gaRule{{Start: "00:00", End: "00:00", Days: [7]bool{true, true, true, true, true, true, true}}}})
	before := len(g.Setup.Schedules)
	g.schedule(s)
	if len(g.Setup.Schedules) == before {
		return "", false
	}
	g.pages[id] = name
	return name, true
}

func (g *goAlert) service(s gaService) {
	name := g.senders.of(s.ID, s.Name)
	where := Location{"service", name, ""}
	if !g.policies.has(s.Policy) {
		g.addLoss(where, "its escalation policy is not there; it is left out")
		return
	}
	out := setup.Integration{Name: name, Team: g.team(noTeam), Policy: g.policies.of(s.Policy, "")}
	titles := newNames()
	for i, h := range s.Heartbeats {
		beat := setup.Heartbeat{Name: titles.of(fmt.Sprint(i), strings.TrimPrefix(channelOf(h.Name), "#")), Every: fmt.Sprintf("%dm", max(h.Timeout, 1)), Grace: "1m"}
		if _, err := beat.Spec(); err != nil {
			g.addLoss(where, "its heartbeat %s, every %d minutes: %v; it is left out", h.Name, h.Timeout, err)
			continue
		}
		out.Heartbeats = append(out.Heartbeats, beat)
		g.Senders = append(g.Senders, Sender{Integration: name, What: "heartbeat " + h.Name, Speaks: SpeaksPings, Name: beat.Name})
	}
	g.Setup.Integrations = append(g.Setup.Integrations, out)
	if s.Maintenance != nil && s.Maintenance.After(g.now) {
		g.Setup.Maintenance = append(g.Setup.Maintenance, setup.Maintenance{
			Name: "Maintenance of " + name, Team: out.Team, Integration: name, From: local(g.now.Truncate(24*time.Hour), time.UTC), Until: local(*s.Maintenance, time.UTC),
		})
	}
	for _, k := range s.Keys {
		g.Senders = append(g.Senders, Sender{Integration: name, What: cmp.Or(k.Name, k.Type) + " (" + k.Type + ")"})
	}
	if len(s.Keys)+len(s.Heartbeats) == 0 {
		g.Senders = append(g.Senders, Sender{Integration: name, What: "(no integration key)"})
	}
}

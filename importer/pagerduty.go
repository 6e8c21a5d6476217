package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// PagerDuty is the responses of PagerDuty's REST API: to GET /users, /teams, /teams/ID/members,
// /schedules/ID, /schedules/ID/overrides, /escalation_policies, /services?include[]=integrations,
// /maintenance_windows, and for shift-based schedules to /v3/schedules/ID, its /overrides and its
// /custom_shifts.
type PagerDuty struct {
	Users       []pagerDutyUser
	Teams       []pagerDutyRef
	Members     map[string][]pagerDutyMember // by team
	Schedules   []pagerDutySchedule
	Overrides   map[string][]pagerDutyEntry // by schedule
	Policies    []pagerDutyPolicy
	Services    []pagerDutyService
	Maintenance []pagerDutyMaintenance
	ShiftBased  []pagerDutyShiftBased        // schedules of the API v3, which v2 doesn't list
	Swaps       map[string][]pagerDutySwap   // overrides of those, by schedule
	Custom      map[string][]pagerDutyCustom // manual shifts of those, by schedule
	Asked       finalPeriod                  // period of the final schedules
}

type pagerDutyRef struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
	Name    string `json:"name"`
}

func (r pagerDutyRef) name() string { return cmp.Or(r.Name, r.Summary) }

type pagerDutyUser struct {
	pagerDutyRef
	Email          string            `json:"email"`
	TimeZone       string            `json:"time_zone"`
	Role           string            `json:"role"`
	ContactMethods []json.RawMessage `json:"contact_methods"`
	Rules          []json.RawMessage `json:"notification_rules"`
}

type pagerDutyMember struct {
	User pagerDutyRef `json:"user"`
	Role string       `json:"role"`
}

type pagerDutyPolicy struct {
	pagerDutyRef
	Rules []struct {
		Delay   int            `json:"escalation_delay_in_minutes"`
		Targets []pagerDutyRef `json:"targets"`
		Assign  struct {
			Type string `json:"type"`
		} `json:"escalation_rule_assignment_strategy"`
	} `json:"escalation_rules"`
	Loops int            `json:"num_loops"`
	Teams []pagerDutyRef `json:"teams"`
}

type pagerDutyService struct {
	pagerDutyRef
	Status       string         `json:"status"`
	AutoResolve  *int           `json:"auto_resolve_timeout"`
	AckTimeout   *int           `json:"acknowledgement_timeout"`
	Integrations []pagerDutyRef `json:"integrations"`
	Policy       pagerDutyRef   `json:"escalation_policy"`
	Teams        []pagerDutyRef `json:"teams"`
	Urgency      struct {
		Type    string `json:"type"`
		Urgency string `json:"urgency"`
	} `json:"incident_urgency_rule"`
	Grouping *struct {
		Type string `json:"type"`
	} `json:"alert_grouping_parameters"`
}

type pagerDutyMaintenance struct {
	pagerDutyRef
	Description string         `json:"description"`
	Start       time.Time      `json:"start_time"`
	End         time.Time      `json:"end_time"`
	Services    []pagerDutyRef `json:"services"`
}

// noTeam is the team of objects that have none.
const noTeam = "(none)"

// pagerDuty imports one installation.
type pagerDuty struct {
	Result
	in        PagerDuty
	now       time.Time
	users     *names
	teams     *names
	schedules *names
	policies  *names
	services  *names
	windows   *names
	teamless  bool            // something belongs to no team
	members   map[string]bool // "TEAM USER", by id: who is on call for a team is in it
}

// FromPagerDuty converts PagerDuty's set-up to ours, as in force from now on.
func FromPagerDuty(in PagerDuty, now time.Time) Result {
	p := &pagerDuty{
		in: in, now: now, users: newNames(), teams: newNames(), schedules: newNames(), policies: newNames(), services: newNames(), windows: newNames(),
		members: map[string]bool{},
	}
	for _, u := range in.Users {
		p.user(u)
	}
	for _, t := range in.Teams {
		p.teams.of(t.ID, t.name())
	}
	for _, s := range in.Schedules {
		p.schedules.of(s.ID, s.name())
	}
	for _, s := range in.ShiftBased {
		p.schedules.of(s.ID, s.name())
	}
	for _, s := range in.Policies {
		p.policies.of(s.ID, s.name())
	}
	for _, s := range in.Schedules {
		p.schedule(s)
	}
	for _, s := range in.ShiftBased {
		p.shiftBased(s)
	}
	for _, s := range in.Policies {
		p.policy(s)
	}
	for _, s := range in.Services {
		p.service(s)
	}
	p.ackTimeouts()
	for _, m := range in.Maintenance {
		if m.End.After(now) {
			p.maintenance(m)
		}
	}
	p.writeTeams()
	return p.Result
}

func (p *pagerDuty) user(u pagerDutyUser) {
	name := p.users.of(u.ID, u.name())
	p.Setup.Users = append(p.Setup.Users, setup.User{Name: name, Email: u.Email, TimeZone: zone(u.TimeZone)})
	if len(u.ContactMethods) > 0 || len(u.Rules) > 0 {
		p.addLoss(Location{"user", name, ""}, "their contact methods (%d) and notification rules (%d); they add and verify them with /oncall contact", len(u.ContactMethods), len(u.Rules))
	}
}

// person returns our name of a person. People whom PagerDuty no longer lists have left.
func (p *pagerDuty) person(ref pagerDutyRef, where Location) (string, bool) {
	if p.users.has(ref.ID) {
		return p.users.of(ref.ID, ""), true
	}
	p.addLoss(where, "%s is no user any more", cmp.Or(ref.name(), ref.ID))
	return "", false
}

// team returns the team of an object, and makes the people in it members.
func (p *pagerDuty) team(refs []pagerDutyRef, where Location) string {
	for _, t := range refs {
		if p.teams.has(t.ID) {
			if len(refs) > 1 {
				p.addLoss(where, "it belongs to %d teams; here to %s alone", len(refs), p.teams.of(t.ID, ""))
			}
			return t.ID
		}
	}
	p.teamless = true
	return noTeam
}

func (p *pagerDuty) join(team, user string) { p.members[team+" "+user] = true }

func (p *pagerDuty) policy(s pagerDutyPolicy) {
	name := p.policies.of(s.ID, s.name())
	where := Location{"policy", name, ""}
	team := p.team(s.Teams, where)
	out := setup.Policy{Name: name, Team: p.teamName(team), Repeat: min(s.Loops, 20)}
	if s.Loops > 20 {
		p.addLoss(where, "it repeats %d times; here 20", s.Loops)
	}
	for i, rule := range s.Rules {
		step := setup.Step{Wait: fmt.Sprintf("%dm", max(rule.Delay, 1))}
		here := where.at(fmt.Sprintf("level %d", i+1))
		for _, t := range rule.Targets {
			step.Page = append(step.Page, p.target(t, team, here)...)
		}
		if rule.Assign.Type == "round_robin" {
			step.RoundRobin = "incident"
		}
		if len(step.Page) == 0 {
			p.addLoss(here, "it pages nobody who is left, and is left out")
			continue
		}
		out.Steps = append(out.Steps, step)
	}
	if len(out.Steps) == 0 {
		p.addLoss(where, "no level pages anybody; here it pages the whole team")
		out.Steps = []setup.Step{{Page: []string{"team " + out.Team}, Wait: "5m"}}
	}
	p.Setup.Policies = append(p.Setup.Policies, out)
}

func (p *pagerDuty) target(t pagerDutyRef, team string, where Location) []string {
	switch {
	case strings.HasPrefix(t.Type, "user"):
		name, ok := p.person(t, where)
		if !ok {
			return nil
		}
		p.join(team, t.ID)
		return []string{"user " + name}
	case strings.HasPrefix(t.Type, "schedule") && p.schedules.has(t.ID):
		return []string{"schedule " + p.schedules.of(t.ID, "")}
	}
	p.addLoss(where, "it pages %s, which is not there (%s)", cmp.Or(t.name(), t.ID), t.Type)
	return nil
}

func (p *pagerDuty) service(s pagerDutyService) {
	name := p.services.of(s.ID, s.name())
	where := Location{"service", name, ""}
	if !p.policies.has(s.Policy.ID) {
		p.addLoss(where, "its escalation policy %s is not there; it is left out", cmp.Or(s.Policy.name(), s.Policy.ID))
		return
	}
	in := setup.Integration{Name: name, Policy: p.policies.of(s.Policy.ID, ""), Team: p.teamName(p.team(s.Teams, where))}
	p.Setup.Integrations = append(p.Setup.Integrations, in)
	if s.Status == "disabled" {
		p.addLoss(where, "it is disabled there; mute it here with: watchbill mute %q", name)
	}
	if s.AutoResolve != nil && *s.AutoResolve > 0 {
		p.addLoss(where, "incidents resolve themselves there after %s; here nothing that still fires does", time.Duration(*s.AutoResolve)*time.Second)
	}
	if s.Urgency.Type != "" && (s.Urgency.Type != "constant" || s.Urgency.Urgency == "low") {
		p.addLoss(where, "its urgency is %s; here the signal's severity counts, and a route may lower it (docs/routes.md)", strings.TrimSpace(s.Urgency.Type+" "+s.Urgency.Urgency))
	}
	if s.Grouping != nil && s.Grouping.Type != "" {
		p.addLoss(where, "alerts are grouped there (%s); see group in docs/signals.md", s.Grouping.Type)
	}
	for _, i := range s.Integrations {
		sender := Sender{Integration: name, What: cmp.Or(i.name(), i.Type)}
		if strings.Contains(i.Type, "events_api_v2") {
			sender.Speaks = SpeaksPagerDuty
		}
		p.Senders = append(p.Senders, sender)
	}
	if len(s.Integrations) == 0 {
		p.Senders = append(p.Senders, Sender{Integration: name, What: "(no integration listed)"})
	}
}

// maintenance plans a window for each service of PagerDuty's.
func (p *pagerDuty) maintenance(m pagerDutyMaintenance) {
	name := cmp.Or(m.Description, m.Summary, m.ID)
	for _, s := range m.Services {
		i := slices.IndexFunc(p.Setup.Integrations, func(in setup.Integration) bool { return p.services.has(s.ID) && in.Name == p.services.of(s.ID, "") })
		if i < 0 {
			p.addLoss(Location{"maintenance window", name, ""}, "its service %s is not there", cmp.Or(s.name(), s.ID))
			continue
		}
		in := p.Setup.Integrations[i]
		p.Setup.Maintenance = append(p.Setup.Maintenance, setup.Maintenance{
			Name: p.windows.of(m.ID+s.ID, name), Team: in.Team, Integration: in.Name, From: local(m.Start, time.UTC), Until: local(m.End, time.UTC),
		})
	}
}

// ackTimeouts sets the policies' timeouts to those of their services, if these agree.
func (p *pagerDuty) ackTimeouts() {
	for i := range p.Setup.Policies {
		policy := &p.Setup.Policies[i]
		var found []int
		for _, s := range p.in.Services {
			if p.policies.has(s.Policy.ID) && p.policies.of(s.Policy.ID, "") == policy.Name {
				timeout := 0
				if s.AckTimeout != nil {
					timeout = *s.AckTimeout
				}
				found = append(found, timeout)
			}
		}
		slices.Sort(found)
		found = slices.Compact(found)
		switch {
		case len(found) == 1 && found[0] > 0:
			policy.AckTimeout = strings.TrimSuffix((time.Duration(found[0]) * time.Second).String(), "0s")
		case len(found) > 1:
			p.addLoss(Location{"policy", policy.Name, ""}, "its services let an acknowledgement last differently long (%v seconds; 0: for good); here a policy says it (ack_timeout), and this one none", found)
		}
	}
}

func (p *pagerDuty) teamName(id string) string {
	if id == noTeam {
		return p.teams.of(noTeam, "On-call")
	}
	return p.teams.of(id, "")
}

// writeTeams comes last, when everybody on call for a team is known.
func (p *pagerDuty) writeTeams() {
	ids := make([]string, 0, len(p.in.Teams)+1)
	for _, t := range p.in.Teams {
		ids = append(ids, t.ID)
	}
	if p.teamless {
		ids = append(ids, noTeam)
	}
	for _, id := range ids {
		out := setup.Team{Name: p.teamName(id)}
		out.Channel = channelOf(out.Name)
		members, managers := map[string]bool{}, map[string]bool{}
		for _, m := range p.in.Members[id] {
			if name, ok := p.person(m.User, Location{"team", out.Name, ""}); ok {
				members[name] = true
				managers[name] = m.Role == "manager"
			}
		}
		for _, u := range p.in.Users {
			if p.members[id+" "+u.ID] {
				members[p.users.of(u.ID, "")] = true
			}
		}
		out.Members = sorted(members)
		out.Managers = slices.DeleteFunc(sorted(managers), func(name string) bool { return !managers[name] })
		p.Setup.Teams = append(p.Setup.Teams, out)
		p.addLoss(Location{"team", out.Name, ""}, "its Slack channel: %s is a guess", out.Channel)
	}
}

// zone returns an IANA zone; vendors still use a few outdated names.
func zone(name string) string {
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}

package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// Opsgenie is the data of Opsgenie, from its REST API or the folders of its backup tool.
type Opsgenie struct {
	Users        []opsgenieUser
	Teams        []opsgenieTeam
	Routing      map[string][]opsgenieRouting // by team
	Schedules    []opsgenieSchedule
	Overrides    map[string][]opsgenieOverride // by schedule
	Timelines    map[string][]opsgeniePeriod   // by schedule
	Escalations  []opsgenieEscalation
	Integrations []opsgenieIntegration
	Heartbeats   []opsgenieHeartbeat
	Asked        finalPeriod
	Backup       bool // from the backup tool, which leaves out overrides
}

// An opsgenieRef refers to a user, a team, a schedule, an escalation or nobody.
type opsgenieRef struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

func (r opsgenieRef) name() string { return cmp.Or(r.Name, r.Username, r.ID) }

type opsgenieUser struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	FullName string `json:"fullName"`
	TimeZone string `json:"timeZone"`
	Blocked  bool   `json:"blocked"`
}

type opsgenieTeam struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Members []struct {
		User opsgenieRef `json:"user"`
		Role string      `json:"role"`
	} `json:"members"`
}

type opsgenieRouting struct {
	Name    string      `json:"name"`
	Default bool        `json:"isDefault"`
	Notify  opsgenieRef `json:"notify"`
}

type opsgenieEscalation struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"`
	Owner opsgenieRef `json:"ownerTeam"`
	Rules []struct {
		Condition  string `json:"condition"`
		NotifyType string `json:"notifyType"`
		Delay      struct {
			Amount int    `json:"timeAmount"`
			Unit   string `json:"timeUnit"`
		} `json:"delay"`
		Recipient opsgenieRef `json:"recipient"`
	} `json:"rules"`
	Repeat *struct {
		Count int `json:"count"`
		Wait  int `json:"waitInterval"`
	} `json:"repeat"`
}

type opsgenieIntegration struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Type    string      `json:"type"`
	Enabled *bool       `json:"enabled"`
	TeamID  string      `json:"teamId"`
	Owner   opsgenieRef `json:"ownerTeam"`
}

type opsgenieHeartbeat struct {
	Name     string      `json:"name"`
	Interval int         `json:"interval"`
	Unit     string      `json:"intervalUnit"`
	Enabled  bool        `json:"enabled"`
	Owner    opsgenieRef `json:"ownerTeam"`
}

// opsgenie imports one installation.
type opsgenie struct {
	Result
	in        Opsgenie
	now       time.Time
	users     *names
	byMail    map[string]string // ids
	teams     *names
	schedules *names
	policies  *names
	routed    *names // policies made for schedules to which teams' alerts are routed
	senders   *names
	teamless  bool
	members   map[string]bool // "TEAM USER", by our names
}

// FromOpsgenie converts Opsgenie's set-up to ours, as in force from now on.
func FromOpsgenie(in Opsgenie, now time.Time) Result {
	o := &opsgenie{
		in: in, now: now, users: newNames(), byMail: map[string]string{}, teams: newNames(), schedules: newNames(), policies: newNames(),
		routed: newNames(), senders: newNames(), members: map[string]bool{},
	}
	for _, u := range in.Users {
		o.user(u)
	}
	for _, t := range in.Teams {
		o.teams.of(t.ID, t.Name)
	}
	for _, s := range in.Schedules {
		o.schedules.of(s.ID, s.Name)
	}
	for _, e := range in.Escalations {
		o.policies.of(e.ID, e.Name)
	}
	for _, s := range in.Schedules {
		o.schedule(s)
	}
	for _, e := range in.Escalations {
		o.policy(e)
	}
	for _, i := range in.Integrations {
		o.integration(i)
	}
	for _, h := range in.Heartbeats {
		o.addLoss(Location{"heartbeat", h.Name, ""}, "every %d %s; name it under an integration's heartbeats (docs/heartbeats.md), and point what pings it here", h.Interval, h.Unit)
	}
	if in.Backup {
		o.addLoss(Location{"backup", "of Opsgenie", ""}, "the tool that wrote it leaves out overrides; read the API with a key while there is one")
	}
	o.writeTeams()
	return o.Result
}

func (o *opsgenie) user(u opsgenieUser) {
	if u.Blocked {
		o.addLoss(Location{"user", cmp.Or(u.FullName, u.Username), ""}, "they are blocked, and left out")
		return
	}
	name := o.users.of(u.ID, cmp.Or(u.FullName, u.Username))
	o.byMail[strings.ToLower(u.Username)] = u.ID
	o.Setup.Users = append(o.Setup.Users, setup.User{Name: name, Email: u.Username, TimeZone: zone(u.TimeZone)})
}

// person returns our name of a person, given by id or mail address.
func (o *opsgenie) person(ref opsgenieRef, where Location) (string, bool) {
	id := ref.ID
	if !o.users.has(id) {
		id = o.byMail[strings.ToLower(cmp.Or(ref.Username, ref.Name))]
	}
	if o.users.has(id) {
		return o.users.of(id, ""), true
	}
	o.addLoss(where, "%s is no user any more", ref.name())
	return "", false
}

// find returns the id of an object given by id or name.
func find(n *names, ref opsgenieRef) string {
	if n.has(ref.ID) {
		return ref.ID
	}
	for id, name := range n.byID {
		if name == ref.Name {
			return id
		}
	}
	return ""
}

func (o *opsgenie) team(ref opsgenieRef) string {
	if id := find(o.teams, ref); id != "" {
		return id
	}
	o.teamless = true
	return noTeam
}

func (o *opsgenie) teamName(id string) string {
	if id == noTeam {
		return o.teams.of(noTeam, "On-call")
	}
	return o.teams.of(id, "")
}

// A level is an escalation rule and its delay, counted from the alert.
type level struct {
	after time.Duration
	page  []string
}

func (o *opsgenie) policy(e opsgenieEscalation) {
	name := o.policies.of(e.ID, "")
	where := Location{"policy", name, ""}
	team := o.teamName(o.team(e.Owner))
	out := setup.Policy{Name: name, Team: team}
	var levels []level
	for i, r := range e.Rules {
		here := where.at(fmt.Sprintf("rule %d", i+1))
		if r.Condition == "if-not-closed" {
			o.addLoss(here, "it comes unless the alert is closed; here an acknowledgement stops it")
		}
		unit := map[string]time.Duration{"": time.Minute, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[r.Delay.Unit]
		l := level{after: time.Duration(r.Delay.Amount) * unit, page: o.target(r.Recipient, r.NotifyType, team, here)}
		if len(l.page) > 0 {
			levels = append(levels, l)
		}
	}
	slices.SortStableFunc(levels, func(a, b level) int { return cmp.Compare(a.after, b.after) })
	if len(levels) > 0 && levels[0].after > 0 {
		o.addLoss(where, "the first rule comes after %s there; here at once", minutes(levels[0].after))
	}
	for i, l := range levels {
		if n := len(out.Steps); n > 0 && i > 0 && l.after == levels[i-1].after {
			out.Steps[n-1].Page = append(out.Steps[n-1].Page, l.page...)
			continue
		}
		if n := len(out.Steps); n > 0 {
			out.Steps[n-1].Wait = minutes(l.after - levels[i-1].after)
		}
		out.Steps = append(out.Steps, setup.Step{Page: l.page, Wait: "5m"})
	}
	if e.Repeat != nil && e.Repeat.Count > 0 {
		out.Repeat = min(e.Repeat.Count, 20)
		if n := len(out.Steps); n > 0 && e.Repeat.Wait > 0 {
			out.Steps[n-1].Wait = fmt.Sprintf("%dm", e.Repeat.Wait)
		}
	}
	if len(out.Steps) == 0 {
		o.addLoss(where, "no rule pages anybody; here it pages the whole team")
		out.Steps = []setup.Step{{Page: []string{"team " + team}, Wait: "5m"}}
	}
	o.Setup.Policies = append(o.Setup.Policies, out)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }

// target converts the target of a rule.
func (o *opsgenie) target(r opsgenieRef, how, team string, where Location) []string {
	switch r.Type {
	case "user":
		name, ok := o.person(r, where)
		if !ok {
			return nil
		}
		o.members[team+"\x00"+name] = true
		return []string{"user " + name}
	case "schedule":
		if id := find(o.schedules, r); id != "" {
			name := o.schedules.of(id, "")
			switch how {
			case "next":
				return []string{"next in " + name}
			case "all":
				return []string{"everyone in " + name}
			case "previous":
				o.addLoss(where, "it pages who was on call before in %s; here who is", name)
			}
			return []string{"schedule " + name}
		}
	case "team":
		if id := find(o.teams, r); id != "" {
			name := o.teams.of(id, "")
			switch how {
			case "admins":
				return []string{"managers of " + name}
			case "users", "random":
				o.addLoss(where, "it pages %s of %s; here all of the team", how, name)
			}
			return []string{"team " + name}
		}
	}
	o.addLoss(where, "it pages %s, which is not there (%s)", r.name(), r.Type)
	return nil
}

// integration makes an integration with the default policy of its team's alerts.
func (o *opsgenie) integration(i opsgenieIntegration) {
	name := o.senders.of(i.ID, i.Name)
	where := Location{"integration", name, ""}
	if i.Enabled != nil && !*i.Enabled {
		o.addLoss(where, "it is disabled there, and left out")
		return
	}
	team := o.team(opsgenieRef{ID: cmp.Or(i.TeamID, i.Owner.ID), Name: i.Owner.Name})
	policy := o.routedTo(team, where)
	if policy == "" {
		o.addLoss(where, "its team %s routes alerts to nobody; it is left out", o.teamName(team))
		return
	}
	o.Setup.Integrations = append(o.Setup.Integrations, setup.Integration{Name: name, Team: o.teamName(team), Policy: policy})
	sender := Sender{Integration: name, What: cmp.Or(i.Type, "API")}
	if sender.What == "API" {
		sender.Speaks = SpeaksOpsgenie
	}
	o.Senders = append(o.Senders, sender)
}

// routedTo returns the policy for a team's alerts that no other routing rule matches.
func (o *opsgenie) routedTo(team string, where Location) string {
	rules := o.in.Routing[team]
	if n := len(rules); n > 1 {
		o.addLoss(where, "its team has %d routing rules; here the default one, and the others are yours to write as routes (docs/routes.md)", n)
	}
	for _, r := range rules {
		if !r.Default {
			continue
		}
		switch {
		case r.Notify.Type == "escalation" && find(o.policies, r.Notify) != "":
			return o.policies.of(find(o.policies, r.Notify), "")
		case r.Notify.Type == "schedule" && find(o.schedules, r.Notify) != "":
			return o.schedulePolicy(find(o.schedules, r.Notify), team)
		}
	}
	for _, p := range o.Setup.Policies { // there is no usable rule
		if p.Team == o.teamName(team) {
			return p.Name
		}
	}
	return ""
}

// schedulePolicy returns a policy that pages only a schedule.
func (o *opsgenie) schedulePolicy(schedule, team string) string {
	id := "schedule " + schedule
	made := o.policies.has(id)
	name := o.policies.of(id, o.schedules.of(schedule, ""))
	if !made {
		o.Setup.Policies = append(o.Setup.Policies, setup.Policy{
			Name: name, Team: o.teamName(team), Steps: []setup.Step{{Page: []string{"schedule " + o.schedules.of(schedule, "")}, Wait: "5m"}},
		})
		o.addLoss(Location{"policy", name, ""}, "alerts go to a schedule alone there; give it further steps")
	}
	return name
}

func (o *opsgenie) writeTeams() {
	var ids []string
	for _, t := range o.in.Teams {
		ids = append(ids, t.ID)
	}
	if o.teamless {
		ids = append(ids, noTeam)
	}
	for _, id := range ids {
		out := setup.Team{Name: o.teamName(id)}
		out.Channel = channelOf(out.Name)
		members, managers := map[string]bool{}, map[string]bool{}
		i := slices.IndexFunc(o.in.Teams, func(t opsgenieTeam) bool { return t.ID == id })
		if i >= 0 {
			for _, m := range o.in.Teams[i].Members {
				if name, ok := o.person(m.User, Location{"team", out.Name, ""}); ok {
					members[name] = true
					if m.Role == "admin" {
						managers[name] = true
					}
				}
			}
		}
		for _, u := range o.Setup.Users {
			if o.members[out.Name+"\x00"+u.Name] {
				members[u.Name] = true
			}
		}
		out.Members, out.Managers = sorted(members), sorted(managers)
		o.Setup.Teams = append(o.Setup.Teams, out)
		o.addLoss(Location{"team", out.Name, ""}, "its Slack channel: %s is a guess", out.Channel)
	}
}

package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// An Installation is the stored set-up, without anything removed.
type Installation struct {
	Users        []KnownUser
	Teams        []StaffedTeam
	Schedules    []schedule.Definition
	Policies     []oncall.Policy
	Integrations []oncall.Integration
	UserGroups   []oncall.UserGroup
	Maintenance  []oncall.Maintenance
	Routes       []route.Definition // the lists in force

	Heartbeats []oncall.Heartbeat // of the integrations, by name; without those created by a ping

	Work []oncall.LeftWork // for Departures: what leavers have in hand
}

// A KnownUser is a person, and where they are known from.
type KnownUser struct {
	oncall.User
	Named     string // the mail address that a set-up used for them
	FromSlack bool   // Slack's profile is known, so its name and address count
}

// A StaffedTeam is a team and its people, in order.
type StaffedTeam struct {
	oncall.Team
	Members  []oncall.UserID
	Managers []oncall.UserID // named in the set-up
}

// Setup returns the document that, when applied, would change nothing. It holds no keys, which
// can't be read back, nothing that belongs to people (contact methods and rules) or to Slack alone
// (overrides, swaps, time off), and only those manual shifts that aren't over.
func (in Installation) Setup(now time.Time) Setup {
	x := in.names()
	var out Setup
	for _, t := range in.Teams {
		out.Teams = append(out.Teams, x.team(t))
	}
	for _, s := range in.Schedules {
		out.Schedules = append(out.Schedules, x.schedule(s, now))
	}
	for _, p := range in.Policies {
		out.Policies = append(out.Policies, x.policy(p))
	}
	for _, integration := range in.Integrations {
		is := Integration{
			Name: integration.Name, Team: x.teams[integration.TeamID], Format: integration.Format, Policy: x.policies[integration.PolicyID], Storm: writeStorm(integration.StormLimit),
			Group: writeGroup(integration.Grouping), Mapping: integration.Mapping, Silence: writeSilence(integration.Silencing), Signed: integration.Signed, Topics: integration.Topics,
		}
		for _, h := range in.Heartbeats {
			if h.IntegrationID == integration.ID {
				is.Heartbeats = append(is.Heartbeats, writeHeartbeat(h))
			}
		}
		is.Routes, is.ShadowRoutes = x.routesOf(oncall.RouteOwner{Integration: integration.ID})
		out.Integrations = append(out.Integrations, is)
	}
	for _, g := range in.UserGroups {
		out.UserGroups = append(out.UserGroups, x.userGroup(g))
	}
	out.Maintenance = x.maintenance(in.Maintenance, in.Integrations, now)
	for _, u := range in.Users {
		if !x.used[u.ID] && u.FromSlack {
			continue // a person who once wrote to us
		}
		is := User{Name: x.users[u.ID], Slack: u.ID, Email: u.Named, TimeZone: u.TimeZone}
		if !u.FromSlack {
			is.Email = u.Email
		}
		if is.TimeZone == "UTC" {
			is.TimeZone = ""
		}
		out.Users = append(out.Users, is)
		delete(x.used, u.ID)
	}
	for id := range x.used { // people without a known profile
		out.Users = append(out.Users, User{Name: string(id), Slack: id})
	}
	slices.SortFunc(out.Users, func(a, b User) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slack, b.Slack)) })
	return out
}

// An exporter maps stored objects to their names in the document.
type exporter struct {
	users     map[oncall.UserID]string
	used      map[oncall.UserID]bool // people mentioned anywhere
	teams     map[oncall.TeamID]string
	schedules map[oncall.ScheduleID]string
	policies  map[oncall.PolicyID]string
	routes    map[oncall.RouteOwner]route.Definition
}

func (in Installation) names() exporter {
	e := exporter{
		users: map[oncall.UserID]string{}, used: map[oncall.UserID]bool{}, teams: map[oncall.TeamID]string{},
		schedules: map[oncall.ScheduleID]string{}, policies: map[oncall.PolicyID]string{},
		routes: map[oncall.RouteOwner]route.Definition{},
	}
	for _, l := range in.Routes {
		e.routes[l.Owner] = l
	}
	count := map[string]int{}
	for _, u := range in.Users {
		name := u.Name
		if u.FromSlack { // people write what they like there
			name = strings.Join(strings.Fields(name), " ")
		}
		e.users[u.ID] = cmp.Or(name, string(u.ID))
		count[e.users[u.ID]]++
	}
	for id, name := range e.users {
		if count[name] > 1 || name == "nobody" {
			e.users[id] = name + calledToo(id)
		}
	}
	for _, t := range in.Teams {
		e.teams[t.ID] = t.Name
	}
	for _, s := range in.Schedules {
		e.schedules[s.ID] = s.Name
	}
	for _, p := range in.Policies {
		e.policies[p.ID] = p.Name
	}
	return e
}

// calledToo distinguishes people of the same name, who may come from several documents.
func calledToo(id oncall.UserID) string { return fmt.Sprintf(" (%s)", id) }

// Called returns the person's name without the suffix that distinguishes namesakes.
func (u User) Called() string { return strings.TrimSuffix(u.Name, calledToo(u.Slack)) }

func (e exporter) user(id oncall.UserID) string {
	e.used[id] = true
	return cmp.Or(e.users[id], string(id))
}

func (e exporter) people(ids []oncall.UserID) []string {
	var names []string
	for _, id := range ids {
		names = append(names, e.user(id))
	}
	return names
}

func (e exporter) team(t StaffedTeam) Team {
	out := Team{
		Name: t.Name, Channel: t.Channel, Members: e.people(t.Members), Managers: e.people(t.Managers), Topic: t.Topic,
		TimeZone: t.TimeZone, Hours: t.Hours, Fallback: e.people(t.Fallback), Private: t.Private, Acts: t.Acts, Digest: t.Digest,
		IncidentChannel: t.IncidentChannel, Updates: t.Updates, TimeOff: t.TimeOff,
	}
	out.Routes, out.ShadowRoutes = e.routesOf(oncall.RouteOwner{Team: t.ID})
	if p, known := e.policies[t.Policy]; known {
		out.Policy = p
	}
	if t.ManagedBy != "" {
		out.Managers = append(out.Managers, "group @"+t.ManagedBy)
	}
	if t.Owner != oncall.OwnerFile {
		out.Owner = t.Owner
	}
	switch {
	case t.Remind == 0:
		out.Remind = "off"
	case t.Remind != remindByDefault:
		out.Remind = writeSpan(t.Remind)
	}
	return out
}

func (e exporter) schedule(definition schedule.Definition, now time.Time) Schedule {
	out := Schedule{
		Name: definition.Name, Team: e.teams[definition.TeamID], TimeZone: definition.TimeZone, Rotations: e.rotations(definition.Current(now), definition.TimeZone),
	}
	if definition.Apart {
		out.Apart = &definition.Apart
	}
	zone, err := schedule.LoadZone(definition.TimeZone)
	if err != nil {
		return out // it was checked when it was stored
	}
	for _, v := range definition.Planned(now) {
		out.Later = append(out.Later, Version{
			From: writeInstant(*v.EffectiveFrom, zone), Rotations: e.rotations(v.Rotations, definition.TimeZone),
		})
	}
	for _, shift := range definition.Shifts {
		if shift.End.After(now) {
			out.Shifts = append(out.Shifts, Shift{
				Role: shift.Role, Start: writeInstant(shift.Start, zone), End: writeInstant(shift.End, zone), Users: e.people(shift.Users),
			})
		}
	}
	return out
}

func (e exporter) rotations(all []schedule.Rotation, timeZone string) []Rotation {
	out := []Rotation{}
	for _, rotation := range all {
		rotation = rotation.Plain(timeZone)
		is := Rotation{
			Name: rotation.Name, Priority: rotation.Priority, Start: rotation.StartDate.String() + " " + rotation.HandOff.String(), Every: rotation.Period.String(),
			Advance: rotation.Advance, Only: rotation.Windows, Holidays: writeHolidays(rotation.Holidays),
		}
		if rotation.Role != schedule.RolePrimary {
			is.Role = rotation.Role
		}
		if rotation.TimeZone != timeZone {
			is.TimeZone = rotation.TimeZone
		}
		if zone, err := schedule.LoadZone(rotation.TimeZone); err == nil && rotation.Until != nil {
			is.Until = writeInstant(*rotation.Until, zone)
		}
		for _, t := range rotation.Turns {
			is.Turns = append(is.Turns, e.people(t))
		}
		for _, m := range rotation.Members {
			is.Members = append(is.Members, Member{User: e.user(m.User), From: m.From, Until: m.Until})
		}
		out = append(out, is)
	}
	return out
}

func (e exporter) policy(p oncall.Policy) Policy {
	out := Policy{Name: p.Name, Team: e.teams[p.TeamID], Repeat: p.Repeat, Acks: p.Acks}
	if p.AckTimeout > 0 {
		out.AckTimeout = writeSpan(p.AckTimeout)
		if p.AckWait > 0 {
			out.AckWait = writeSpan(p.AckWait)
		}
	}
	for _, st := range p.Steps {
		is := Step{Wait: writeSpan(st.Delay), Repeat: st.Repeat, RoundRobin: st.RoundRobin}
		if st.Repeat > 0 {
			is.Every = writeSpan(st.Every)
		}
		if st.RoundRobin == oncall.RoundByIncident {
			is.RoundRobin = "incident"
		}
		if st.Only != nil {
			is.Only = &Condition{Severity: st.Only.Severity, Hours: st.Only.Hours}
		}
		for _, t := range st.Targets {
			is.Page = append(is.Page, e.target(t))
		}
		out.Steps = append(out.Steps, is)
	}
	return out
}

// target writes a target for parseTarget.
func (e exporter) target(target oncall.Target) string {
	switch {
	case target.Schedule != 0 && target.Role != "":
		return target.Role + " in " + e.schedules[target.Schedule]
	case target.Schedule != 0 && target.Which != oncall.OnCallNow:
		return string(target.Which) + " in " + e.schedules[target.Schedule]
	case target.Schedule != 0:
		return "schedule " + e.schedules[target.Schedule]
	case target.User != "":
		return "user " + e.user(target.User)
	case target.Team != 0:
		return "team " + e.teams[target.Team]
	case target.Managers != 0:
		return "managers of " + e.teams[target.Managers]
	case target.Channel != "":
		return "channel " + target.Channel
	case target.Group != "":
		return "group @" + target.Group
	case target.Webhook != "":
		return "webhook " + target.Webhook
	}
	return "policy " + e.policies[target.Policy]
}

func (e exporter) userGroup(g oncall.UserGroup) UserGroup {
	out := UserGroup{Handle: g.Handle, Roles: g.Roles, WhenEmpty: g.WhenEmpty}
	if !slackGroup.MatchString(g.Handle) {
		out.Handle = "@" + g.Handle
	}
	for _, id := range g.Schedules {
		out.Schedules = append(out.Schedules, e.schedules[id])
	}
	if g.Fallback != "" {
		out.Fallback = e.user(g.Fallback)
	}
	return out
}

// writeSpan writes a duration for parseSpan: "1h30m".
func writeSpan(s oncall.Seconds) string {
	text := s.Duration().String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

package setup

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Policy is an escalation policy.
type Policy struct {
	Name   string `json:"name,omitempty"`
	Team   string `json:"team,omitempty"`
	Repeat int    `json:"repeat,omitempty"`
	Steps  []Step `json:"steps,omitempty"`

	Acks       int    `json:"acks,omitempty"`        // how many people must acknowledge
	AckTimeout string `json:"ack_timeout,omitempty"` // how long an acknowledgement is good for: "30m"
	AckWait    string `json:"ack_wait,omitempty"`    // how long its owner has to say that they are still on it: "5m"
}

// A Step pages targets such as "schedule payments", "user ann", "team payments".
type Step struct {
	Page       []string          `json:"page,omitempty"`
	Wait       string            `json:"wait,omitempty"`        // before the next step: "5m", "90s"
	Repeat     int               `json:"repeat,omitempty"`      // how often the step runs again
	Every      string            `json:"every,omitempty"`       // between two runs of it
	RoundRobin oncall.RoundRobin `json:"round_robin,omitempty"` // one person each run
	Only       *Condition        `json:"only,omitempty"`
}

// roundRobin parses the rotation of the step's people. Files use "incident"; older ones use
// "alert", which is also what is stored.
func (st Step) roundRobin() (oncall.RoundRobin, error) {
	switch st.RoundRobin {
	case oncall.PageAll, oncall.RoundByIncident, oncall.RoundByRun:
		return st.RoundRobin, nil
	case "incident":
		return oncall.RoundByIncident, nil
	}
	return "", fmt.Errorf("round_robin is %q; it may be \"incident\" or \"cycle\"", st.RoundRobin)
}

// A Condition limits when a step runs.
type Condition struct {
	Severity []oncall.Severity `json:"severity,omitempty"`
	Hours    oncall.HoursWord  `json:"hours,omitempty"`
}

// IDs maps the names in a document to ids.
type IDs struct {
	Users     map[string]oncall.UserID
	Teams     map[string]oncall.TeamID
	Schedules map[string]oncall.ScheduleID
	Policies  map[string]oncall.PolicyID
}

// A writtenTarget is a target in text form.
type writtenTarget struct {
	kind  string // "user", "schedule", "team", "managers", "channel", "group", "webhook", "policy"
	name  string
	which oncall.ScheduleSelection
	role  string
}

const targetForms = `"user NAME", "schedule NAME", "next in SCHEDULE", "everyone in SCHEDULE", "ROLE in SCHEDULE", ` +
	`"team NAME", "managers of TEAM", "channel #NAME", "group @HANDLE", "webhook https://…" or "policy NAME"`

func parseTarget(s string) (writtenTarget, error) {
	wrong := fmt.Errorf("%q is not a target; write %s", s, targetForms)
	kind, name, _ := strings.Cut(strings.TrimSpace(s), " ")
	t := writtenTarget{kind: kind, name: strings.TrimSpace(name)}
	switch kind {
	case "user", "schedule", "team", "policy":
	case "channel":
		if !channelForm.MatchString(t.name) {
			return t, fmt.Errorf("%q: a Slack channel is written with its name as \"#payments\" or with its id as \"C024BE7LR\"", s)
		}
	case "group":
		if !groupForm.MatchString(t.name) {
			return t, fmt.Errorf("%q: a Slack user group is written with its handle as \"@payments-oncall\"", s)
		}
		t.name = strings.TrimPrefix(t.name, "@")
	case "webhook":
		u, err := url.Parse(t.name)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return t, fmt.Errorf("%q: a webhook is a URL that begins with https:// or http://", s)
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil && (ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
			return t, fmt.Errorf("%q: webhooks never go to link-local addresses", s)
		}
	default:
		if team, ok := strings.CutPrefix(t.name, "of "); ok && (kind == "managers" || kind == "admins") { // the former name of managers
			t.kind, t.name = "managers", strings.TrimSpace(team)
			break
		}
		who, name, ok := strings.Cut(s, " in ")
		if !ok {
			return t, wrong
		}
		t = writtenTarget{kind: "schedule", name: strings.TrimSpace(name)}
		switch who = strings.TrimSpace(who); who {
		case string(oncall.OnCallNext), string(oncall.Everyone):
			t.which = oncall.ScheduleSelection(who)
		case schedule.RoleShadow:
			return t, fmt.Errorf("%q: a shadow is never paged", s)
		default:
			t.role = who
		}
	}
	if t.name == "" {
		return t, wrong
	}
	return t, nil
}

var (
	channelForm = regexp.MustCompile(`^(#[^\s#@]+|[CG][A-Z0-9]{2,})$`)
	groupForm   = regexp.MustCompile(`^@[a-z0-9._-]+$`)
)

// policies checks the policies, which may refer to each other in any order.
func (c *checker) policies(s Setup) {
	roles := s.roles()
	for i, p := range s.Policies {
		c.define("policy", p.Name, i)
	}
	for _, p := range s.Policies {
		c.policy(p, roles)
	}
	c.circles(s.Policies)
}

// roles returns each schedule's roles, current and planned.
func (s Setup) roles() map[string][]string {
	roles := map[string][]string{}
	for _, sc := range s.Schedules {
		for _, v := range append([]Version{{Rotations: sc.Rotations}}, sc.Later...) {
			for _, r := range v.Rotations {
				roles[sc.Name] = append(roles[sc.Name], cmp.Or(r.Role, schedule.RolePrimary))
			}
		}
	}
	return roles
}

// circles finds policies that pass an incident to each other endlessly, at any hour and severity.
// Each circle is reported once.
func (c *checker) circles(policies []Policy) {
	next := map[string]string{}
	for _, p := range policies {
		for _, st := range p.Steps {
			for _, written := range st.Page {
				if t, err := parseTarget(written); err == nil && t.kind == "policy" && st.Only == nil && t.name != p.Name {
					next[p.Name] = t.name
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, p := range policies {
		var path []string
		name := p.Name
		for name != "" && !seen[name] {
			seen[name] = true
			path = append(path, name)
			name = next[name]
		}
		if i := slices.Index(path, name); i >= 0 {
			c.say("policies hand over in a circle: %s; let one of them end, or repeat", strings.Join(append(slices.Clone(path[i:]), name), " → "))
		}
	}
}

func (c *checker) policy(policy Policy, roles map[string][]string) {
	c.refer("team", policy.Team, "policy %q: team", policy.Name)
	if policy.Repeat < 0 || policy.Repeat > 20 {
		c.say("policy %q: repeat is %d; it may be 0 to 20", policy.Name, policy.Repeat)
	}
	if len(policy.Steps) == 0 {
		c.say("policy %q has no steps", policy.Name)
	}
	if _, err := policy.Policy(); err != nil {
		c.say("policy %q: %v", policy.Name, err)
	}
	for n, st := range policy.Steps {
		where := fmt.Sprintf("policy %q, step %d", policy.Name, n+1)
		if st.Every != "" && st.Repeat == 0 {
			c.say("%s: every is %q, but the step runs only once; give repeat", where, st.Every)
		}
		if len(st.Page) == 0 {
			c.say("%s pages nobody", where)
		}
		var to []string
		for _, written := range st.Page {
			t, err := parseTarget(written)
			if err != nil {
				c.say("%s: %v%s", where, err, didYouMean(c.targetMeant(written)))
				continue
			}
			c.target(where, written, t, roles)
			if t.kind == "policy" {
				to = append(to, t.name)
			}
		}
		c.passesOn(policy, n, to)
		if _, err := st.rules(); err != nil {
			c.say("%s: %v", where, err)
		}
		if st.RoundRobin == oncall.RoundByRun && st.Repeat == 0 && policy.Repeat == 0 {
			c.say("%s: round_robin is \"cycle\", but the step runs only once; give repeat", where)
		}
	}
}

// targetMeant guesses the target that an invalid one was meant to be: "usr Ann", or just a name.
func (c *checker) targetMeant(written string) string {
	kinds := []string{"user", "schedule", "team", "policy"}
	kind, name, named := strings.Cut(strings.TrimSpace(written), " ")
	if guess := oncall.Nearest(kind, append(kinds, "channel", "group", "webhook", "managers")); named && guess != "" && guess != kind {
		return guess + " " + strings.TrimSpace(name)
	}
	for _, kind := range kinds {
		if c.names[kind][strings.TrimSpace(written)] {
			return kind + " " + strings.TrimSpace(written)
		}
	}
	return ""
}

// target checks that a target exists.
func (c *checker) target(where, written string, t writtenTarget, roles map[string][]string) {
	switch t.kind {
	case "user", "schedule", "team", "policy":
		c.refer(t.kind, t.name, "%s: %s", where, t.kind)
	case "managers":
		c.refer("team", t.name, "%s: team", where)
	}
	if t.role == "" || !c.names["schedule"][t.name] || slices.Contains(slices.Concat(slices.Collect(maps.Values(roles))...), t.role) {
		return
	}
	// A role unlike any known one may have been removed from the schedule in Slack.
	if guess := oncall.Nearest(t.role, roles[t.name]); guess != "" {
		c.say("%s: %q: no rotation of schedule %q has the role %q; did you mean %q?", where, written, t.name, t.role, guess)
	}
}

// passesOn checks the steps after one that passes the incident on to other policies.
func (c *checker) passesOn(policy Policy, n int, to []string) {
	if len(to) == 0 {
		return
	}
	always := policy.Steps[n].Only == nil // otherwise the next steps run when it doesn't
	switch {
	case len(to) > 1:
		c.say("policy %q, step %d: it hands over to %d policies; a step can hand over to one", policy.Name, n+1, len(to))
	case to[0] == policy.Name:
		c.say("policy %q, step %d: it hands over to itself; use repeat", policy.Name, n+1)
	case always && n+1 < len(policy.Steps):
		c.say("policy %q, step %d: it hands over to policy %q, so the steps after it never run", policy.Name, n+1, to[0])
	case always && policy.Repeat > 0:
		c.say("policy %q: repeat is %d, but its last step hands over to policy %q; leave repeat out", policy.Name, policy.Repeat, to[0])
	}
}

func (c *checker) team(i int, team Team) {
	c.define("team", team.Name, i)
	if team.Channel == "" {
		c.say("team %q: channel is missing: the Slack channel for its incidents, such as \"#payments\"", team.Name)
	}
	if team.Owner != "" && team.Owner != oncall.OwnerFile && team.Owner != oncall.OwnerSlack {
		c.say("team %q: owner is %q; it may be \"file\" or \"slack\"", team.Name, team.Owner)
	}
	for _, m := range team.Members {
		c.refer("user", m, "team %q: member", team.Name)
	}
	c.managers(team)
	for _, f := range team.Fallback {
		c.refer("user", f, "team %q: fallback", team.Name)
	}
	c.zone(team.TimeZone, "team %q", team.Name)
	if err := schedule.CheckWindows(team.Hours); err != nil {
		c.say("team %q: hours, %v", team.Name, err)
	}
	if _, err := team.RemindEvery(); err != nil {
		c.say("team %q: %v", team.Name, err)
	}
	if team.Digest != oncall.DigestUsual && team.Digest != oncall.DigestWeekly && team.Digest != oncall.DigestOff {
		c.say("team %q: digest is %q; write weekly or off", team.Name, team.Digest)
	}
	for i, channel := range team.Updates {
		if oncall.ChannelName(channel) == "" && !oncall.IsChannelID(channel) || slices.Contains(team.Updates[:i], channel) {
			c.say("team %q: updates has %q; write channels such as \"#status\", each once", team.Name, channel)
		}
	}
	if len(team.Updates) > oncall.MaxUpdateChannels {
		c.say("team %q: updates names %d channels; it may name %d", team.Name, len(team.Updates), oncall.MaxUpdateChannels)
	}
	if team.IncidentChannel != "" && !slices.Contains(oncall.Severities(), team.IncidentChannel) {
		c.say("team %q: incident_channel is %q; write critical, high, medium or low", team.Name, team.IncidentChannel)
	}
	if !slices.Contains(oncall.OnTimeOffs, team.OnTimeOff()) {
		c.say("team %q: time_off is %q; write warn, cover or skip", team.Name, team.TimeOff)
	}
}

// remindByDefault is how often a team is reminded of unacknowledged incidents.
const remindByDefault oncall.Seconds = 600

// RemindEvery parses how often the team is reminded of unacknowledged incidents; 0 means never.
func (t Team) RemindEvery() (oncall.Seconds, error) {
	if t.Remind == "off" {
		return 0, nil
	}
	every, err := parseSpan("remind", t.Remind, remindByDefault.Duration(), time.Minute)
	if err != nil {
		return 0, fmt.Errorf("%w, or \"off\"", err)
	}
	return every, nil
}

// Policy converts the policy, without its steps.
func (p Policy) Policy() (oncall.Policy, error) {
	out := oncall.Policy{Name: p.Name, Repeat: p.Repeat, Acks: p.Acks}
	if p.Acks < 0 || p.Acks > 20 {
		return out, fmt.Errorf("acks is %d; it may be 1 to 20", p.Acks)
	}
	var err error
	if out.AckTimeout, err = parseSpan("ack_timeout", p.AckTimeout, 0, time.Minute); err != nil {
		return out, err
	}
	if p.AckWait != "" && out.AckTimeout == 0 {
		return out, fmt.Errorf("ack_wait is %q, but there is no ack_timeout", p.AckWait)
	}
	out.AckWait, err = parseSpan("ack_wait", p.AckWait, 0, time.Second)
	return out, err
}

// rules converts a step, without its targets.
func (st Step) rules() (oncall.Step, error) {
	delay, err := parseSpan("wait", st.Wait, 5*time.Minute, time.Second)
	if err != nil {
		return oncall.Step{}, err
	}
	every, err := parseSpan("every", st.Every, time.Minute, time.Second)
	if err != nil {
		return oncall.Step{}, err
	}
	if st.Repeat < 0 || st.Repeat > 20 {
		return oncall.Step{}, fmt.Errorf("repeat is %d; it may be 0 to 20", st.Repeat)
	}
	out := oncall.Step{Delay: delay, Repeat: st.Repeat}
	if out.RoundRobin, err = st.roundRobin(); err != nil {
		return oncall.Step{}, err
	}
	if st.Repeat > 0 {
		out.Every = every
	}
	if st.Only == nil {
		return out, nil
	}
	for _, sev := range st.Only.Severity {
		if !slices.Contains(oncall.Severities(), sev) {
			return oncall.Step{}, fmt.Errorf("only: severity %q is none of critical, high, medium and low", sev)
		}
	}
	switch hours := st.Only.Hours; {
	case hours == oncall.HoursAny && len(st.Only.Severity) == 0:
		return oncall.Step{}, fmt.Errorf("only says neither severity nor hours")
	case !slices.Contains([]oncall.HoursWord{oncall.HoursAny, oncall.HoursWorking, oncall.HoursOff}, hours):
		return oncall.Step{}, fmt.Errorf("only: hours is %q; it may be \"working\" or \"off\"", hours)
	}
	out.Only = &oncall.Condition{Severity: st.Only.Severity, Hours: st.Only.Hours}
	return out, nil
}

// parseSpan parses a duration of whole seconds, up to a day.
func parseSpan(field, s string, byDefault, least time.Duration) (oncall.Seconds, error) {
	if s == "" {
		return oncall.Seconds(byDefault / time.Second), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%s is %q, which is not a duration such as \"5m\" or \"90s\"", field, s)
	}
	if d < least || d > 24*time.Hour || d%time.Second != 0 {
		from := "1s"
		if least >= time.Minute {
			from = "1m"
		}
		return 0, fmt.Errorf("%s is %q; it may be %s to 24h, in whole seconds", field, s, from)
	}
	return oncall.Seconds(d / time.Second), nil
}

// Step converts a step, resolving its targets.
func (st Step) Step(ids IDs) (oncall.Step, error) {
	out, err := st.rules()
	if err != nil {
		return oncall.Step{}, err
	}
	for _, written := range st.Page {
		t, err := parseTarget(written)
		if err != nil {
			return oncall.Step{}, err
		}
		out.Targets = append(out.Targets, t.target(ids))
	}
	return out, nil
}

func (t writtenTarget) target(ids IDs) oncall.Target {
	switch t.kind {
	case "user":
		return oncall.Target{User: ids.Users[t.name]}
	case "schedule":
		return oncall.Target{Schedule: ids.Schedules[t.name], Which: t.which, Role: t.role}
	case "team":
		return oncall.Target{Team: ids.Teams[t.name]}
	case "managers":
		return oncall.Target{Managers: ids.Teams[t.name]}
	case "channel":
		return oncall.Target{Channel: t.name}
	case "group":
		return oncall.Target{Group: t.name}
	case "webhook":
		return oncall.Target{Webhook: t.name}
	default:
		return oncall.Target{Policy: ids.Policies[t.name]}
	}
}

// Package setup is the set-up file: its contents, its checks, how it is written back from what is
// stored, and which of Slack's channels, people and groups it names. It converts between the file
// and the values of oncall; no rule needs it, so oncall doesn't import it.
package setup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Setup is an installation as one document: its people, who is on call when, whom to page and
// what may page. Objects refer to each other by name.
type Setup struct {
	Users        []User        `json:"users,omitempty"`
	Teams        []Team        `json:"teams,omitempty"`
	Schedules    []Schedule    `json:"schedules,omitempty"`
	Policies     []Policy      `json:"policies,omitempty"`
	Integrations []Integration `json:"integrations,omitempty"`
	UserGroups   []UserGroup   `json:"user_groups,omitempty"`
	Maintenance  []Maintenance `json:"maintenance,omitempty"`
}

// A User is a person. Name is how the document refers to them.
type User struct {
	Name     string        `json:"name,omitempty"`
	Slack    oncall.UserID `json:"slack,omitempty"` // Slack user id; optional if Email is known to Slack
	Email    string        `json:"email,omitempty"`
	TimeZone string        `json:"time_zone,omitempty"`
}

// A Team is a team with its Slack channel.
type Team struct {
	Name    string       `json:"name,omitempty"`
	Channel string       `json:"channel,omitempty"`
	Members []string     `json:"members,omitempty"`
	Topic   bool         `json:"topic,omitempty"` // show who is on call in the channel's topic
	Owner   oncall.Owner `json:"owner,omitempty"` // of its schedules; default: the file

	Managers []string    `json:"managers,omitempty"` // who may change everything of the team's: members, or "group @HANDLE"
	Admins   []string    `json:"admins,omitempty"`   // the former name of managers
	Private  bool        `json:"private,omitempty"`  // only members see the team's information
	Acts     oncall.Acts `json:"acts,omitempty"`     // who acts on its incidents: "team", or "workspace"

	TimeZone string            `json:"time_zone,omitempty"` // of the working hours; default: its first schedule's
	Hours    []schedule.Window `json:"hours,omitempty"`     // working hours; default: Monday to Friday, 09:00 to 17:00
	Fallback []string          `json:"fallback,omitempty"`  // paged if a policy has nobody; default: the admins
	Policy   string            `json:"policy,omitempty"`    // run when the team is paged; default: its only one
	Remind   string            `json:"remind,omitempty"`    // of unacknowledged incidents: "10m", "off"
	Digest   oncall.Digest     `json:"digest,omitempty"`    // of each week in the channel: "weekly", "off"; weekly while there is something to tell where it is left out
	TimeOff  oncall.OnTimeOff  `json:"time_off,omitempty"`  // if somebody is away while on call: "warn", "cover", "skip"; default: warn

	IncidentChannel oncall.Severity `json:"incident_channel,omitempty"` // from this severity on an incident gets a Slack channel of its own; only on request where it is left out
	Updates         []string        `json:"updates,omitempty"`          // the Slack channels for updates of incidents, for people who don't work on them

	Routes       []Route `json:"routes,omitempty"`        // for the alerts of its integrations, after their own
	ShadowRoutes bool    `json:"shadow_routes,omitempty"` // they have no effect
}

// A Schedule is a schedule and its rotations.
type Schedule struct {
	Name      string     `json:"name,omitempty"`
	Team      string     `json:"team,omitempty"`
	TimeZone  string     `json:"time_zone,omitempty"`
	Rotations []Rotation `json:"rotations,omitempty"`
	Later     []Version  `json:"later,omitempty"`    // what replaces the rotations, and when
	Apart     *bool      `json:"apart,omitempty"`    // refuse overlapping shifts of one role; unchanged if left out
	Holidays  *Holidays  `json:"holidays,omitempty"` // of all rotations that have none of their own
	Shifts    []Shift    `json:"shifts,omitempty"`   // manual; created with a new schedule, and edited in Slack from then on
}

// A Version is the rotations in force from an instant on.
type Version struct {
	From      string     `json:"from"` // "2026-12-07 09:00"
	Rotations []Rotation `json:"rotations"`
}

// A Shift is a manual shift.
type Shift struct {
	Role  string   `json:"role,omitempty"`
	Start string   `json:"start"` // "2026-12-24 09:00"
	End   string   `json:"end"`
	Users []string `json:"users"`
}

// A Rotation is one layer of a schedule. Turns begin at Start and every Every after it, in local
// time, so Start also determines the weekday and time of the hand-off.
type Rotation struct {
	Name     string            `json:"name,omitempty"`
	Role     string            `json:"role,omitempty"`
	Priority int               `json:"priority,omitempty"`
	TimeZone string            `json:"time_zone,omitempty"` // default: the schedule's
	Start    string            `json:"start,omitempty"`     // "2026-01-05 09:00"
	Every    string            `json:"every,omitempty"`     // "week", "2 weeks", "12 hours", "cron 0 9 * * 1"
	Until    string            `json:"until,omitempty"`     // "2026-12-31 09:00"; it is over from then on
	Advance  schedule.Advance  `json:"advance,omitempty"`   // "active" passes over days without a window
	Turns    []Turn            `json:"turns,omitempty"`
	Members  []Member          `json:"members,omitempty"` // limits on when people take part
	Only     []schedule.Window `json:"only,omitempty"`    // in force only in these windows
	Holidays *Holidays         `json:"holidays,omitempty"`
}

// Holidays say which days are holidays of a rotation, and what it does on them.
type Holidays struct {
	Calendar string               `json:"calendar,omitempty"` // "de", "de-by", or the https address of a calendar
	Rule     schedule.HolidayRule `json:"rule,omitempty"`     // "weekend", "only", "except", "ask"; they are only shown where it is left out
	Days     []string             `json:"days,omitempty"`     // more of them: "2026-12-24 Christmas Eve"
}

// A Member limits when a person takes part in a rotation; either date may be missing.
type Member struct {
	User  string        `json:"user"`
	From  schedule.Date `json:"from,omitzero"`
	Until schedule.Date `json:"until,omitzero"`
}

// A Turn is who holds a rotation for one period: a name, a list of names, or
// "nobody".
type Turn []string

// UnmarshalYAML reads one name or a list of them.
func (t *Turn) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*t = Turn{one}
		if one == "nobody" {
			*t = Turn{}
		}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return errors.New("a turn is a name, a list of names, or nobody")
	}
	*t = many
	return nil
}

// MarshalYAML writes a turn as it is read.
func (t Turn) MarshalYAML() (any, error) {
	switch len(t) {
	case 0:
		return "nobody", nil
	case 1:
		return t[0], nil
	}
	return []string(t), nil
}

// An Integration is an inbound key. Watchbill makes Key if it is left out.
type Integration struct {
	Name   string        `json:"name,omitempty"`
	Team   string        `json:"team,omitempty"`
	Format oncall.Format `json:"kind,omitempty"`
	Policy string        `json:"policy,omitempty"`
	Key    string        `json:"key,omitempty"`
	Group  *Group        `json:"group,omitempty"`
	Storm  string        `json:"storm,omitempty"` // after how many incidents in a minute what comes next joins a storm: "10", "off"

	Heartbeats   []Heartbeat     `json:"heartbeats,omitempty"` // expected to ping it
	Signed       bool            `json:"signed,omitempty"`     // requests must be signed with the secret that `watchbill integration sign` makes
	Topics       []string        `json:"topics,omitempty"`     // Amazon SNS topics; nothing else is accepted
	Silence      *Silence        `json:"silence,omitempty"`    // in the Alertmanager that its alerts come from
	Mapping      *oncall.Mapping `json:"mapping,omitempty"`    // how any JSON becomes a signal
	Routes       []Route         `json:"routes,omitempty"`
	ShadowRoutes bool            `json:"shadow_routes,omitempty"` // they have no effect
}

// A Group determines which alerts of an integration form one incident.
type Group struct {
	By     []string `json:"by"`               // labels in which they agree
	Window string   `json:"window,omitempty"` // after the first, "5m" where it is left out
}

// With combines two documents.
func (s Setup) With(other Setup) Setup {
	return Setup{
		Users:        slices.Concat(s.Users, other.Users),
		Teams:        slices.Concat(s.Teams, other.Teams),
		Schedules:    slices.Concat(s.Schedules, other.Schedules),
		Policies:     slices.Concat(s.Policies, other.Policies),
		Integrations: slices.Concat(s.Integrations, other.Integrations),
		UserGroups:   slices.Concat(s.UserGroups, other.UserGroups),
		Maintenance:  slices.Concat(s.Maintenance, other.Maintenance),
	}
}

// Check returns what is wrong with the document by itself, each in one sentence. formats are those
// that integrations may have.
func (s Setup) Check(formats []oncall.Format) []string {
	c := checker{names: map[string]map[string]bool{}, formats: formats}
	for i, u := range s.Users {
		c.user(i, u)
	}
	for i, t := range s.Teams {
		c.team(i, t)
	}
	for i, sc := range s.Schedules {
		c.schedule(i, sc)
	}
	c.policies(s)
	for i, in := range s.Integrations {
		c.integration(i, in)
		c.mapping(in)
		c.routes(fmt.Sprintf("integration %q", in.Name), in.Routes, in.ShadowRoutes)
	}
	for _, t := range s.Teams {
		c.routes(fmt.Sprintf("team %q", t.Name), t.Routes, t.ShadowRoutes)
	}
	c.teamPolicies(s)
	for i, g := range s.UserGroups {
		c.userGroup(i, g)
	}
	for i, m := range s.Maintenance {
		c.maintenance(i, m)
	}
	return c.problems
}

type checker struct {
	problems []string
	names    map[string]map[string]bool // kind → names defined so far
	formats  []oncall.Format            // that an integration may have
}

func (c *checker) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) define(kind, name string, i int) {
	switch {
	case name == "":
		c.say("%s %d has no name", kind, i+1)
	case c.names[kind][name]:
		c.say("%s %q is there twice", kind, name)
	}
	if c.names[kind] == nil {
		c.names[kind] = map[string]bool{}
	}
	c.names[kind][name] = true
}

// didYouMean suggests what was probably meant, if anything.
func didYouMean(guess string) string {
	if guess == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", guess)
}

func (c *checker) refer(kind, name, where string, args ...any) {
	if !c.names[kind][name] {
		c.say("%s %q: there is no %s of that name in the file%s", fmt.Sprintf(where, args...), name, kind,
			didYouMean(oncall.Nearest(name, slices.Sorted(maps.Keys(c.names[kind])))))
	}
}

var slackUser = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)

func (c *checker) user(i int, u User) {
	c.define("user", u.Name, i)
	if u.Slack == "" && u.Email == "" {
		c.say("user %q needs slack (the Slack user id) or email", u.Name)
	}
	if u.Slack != "" && !slackUser.MatchString(string(u.Slack)) {
		c.say("user %q: slack is %q, which is not a Slack user id such as \"U024BE7LH\"", u.Name, u.Slack)
	}
	c.zone(u.TimeZone, "user %q", u.Name)
}

func (c *checker) zone(name, where string, args ...any) {
	if name == "" {
		return
	}
	if _, err := schedule.LoadZone(name); err != nil {
		c.say("%s: time_zone %q is not an IANA zone such as \"Europe/Berlin\"", fmt.Sprintf(where, args...), name)
	}
}

var keyForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (c *checker) integration(i int, in Integration) {
	c.define("integration", in.Name, i)
	c.refer("team", in.Team, "integration %q: team", in.Name)
	c.refer("policy", in.Policy, "integration %q: policy", in.Name)
	if in.Format != "" && !slices.Contains(c.formats, in.Format) {
		var may, names []string
		for _, f := range c.formats {
			may, names = append(may, strconv.Quote(string(f))), append(names, string(f))
		}
		c.say("integration %q: kind is %q; it may be %s%s", in.Name, in.Format, strings.Join(may, " or "),
			didYouMean(oncall.Nearest(string(in.Format), names)))
	}
	if _, err := in.Grouping(); err != nil {
		c.say("integration %q: %v", in.Name, err)
	}
	if _, err := in.StormLimit(); err != nil {
		c.say("integration %q: %v", in.Name, err)
	}
	c.topics(in)
	if _, err := in.Silencing(); err != nil {
		c.say("integration %q: %v", in.Name, err)
	}
	c.heartbeats(in)
	if in.Key != "" && !keyForm.MatchString(in.Key) {
		c.say("integration %q: key must be 32 of the characters 0-9 and a-f; leave it out to have one made", in.Name)
	} else if in.Key != "" && weakKey(in.Key) {
		c.say("integration %q: key can be guessed; leave it out to have one made", in.Name)
	}
}

// weakKey reports whether a key was typed rather than random: it has few distinct characters,
// repeats or counts. One random key in ten million looks like that.
func weakKey(key string) bool {
	const fewest = 8
	seen := map[byte]bool{}
	steps := map[byte]int{} // differences between adjacent digits
	for i := range len(key) {
		seen[key[i]] = true
		if i > 0 {
			steps[(digit(key[i])-digit(key[i-1]))%16]++
		}
	}
	for _, n := range steps {
		if n > len(key)/2 {
			return true
		}
	}
	return len(seen) < fewest || strings.Contains((key + key)[1:2*len(key)-1], key)
}

// digit returns the value of a hexadecimal digit.
func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// KeyFromBytes formats 16 random bytes as an integration key.
func KeyFromBytes(b [16]byte) string { return hex.EncodeToString(b[:]) }

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/slacksim"
)

// These are the sizes of the made-up company of a soak.
const (
	soakPrimaries   = 4               // people of each team who take turns as primary
	soakSecondaries = 3               // and as secondary
	soakWait        = 5 * time.Minute // of each step of a policy
)

var soakZones = []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Adelaide", "UTC"}

// soakBegin is the Monday on which every rotation begins. The soak itself begins eight weeks later.
// During the following month, clocks change in America and in Europe, and a month later in Australia.
var soakBegin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// A soakCompany is the model of people and schedules. It computes on its own who is on call.
type soakCompany struct {
	teams []*soakTeam
	left  map[string]time.Time // people who left, and when
}

type soakTeam struct {
	name               string
	key                string // of its integration
	zone               *time.Location
	primary, secondary *soakRotation
}

func (t *soakTeam) people() []string {
	return append(append([]string{}, t.primary.turns...), t.secondary.turns...)
}

// A soakRotation is a schedule with one rotation, whose hand-offs are at 09:00 in its zone.
type soakRotation struct {
	name      string
	days      int // of each turn
	turns     []string
	zone      *time.Location
	overrides []soakOverride       // the newest last, which wins
	left      map[string]time.Time // of the company
}

// A soakOverride puts somebody on call. A swap stays in force even if the other person has left.
type soakOverride struct {
	user     string
	from, to time.Time
}

// turn returns the number of the turn at a time, counted in local days, which clock changes make longer or shorter.
func (r *soakRotation) turn(at time.Time) int {
	local := at.In(r.zone)
	y, m, d := local.Date()
	if local.Hour() < 9 {
		d--
	}
	days := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(soakBegin) / (24 * time.Hour))
	return days / r.days
}

// start returns when the given turn begins.
func (r *soakRotation) start(turn int) time.Time {
	return time.Date(2026, 1, 5+turn*r.days, 9, 0, 0, 0, r.zone)
}

func (r *soakRotation) ofTurn(turn int) string { return r.turns[turn%len(r.turns)] }

func (r *soakRotation) gone(user string, at time.Time) bool {
	left, gone := r.left[user]
	return gone && !at.Before(left)
}

// who returns who is on call at the given time, or would be if they had not left.
func (r *soakRotation) who(at time.Time) string {
	for _, o := range slices.Backward(r.overrides) {
		if !at.Before(o.from) && at.Before(o.to) && !r.gone(o.user, at) {
			return o.user
		}
	}
	return r.ofTurn(r.turn(at))
}

// changes returns when somebody else comes on call within a period.
func (r *soakRotation) changes(from, to time.Time) []time.Time {
	var edges []time.Time
	for n := r.turn(from); r.start(n).Before(to); n++ {
		edges = append(edges, r.start(n))
	}
	for _, o := range r.overrides {
		edges = append(edges, o.from, o.to)
	}
	var out []time.Time
	seen := map[int64]bool{}
	for _, at := range edges {
		if !at.Before(from) && at.Before(to) && !seen[at.Unix()] && r.who(at) != r.who(at.Add(-time.Second)) {
			seen[at.Unix()] = true
			out = append(out, at)
		}
	}
	return out
}

// newSoakCompany makes teams of seven.
func newSoakCompany(random *rand.Rand, teams int) *soakCompany {
	c := &soakCompany{left: map[string]time.Time{}}
	for i := range teams {
		zone, err := time.LoadLocation(soakZones[i%len(soakZones)])
		if err != nil {
			panic(err)
		}
		var people []string
		for n := range soakPrimaries + soakSecondaries {
			people = append(people, fmt.Sprintf("U0P%03d", i*10+n))
		}
		random.Shuffle(len(people), func(a, b int) { people[a], people[b] = people[b], people[a] })
		name := fmt.Sprintf("team%02d", i)
		days := 7
		if i%4 == 3 {
			days = 1
		}
		c.teams = append(c.teams, &soakTeam{
			name: name, key: fmt.Sprintf("%032x", 0x5eed0000+i), zone: zone,
			primary:   &soakRotation{name: name + "-primary", days: days, turns: people[:soakPrimaries], zone: zone, left: c.left},
			secondary: &soakRotation{name: name + "-secondary", days: 7, turns: people[soakPrimaries:], zone: zone, left: c.left},
		})
	}
	return c
}

// join adds everybody to Slack.
func (c *soakCompany) join(sim *slacksim.Sim) {
	for _, t := range c.teams {
		for _, id := range t.people() {
			sim.AddUser(soakUser(id, t.zone))
		}
		sim.AddChannel(slacksim.Channel{Name: t.name, Members: t.people()})
	}
}

func soakUser(id string, zone *time.Location) slacksim.User {
	name := strings.ToLower(id[2:])
	return slacksim.User{ID: id, Name: name, RealName: strings.ToUpper(name), Email: name + "@example.com", TZ: zone.String()}
}

// setUp writes the company as a set-up file.
func (c *soakCompany) setUp() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	names := func(ids []string) string {
		out := make([]string, len(ids))
		for i, id := range ids {
			out[i] = strings.ToUpper(id[2:])
		}
		return strings.Join(out, ", ")
	}
	line("users:")
	for _, t := range c.teams {
		for _, id := range t.people() {
			u := soakUser(id, t.zone)
			line("  - {name: %s, slack: %s, email: %s, time_zone: %s}", u.RealName, u.ID, u.Email, u.TZ)
		}
	}
	line("teams:")
	for _, t := range c.teams {
		line("  - {name: %s, channel: \"#%s\", members: [%s]}", t.name, t.name, names(t.people()))
	}
	line("schedules:")
	for _, t := range c.teams {
		for _, r := range []*soakRotation{t.primary, t.secondary} {
			every := "week"
			if r.days == 1 {
				every = "day"
			}
			line("  - {name: %s, team: %s, time_zone: %s, rotations: [{name: turns, start: 2026-01-05 09:00, every: %s, turns: [%s]}]}",
				r.name, t.name, t.zone, every, names(r.turns))
		}
	}
	line("policies:")
	for _, t := range c.teams {
		line("  - {name: %s, team: %s, steps: [{page: [schedule %s], wait: 5m}, {page: [schedule %s], wait: 5m}]}", t.name, t.name, t.primary.name, t.secondary.name)
	}
	line("integrations:")
	for _, t := range c.teams {
		line("  - {name: %s, team: %s, kind: generic, policy: %s}", t.name, t.name, t.name)
	}
	return []byte(b.String())
}

package importer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// A builder collects the set-up of a vendor whose objects refer to each other by id.
type builder struct {
	Result
	now       time.Time
	users     *names
	teams     *names
	schedules *names
	policies  *names
	senders   *names
	members   map[string]map[string]bool // by team: its members, and those on call or paged for it
	managers  map[string]map[string]bool
	channels  map[string]map[string]int // by team: how often its objects name a Slack channel
	teamless  bool                      // something belongs to no team
}

func newBuilder(now time.Time) builder {
	return builder{
		now: now, users: newNames(), teams: newNames(), schedules: newNames(), policies: newNames(), senders: newNames(),
		members: map[string]map[string]bool{}, managers: map[string]map[string]bool{}, channels: map[string]map[string]int{},
	}
}

// addTo adds a name to one of several sets.
func addTo(sets map[string]map[string]bool, set, name string) {
	if sets[set] == nil {
		sets[set] = map[string]bool{}
	}
	sets[set][name] = true
}

// person returns our name of a person.
func (b *builder) person(id string, where Location) (string, bool) {
	if b.users.has(id) {
		return b.users.of(id, ""), true
	}
	b.addLoss(where, "%s is no user any more", id)
	return "", false
}

// people returns those who are still users, each once, and makes them members of a team.
func (b *builder) people(ids []string, team string, where Location) setup.Turn {
	turn := setup.Turn{}
	for _, id := range ids {
		if name, ok := b.person(id, where); ok && !slices.Contains(turn, name) {
			turn = append(turn, name)
			addTo(b.members, team, name)
		}
	}
	return turn
}

// team returns our name of a team; whatever has none goes to a team made for it.
func (b *builder) team(id string) string {
	if b.teams.has(id) && id != noTeam {
		return b.teams.of(id, "")
	}
	b.teamless = true
	return b.teams.of(noTeam, "On-call")
}

// channel records that a team's object refers to a Slack channel.
func (b *builder) channel(team, id string) {
	if id == "" {
		return
	}
	if b.channels[team] == nil {
		b.channels[team] = map[string]int{}
	}
	b.channels[team][id]++
}

// writeTeams comes last, when everybody on call for a team is known.
func (b *builder) writeTeams(ids []string) {
	if b.teamless {
		ids = append(slices.Clone(ids), noTeam)
	}
	for _, id := range ids {
		name := b.team(id)
		out := setup.Team{Name: name, Members: sorted(b.members[name]), Managers: sorted(b.managers[name])}
		where := Location{"team", name, ""}
		named := slices.SortedFunc(maps.Keys(b.channels[name]), func(x, y string) int {
			return cmp.Or(b.channels[name][y]-b.channels[name][x], strings.Compare(x, y))
		})
		switch len(named) {
		case 0:
			out.Channel = channelOf(name)
			b.addLoss(where, "its Slack channel: %s is a guess", out.Channel)
		case 1:
			out.Channel = named[0]
		default:
			out.Channel = named[0]
			b.addLoss(where, "what is its posts to several Slack channels: %s; here to the first of them", strings.Join(named, ", "))
		}
		b.Setup.Teams = append(b.Setup.Teams, out)
	}
}

// addPolicy adds a policy; one that would page nobody pages the whole team.
func (b *builder) addPolicy(out setup.Policy, where Location) {
	if len(out.Steps) == 0 {
		b.addLoss(where, "no step pages anybody; here it pages the whole team")
		out.Steps = []setup.Step{{Page: []string{"team " + out.Team}, Wait: "5m"}}
	}
	b.Setup.Policies = append(b.Setup.Policies, out)
}

// contactMethods records how a person is reached there, for the remark that they have to set it up again.
func (b *builder) contactMethods(user string, rules []string) {
	if len(rules) > 0 {
		b.addLoss(Location{"user", user, ""}, "their notification rules (%s); they add and verify their ways with /oncall contact", strings.Join(rules, "; "))
	}
}

// formatDuration formats a duration for the file: "5m", "1h30m".
func formatDuration(d time.Duration) string {
	if d%time.Minute == 0 && d < time.Hour {
		return minutes(d)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// formatWait formats a step's delay, within the allowed range.
func formatWait(d time.Duration) string {
	return formatDuration(min(max(d, time.Second), 24*time.Hour))
}

// excerpt shortens a quotation in a remark.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 200 {
		return fmt.Sprintf("%s…", string(r[:200]))
	}
	return text
}

package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A thing is an object of an installation with all its properties.
type thing struct {
	name  string
	about oncall.UserID
	teams []oncall.TeamID
	says  fields
}

// An installation is a set-up prepared for comparison.
type installation struct {
	setup.Installation
	doc     setup.Setup
	private map[oncall.TeamID]bool
	teamOf  map[oncall.ScheduleID]oncall.TeamID
	by      map[oncall.PolicyID]oncall.TeamID // teams by their policies
}

func read(in setup.Installation, now time.Time) installation {
	inst := installation{
		Installation: in, private: map[oncall.TeamID]bool{},
		teamOf: map[oncall.ScheduleID]oncall.TeamID{}, by: map[oncall.PolicyID]oncall.TeamID{},
	}
	in.Users = nil // to name people by their ids
	inst.doc = in.Setup(now)
	for _, t := range in.Teams {
		inst.private[t.ID] = t.Private
	}
	for _, s := range in.Schedules {
		inst.teamOf[s.ID] = s.TeamID
	}
	for _, p := range in.Policies {
		inst.by[p.ID] = p.TeamID
	}
	return inst
}

// Setup compares an installation before and after a change, and returns an entry for each object
// that was added, changed or removed.
func Setup(before, after setup.Installation, now time.Time) []Entry {
	was, is := read(before, now), read(after, now)
	var out []Entry
	for _, part := range []struct {
		kind Kind
		of   func(installation) []thing
	}{
		{Person, installation.persons},
		{Team, installation.teams},
		{Schedule, installation.schedules},
		{Policy, installation.policies},
		{Integration, installation.integrations},
		{UserGroup, installation.groups},
		{Maintenance, installation.maintenance},
	} {
		out = append(out, compare(part.kind, part.of(was), part.of(is))...)
	}
	return out
}

// compare matches objects by name; people by id.
func compare(kind Kind, was, is []thing) []Entry {
	key := func(t thing) string { return cmp.Or(string(t.about), t.name) }
	before, after := map[string]thing{}, map[string]bool{}
	for _, t := range was {
		before[key(t)] = t
	}
	var out []Entry
	for _, t := range is {
		after[key(t)] = true
		old, known := before[key(t)]
		e := Entry{Kind: kind, Name: t.name, About: t.about, Teams: t.teams, Act: Added, Changes: old.says.became(t.says)}
		if known && len(e.Changes) == 0 {
			continue
		}
		if known {
			e.Act, e.Teams = Changed, once(old.teams, t.teams)
		}
		out = append(out, e)
	}
	for _, t := range was {
		if !after[key(t)] {
			out = append(out, Entry{Kind: kind, Name: t.name, About: t.about, Teams: t.teams, Act: Removed, Changes: t.says.became(nil)})
		}
	}
	return out
}

// once joins lists of teams without repetitions.
func once(a, b []oncall.TeamID) []oncall.TeamID {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (inst installation) persons() (all []thing) {
	for _, u := range inst.Users {
		t := thing{about: u.ID}
		t.says.text("name", u.Name)
		if u.Email != "" {
			t.says.part("mail", oncall.Say("%s", maskedMail(u.Email)), u.Email)
		}
		t.says.text("time zone", u.TimeZone)
		all = append(all, t)
	}
	return all
}

func (inst installation) teams() (all []thing) {
	for i, team := range inst.doc.Teams {
		t := thing{name: team.Name, teams: []oncall.TeamID{inst.Teams[i].ID}}
		t.says.text("channel", team.Channel)
		t.says.say("members", people(team.Members))
		var managers []oncall.Sentence
		for _, name := range team.Managers {
			if strings.HasPrefix(name, "group ") {
				managers = append(managers, oncall.Say("%s", name))
			} else {
				managers = append(managers, person(name))
			}
		}
		t.says.say("managers", list(managers))
		t.says.flag("private", team.Private)
		t.says.choice("acts", string(cmp.Or(team.Acts, "workspace")), "workspace")
		t.says.choice("owner", string(cmp.Or(team.Owner, oncall.OwnerFile)), string(oncall.OwnerFile))
		t.says.flag("topic", team.Topic)
		t.says.text("time zone", team.TimeZone)
		t.says.text("hours", windows(team.Hours))
		t.says.say("fallback", people(team.Fallback))
		t.says.text("policy", team.Policy)
		t.says.choice("remind", cmp.Or(team.Remind, "as usual"), "as usual")
		t.says.choice("digest", cmp.Or(string(team.Digest), "as usual"), "as usual")
		t.says.choice("incident channel", cmp.Or(string(team.IncidentChannel), "on request"), "on request")
		t.says.text("updates", strings.Join(team.Updates, ", "))
		t.says.choice("time off", string(cmp.Or(team.OnTimeOff(), "warn")), "warn")
		inst.routes(&t, inst.Teams[i].ID, team.Routes, team.ShadowRoutes)
		all = append(all, t)
	}
	return all
}

func (inst installation) maintenance() (all []thing) {
	for _, d := range inst.doc.Maintenance {
		t := thing{name: d.Name}
		for _, team := range inst.Teams {
			if team.Name == d.Team {
				t.teams = []oncall.TeamID{team.ID}
			}
		}
		t.says.text("team", d.Team)
		t.says.text("integration", d.Integration)
		t.says.text("only", strings.Join(d.Only, ", "))
		t.says.text("from", strings.TrimSpace(d.From+" "+d.TimeZone))
		t.says.text("until", d.Until)
		t.says.flag("except critical", d.ExceptCritical)
		t.says.text("reason", d.Reason)
		all = append(all, t)
	}
	return all
}

func windows(all []schedule.Window) string {
	var texts []string
	for _, w := range all {
		texts = append(texts, w.String())
	}
	return strings.Join(texts, "; ")
}

func (inst installation) schedules() (all []thing) {
	for i, d := range inst.doc.Schedules {
		t := thing{name: d.Name, teams: []oncall.TeamID{inst.Schedules[i].TeamID}}
		t.says.text("team", d.Team)
		t.says = append(t.says, ofSchedule(d)...)
		all = append(all, t)
	}
	return all
}

// ofSchedule returns a schedule's properties, without its team.
func ofSchedule(made setup.Schedule) (says fields) {
	says.text("time zone", made.TimeZone)
	says.flag("shifts apart", made.Apart != nil && *made.Apart)
	says = append(says, rotations("", made.Rotations)...)
	for _, v := range made.Later {
		later := "from " + v.From + ", "
		says = append(says, rotations(later, v.Rotations)...)
		if len(v.Rotations) == 0 {
			says.text(later+"rotations", "none")
		}
	}
	for _, s := range made.Shifts {
		says.say("shift "+s.Start+" to "+s.End+" as "+cmp.Or(s.Role, schedule.RolePrimary), people(s.Users))
	}
	return says
}

func rotations(when string, all []setup.Rotation) (says fields) {
	seen := map[string]int{}
	for _, r := range all {
		name := fmt.Sprintf("%srotation %q", when, r.Name)
		if seen[name]++; seen[name] > 1 {
			name += " " + strconv.Itoa(seen[name])
		}
		var turns []oncall.Sentence
		for _, t := range r.Turns {
			switch len(t) {
			case 0:
				turns = append(turns, oncall.Say("nobody"))
			case 1:
				turns = append(turns, person(t[0]))
			default:
				turns = append(turns, oncall.Say("(%s)", people(t)))
			}
		}
		says.say(name+" turns", list(turns))
		says.text(name+" every", r.Every)
		says.text(name+" start", r.Start)
		says.text(name+" until", r.Until)
		says.text(name+" role", r.Role)
		if r.Priority != 0 {
			says.text(name+" priority", strconv.Itoa(r.Priority))
		}
		says.text(name+" time zone", r.TimeZone)
		says.text(name+" advance", string(r.Advance))
		says.text(name+" only", windows(r.Only))
		says.text(name+" holidays", r.Holidays.String())
		var members []oncall.Sentence
		for _, m := range r.Members {
			members = append(members, oncall.Say("%s %s", person(m.User), fromUntil(m)))
		}
		says.say(name+" members", list(members))
	}
	return says
}

func fromUntil(m setup.Member) string {
	var words []string
	if m.From != (schedule.Date{}) {
		words = append(words, "from "+m.From.String())
	}
	if m.Until != (schedule.Date{}) {
		words = append(words, "until "+m.Until.String())
	}
	return strings.Join(words, " ")
}

func (inst installation) integrations() (all []thing) {
	for i, integration := range inst.doc.Integrations {
		in := inst.Integrations[i]
		t := thing{name: integration.Name, teams: []oncall.TeamID{in.TeamID}}
		t.says.text("team", integration.Team)
		t.says.text("kind", string(integration.Format))
		if integration.Group != nil {
			t.says.text("group", strings.TrimSuffix("by "+strings.Join(integration.Group.By, ", ")+" within "+integration.Group.Window, " within "))
		}
		t.says.choice("storm", cmp.Or(integration.Storm, "as usual"), "as usual")
		for _, h := range integration.Heartbeats {
			t.says.text("heartbeat "+h.Name, heartbeatWords(h))
		}
		t.says.text("topics", strings.Join(integration.Topics, ", "))
		t.says.flag("signed", integration.Signed)
		if integration.Silence != nil {
			t.says.text("silence", silenceWords(*integration.Silence))
		}
		mapping(&t, integration.Mapping)
		inst.routes(&t, in.TeamID, integration.Routes, integration.ShadowRoutes)
		t.says.part("policy", oncall.Say("%s", inst.seenBy(in.TeamID, inst.by[in.PolicyID], integration.Policy)), integration.Policy)
		all = append(all, t)
	}
	return all
}

// silenceWords describes silencing as its file has it.
func silenceWords(s setup.Silence) string {
	words := "in " + s.URL
	if len(s.On) > 0 {
		words += " on " + strings.Join(s.On, ", ")
	}
	if s.For != "" {
		words += " for " + s.For
	}
	return words
}

// heartbeatWords describes a heartbeat as its file has it.
func heartbeatWords(h setup.Heartbeat) string {
	words := "every " + h.Every
	if h.Grace != "" {
		words += ", " + h.Grace + " of grace"
	}
	if h.MaxRuntime != "" {
		words += ", " + h.MaxRuntime + " a run"
	}
	return words + ", " + string(cmp.Or(h.Severity, oncall.High))
}

// seenBy hides the name of a private team's object from another team's managers.
func (inst installation) seenBy(team, of oncall.TeamID, name string) string {
	if of != team && inst.private[of] {
		return "something of a private team"
	}
	return name
}

func (inst installation) groups() (all []thing) {
	for i, d := range inst.doc.UserGroups {
		t := thing{name: d.Name()}
		for _, id := range inst.UserGroups[i].Schedules {
			t.teams = once(t.teams, []oncall.TeamID{inst.teamOf[id]})
		}
		t.says.text("schedules", strings.Join(d.Schedules, ", "))
		t.says.text("roles", strings.Join(d.Roles, ", "))
		t.says.text("when empty", string(cmp.Or(d.WhenEmpty, oncall.WhenEmptyKeep)))
		if d.Fallback != "" {
			t.says.say("fallback", person(d.Fallback))
		}
		all = append(all, t)
	}
	return all
}

// Edited records an edit of a schedule in Slack.
func Edited(before, after schedule.Definition, act Operation, now time.Time) Entry {
	return Entry{
		Kind: Schedule, Name: after.Name, Teams: []oncall.TeamID{after.TeamID}, Act: act,
		Changes: alone(before, now).became(alone(after, now)),
	}
}

// Made records a new schedule.
func Made(d schedule.Definition, now time.Time) Entry {
	return Entry{Kind: Schedule, Name: d.Name, Teams: []oncall.TeamID{d.TeamID}, Act: Added, Changes: fields(nil).became(alone(d, now))}
}

// Gone records a removed schedule.
func Gone(d schedule.Definition, now time.Time) Entry {
	return Entry{Kind: Schedule, Name: d.Name, Teams: []oncall.TeamID{d.TeamID}, Act: Removed, Changes: alone(d, now).became(nil)}
}

// alone returns a schedule's own properties.
func alone(d schedule.Definition, now time.Time) fields {
	return ofSchedule(setup.Installation{Schedules: []schedule.Definition{d}}.Setup(now).Schedules[0])
}

package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A maker makes valid set-ups from everything that the file can contain, except signed:, which
// needs a secret that no file has.
type maker struct{ *rand.Rand }

// oneOf returns one of some values.
func oneOf[T any](m maker, values ...T) T { return values[m.IntN(len(values))] }

// some returns one of some values, or nothing.
func some[T any](m maker, values ...T) (none T) {
	if m.IntN(2) == 0 {
		return none
	}
	return oneOf(m, values...)
}

// several returns between one and all of the values, in their order.
func several[T any](m maker, values ...T) (out []T) {
	for _, v := range values {
		if m.IntN(2) == 0 {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		out = append(out, oneOf(m, values...))
	}
	return out
}

// Names that YAML could take for something else.
var oddNames = []string{"yes", "007", "a: b", "#x", "日本 語", "Ann", "null", "it's \"so\"", "- x", "1e3", "[x]", "*b", "2026-01-05", "~", "{a}", "% y"}

// setup makes a set-up whose names all end in a number, so that several set-ups can be combined.
func (m maker) setup(number int) setup.Setup {
	var s setup.Setup
	var names []string
	for _, name := range oddNames[m.IntN(8):] {
		names = append(names, fmt.Sprint(name, number))
	}
	var people []string
	for i := range 2 + m.IntN(4) {
		s.Users = append(s.Users, setup.User{
			Name: names[i], Slack: oncall.UserID(fmt.Sprintf("U%dP%d", number, i)), Email: some(m, fmt.Sprintf("p%d-%d@example.com", number, i)), TimeZone: some(m, "Europe/Berlin", "America/New_York"),
		})
		people = append(people, names[i])
	}
	for i := range 1 + m.IntN(2) {
		s.Teams = append(s.Teams, m.team(names[i], i, people))
	}
	team := func() string { return oneOf(m, s.Teams...).Name }
	for i := range 1 + m.IntN(2) {
		s.Schedules = append(s.Schedules, m.schedule(names[len(names)-1-i], team(), people))
	}
	for i := range 1 + m.IntN(3) {
		s.Policies = append(s.Policies, m.policy(names[i]+" p", team(), s, people))
	}
	for i := range m.IntN(3) {
		in := setup.Integration{Name: names[i], Team: team(), Policy: oneOf(m, s.Policies...).Name, Format: some(m, oncall.Format("generic"), "alertmanager", "grafana"), Storm: some(m, "10", "off")}
		if m.IntN(2) == 0 {
			in.Group = &setup.Group{By: several(m, "cluster", "service", "a b"), Window: some(m, "10m", "90s")}
		}
		if m.IntN(2) == 0 {
			in.Heartbeats = []setup.Heartbeat{{Name: "backup", Every: oneOf(m, "1d", "90m", "30s"), Grace: some(m, "2h", "0s"), MaxRuntime: some(m, "3h"), Severity: some(m, oncall.Low)}}
		}
		in.Routes, in.ShadowRoutes = m.routes(s)
		s.Integrations = append(s.Integrations, in)
		if m.IntN(2) == 0 {
			s.Maintenance = append(s.Maintenance, setup.Maintenance{
				Name: "move " + names[i], Team: in.Team, Integration: some(m, in.Name), Only: some(m, []string{"service=checkout"}), From: "2026-03-05 22:00", Until: "2026-03-06 02:00", TimeZone: some(m, "Europe/Berlin"), ExceptCritical: m.IntN(2) == 0, Reason: some(m, "a: b"),
			})
		}
	}
	if m.IntN(2) == 0 {
		g := setup.UserGroup{Handle: fmt.Sprint(oneOf(m, "@on-call", "S0614TZR"), number), Schedules: []string{s.Schedules[0].Name}, Roles: some(m, []string{"primary"})}
		if m.IntN(2) == 0 {
			g.WhenEmpty, g.Fallback = oncall.WhenEmptyFallback, oneOf(m, people...)
		}
		s.UserGroups = append(s.UserGroups, g)
	}
	return s
}

func (m maker) team(name string, i int, people []string) setup.Team {
	t := setup.Team{
		Name: name, Channel: fmt.Sprint("#c", i), Members: several(m, people...), Topic: m.IntN(2) == 0, Owner: some(m, oncall.OwnerSlack), Private: m.IntN(4) == 0, Acts: some(m, oncall.TeamActs),
		TimeZone: some(m, "Asia/Kolkata"), Hours: some(m, m.windows()), Fallback: some(m, several(m, people...)), Remind: some(m, "off", "1h30m"), Digest: some(m, oncall.DigestOff, oncall.DigestWeekly), IncidentChannel: some(m, oncall.Critical, oncall.Low), Updates: some(m, []string{"#status", "C0SUPPORT"}),
		TimeOff: some(m, oncall.TimeOffCover, oncall.TimeOffSkip),
	}
	if m.IntN(2) == 0 {
		t.Managers = append(several(m, t.Members...), some(m, []string{"group @leads"})...)
	}
	return t
}

func (m maker) windows() []schedule.Window {
	return several(m,
		schedule.Window{Days: []schedule.Weekday{schedule.Monday, schedule.Friday}, From: 9 * 60, To: 17 * 60},
		schedule.Window{FromDay: schedule.Friday, From: 18 * 60, ToDay: schedule.Monday, To: 8 * 60},
		schedule.Window{Days: []schedule.Weekday{schedule.Sunday}, From: 0, To: 0},
	)
}

func (m maker) schedule(name, team string, people []string) setup.Schedule {
	s := setup.Schedule{Name: name, Team: team, TimeZone: oneOf(m, "Europe/Berlin", "UTC", "America/New_York"), Rotations: m.rotations(people)}
	if m.IntN(3) == 0 {
		s.Later = []setup.Version{{From: "2026-05-04 09:00", Rotations: m.rotations(people)}}
	}
	if m.IntN(3) == 0 {
		s.Shifts = []setup.Shift{{Role: some(m, "secondary"), Start: "2026-04-24 09:00", End: "2026-04-25 09:00", Users: several(m, people...)}}
	}
	return s
}

func (m maker) rotations(people []string) (out []setup.Rotation) {
	for i := range 1 + m.IntN(3) {
		r := setup.Rotation{
			Name: fmt.Sprint(oneOf(m, oddNames...), i), Role: some(m, "secondary", "shadow"), Priority: m.IntN(3), TimeZone: some(m, "Asia/Kolkata"), Start: oneOf(m, "2026-01-05 09:00", "2026-03-31 23:30"),
			Every: oneOf(m, "week", "2 weeks", "day", "12 hours", "month", "cron 0 9 * * 1"), Until: some(m, "2026-12-31 09:00"), Only: some(m, m.windows()),
		}
		if r.Every == "day" && len(r.Only) > 0 {
			r.Advance = some(m, schedule.AdvanceActive)
		}
		for range 1 + m.IntN(3) {
			r.Turns = append(r.Turns, some(m, setup.Turn(several(m, people...))))
		}
		if m.IntN(3) == 0 {
			r.Members = []setup.Member{{User: oneOf(m, people...), From: some(m, schedule.Date{Year: 2026, Month: 4, Day: 1}), Until: schedule.Date{Year: 2027, Month: 1, Day: 1}}}
		}
		out = append(out, r)
	}
	return out
}

func (m maker) policy(name, team string, s setup.Setup, people []string) setup.Policy {
	p := setup.Policy{Name: name, Team: team, Repeat: m.IntN(3), Acks: m.IntN(3), AckTimeout: some(m, "30m", "1h")}
	if p.AckTimeout != "" {
		p.AckWait = some(m, "5m")
	}
	on := oneOf(m, s.Schedules...).Name
	for range 1 + m.IntN(3) {
		st := setup.Step{
			Page: several(m, "schedule "+on, "next in "+on, "everyone in "+on, "user "+oneOf(m, people...), "team "+team, "managers of "+team, "channel #alerts", "group @leads", "webhook https://example.com/x"),
			Wait: some(m, "90s", "1h30m", "5m"), RoundRobin: some(m, oncall.RoundRobin("incident")),
		}
		if m.IntN(3) == 0 {
			st.Repeat, st.Every = 2, some(m, "2m")
		}
		if m.IntN(3) == 0 {
			st.Only = &setup.Condition{Severity: several(m, oncall.Critical, oncall.High), Hours: some(m, oncall.HoursWorking, oncall.HoursOff)}
		}
		p.Steps = append(p.Steps, st)
	}
	return p
}

func (m maker) routes(s setup.Setup) (out []setup.Route, shadow bool) {
	for i := range m.IntN(3) {
		r := setup.Route{Name: fmt.Sprint(oneOf(m, oddNames...), i), If: []string{oneOf(m, `labels.env is one of staging, test`, `title matches .*(us-(east|west)).*`)}, When: some(m, `labels.x == "y"`), Shadow: m.IntN(3) == 0}
		switch m.IntN(3) {
		case 0:
			r.Drop = true
		case 1:
			r.To, r.Hold = oneOf(m, s.Policies...).Name, some(m, "5m")
		default:
			r.Severity, r.Labels = oncall.Low, some(m, map[string]string{"service": "a: b", "team": "x"})
		}
		out = append(out, r)
	}
	return out, len(out) > 0 && m.IntN(4) == 0
}

// Any set-up in the database is exported so that it becomes the same on an empty one.
func TestRandomSetupsSurviveExport(t *testing.T) {
	t.Parallel()
	db := freshStore(t)
	const together = 25 // combined, since each goes to the database seven times
	for first := 0; first < 200; first += together {
		var doc setup.Setup
		for seed := first; seed < first+together; seed++ {
			doc = doc.With(maker{rand.New(rand.NewPCG(uint64(seed), 9))}.setup(seed))
		}
		if wrong := doc.Check(intake.Names()); len(wrong) > 0 {
			t.Fatalf("%d: %q\n%s, want none", first, wrong, writeSetup(doc))
		}
		comesBack(t, db, fmt.Sprint("from ", first), doc)
	}
}

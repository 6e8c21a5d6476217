package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

var formats = []oncall.Format{"generic", "alertmanager"}

// A setupMaker makes random set-ups that use every feature.
type setupMaker struct {
	*rand.Rand
	names []string
}

func (m setupMaker) one(of ...string) string { return of[m.IntN(len(of))] }

// some picks some of the names in random order, each at most once.
func (m setupMaker) some(least int, of []string) []string {
	of = slices.Clone(of)
	m.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	return of[:min(len(of), least+m.IntN(3))]
}

func (m setupMaker) payments() setup.Setup {
	var s setup.Setup
	for i, name := range []string{"Ann", "Bo", "Cy B", "Di", "yes", "nobody in particular"} {
		s.Users = append(s.Users, setup.User{
			Name: name, Slack: oncall.UserID(fmt.Sprintf("U0P%d", i)), Email: m.one("", fmt.Sprintf("p%d@example.com", i)), TimeZone: m.one("", "UTC", "Asia/Tokyo"),
		})
		m.names = append(m.names, name)
	}
	teams := []string{"payments", "web in shop"}
	for _, name := range teams {
		members := m.some(1, m.names)
		s.Teams = append(s.Teams, setup.Team{
			Name: name, Channel: m.one("#pay", "C024BE7LR"), Members: members, Admins: members[:m.IntN(2)], Topic: m.IntN(2) == 0,
			Owner: oncall.Owner(m.one("", "file", "slack")), TimeZone: m.one("", "America/New_York"), Fallback: m.some(0, m.names),
			Remind: m.one("", "off", "10m", "90m", "1h", "61s"), Hours: m.windows(),
		})
	}
	var schedules []string
	for i, name := range []string{"primary", "nights in shop", "empty"} {
		is := setup.Schedule{Name: name, Team: m.one(teams...), TimeZone: m.one("Europe/Berlin", "Australia/Lord_Howe")}
		if i < 2 {
			is.Rotations = m.rotations()
		}
		from := m.moment()
		for range m.IntN(3) {
			from = from.AddDate(0, 0, 1+m.IntN(9))
			is.Later = append(is.Later, setup.Version{From: from.Format("2006-01-02 15:04"), Rotations: m.rotations()})
		}
		for range m.IntN(3) {
			begin := m.moment()
			is.Shifts = append(is.Shifts, setup.Shift{
				Role: m.one("", "secondary"), Start: begin.Format(time.RFC3339), End: begin.Add(39 * time.Hour).Format("2006-01-02 15:04"), Users: m.some(1, m.names),
			})
		}
		schedules = append(schedules, name)
		s.Schedules = append(s.Schedules, is)
	}
	m.policies(&s, teams, schedules)
	s.UserGroups = []setup.UserGroup{
		{Handle: "@pay-oncall", Schedules: m.some(1, schedules), Roles: m.some(0, []string{"primary", "secondary"}), WhenEmpty: oncall.WhenEmpty(m.one("", "disable"))},
		{Handle: "S0614TZR7", Schedules: schedules[:1], WhenEmpty: "fallback", Fallback: m.one(m.names...)},
	}
	return s
}

func (m setupMaker) policies(s *setup.Setup, teams, schedules []string) {
	every := []string{
		"user " + m.one(m.names...), "schedule " + m.one(schedules...), "next in " + m.one(schedules...), "everyone in nights in shop", "primary in " + schedules[0],
		"team " + m.one(teams...), "managers of " + m.one(teams...), "channel #pay", "channel C024BE7LR", "group @all.hands", "webhook https://example.com/x?y=#z",
	}
	for i, name := range []string{"first", "policy of last resort"} {
		p := setup.Policy{Name: name, Team: m.one(teams...), Repeat: m.IntN(3), Acks: m.IntN(3), AckTimeout: m.one("", "30m")}
		if p.AckTimeout != "" {
			p.AckWait = m.one("", "90s")
		}
		for range 1 + m.IntN(3) {
			st := setup.Step{Page: m.some(1, every), Wait: m.one("", "90s", "1h0m1s", "24h"), Repeat: m.IntN(2), RoundRobin: oncall.RoundRobin(m.one("", "incident", "alert"))}
			if st.Repeat > 0 {
				st.Every, st.RoundRobin = m.one("", "1h"), oncall.RoundByRun
			}
			if m.IntN(3) == 0 {
				st.Only = &setup.Condition{Severity: []oncall.Severity{"high"}, Hours: oncall.HoursWord(m.one("", "off"))}
			}
			p.Steps = append(p.Steps, st)
		}
		if i == 0 {
			p.Repeat = 0
			p.Steps = append(p.Steps, setup.Step{Page: []string{"policy policy of last resort"}})
		}
		s.Policies = append(s.Policies, p)
		s.Integrations = append(s.Integrations, setup.Integration{Name: "monitor of " + name, Team: p.Team, Format: formats[i], Policy: name})
	}
}

func (m setupMaker) moment() time.Time {
	return start.Truncate(time.Hour).Add(time.Duration(m.IntN(30*24*60)-5*24*60) * time.Minute)
}

func (m setupMaker) windows() []schedule.Window {
	all := []schedule.Window{
		{Days: []schedule.Weekday{"mon", "sat"}, From: 9 * 60, To: 17 * 60}, {Days: []schedule.Weekday{"sun"}}, {FromDay: "fri", From: 18 * 60, ToDay: "mon", To: 8 * 60},
	}
	return all[:m.IntN(len(all)+1)]
}

func (m setupMaker) rotations() []setup.Rotation {
	var out []setup.Rotation
	for i := range m.IntN(3) + 1 {
		r := setup.Rotation{
			Name: fmt.Sprintf("rotation: %d", i), Role: m.one("", "primary", "secondary", "shadow"), Priority: m.IntN(3) - 1, TimeZone: m.one("", "Asia/Tokyo"),
			Start: m.one("2026-01-05 09:00", "2026-03-29 02:30"), Every: m.one("week", "2 weeks", "12 hours", "month", "cron 0 9 * * 1", "day", "weekly"), Only: m.windows(),
		}
		if i == 0 {
			r.Role = m.one("", "primary")
		}
		if m.IntN(3) == 0 {
			r.Until = m.one("2026-05-01 00:00", "2026-04-01T10:00:00.5Z")
		}
		if m.IntN(3) == 0 && r.Every != "cron 0 9 * * 1" {
			r.Advance = schedule.Advance(m.one("active", "calendar"))
		}
		for range 1 + m.IntN(4) {
			r.Turns = append(r.Turns, m.some(m.IntN(2), m.names))
		}
		if m.IntN(3) == 0 {
			r.Members = []setup.Member{{User: m.one(m.names...), From: schedule.Date{Year: 2026, Month: 3, Day: 1 + m.IntN(30)}}}
		}
		out = append(out, r)
	}
	return out
}

// editInSlack makes the kinds of edits that people make in Slack.
func (m setupMaker) editInSlack(w *world) {
	dir := must[*store.Directory](w.t)(w.Directory(w.t.Context()))
	for _, c := range dir.Schedules {
		was := must[schedule.Definition](w.t)(w.Schedule(w.t.Context(), oncall.ByTimer(), c.ID()))
		other := setup.Schedule{TimeZone: was.TimeZone, Rotations: m.rotations()}
		users := map[string]oncall.UserID{}
		for i, name := range m.names {
			users[name] = oncall.UserID(fmt.Sprintf("U0P%d", i))
		}
		v := must[[]schedule.Version](w.t)(other.Versions(users))[0]
		v.CreatedBy = ann
		for i := range v.Rotations {
			v.Rotations[i].FirstTurn = m.IntN(5)
		}
		if m.IntN(2) == 0 {
			at := w.clock().Add(time.Duration(m.IntN(400)) * time.Hour)
			v.EffectiveFrom = &at
		}
		if m.IntN(3) > 0 {
			must[schedule.Definition](w.t)(w.EditSchedule(w.t.Context(), oncall.ByTimer(), c.ID(), v, was.Latest(), w.clock()))
		}
		if m.IntN(2) == 0 {
			shift := schedule.ManualShift{Start: w.clock().Add(time.Hour), End: w.clock().Add(5 * time.Hour), Users: []oncall.UserID{"U0P1"}}
			must[schedule.ManualShift](w.t)(w.AddShift(w.t.Context(), oncall.ByTimer(), c.ID(), shift, w.clock()))
		}
		if m.IntN(4) == 0 && len(was.Shifts) == 0 {
			if err := w.KeepShiftsApart(w.t.Context(), oncall.ByTimer(), c.ID(), !was.Apart, w.clock()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// Applying an export changes nothing, whatever was set up in a file or in Slack, and gives another
// installation the same shifts.
func TestApplyingAnExportChangesNothing(t *testing.T) {
	t.Parallel()
	m := setupMaker{Rand: rand.New(rand.NewPCG(5, 5))}
	w := emptyWorld(t)
	w.exec(`INSERT INTO users (id, name, email, time_zone, slack_at) VALUES ('U0P3', 'Somebody  else', 'other@example.com', 'UTC', $1)`, start)
	for i := range 10 {
		maker := m
		doc := maker.payments()
		if wrong := doc.Check(formats); len(wrong) > 0 {
			t.Fatalf("the set-up is wrong: %q, want none", wrong)
		}
		maker.names = namesIn(doc)
		must[store.ApplyReport](t)(w.Apply(t.Context(), doc, everything, w.clock()))
		for range 2 {
			w.advance(time.Duration(m.IntN(48*60)) * time.Minute)
			out := must[setup.Setup](t)(w.Export(t.Context(), w.clock()))
			if wrong := out.Check(formats); len(wrong) > 0 {
				t.Fatalf("%d: what was exported is wrong: %q, want none", i, wrong)
			}
			report := must[store.ApplyReport](t)(w.Apply(t.Context(), out, store.ApplyOptions{Prune: true}, w.clock()))
			if d := cmp.Diff(store.ApplyReport{}, report); d != "" {
				t.Fatalf("%d (-want +got):\n%s", i, d)
			}
			if i%5 == 0 {
				sameShifts(t, w, out)
			}
			maker.editInSlack(w)
		}
	}
}

func namesIn(s setup.Setup) []string {
	var names []string
	for _, u := range s.Users {
		names = append(names, u.Name)
	}
	return names
}

// sameShifts compares future shifts with those of another installation that is set up from the
// document.
func sameShifts(t *testing.T, w *world, doc setup.Setup) {
	t.Helper()
	other := emptyWorld(t)
	must[store.ApplyReport](t)(other.Apply(t.Context(), doc, everything, w.clock()))
	from, to := w.clock(), w.clock().AddDate(0, 3, 0)
	one, two := must[*store.Directory](t)(w.Directory(t.Context())), must[*store.Directory](t)(other.Directory(t.Context()))
	for i, c := range one.Schedules {
		for _, role := range c.Roles() {
			shifts := func(c *schedule.Schedule) []schedule.Shift {
				all := c.Shifts(from, to, role)
				for i := range all {
					all[i].Source = schedule.Source{}
				}
				return all
			}
			if d := cmp.Diff(shifts(c), shifts(two.Schedules[i])); d != "" {
				t.Fatalf("the shifts of %s, %s, differ once exported and applied (-before +after):\n%s", c.Name(), role, d)
			}
		}
	}
}

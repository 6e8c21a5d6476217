package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

var now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

// describe formats entries for comparison.
func describe(entries []Entry) (lines []string) {
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s %s%s %s %d", e.Kind, e.Name, e.About, e.Act, e.Teams))
		for _, c := range e.Changes {
			lines = append(lines, fmt.Sprintf("  %s: %s -> %s", c.What, c.Before, c.After))
		}
	}
	return lines
}

func installed() setup.Installation {
	week := schedule.Rotation{
		Name: "week", Period: schedule.Period{Every: 1, Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5},
		HandOff: 9 * 60, Turns: [][]oncall.UserID{{"ANN"}, {"BO"}},
	}
	team := func(id oncall.TeamID, name string) setup.StaffedTeam {
		return setup.StaffedTeam{
			Team:    oncall.Team{ID: id, Name: name, Channel: "#" + name, Owner: oncall.OwnerFile, Remind: 600},
			Members: []oncall.UserID{"ANN", "BO"}, Managers: []oncall.UserID{"ANN"},
		}
	}
	secret := team(2, "secret")
	secret.Private = true
	return setup.Installation{
		Users: []setup.KnownUser{{User: oncall.User{ID: "ANN", Name: "Ann", Email: "ann@example.com", TimeZone: "UTC"}}},
		Teams: []setup.StaffedTeam{team(1, "payments"), secret},
		Schedules: []schedule.Definition{
			{ID: 1, TeamID: 1, Name: "primary", TimeZone: "UTC", Versions: []schedule.Version{{ID: 1, Rotations: []schedule.Rotation{week}}}},
			{ID: 2, TeamID: 2, Name: "hidden", TimeZone: "UTC"},
		},
		Policies: []oncall.Policy{{ID: 1, TeamID: 1, Name: "page", Steps: []oncall.Step{{Delay: 300, Targets: []oncall.Target{
			{Schedule: 1}, {User: "BO"}, {Schedule: 2}, {Webhook: "https://hooks.example.com/T1/S3CRET"},
		}}}}},
		Integrations: []oncall.Integration{{ID: 1, TeamID: 1, PolicyID: 1, Name: "grafana", Format: "generic", StormLimit: oncall.StormLimit}},
		UserGroups:   []oncall.UserGroup{{ID: 1, Handle: "payments-oncall", Schedules: []oncall.ScheduleID{1}, WhenEmpty: oncall.WhenEmptyKeep}},
	}
}

// A new object is recorded with everything unusual about it, and nothing of another, private team.
func TestSetupAdditions(t *testing.T) {
	t.Parallel()
	want := []string{
		"person ANN added []", "  name:  -> Ann", "  mail:  -> a…@example.com", "  time zone:  -> UTC",
		"team payments added [1]", "  channel:  -> #payments", "  members:  -> ANN, BO", "  managers:  -> ANN",
		"team secret added [2]", "  channel:  -> #secret", "  members:  -> ANN, BO", "  managers:  -> ANN", "  private:  -> yes",
		"schedule primary added [1]", "  team:  -> payments", "  time zone:  -> UTC", `  rotation "week" turns:  -> ANN, BO`,
		`  rotation "week" every:  -> week`, `  rotation "week" start:  -> 2026-01-05 09:00`,
		"schedule hidden added [2]", "  team:  -> secret", "  time zone:  -> UTC",
		"policy page added [1]", "  team:  -> payments",
		"  step 1:  -> schedule primary, BO, something of a private team, webhook https://hooks.example.com/…; then wait 5m",
		"integration grafana added [1]", "  team:  -> payments", "  kind:  -> generic", "  policy:  -> page",
		"user group payments-oncall added [1]", "  schedules:  -> primary", "  when empty:  -> keep",
	}
	if diff := cmp.Diff(want, describe(Setup(setup.Installation{}, installed(), now))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := Setup(installed(), installed(), now); len(got) != 0 {
		t.Errorf("nothing was changed, and it says %q, want nothing", describe(got))
	}
	var removed []string
	for _, e := range Setup(installed(), setup.Installation{}, now) {
		if e.Act != Removed || len(e.Changes) == 0 {
			t.Errorf("the entry is %q, want a removal that says what was there", describe([]Entry{e}))
		}
		removed = append(removed, e.Name)
	}
	if len(removed) != 8 {
		t.Errorf("removed: %q, want 8 entries", removed)
	}
}

// Every change is recorded, even of values that may not be shown.
func TestSetupChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(in *setup.Installation)
		want   []string
	}{
		{
			func(in *setup.Installation) { in.Teams[0].Members = append(in.Teams[0].Members, "CY") },
			[]string{"team payments changed [1]", "  members: ANN, BO -> ANN, BO, CY"},
		},
		{
			func(in *setup.Installation) {
				in.Teams[0].Managers, in.Teams[0].ManagedBy = []oncall.UserID{"BO"}, "leads"
			},
			[]string{"team payments changed [1]", "  managers: ANN -> BO, group @leads"},
		},
		{
			func(in *setup.Installation) { in.Teams[0].Private, in.Teams[0].Acts = true, oncall.TeamActs },
			[]string{"team payments changed [1]", "  private: no -> yes", "  acts: workspace -> team"},
		},
		{
			func(in *setup.Installation) { in.Teams[0].Remind = 0 },
			[]string{"team payments changed [1]", "  remind: as usual -> off"},
		},
		{
			func(in *setup.Installation) { in.Schedules[0].TeamID = 2 },
			[]string{"schedule primary changed [1 2]", "  team: payments -> secret"},
		},
		{func(in *setup.Installation) {
			in.Schedules[0].Versions[0].Rotations[0].Turns = [][]oncall.UserID{{"ANN", "CY"}, {}, {"BO"}}
			in.Schedules[0].Versions[0].Rotations[0].Members = []schedule.Member{{User: "CY", From: schedule.Date{Year: 2027, Month: 1, Day: 1}}}
		}, []string{
			"schedule primary changed [1]", `  rotation "week" turns: ANN, BO -> (ANN, CY), nobody, BO`, `  rotation "week" members:  -> CY from 2027-01-01`,
		}},
		{func(in *setup.Installation) {
			in.Policies[0].Steps[0].Targets[3].Webhook = "https://hooks.example.com/T2"
		}, []string{
			"policy page changed [1]",
			"  step 1: schedule primary, BO, something of a private team, webhook https://hooks.example.com/…; then wait 5m -> " +
				"schedule primary, BO, something of a private team, webhook https://hooks.example.com/…; then wait 5m, another one",
		}},
		{
			func(in *setup.Installation) { in.Policies[0].Repeat, in.Policies[0].Acks = 2, 2 },
			[]string{"policy page changed [1]", "  repeat:  -> 2", "  acks:  -> 2"},
		},
		{
			func(in *setup.Installation) { in.Integrations[0].Format = "grafana" },
			[]string{"integration grafana changed [1]", "  kind: generic -> grafana"},
		},
		{
			func(in *setup.Installation) {
				in.Integrations[0].StormLimit, in.Integrations[0].Grouping = 0, &oncall.Grouping{By: []string{"service"}, Window: 300}
			},
			[]string{"integration grafana changed [1]", "  group:  -> by service within 5m", "  storm: as usual -> off"},
		},
		{
			func(in *setup.Installation) { in.UserGroups[0].Fallback = "BO" },
			[]string{"user group payments-oncall changed [1]", "  fallback:  -> BO"},
		},
		{
			func(in *setup.Installation) { in.Users[0].Email = "a.n@example.com" },
			[]string{"person ANN changed []", "  mail: a…@example.com -> a…@example.com, another one"},
		},
	} {
		in := installed()
		c.change(&in)
		if diff := cmp.Diff(c.want, describe(Setup(installed(), in, now))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// A secret never appears in the log.
func TestSecretsAreNotRecorded(t *testing.T) {
	t.Parallel()
	in := installed()
	for _, line := range describe(Setup(setup.Installation{}, in, now)) {
		for _, secret := range []string{"S3CRET", "ann@example.com"} {
			if strings.Contains(line, secret) {
				t.Errorf("told: %s, want it not to contain %q", line, secret)
			}
		}
	}
	for c, want := range map[oncall.Contact]string{
		{Method: oncall.MethodSMS, Address: "+12025550142"}:                "SMS …0142",
		{Method: oncall.MethodVoice, Address: "+1202555"}:                  "Call …55",
		{Method: oncall.MethodEmail, Address: "ann@example.com"}:           "Mail a…@example.com",
		{Method: oncall.MethodEmail, Address: "nonsense"}:                  "Mail …",
		{Method: oncall.MethodNtfy, Address: "secret-topic"}:               "ntfy",
		{Method: oncall.MethodWebhook, Address: "https://example.com/key"}: "Webhook",
	} {
		if got := Masked(c); got != want {
			t.Errorf("%s: %q, want %q", c.Address, got, want)
		}
	}
}

// An entry is bounded, whatever a schedule holds.
func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	long := schedule.People(slices.Repeat([]oncall.UserID{"U0123456789"}, 1_000), ", ")
	e := Entry{Changes: slices.Repeat([]Change{{What: "turns", Before: long, After: oncall.Say("%s", strings.Repeat("ä", 3_000))}}, 150)}.Bounded()
	if len(e.Changes) != maxChanges+1 {
		t.Errorf("%d changes, want %d", len(e.Changes), maxChanges+1)
	}
	for _, s := range []oncall.Sentence{e.Changes[0].Before, e.Changes[0].After} {
		if n := len([]rune(s.String())); n > maxText+1 || !strings.HasSuffix(s.String(), "…") {
			t.Errorf(`%d characters: …%s; want at most %d, ending with "…"`, n, s.String()[len(s.String())-20:], maxText+1)
		}
	}
}

package oncall

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// office is Monday to Friday, 9 to 17.
var office = []schedule.Window{{Days: []schedule.Weekday{"mon", "tue", "wed", "thu", "fri"}, From: 9 * 60, To: 17 * 60}}

// guarded returns a schedule, paged by a policy, with a week of Ann and then Bo without end.
func guarded() CoverageFacts {
	return CoverageFacts{
		Schedules: []schedule.Definition{{
			ID: 1, TeamID: 1, Name: "payments", TimeZone: "Europe/Berlin",
			Versions: []schedule.Version{{Rotations: []schedule.Rotation{{
				Name: "weekly", StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60, Period: schedule.Period{Unit: schedule.WeekUnit}, Turns: [][]UserID{{"U0ANN"}, {"U0BO"}},
			}}}},
		}},
		Policies: []Policy{{ID: 1, TeamID: 1, Name: "default", Steps: []Step{{Targets: []Target{{Schedule: 1}}}}}},
		Users:    map[UserID]User{"U0ANN": {ID: "U0ANN"}, "U0BO": {ID: "U0BO"}, "U0CY": {ID: "U0CY"}},
		Members:  map[TeamID][]UserID{1: {"U0ANN", "U0BO"}},
	}
}

func TestCoverageFindings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) // a Wednesday; Ann is on call
	rotation := func(f CoverageFacts) *schedule.Rotation { return &f.Schedules[0].Versions[0].Rotations[0] }
	for name, c := range map[string]struct {
		change func(*CoverageFacts)
		want   []string // key, start and end
	}{
		"all is well": {func(*CoverageFacts) {}, nil},
		"every night and weekend": {func(f *CoverageFacts) {
			rotation(*f).Windows = office
		}, []string{
			"gap/1/primary/Wed 17:00 03-04 16:00–03-05 08:00 and 3 more",
			"gap/1/primary/Thu 17:00 03-05 16:00–03-06 08:00 and 3 more",
			"gap/1/primary/Fri 17:00 03-06 16:00–03-09 08:00 and 3 more",
			"gap/1/primary/Mon 17:00 03-09 16:00–03-10 08:00 and 3 more",
			"gap/1/primary/Tue 17:00 03-10 16:00–03-11 08:00 and 3 more",
		}},
		"a week of nobody, on purpose": {func(f *CoverageFacts) { rotation(*f).Turns[1] = nil }, nil},
		"Bo has left": {func(f *CoverageFacts) {
			gone := now.Add(-time.Hour)
			f.Users["U0BO"] = User{ID: "U0BO", DeactivatedAt: &gone}
			f.Schedules[0].Inactive = map[UserID][]schedule.Span{"U0BO": {{Start: gone}}}
		}, []string{
			"gap/1/primary/Mon 09:00 03-09 08:00–03-16 08:00 and 1 more",
			"deactivated/1/U0BO 03-09 08:00–03-16 08:00",
		}},
		"Slack doesn't know Bo": {func(f *CoverageFacts) { delete(f.Users, "U0BO") }, []string{"unknown/1/U0BO 03-09 08:00–03-16 08:00"}},
		"Bo is away for a part of the shift": {func(f *CoverageFacts) {
			f.TimeOff = []TimeOff{{ID: 7, UserID: "U0BO", Start: now.AddDate(0, 0, 6), End: now.AddDate(0, 0, 8)}}
		}, []string{"time_off/1/primary/7 03-10 12:00–03-12 12:00"}},
		"Bo is away when Ann is on call": {func(f *CoverageFacts) {
			f.TimeOff = []TimeOff{{ID: 7, UserID: "U0BO", Start: now, End: now.AddDate(0, 0, 1)}}
		}, nil},
		"Bo is away and Cy covers": {func(f *CoverageFacts) {
			from, to := now.AddDate(0, 0, 6), now.AddDate(0, 0, 8)
			f.TimeOff = []TimeOff{{ID: 7, UserID: "U0BO", Start: from, End: to}}
			f.Schedules[0].Overrides = []schedule.Override{{ID: 1, Kind: schedule.OverrideCover, Start: from, End: to, Users: []UserID{"U0CY"}}}
		}, nil},
		"nothing pages it":             {func(f *CoverageFacts) { f.Policies[0].Steps[0].Targets[0] = Target{User: "U0ANN"} }, []string{"unpaged/1"}},
		"nobody, on purpose":           {func(f *CoverageFacts) { rotation(*f).Turns = [][]UserID{{}} }, []string{"pages_nobody/1"}},
		"a schedule without rotations": {func(f *CoverageFacts) { f.Schedules[0].Versions = nil }, []string{"empty/1", "pages_nobody/1"}},
		"the policy's only person has left": {func(f *CoverageFacts) {
			gone := now.Add(-time.Hour)
			f.Users["U0CY"] = User{ID: "U0CY", DeactivatedAt: &gone}
			f.Policies = append(f.Policies, Policy{ID: 2, TeamID: 1, Name: "other", Steps: []Step{{Targets: []Target{{User: "U0CY"}}}}})
		}, []string{"pages_nobody/2"}},
		"a step names somebody of another organisation": {func(f *CoverageFacts) {
			f.Users["U0EVE"] = User{ID: "U0EVE", Standing: Stranger}
			f.Policies[0].Steps = append(f.Policies[0].Steps, Step{Targets: []Target{{User: "U0EVE"}}})
		}, []string{"stranger/policy-1/U0EVE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := guarded()
			c.change(&f)
			found, err := f.Findings(now)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range found {
				got = append(got, inShort(one))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func inShort(f Finding) string {
	text := f.Key
	if !f.Start.IsZero() {
		text += f.Start.Format(" 01-02 15:04")
	}
	if !f.End.IsZero() {
		text += f.End.Format("–01-02 15:04")
	}
	if f.More > 0 {
		text += " and " + string(rune('0'+f.More)) + " more"
	}
	return text
}

// The same gap keeps its key a week later, and while it lasts, so that people are told once.
func TestCoverageFindingKeepsItsKey(t *testing.T) {
	t.Parallel()
	f := guarded()
	f.Schedules[0].Versions[0].Rotations[0].Windows = office
	keys := func(at time.Time) string {
		found, err := f.Findings(at)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, one := range found {
			all[one.Key] = true
		}
		if len(all) != len(found) {
			t.Errorf("at %s: %d findings have %d keys, want one each", at, len(found), len(all))
		}
		var names []string
		for _, day := range []string{"Mon", "Tue", "Wed", "Thu", "Fri"} {
			if all["gap/1/primary/"+day+" 17:00"] {
				names = append(names, day)
			}
		}
		return strings.Join(names, " ")
	}
	for at := time.Date(2026, 3, 2, 0, 30, 0, 0, time.UTC); at.Month() < time.May; at = at.Add(5 * time.Hour) {
		if got := keys(at); got != "Mon Tue Wed Thu Fri" {
			t.Fatalf("at %s: gaps of %s, want %s", at, got, "Mon Tue Wed Thu Fri")
		}
	}
}

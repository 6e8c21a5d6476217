package oncall

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestWatchesAreWhomThePolicyPagesFirst(t *testing.T) {
	t.Parallel()
	roster := Roster{ShiftFacts: ShiftFacts{Schedules: map[ScheduleID]*schedule.Schedule{4: duty(t)}}}
	f := Facts{Roster: roster, Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{
		{Targets: []Target{{Schedule: 4, Role: schedule.RolePrimary}}}, {Targets: []Target{{User: di}}},
	}}}}
	from, until := noon, noon.Add(OutageContactsAhead)
	watches := f.OutageContacts(1, from, until)
	if len(watches) < 3 || !watches[0].From.Equal(from) {
		t.Fatalf("watches: %v; want at least 3, the first from %v", watches, from)
	}
	for at := from; at.Before(until); at = at.Add(97 * time.Minute) {
		var users []UserID
		for _, w := range watches {
			if !w.From.After(at) {
				users = w.Users
			}
		}
		equal(t, "at "+at.String(), users, f.FirstPaged(1, at))
	}
}

func TestWatchesOfPoliciesWithNobody(t *testing.T) {
	t.Parallel()
	_, roster := payments()
	roster.Teams = map[TeamID]RosterTeam{1: {Fallback: []UserID{"U0DI"}}}
	nobody := []Step{{Targets: []Target{{Schedule: 99}}}}
	f := Facts{Roster: roster, Policies: map[PolicyID]Policy{
		1: {ID: 1, TeamID: 1, Steps: nobody},
		2: {ID: 2, TeamID: 1, Steps: append(nobody, Step{Targets: []Target{{Policy: 3}}})},
		3: {ID: 3, TeamID: 1, Steps: []Step{{Targets: []Target{{User: "U0BO"}, {User: "U0CY"}}, RoundRobin: RoundByRun}}},
		4: {ID: 4, TeamID: 1, Steps: []Step{{Targets: []Target{{Policy: 5}}}}},
		5: {ID: 5, TeamID: 1, Steps: []Step{{Targets: []Target{{Policy: 4}}}}},
	}}
	for id, want := range map[PolicyID]UserID{1: "U0DI", 2: "U0BO", 4: "U0DI", 77: ""} {
		watches := f.OutageContacts(id, noon, noon.Add(OutageContactsAhead))
		var got UserID
		if len(watches) == 1 && len(watches[0].Users) == 1 {
			got = watches[0].Users[0]
		}
		equal(t, "whom it pages", got, want)
	}
}

func TestOutageNoticesCountWhatWaits(t *testing.T) {
	t.Parallel()
	equal(t, "one", Outage{Team: "payments", Waiting: 1, Worst: High}.Headline(),
		"Watchbill's database is down, and an alert of payments waits, high")
	equal(t, "several", Outage{Team: "payments", Waiting: 34, Worst: Critical}.Headline(),
		"Watchbill's database is down, and 34 alerts of payments wait, the worst critical")
}

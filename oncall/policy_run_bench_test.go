package oncall

import (
	"testing"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// BenchmarkStep measures one step of a plain policy that pages whoever is on call, as the fold runs it
// for every new incident.
func BenchmarkStep(b *testing.B) {
	s := schedule.Definition{ID: 4, TimeZone: "Europe/Berlin", Versions: []schedule.Version{{Rotations: []schedule.Rotation{
		{
			Name: "base", TimeZone: "America/New_York", Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2015, Month: 1, Day: 5}, HandOff: 9 * 60,
			Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}, {"di"}},
		},
		{
			Name: "office", Period: schedule.Period{Unit: schedule.DayUnit}, StartDate: schedule.Date{Year: 2015, Month: 1, Day: 5}, HandOff: 8 * 60, Priority: 1,
			Turns:   [][]UserID{{"ed"}, {"flo"}, {"gus"}},
			Windows: []schedule.Window{{FromDay: schedule.Monday, From: 9 * 60, ToDay: schedule.Friday, To: 17 * 60}},
		},
	}}}}
	c, err := schedule.Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	f := Facts{
		Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{Schedule: 4}}, Delay: 300}}}},
		Roster:   Roster{ShiftFacts: ShiftFacts{Schedules: map[ScheduleID]*schedule.Schedule{4: c}}},
	}
	in := triggered()
	for b.Loop() {
		if c, due := in.RunTimer(0, f, noon); !due || len(c.Calls) == 0 {
			b.Fatal("nobody was paged")
		}
	}
}

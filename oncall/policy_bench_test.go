package oncall

import "testing"

// BenchmarkStep is one step of a plain policy that pages who is on call, as the fold runs
// it for every new incident.
func BenchmarkStep(b *testing.B) {
	s := benchSchedule(2015, 20)
	s.ID = 4
	c, err := Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	f := Facts{
		Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{Schedule: 4}}, Delay: 300}}}},
		Roster:   Roster{Schedules: map[ScheduleID]*Schedule{4: c}},
	}
	in := triggered()
	for b.Loop() {
		if c, due := in.EscalateNow(0, f, noon); !due || len(c.Pages) == 0 {
			b.Fatal("nobody was paged")
		}
	}
}

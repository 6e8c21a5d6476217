package oncall

import (
	"slices"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Who is on call at night need not be in the morning. Where the hours of nobody begin while they
// are on call, each of those who are now is paged in their own.
func TestLowSeverityPagesMorningOnCall(t *testing.T) {
	t.Parallel()
	// Ann is on call until 15:00 UTC, Bo from 16:00 to 22:00.
	for _, c := range []struct {
		bo   string // where he lives; Ann's hours begin at 17:00 UTC
		want []string
		next NextStep
	}{
		{"America/Los_Angeles", []string{"0: waits", "300: U0BO@Mon17:00 paging", "301.5: exhausted"}, NextStep{At: noon.Add(300 * time.Minute), Users: []UserID{bo}}},
		{"America/New_York", []string{"0: waits", "240: U0BO@Mon16:00 paging", "241.5: exhausted"}, NextStep{At: noon.Add(240 * time.Minute), Users: []UserID{bo}}},
		{"Asia/Tokyo", []string{"0: U0ANN@Mon17:00 paging", "301.5: exhausted"}, NextStep{At: noon, Users: []UserID{ann}}},
	} {
		in := triggered()
		in.Severity = Low
		f := Facts{
			Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{Schedule: 4, Role: schedule.RolePrimary}}, Delay: 60}}}},
			Roster: Roster{ShiftFacts: ShiftFacts{Schedules: map[ScheduleID]*schedule.Schedule{4: duty(t)}, Users: map[UserID]User{
				ann: {TimeZone: "America/Los_Angeles"}, bo: {TimeZone: c.bo},
			}}},
		}
		equal(t, c.bo, steps(t, in, f), c.want)
		in.NextAt = new(noon)
		next, _ := in.Next(f)
		equal(t, c.bo+": what it announces is whom it pages, not that it waits", next, c.next)
	}
}

// Pages that waited for a person's hours arrive as one message, even if timers fire late.
func TestDelayedPagesGoOutTogether(t *testing.T) {
	t.Parallel()
	f := Facts{
		Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{User: ann}}, Delay: 60}}}},
		Roster:   Roster{ShiftFacts: ShiftFacts{Users: map[UserID]User{ann: {TimeZone: "America/New_York"}}}},
	}
	opens := noon.Add(2 * time.Hour)
	for _, c := range []struct{ due, fires, want time.Duration }{
		{0, 0, 30 * time.Second},
		{0, 100 * time.Millisecond, 30 * time.Second},
		{0, 29 * time.Second, 30 * time.Second},
		{0, 65 * time.Second, 120 * time.Second},
		{0, 89 * time.Second, 120 * time.Second},
		{0, 6 * time.Hour, 6*time.Hour + 60*time.Second},
		{40 * time.Second, 40 * time.Second, 0}, // it has not waited
		{time.Hour, 2 * time.Hour, 0},
	} {
		in := triggered()
		in.Severity, in.NextAt = Low, new(opens.Add(c.due))
		change, _ := in.RunTimer(in.Seq, f, opens.Add(c.fires))
		want := time.Time{}
		if c.want > 0 {
			want = opens.Add(c.want)
		}
		if len(change.Calls) != 1 || !change.Calls[0].At.Equal(want) {
			t.Errorf("due after %v, fires after %v: %+v, want it at %v", c.due, c.fires, change.Calls, want)
		}
	}
}

// A step that is due is gathered with what came due a moment before, also if its timer fires late; whoever
// was ready before isn't kept waiting.
func TestStepsAreGatheredAfterHoursBegin(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	low := triggered()
	low.Severity = Low
	for name, c := range map[string]struct {
		severity Severity
		late     time.Duration
		want     time.Duration // after the step was due; 0: nobody waits
	}{
		"not low":              {High, 0, 0},
		"the timer is in time": {Low, 0, GatherTime},
		"the timer fires late": {Low, 2 * time.Minute, 2*time.Minute + 2*GatherTime},
		"it is a second late":  {Low, time.Second, GatherTime},
	} {
		in := low
		in.Severity = c.severity
		due := noon.Truncate(GatherTime)
		change := in.begin(ByTimer(), facts(policy, roster), due.Add(c.late))
		until, ready := change.gatherUntil(&policy.Steps[0], due)
		var want time.Time
		var wantReady []UserID
		if c.want > 0 {
			want, wantReady = due.Add(c.want), []UserID{ann}
		}
		if !until.Equal(want) {
			t.Errorf("%s: pages wait until %v, want %v", name, until, want)
		}
		if !slices.Equal(ready, wantReady) {
			t.Errorf("%s: %v are ready before, want %v", name, ready, wantReady)
		}
	}
}

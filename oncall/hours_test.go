package oncall

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Who is on call at night need not be in the morning. Where the hours of nobody begin while they
// are on call, each of those who are now is paged in their own.
func TestALowSeverityPagesWhoIsOnCallInTheMorning(t *testing.T) {
	t.Parallel()
	// Ann is on call until 15:00 UTC, Bo from 16:00 to 22:00.
	for _, c := range []struct {
		bo   string // where he lives; Ann's hours begin at 17:00 UTC
		want []string
	}{
		{"America/Los_Angeles", []string{"0: waits", "300: U0BO@Mon17:00 paging", "301.5: exhausted"}},
		{"America/New_York", []string{"0: waits", "240: U0BO@Mon16:00 paging", "241.5: exhausted"}},
		{"Asia/Tokyo", []string{"0: U0ANN@Mon17:00 paging", "301.5: exhausted"}},
	} {
		in := triggered()
		in.Severity = Low
		f := Facts{
			Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{Schedule: 4, Role: schedule.RolePrimary}}, Delay: 60}}}},
			Roster: Roster{Staff: Staff{Schedules: map[ScheduleID]*schedule.Schedule{4: duty(t)}, Users: map[UserID]User{
				ann: {TimeZone: "America/Los_Angeles"}, bo: {TimeZone: c.bo},
			}}},
		}
		equal(t, c.bo, steps(t, in, f), c.want)
		if c.bo == "America/Los_Angeles" { // what comes next is whom it pages, not that it waits
			in.NextAt = new(noon)
			n, _ := in.Next(f)
			equal(t, "next", n, NextStep{At: noon.Add(300 * time.Minute), Users: []UserID{bo}})
		}
	}
}

// What has waited for somebody's hours is one message, also where timers fire late.
func TestWhatHasWaitedComesAtOnce(t *testing.T) {
	t.Parallel()
	f := Facts{
		Policies: map[PolicyID]Policy{1: {ID: 1, TeamID: 1, Steps: []Step{{Targets: []Target{{User: ann}}, Delay: 60}}}},
		Roster:   Roster{Staff: Staff{Users: map[UserID]User{ann: {TimeZone: "America/New_York"}}}},
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
		if len(change.Pages) != 1 || !change.Pages[0].At.Equal(want) {
			t.Errorf("due after %v, fires after %v: %+v, want it at %v", c.due, c.fires, change.Pages, want)
		}
	}
}

package timeline

import (
	"testing"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Days are never numbers alone: people plan by the day of the week.
func TestDaysHaveTheirWeekday(t *testing.T) {
	t.Parallel()
	d := schedule.Date{Year: 2026, Month: 3, Day: 2}
	if got := brief(d); got != "Mo 2" {
		t.Errorf("brief: %q, want Mo 2", got)
	}
}

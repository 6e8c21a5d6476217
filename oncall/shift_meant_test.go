package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestShiftsMeantAreThoseOfTheDayOrInstant(t *testing.T) {
	t.Parallel()
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	all := []schedule.Stint{
		{Name: "a", Start: at(2, 9), End: at(9, 9)},
		{Name: "b", Start: at(9, 18), End: at(12, 0)},
		{Name: "c", Start: at(9, 18), End: at(10, 9)}, // of another schedule
		{Name: "d", Start: at(14, 9), End: at(15, 9)},
	}
	for _, tt := range []struct {
		name     string
		from, to time.Time
		want     []string
	}{
		{"one ends and others begin on a day", at(9, 0), at(10, 0), []string{"a", "b", "c"}},
		{"a day within one", at(5, 0), at(6, 0), []string{"a"}},
		{"one ends as the day begins", at(12, 0), at(13, 0), nil},
		{"an instant at which some begin", at(9, 18), at(9, 18), []string{"b", "c"}},
		{"an instant within one, though another begins soon", at(8, 20), at(8, 20), []string{"a"}},
		{"an instant shortly before some", at(9, 12), at(9, 12), []string{"b", "c"}},
		{"an instant long before", at(12, 12), at(12, 12), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range ShiftsMeant(all, tt.from, tt.to) {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("got shifts (-want +got):\n%s", diff)
			}
		})
	}
}

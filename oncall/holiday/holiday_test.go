package holiday

import (
	"slices"
	"testing"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Some days that everybody can look up.
func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, date, name string
		is               bool
	}{
		{"de", "2026-12-25", "Weihnachtstag", true},
		{"de", "2026-04-06", "Ostermontag", true},
		{"de", "2026-01-06", "", false},
		{"de-by", "2026-01-06", "Heilige Drei Könige", true},
		{"DE-BY", "2026-06-04", "Fronleichnam", true},
		{"us", "2026-11-26", "Thanksgiving Day", true},
		{"us", "2026-07-03", "Independence Day (observed)", true},
		{"gb", "2026-12-28", "Boxing Day (observed)", true},
		{"fr", "2026-07-14", "", true},
	} {
		want, err := schedule.ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(Days(c.code), func(h schedule.Holiday) bool { return h.Date == want })
		if got := i >= 0; got != c.is {
			t.Errorf("%s is a holiday of %s: %t, want %t", c.date, c.code, got, c.is)
			continue
		}
		if i >= 0 && c.name != "" && Days(c.code)[i].Name != c.name {
			t.Errorf("%s in %s is %q, want %q", c.date, c.code, Days(c.code)[i].Name, c.name)
		}
	}
}

func TestEveryCalendarHasDaysInEveryYear(t *testing.T) {
	t.Parallel()
	if len(Codes()) < 60 {
		t.Errorf("%d calendars are known, want at least 60", len(Codes()))
	}
	for _, code := range Codes() {
		years := map[int]int{}
		for _, h := range Days(code) {
			years[h.Date.Year]++
			if h.Name == "" {
				t.Errorf("%s: %s has no name", code, h.Date)
			}
		}
		for _, year := range []int{2026, 2027, 2030} {
			if years[year] < 4 {
				t.Errorf("%s has %d holidays in %d, want at least 4", code, years[year], year)
			}
		}
	}
	if got := Days("xx"); got != nil {
		t.Errorf("a country that isn't known has the holidays %v, want none", got)
	}
}

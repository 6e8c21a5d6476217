package setup

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Applying the export of a rotation's holidays changes nothing.
func TestHolidaysAreWrittenAsTheyAreRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	people := map[string]oncall.UserID{"Ann": "U0ANN", "Bo": "U0BO"}
	s := Schedule{
		Name: "nights", Team: "payments", TimeZone: "Europe/Berlin",
		Holidays: &Holidays{Calendar: "DE-BY", Rule: schedule.HolidaysAsk},
		Rotations: []Rotation{
			{Name: "weekly", Start: "2026-01-05 09:00", Every: "week", Turns: []Turn{{"Ann"}, {"Bo"}}},
			{
				Name: "holidays", Start: "2026-01-05 09:00", Every: "day", Turns: []Turn{{"Bo"}}, Priority: 1,
				Holidays: &Holidays{Rule: schedule.HolidaysOnly, Days: []string{"2026-12-31", "2026-12-24 Christmas Eve"}},
			},
		},
	}
	versions, err := s.Versions(people)
	if err != nil {
		t.Fatal(err)
	}
	in := Installation{
		Users:     []KnownUser{{User: oncall.User{ID: "U0ANN", Name: "Ann"}}, {User: oncall.User{ID: "U0BO", Name: "Bo"}}},
		Teams:     []StaffedTeam{{Team: oncall.Team{ID: 1, Name: "payments"}}},
		Schedules: []schedule.Definition{{ID: 1, TeamID: 1, Name: "nights", TimeZone: "Europe/Berlin", Versions: versions}},
	}
	written := in.Setup(now).Schedules[0]
	if got, want := written.Rotations[0].Holidays.String(), "de-by; ask"; got != want {
		t.Errorf("the first rotation is written with the holidays %q, want %q", got, want)
	}
	if got, want := written.Rotations[1].Holidays.String(), "only; 2026-12-24 Christmas Eve, 2026-12-31"; got != want {
		t.Errorf("the second rotation is written with the holidays %q, want %q", got, want)
	}
	again, err := written.Versions(people)
	if err != nil {
		t.Fatal(err)
	}
	if !schedule.SameRotations(versions[0].Rotations, again[0].Rotations, "Europe/Berlin") {
		t.Errorf("what was written is read as %+v, want %+v", again[0].Rotations, versions[0].Rotations)
	}
	c, err := schedule.Compile(in.Schedules[0])
	if err != nil {
		t.Fatal(err)
	}
	if found := c.HolidaysIn(now, now.AddDate(0, 2, 0)); len(found) < 3 || found[0].Name != "Karfreitag" || !found[0].Ask {
		t.Errorf("the holidays of two months are %+v, want Karfreitag first, for which people are asked", found)
	}
}

func TestHolidayErrorsAreReported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		is   Holidays
		want string
	}{
		{Holidays{Calendar: "de-bay"}, `calendar "de-bay" is not a country such as "us" or a part of one such as "de-by", nor the https address of a calendar; did you mean "de-b`},
		{Holidays{Calendar: "de", Rule: "never"}, `rule is "never"`},
		{Holidays{Days: []string{"24 dec"}}, `days: "24 dec" is not a day`},
		{Holidays{Rule: schedule.HolidaysOnly}, `name a calendar such as "de-by", or days`},
	} {
		if _, err := c.is.read(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.is, err, c.want)
		}
	}
}

package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestParseWhen(t *testing.T) {
	t.Parallel()
	zone, err := schedule.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// A Wednesday, 15:30 in Berlin, which is UTC+1 then.
	now := time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)
	cases := []struct{ in, want string }{
		{"now", "2026-03-04T14:30:00Z"},
		{"NOW", "2026-03-04T14:30:00Z"},
		{"in 2 hours", "2026-03-04T16:30:00Z"},
		{"in an hour", "2026-03-04T15:30:00Z"},
		{"in 90 min", "2026-03-04T16:00:00Z"},
		{"in 2h", "2026-03-04T16:30:00Z"},
		{"in 3 days", "2026-03-07T14:30:00Z"},
		{"in 4 weeks", "2026-04-01T13:30:00Z"}, // summer time by then: the same time on the clock
		{"18:00", "2026-03-04T17:00:00Z"},
		{"9:00", "2026-03-05T08:00:00Z"}, // past for today
		{"at 6pm", "2026-03-04T17:00:00Z"},
		{"6:45PM", "2026-03-04T17:45:00Z"},
		{"noon", "2026-03-05T11:00:00Z"},
		{"midnight", "2026-03-04T23:00:00Z"},
		{"today 9:00", "2026-03-04T08:00:00Z"},
		{"tomorrow", "2026-03-04T23:00:00Z"},
		{"tomorrow 9:00", "2026-03-05T08:00:00Z"},
		{"9:00 tomorrow", "2026-03-05T08:00:00Z"},
		{"tomorrow at 9:00", "2026-03-05T08:00:00Z"},
		{"yesterday 9:00", "2026-03-03T08:00:00Z"},
		{"fri 18:00", "2026-03-06T17:00:00Z"},
		{"on Friday, 18:00", "2026-03-06T17:00:00Z"},
		{"wed 18:00", "2026-03-04T17:00:00Z"}, // today, still ahead
		{"wed 9:00", "2026-03-11T08:00:00Z"},  // past for today
		{"wednesday", "2026-03-10T23:00:00Z"},
		{"next wed 18:00", "2026-03-11T17:00:00Z"},
		{"next friday 9:00", "2026-03-06T08:00:00Z"},
		{"friday 9am", "2026-03-06T08:00:00Z"},
		{"next monday 10:00", "2026-03-09T09:00:00Z"},
		{"in 2 weeks", "2026-03-18T14:30:00Z"},
		{"24 dec", "2026-12-23T23:00:00Z"},
		{"24 dec 9:00", "2026-12-24T08:00:00Z"},
		{"at 9am on December 24th", "2026-12-24T08:00:00Z"},
		{"24 Dec. 2027, 18:00", "2027-12-24T17:00:00Z"},
		{"4 march", "2026-03-03T23:00:00Z"}, // today
		{"3 mar", "2027-03-02T23:00:00Z"},   // past for this year
		{"29 feb 2028", "2028-02-28T23:00:00Z"},
		{"2026-12-24", "2026-12-23T23:00:00Z"},
		{"2026-12-24 09:00", "2026-12-24T08:00:00Z"},
		{"2026-12-24T09:00", "2026-12-24T08:00:00Z"},
		{"2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"},
		{"2026-12-24T09:00:00+05:30", "2026-12-24T03:30:00Z"},
		{"2026-03-29 02:30", "2026-03-29T01:00:00Z"}, // does not exist: the first instant after
		{"2026-10-25 02:30", "2026-10-25T00:30:00Z"}, // exists twice: the first

		{"", ""},
		{"9", ""},
		{"25:00", ""},
		{"frday 18:00", ""},
		{"in", ""},
		{"in two hours", ""},
		{"in 2 fortnights", ""},
		{"in -2 hours", ""},
		{"in 99999999 days", ""},
		{"18:00 19:00", ""},
		{"fri sat", ""},
		{"next tomorrow", ""},
		{"next 9:00", ""},
		{"2026-02-30", ""},
		{"30 feb", ""},
		{"24 dec 25 dec", ""},
		{"24", ""},
		{"dec", ""},
		{"at", ""},
	}
	for _, c := range cases {
		got, err := parseWhen(strings.Fields(c.in), zone, now, now)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q was read as %s", c.in, got.UTC().Format(time.RFC3339))
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%q: got %s, %v; want %s", c.in, got.UTC().Format(time.RFC3339), err, c.want)
		}
	}
}

func TestReadSpan(t *testing.T) {
	t.Parallel()
	zone, err := schedule.LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	// A Wednesday, 09:30 in New York, which is UTC-5 then.
	r := request{now: time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC), zone: zone, location: time.UTC}
	cases := []struct{ in, from, to, name string }{
		{"18:00 to 20:00", "2026-03-04T23:00:00Z", "2026-03-05T01:00:00Z", ""},
		{"18:00-20:00", "2026-03-04T23:00:00Z", "2026-03-05T01:00:00Z", ""},
		{"6pm–8pm payments", "2026-03-04T23:00:00Z", "2026-03-05T01:00:00Z", "payments"},
		{"from today 18:00 until 22:00 in Payments EU", "2026-03-04T23:00:00Z", "2026-03-05T03:00:00Z", "Payments EU"},
		{"22:00 to 6:00", "2026-03-05T03:00:00Z", "2026-03-05T11:00:00Z", ""}, // over midnight
		{"fri 18:00 to mon 9:00 payments", "2026-03-06T23:00:00Z", "2026-03-09T13:00:00Z", "payments"},
		{"2026-12-24 to 2026-12-27", "2026-12-24T05:00:00Z", "2026-12-27T05:00:00Z", ""},
		{"now for 2 hours payments", "2026-03-04T14:30:00Z", "2026-03-04T16:30:00Z", "payments"},
		{"now 2h payments", "2026-03-04T14:30:00Z", "2026-03-04T16:30:00Z", "payments"},
		{"for 2 hours payments", "2026-03-04T14:30:00Z", "2026-03-04T16:30:00Z", "payments"},
		{"until fri 18:00 payments", "2026-03-04T14:30:00Z", "2026-03-06T23:00:00Z", "payments"},
		{"24 dec to 2 jan payments", "2026-12-24T05:00:00Z", "2027-01-02T05:00:00Z", "payments"},
		{"tomorrow 9:00 3 days payments", "2026-03-05T14:00:00Z", "2026-03-08T13:00:00Z", "payments"},
		{"yesterday 2h payments", "", "", "is in the past"},
		{"tomorrow 9:00 for 1 day", "2026-03-05T14:00:00Z", "2026-03-06T14:00:00Z", ""},
		{"now - 18:00", "2026-03-04T14:30:00Z", "2026-03-04T23:00:00Z", ""},
		{"tomorrow 18:00 to tomorrow 9:00", "", "", "is not after the start"},
		{"today 8:00 to 18:00", "", "", "is in the past"},
		{"", "", "", "Say from when and to when"},
		{"18:00", "", "", "Say from when and to when"},
		{"18:00 to", "", "", "Say from when and to when"},
		{"later to 20:00", "", "", `"later" is not a time`},
		{"18:00 to later", "", "", `"later" is not a time`},
	}
	for _, c := range cases {
		s, name, err := r.readSpan(strings.Fields(c.in))
		if c.from == "" {
			if err == nil || !strings.Contains(err.Error(), c.name) {
				t.Errorf("%q: got %v; want a refusal with %q", c.in, err, c.name)
			}
			continue
		}
		from, to := s.from.UTC().Format(time.RFC3339), s.to.UTC().Format(time.RFC3339)
		if err != nil || from != c.from || to != c.to || name != c.name {
			t.Errorf("%q: got %s to %s %q, %v; want %s to %s %q", c.in, from, to, name, err, c.from, c.to, c.name)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"who", "override", "help"}
	for typed, want := range map[string]string{
		"woh": "who", "overide": "override", "hlep": "help", "OVERRIDES": "override", "frobnicate": "", "x": "",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("nearest(%q) = %q; want %q", typed, got, want)
		}
	}
}

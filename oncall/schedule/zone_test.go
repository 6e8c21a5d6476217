package schedule

import (
	_ "embed"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/zones.txt
var zoneNames string

// allZones calls f with every zone of the IANA database.
func allZones(t *testing.T, f func(z *Zone, loc *time.Location)) {
	t.Helper()
	names := strings.Fields(zoneNames)
	if len(names) < 500 {
		t.Fatalf("only %d zones, want at least 500", len(names))
	}
	for i := 0; i < len(names); i += len(names) / seeds(len(names)) {
		name := names[i]
		z, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		f(z, loc)
	}
}

// changesIn returns the instants at which a zone's offset changes.
func changesIn(z *Zone, fromYear, toYear int) []int64 {
	from, to := Date{fromYear, 1, 1}.days()*paperDay, Date{toYear, 1, 1}.days()*paperDay
	var changes []int64
	for _, at := range z.start[1:] {
		if at >= from && at < to {
			changes = append(changes, at)
		}
	}
	return changes
}

func TestZoneTableIsWhatTheLibrarySays(t *testing.T) {
	t.Parallel()
	end := Date{2100, 1, 1}.days() * paperDay
	allZones(t, func(z *Zone, loc *time.Location) {
		check := func(at int64) {
			_, want := time.Unix(at, 0).In(loc).Zone()
			if got := z.offset[z.period(at)]; got != int64(want) {
				t.Fatalf("%s at %d: offset %d, want %d", z.name, at, got, want)
			}
		}
		for at := int64(0); at < end; at += 13*paperDay + 7*paperHour + 1 {
			check(at)
		}
		for _, at := range z.start {
			check(max(at-1, 0))
			check(at)
		}
	})
}

func TestReadingAndFirstAreInverse(t *testing.T) {
	t.Parallel()
	allZones(t, func(z *Zone, _ *time.Location) {
		for _, change := range changesIn(z, 1975, 2040) {
			before := z.reading(change - 3*paperDay)
			for at := change - 30*paperHour; at < change+30*paperHour; at += 47 * 60 {
				h := z.reading(at)
				if h < before {
					t.Fatalf("%s: the clock was turned back at %d", z.name, at)
				}
				before = h
				if first := z.first(h); first > at || z.reading(first) < h {
					t.Fatalf("%s: the first instant that reads as %d does is %d, want the same reading, and not later", z.name, at, first)
				}
				for _, x := range []int64{h - 5400, h - 1, h + 1, h + 5400} {
					if (z.first(x) <= at) != (x <= h) {
						t.Fatalf("%s: first(%d) is %d, but the reading at %d is %d", z.name, x, z.first(x), at, h)
					}
				}
			}
		}
	})
}

func TestZoneInstantHandlesSkippedAndRepeatedTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		zone string
		date Date
		time TimeOfDay
		want string
	}{
		{"America/New_York", Date{2026, 3, 8}, 2*60 + 30, "2026-03-08T07:00:00Z"},
		{"America/New_York", Date{2026, 11, 1}, 1*60 + 30, "2026-11-01T05:30:00Z"},
		{"Africa/Cairo", Date{2025, 4, 25}, 0, "2025-04-24T22:00:00Z"},
		{"Africa/Cairo", Date{2025, 4, 25}, 30, "2025-04-24T22:00:00Z"},
		{"Pacific/Apia", Date{2011, 12, 30}, 15 * 60, "2011-12-30T10:00:00Z"},
		{"Asia/Kathmandu", Date{2026, 1, 1}, 0, "2025-12-31T18:15:00Z"},
		{"Europe/London", Date{2044, 12, 31}, 12 * 60, "2044-12-31T12:00:00Z"},
		{"Africa/Casablanca", Date{2040, 12, 31}, 12 * 60, "2040-12-31T11:00:00Z"},
	}
	for _, test := range tests {
		z, err := LoadZone(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := z.Instant(test.date, test.time).Format(time.RFC3339); got != test.want {
			t.Errorf("%s %s %s is %s, want %s", test.zone, test.date, test.time, got, test.want)
		}
	}
}

func TestLoadZoneRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Local", "local", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd"} {
		if z, err := LoadZone(name); err == nil {
			t.Errorf("LoadZone(%q) = %s, want an error", name, z.Name())
		}
	}
}

func TestCivilDaysAgreeWithPackageTime(t *testing.T) {
	t.Parallel()
	for days := int64(-200000); days < 200000; days += 7 {
		d := dateOf(days)
		want := time.Unix(days*paperDay, 0).UTC()
		if d.String() != want.Format(time.DateOnly) || d.days() != days {
			t.Fatalf("day %d is %s and back %d, want %s", days, d, d.days(), want.Format(time.DateOnly))
		}
		if full, _ := ParseWeekday(want.Weekday().String()); d.Weekday() != full {
			t.Fatalf("%s is a %s, want %s", d, d.Weekday(), full)
		}
	}
}

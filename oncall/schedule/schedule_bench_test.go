package schedule

import (
	"fmt"
	"testing"
	"time"
)

// benchSchedule has three layers in three zones and some overrides in 2026.
func benchSchedule(startYear, overrides int) Definition {
	start := Date{startYear, 1, 5}
	office := weekdays[:5]
	d := Definition{TimeZone: "Europe/Berlin", Versions: []Version{{Rotations: []Rotation{
		{
			Name: "base", TimeZone: "America/New_York", Period: Period{Unit: WeekUnit}, StartDate: start, HandOff: 9 * 60,
			Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}, {"di"}},
		},
		{
			Name: "office", Period: Period{Unit: DayUnit}, StartDate: start, HandOff: 8 * 60, Priority: 1,
			Turns:   [][]UserID{{"ed"}, {"flo"}, {"gus"}},
			Windows: []Window{{Days: office, From: 9 * 60, To: 17 * 60}},
		},
		{
			Name: "Sydney", TimeZone: "Australia/Sydney", Period: Period{Cron: "0 9 * * 1,4"}, StartDate: start, Priority: 1,
			Turns:   [][]UserID{{"hal"}, {"ida"}},
			Windows: []Window{{Days: office, From: 9 * 60, To: 13 * 60}},
		},
	}}}}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range overrides {
		at := begin.Add(time.Duration(i) * 365 * 24 * time.Hour / time.Duration(overrides))
		d.Overrides = append(d.Overrides, Override{
			ID: OverrideID(i + 1), Kind: OverrideCover, Start: at, End: at.Add(12 * time.Hour), Users: []UserID{"jo"},
		})
	}
	return d
}

func benchAt(b *testing.B, s Definition) {
	b.Helper()
	c := mustCompile(b, s)
	at := time.Date(2026, 3, 9, 10, 30, 0, 0, time.UTC)
	buffer := make([]UserID, 0, 8)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buffer = c.AppendAt(buffer[:0], at.Add(time.Duration(i%5000)*time.Hour), "")
	}
}

func BenchmarkAt(b *testing.B)              { benchAt(b, benchSchedule(2015, 20)) }
func BenchmarkAtNoOverrides(b *testing.B)   { benchAt(b, benchSchedule(2015, 0)) }
func BenchmarkAt1000Overrides(b *testing.B) { benchAt(b, benchSchedule(2015, 1000)) }

// BenchmarkAtAge must give the same for an old rotation and a new one.
func BenchmarkAtAge(b *testing.B) {
	for _, year := range []int{1990, 2015, 2025} {
		b.Run(fmt.Sprint(year), func(b *testing.B) { benchAt(b, benchSchedule(year, 20)) })
	}
}

func BenchmarkYear(b *testing.B) {
	for _, overrides := range []int{0, 20, 1000} {
		b.Run(fmt.Sprint(overrides, "-overrides"), func(b *testing.B) {
			c := mustCompile(b, benchSchedule(2015, overrides))
			from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			to := from.AddDate(1, 0, 0)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(c.Shifts(from, to, ""))
			}
			b.ReportMetric(float64(n), "shifts")
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, overrides := range []int{20, 1000} {
		b.Run(fmt.Sprint(overrides, "-overrides"), func(b *testing.B) {
			s := benchSchedule(2015, overrides)
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, s)
			}
		})
	}
}

func BenchmarkWho(b *testing.B) {
	c := mustCompile(b, benchSchedule(2015, 20))
	at := time.Date(2026, 3, 9, 10, 30, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		c.Who(at)
	}
}

func BenchmarkNextChange(b *testing.B) {
	c := mustCompile(b, benchSchedule(2015, 20))
	at := time.Date(2026, 3, 9, 10, 30, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		c.NextChange(at, at.AddDate(1, 0, 0), "")
	}
}

func BenchmarkCompileZone(b *testing.B) {
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		compileZone("America/New_York", loc)
	}
}

func TestAtAllocatesNothing(t *testing.T) {
	c := mustCompile(t, benchSchedule(2015, 1000))
	at := time.Date(2026, 3, 9, 10, 30, 0, 0, time.UTC)
	buffer := make([]UserID, 0, 8)
	i := 0
	allocs := testing.AllocsPerRun(1000, func() {
		i++
		buffer = c.AppendAt(buffer[:0], at.Add(time.Duration(i)*time.Hour), "")
	})
	if allocs > 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

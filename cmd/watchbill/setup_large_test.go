package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
)

// largeSetup returns a set-up file with a number of teams, each with ten people, two schedules,
// three rotations, a policy and an integration; 200 teams are 290 kB.
func largeSetup(teams int) []byte {
	var b strings.Builder
	section := func(name string, each func(i int)) {
		fmt.Fprintf(&b, "%s:\n", name)
		for i := range teams {
			each(i)
		}
	}
	section("users", func(i int) {
		for n := range 10 {
			fmt.Fprintf(&b, "  - {name: ann-%d-%d, slack: U0ANN%dX%d, email: ann-%d-%d@example.com, time_zone: Europe/Berlin}\n", i, n, i, n, i, n)
		}
	})
	section("teams", func(i int) {
		fmt.Fprintf(&b, "  - name: team-%d\n    channel: \"#team-%d\"\n    members: [", i, i)
		for n := range 10 {
			fmt.Fprintf(&b, "%sann-%d-%d", strings.Repeat(", ", min(n, 1)), i, n)
		}
		b.WriteString("]\n")
	})
	section("schedules", func(i int) {
		fmt.Fprintf(&b, "  - name: team-%d-primary\n    team: team-%d\n    time_zone: Europe/Berlin\n    rotations:\n", i, i)
		fmt.Fprintf(&b, "      - {name: weekly, start: 2026-01-05 09:00, every: week, turns: [ann-%d-0, ann-%d-1, ann-%d-2]}\n", i, i, i)
		fmt.Fprintf(&b, "      - name: nights\n        start: 2026-01-05 18:00\n        every: 1 day\n        priority: 10\n        turns: [ann-%d-3, [ann-%d-4, ann-%d-5]]\n        only: [{days: [mon, tue], from: \"18:00\", to: \"22:00\"}, {days: [sun], from: \"10:00\", to: \"22:00\"}]\n", i, i, i)
		fmt.Fprintf(&b, "  - name: team-%d-secondary\n    team: team-%d\n    time_zone: Asia/Tokyo\n    rotations:\n", i, i)
		fmt.Fprintf(&b, "      - {name: weekly, start: 2026-01-05 09:00, every: week, turns: [ann-%d-6, ann-%d-7]}\n", i, i)
	})
	section("policies", func(i int) {
		fmt.Fprintf(&b, "  - name: policy-%d\n    team: team-%d\n    steps:\n      - {page: [schedule team-%d-primary], wait: 5m}\n      - {page: [schedule team-%d-secondary, user ann-%d-9], wait: 10m} # everybody\n", i, i, i, i, i)
	})
	section("integrations", func(i int) {
		fmt.Fprintf(&b, "  - {name: monitor-%d, team: team-%d, kind: generic, policy: policy-%d}\n", i, i, i)
	})
	return []byte(b.String())
}

// Reading a file four times as large takes about four times as long: some ways to read a value walk
// the whole file each time, which took minutes with 200 teams.
func TestParseSetupTakesLinearTime(t *testing.T) {
	took := func(teams int) uint64 {
		data := largeSetup(teams)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		setup, err := parseSetup(data)
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if wrong := setup.Check(intake.Names()); len(wrong) > 0 {
			t.Fatalf("%v, want none", wrong)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	took(1)
	if small, large := took(10), took(40); large > 6*small {
		t.Errorf("10 teams take %d bytes of memory, 40 take %d, want at most %d", small, large, 6*small)
	}
}

func BenchmarkParseSetup(b *testing.B) {
	data := largeSetup(200)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := parseSetup(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckSetup(b *testing.B) {
	setup, err := parseSetup(largeSetup(200))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if wrong := setup.Check(intake.Names()); len(wrong) > 0 {
			b.Fatalf("%v, want none", wrong)
		}
	}
}

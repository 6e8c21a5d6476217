package main

import (
	"math/rand/v2"
	"testing"
)

func play(organisations int, seed uint64) day {
	w := world{organisations: 1000, signals: 20_000, incidents: 0.2, escalated: 0.3, bursts: 2, burstRate: 1000, burstSeconds: 20, hours: 3}
	c := cost{idle: 5, signal: 1.2, incident: 60, timer: 30, cores: 2}
	return simulate(w, c, organisations, rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // a simulation
}

// The same seed gives the same day, every hand-off and escalation happens, and nothing takes less than its own work.
func TestDayIsWhole(t *testing.T) {
	t.Parallel()
	one, again := play(100, 1), play(100, 1)
	if len(one.pages) != len(again.pages) || one.busy != again.busy {
		t.Errorf("the same seed gave %d and %d pages, busy %g and %g; want the same", len(one.pages), len(again.pages), one.busy, again.busy)
	}
	if n := len(one.pages); n < 35 || n > 95 {
		t.Errorf("%d pages in three hours, want about 60: an eighth of a tenth of 4,000, more in the morning", n)
	}
	if n := len(one.timers) - 34; n < len(one.pages)/6 || n > len(one.pages)/2 {
		t.Errorf("%d timers beside the 34 hand-offs of one zone for %d pages, want about 30 %% of the pages", n, len(one.pages))
	}
	for _, late := range one.pages {
		if late < 60 {
			t.Fatalf("a page took %g ms, want at least its own 60", late)
		}
	}
}

// A machine with more organisations is busier, and no less late.
func TestMoreOrganisationsCostMore(t *testing.T) {
	t.Parallel()
	few, many := play(50, 1), play(300, 1)
	if few.busy >= many.busy {
		t.Errorf("busy with 50: %g, with 300: %g; want more with more", few.busy, many.busy)
	}
	var worst [2]float32
	for i, d := range []day{few, many} {
		for _, late := range d.timers {
			worst[i] = max(worst[i], late)
		}
	}
	if worst[0] >= worst[1] {
		t.Errorf("the latest timer with 50: %g ms, with 300: %g ms; want later with more, as all hand over at nine", worst[0], worst[1])
	}
}

// Command scale simulates a Monday of many organisations on machines of two cores, from what one organisation and
// one incident cost where it was measured. It prints one line for each number of organisations on a machine:
//
//	go run ./cmd/scale
//
// Nothing runs but arithmetic. The figures of cost are flags, so that those of another machine can be tried. The
// same seed gives the same day.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
)

// A world is what is simulated: how many there are, and what they do on that day.
type world struct {
	organisations int
	people        int
	signals       float64 // a day, of all organisations
	incidents     float64 // the share of signals that open an incident
	escalated     float64 // the share of incidents whose first person doesn't answer
	bursts        int     // a day, each of one organisation
	burstRate     float64 // signals a second
	burstSeconds  int
	hours         int // of the day that are simulated
}

// A cost is what was measured, in milliseconds of computing in the process and PostgreSQL together.
type cost struct {
	idle     float64 // of an organisation, each second
	signal   float64 // that repeats what fires already
	incident float64 // from the signal to the page
	timer    float64 // an escalation or a hand-off
	memory   float64 // of an organisation, in MB
	conns    float64 // of an organisation
	wal      float64 // of an incident, in kB
	stored   float64 // of an incident, in kB
	cores    float64
}

func main() {
	w := world{incidents: 0.2, escalated: 0.3, bursts: 24, burstRate: 1000, burstSeconds: 20, hours: 24}
	c := cost{}
	flag.IntVar(&w.organisations, "organisations", 10_000, "how many there are")
	flag.IntVar(&w.people, "people", 100_000, "how many people they have together")
	flag.Float64Var(&w.signals, "signals", 1_000_000, "signals a day of all together, besides bursts")
	flag.Float64Var(&c.idle, "idle", 5, "ms of computing a second of an organisation that has nothing to do")
	flag.Float64Var(&c.signal, "signal", 1.2, "ms of computing of a signal that repeats what fires")
	flag.Float64Var(&c.incident, "incident", 60, "ms of computing from a signal to the page")
	flag.Float64Var(&c.timer, "timer", 30, "ms of computing of an escalation or a hand-off")
	flag.Float64Var(&c.memory, "memory", 2.3, "MB of an organisation")
	flag.Float64Var(&c.conns, "connections", 1.5, "connections of an organisation")
	flag.Float64Var(&c.wal, "wal", 30, "kB that an incident writes")
	flag.Float64Var(&c.stored, "stored", 16, "kB that an incident keeps")
	flag.Float64Var(&c.cores, "cores", 2, "cores of a machine, with the process and its PostgreSQL")
	seed := flag.Uint64("seed", 1, "of the day")
	flag.Parse()
	print(os.Stdout, w, c, *seed, []int{50, 100, 150, 200, 250, 300, 350})
}

// mostSimulated is how many machines of a size are simulated. They are alike, but for the bursts that hit them.
const mostSimulated = 10

// print prints the table.
func print(out io.Writer, w world, c cost, seed uint64, perMachine []int) {
	incidents := w.signals*w.incidents + float64(w.bursts)*burstTitles
	fmt.Fprintf(out, "%d organisations, %d people, %.0f signals and %.0f incidents a day; %d bursts of %.0f a second\n",
		w.organisations, w.people, w.signals, incidents, w.bursts, w.burstRate)
	fmt.Fprintf(out, "written a day: %.1f GB; kept after 730 days: %.1f TB, after 180 days: %.2f TB\n\n",
		incidents*c.wal/1e6, incidents*c.stored*730*1.5/1e9, incidents*c.stored*180*1.5/1e9)
	fmt.Fprintln(out, "| organisations on a machine | machines | memory | connections | busy | first page: p50, p99, worst | timer: p99, worst |")
	fmt.Fprintln(out, "| --- | --- | --- | --- | --- | --- | --- |")
	for _, n := range perMachine {
		machines := (w.organisations + n - 1) / n
		var all day
		simulated := min(machines, mostSimulated)
		for m := range simulated {
			all.add(simulate(w, c, n, rand.New(rand.NewPCG(seed, uint64(m))))) //nolint:gosec // a simulation
		}
		slices.Sort(all.pages)
		slices.Sort(all.timers)
		fmt.Fprintf(out, "| %d | %d | %.1f GB | %.0f | %.0f %% | %s, %s, %s | %s, %s |\n", n, machines, float64(n)*c.memory/1e3+0.03, float64(n)*c.conns+3,
			100*all.busy/float64(simulated), text(at(all.pages, 50)), text(at(all.pages, 99)), text(at(all.pages, 100)), text(at(all.timers, 99)), text(at(all.timers, 100)))
	}
}

// at returns a percentile of sorted figures.
func at(sorted []float32, percent int) float32 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// text formats milliseconds.
func text(ms float32) string {
	if ms < 1000 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

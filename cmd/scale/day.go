package main

import (
	"math"
	"math/rand/v2"
)

const (
	step        = 10 // ms
	steps       = 86400 * 1000 / step
	burstTitles = 500 // distinct alerts in a burst
	// quietShare is the part of a machine that a burst leaves to the others while they have work.
	quietShare = 0.5
)

// handOffsAt are the hours, UTC, at which it is nine o'clock on Monday for a third of the organisations each.
var handOffsAt = []int{1, 8, 17}

// A day is what came of one machine's day.
type day struct {
	pages, timers []float32 // how late each was, in ms
	busy          float64   // share of the machine that was used
}

func (d *day) add(other day) {
	d.pages, d.timers, d.busy = append(d.pages, other.pages...), append(d.timers, other.timers...), d.busy+other.busy
}

// A machine works in the order of arrival, except that a burst gets only its share while others have work.
type machine struct {
	capacity       float64 // ms of computing in a step
	waiting, burst float64 // ms of computing that wait: of everybody, and of a burst's organisation
	used           float64
}

// work works for one step.
func (m *machine) work() {
	left := m.capacity
	room := left
	if m.burst > 0 {
		room = left * quietShare
	}
	done := min(m.waiting, room)
	m.waiting, left = m.waiting-done, left-done
	done = min(m.burst, left)
	m.burst, left = m.burst-done, left-done
	done = min(m.waiting, left) // what the burst has left over
	m.waiting, left = m.waiting-done, left-done
	m.used += m.capacity - left
}

// late returns how long work that arrives now takes, in ms, if it needs so much computing itself.
func (m *machine) late(own float64) float32 {
	rate := m.capacity / step
	if m.burst > 0 {
		rate *= quietShare
	}
	return float32(m.waiting/rate + own) // one after another, its own work runs on one core
}

// simulate plays a day of a machine with n organisations.
func simulate(w world, c cost, n int, rnd *rand.Rand) day {
	share := float64(n) / float64(w.organisations)
	m := machine{capacity: c.cores * step}
	var d day
	due := map[int]int{} // escalations by step
	bursts := burstsOf(w, share, rnd)
	played := w.hours * 3600 * 1000 / step
	for at := range played {
		// Three times as many signals come at the busiest hour as at the quietest.
		perStep := w.signals * share / steps * (1 + 0.5*math.Sin(2*math.Pi*float64(at)/steps))
		m.waiting += c.idle * float64(n) * step / 1000
		for range poisson(perStep, rnd) {
			if rnd.Float64() >= w.incidents {
				m.waiting += c.signal
				continue
			}
			d.pages = append(d.pages, m.late(c.incident))
			m.waiting += c.incident
			if rnd.Float64() < w.escalated {
				due[at+5*60*1000/step]++
			}
		}
		timers := due[at] + handOffs(at, n)
		delete(due, at)
		for range timers {
			d.timers = append(d.timers, m.late(c.timer))
			m.waiting += c.timer
		}
		for _, begin := range bursts {
			if since := (at - begin) * step; since >= 0 && since < w.burstSeconds*1000 {
				m.burst += w.burstRate * step / 1000 * c.signal
				if since < 1000 { // its alerts open, and become a storm
					m.burst += burstTitles * step / 1000 * c.incident / 4 // without a page each
				}
			}
		}
		m.work()
	}
	d.busy = m.used / (m.capacity * float64(played))
	return d
}

// handOffs returns how many hand-offs are due in a step: one of each organisation, on the hour in its zone.
func handOffs(at, n int) int {
	for i, hour := range handOffsAt {
		if at == hour*3600*1000/step {
			return n/len(handOffsAt) + min(1, max(0, n%len(handOffsAt)-i))
		}
	}
	return 0
}

// burstsOf returns when bursts begin on a machine that has a share of all organisations.
func burstsOf(w world, share float64, rnd *rand.Rand) (all []int) {
	for range poisson(float64(w.bursts)*share, rnd) {
		all = append(all, rnd.IntN(steps))
	}
	return all
}

// poisson returns how often something happens that happens mean times on average.
func poisson(mean float64, rnd *rand.Rand) (n int) {
	limit := math.Exp(-mean)
	for product := rnd.Float64(); product > limit; product *= rnd.Float64() {
		n++
	}
	return n
}

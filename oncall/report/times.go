package report

import (
	"slices"
	"time"
)

// Times summarizes durations, over the incidents that have them.
type Times struct {
	Of     int           `json:"of"` // number of incidents
	Mean   time.Duration `json:"mean"`
	Median time.Duration `json:"median"` // of an even number, the mean of the middle two
	P90    time.Duration `json:"p90"`    // nine out of ten took no longer
}

// timesOf summarizes durations.
func timesOf(all []time.Duration) Times {
	n := len(all)
	if n == 0 {
		return Times{}
	}
	all = slices.Sorted(slices.Values(all))
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	t := Times{Of: n, Mean: sum / time.Duration(n), Median: all[n/2], P90: all[(9*n+9)/10-1]}
	if n%2 == 0 {
		t.Median = (all[n/2-1] + all[n/2]) / 2
	}
	return t
}

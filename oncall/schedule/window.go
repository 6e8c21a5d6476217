package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Window is a stretch of local time that recurs every week, in one of two forms. With Days, it
// opens on each of them at From and closes at the first To after it: the next day if To is not
// later than From, so equal times mean 24 hours. With FromDay and ToDay, it opens once a week and
// closes at the first such day and time after it. Several windows form a union.
type Window struct {
	Days    []Weekday `json:"days,omitempty"`
	FromDay Weekday   `json:"from_day,omitempty"`
	From    TimeOfDay `json:"from"`
	ToDay   Weekday   `json:"to_day,omitempty"`
	To      TimeOfDay `json:"to"`
}

// A stretch is half-open, in seconds of paper time since Monday 00:00.
type stretch struct{ from, to int64 }

// stretches returns the window's openings in one week; ends may lie past the week.
func (w Window) stretches() ([]stretch, error) {
	switch {
	case !w.From.valid():
		return nil, fmt.Errorf("from is not a time of day")
	case !w.To.valid():
		return nil, fmt.Errorf("to is not a time of day")
	case len(w.Days) > 0 && (w.FromDay != "" || w.ToDay != ""):
		return nil, fmt.Errorf("days can't be combined with from_day and to_day")
	case len(w.Days) == 0 && (w.FromDay == "" || w.ToDay == ""):
		return nil, fmt.Errorf("either days, or from_day and to_day, must be given")
	}
	var out []stretch
	add := func(fromDay, toDay int64) {
		from, to := fromDay*paperDay+w.From.seconds(), toDay*paperDay+w.To.seconds()
		out = append(out, stretch{from, to})
	}
	if len(w.Days) == 0 {
		from, ok := w.FromDay.index()
		if !ok {
			return nil, fmt.Errorf("from_day: %q is not a weekday such as \"mon\"", w.FromDay)
		}
		to, ok := w.ToDay.index()
		if !ok {
			return nil, fmt.Errorf("to_day: %q is not a weekday such as \"mon\"", w.ToDay)
		}
		if to < from || to == from && w.To <= w.From {
			to += 7
		}
		add(from, to)
		return out, nil
	}
	for _, name := range w.Days {
		day, ok := name.index()
		if !ok {
			return nil, fmt.Errorf("days: %q is not a weekday such as \"mon\"", name)
		}
		if w.To <= w.From {
			add(day, day+1)
		} else {
			add(day, day)
		}
	}
	return out, nil
}

// A weekly is the union of some windows.
type weekly struct {
	always bool      // no windows, so no restriction
	opens  []int64   // each window's openings, before merging
	open   []stretch // merged and sorted, within one week
	edges  []int64   // where open begins or ends, sorted
}

// Check returns what is wrong with a window; nil if nothing is.
func (w Window) Check() error {
	_, err := w.stretches()
	return err
}

// CheckWindows returns what is wrong with the first invalid window.
func CheckWindows(windows []Window) error {
	_, err := compileWindows(windows)
	return err
}

// mondays is where paper weeks begin: 1970-01-05 was a Monday.
const mondays = 4 * paperDay

func compileWindows(windows []Window) (*weekly, error) {
	w := &weekly{always: len(windows) == 0}
	var all []stretch
	for i, win := range windows {
		parts, err := win.stretches()
		if err != nil {
			return nil, fmt.Errorf("window %d: %w", i+1, err)
		}
		for _, s := range parts {
			w.opens = append(w.opens, s.from)
			all = append(all, stretch{s.from, min(s.to, paperWeek)})
			if s.to > paperWeek {
				all = append(all, stretch{0, s.to - paperWeek})
			}
		}
	}
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	for _, s := range all {
		if n := len(w.open); n > 0 && s.from <= w.open[n-1].to {
			w.open[n-1].to = max(w.open[n-1].to, s.to)
		} else if s.from < s.to {
			w.open = append(w.open, s)
		}
	}
	for _, s := range w.open {
		w.edges = append(w.edges, s.from, s.to)
	}
	return w, nil
}

// contains reports whether a reading lies in a window.
func (w *weekly) contains(h int64) bool {
	if w.always {
		return true
	}
	h = floorMod(h-mondays, paperWeek)
	for _, s := range w.open {
		if h < s.to {
			return h >= s.from
		}
	}
	return false
}

// edgesIn calls add with every reading in (lo, hi] at which a window opens or closes.
func (w *weekly) edgesIn(lo, hi int64, add func(int64)) {
	for week := floorDiv(lo-mondays, paperWeek)*paperWeek + mondays; week <= hi; week += paperWeek {
		for _, e := range w.edges {
			if x := week + e; x > lo && x <= hi {
				add(x)
			}
		}
	}
}

// Hours are weekly windows in a time zone, such as working hours or quiet hours.
type Hours struct {
	zone *Zone
	week *weekly
}

// CompileHours compiles windows; no windows means always.
func CompileHours(timeZone string, windows []Window) (*Hours, error) {
	zone, err := LoadZone(timeZone)
	if err != nil {
		return nil, Refuse("Time zone: %s.", err)
	}
	week, err := compileWindows(windows)
	if err != nil {
		return nil, Refuse("Hours, %s.", err)
	}
	return &Hours{zone: zone, week: week}, nil
}

// Open reports whether t lies in a window.
func (h *Hours) Open(t time.Time) bool { return h.week.contains(h.zone.reading(t.Unix())) }

// NextOpen returns t itself if it lies in a window, else the instant at which the
// next window opens.
func (h *Hours) NextOpen(t time.Time) time.Time {
	if h.Open(t) {
		return t
	}
	for lo := h.zone.reading(t.Unix()); ; lo += paperWeek {
		var edges []int64
		h.week.edgesIn(lo, lo+paperWeek, func(x int64) { edges = append(edges, x) })
		for _, x := range edges {
			// A window inside a gap of the zone has no length: look for the next.
			if at := time.Unix(h.zone.first(x), 0).UTC(); h.Open(at) {
				return at
			}
		}
	}
}

// NextOpening returns the first instant after t at which a window opens; false if none ever does
// because one is always open.
func (h *Hours) NextOpening(t time.Time) (time.Time, bool) {
	lo := h.zone.reading(t.Unix())
	for range 3 { // weeks; a window inside a gap of the zone opens a week later
		var edges []int64
		h.week.edgesIn(lo, lo+paperWeek, func(x int64) { edges = append(edges, x) })
		for _, x := range edges {
			at := time.Unix(h.zone.first(x), 0).UTC()
			if at.After(t) && h.Open(at) && !h.Open(at.Add(-time.Second)) {
				return at, true
			}
		}
		lo += paperWeek
	}
	return time.Time{}, false
}

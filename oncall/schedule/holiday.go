package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Holiday is a day of the calendar with a name.
type Holiday struct {
	Date Date   `json:"date"`
	Name string `json:"name"`
}

// Holidays are the holidays of a rotation, and what it does on them. A holiday is a day of the rotation's time zone,
// from midnight to midnight.
type Holidays struct {
	Calendar string      `json:"calendar,omitempty"` // of a country or a part of it: "de", "de-by"
	Own      []Holiday   `json:"own,omitempty"`      // more days, in order
	Rule     HolidayRule `json:"rule,omitempty"`     // "" is HolidaysShown

	// Days are the calendar's. They aren't stored: who loads the rotation fills them in, since the engine looks nothing up.
	Days []Holiday `json:"-"`
}

// HolidayRule says what a rotation does on holidays. None of them moves the turns on: who has a turn is a matter of the
// calendar.
type HolidayRule string

// The rules for holidays.
const (
	HolidaysShown   HolidayRule = "show"    // they change nothing, but people see them
	HolidaysWeekend HolidayRule = "weekend" // the windows of Sunday apply
	HolidaysOnly    HolidayRule = "only"    // the rotation is in force only on holidays
	HolidaysExcept  HolidayRule = "except"  // it is in force on all other days
	HolidaysAsk     HolidayRule = "ask"     // the person who has a shift then is asked in time whether they want cover
)

// HolidayRules lists all rules.
var HolidayRules = []HolidayRule{HolidaysShown, HolidaysWeekend, HolidaysOnly, HolidaysExcept, HolidaysAsk}

// maxHolidays is how many days the holidays of a rotation may be.
const maxHolidays = 5_000

// holidays are compiled Holidays.
type holidays struct {
	rule  HolidayRule
	days  []int64 // since 1970-01-01, in order
	names []string
}

// compileHolidays checks the holidays of a rotation; nil: it has none.
func compileHolidays(h *Holidays) (*holidays, error) {
	if h == nil {
		return nil, nil
	}
	out := &holidays{rule: cmp.Or(h.Rule, HolidaysShown)}
	if !slices.Contains(HolidayRules, out.rule) {
		return nil, fmt.Errorf("holidays: rule is %q; it may be \"show\", \"weekend\", \"only\", \"except\" or \"ask\"", h.Rule)
	}
	all := slices.Concat(h.Own, h.Days)
	if len(all) > maxHolidays {
		return nil, fmt.Errorf("holidays: %d days are more than %d", len(all), maxHolidays)
	}
	slices.SortStableFunc(all, func(a, b Holiday) int { return cmp.Compare(a.Date.days(), b.Date.days()) })
	for _, d := range all {
		if d.Date.IsZero() {
			return nil, fmt.Errorf("holidays: a day has no date")
		}
		day := d.Date.days()
		if n := len(out.days); n > 0 && out.days[n-1] == day {
			continue // its own name comes first
		}
		out.days, out.names = append(out.days, day), append(out.names, d.Name)
	}
	return out, nil
}

// has reports whether a reading lies in a holiday.
func (h *holidays) has(reading int64) bool {
	_, found := slices.BinarySearch(h.days, floorDiv(reading, paperDay))
	return found
}

// inForce reports whether the windows let the layer be in force at a reading.
func (l *layer) inForce(h int64) bool {
	if l.holidays == nil {
		return l.week.contains(h)
	}
	switch on := l.holidays.has(h); l.holidays.rule {
	case HolidaysOnly:
		return on && l.week.contains(h)
	case HolidaysExcept:
		return !on && l.week.contains(h)
	case HolidaysWeekend:
		if on {
			return l.week.onSunday(h)
		}
	case HolidaysShown, HolidaysAsk:
	}
	return l.week.contains(h)
}

// edgesIn calls add with every reading in (lo, hi] at which the layer may come into force or go out of it.
func (l *layer) edgesIn(lo, hi int64, add func(int64)) {
	l.week.edgesIn(lo, hi, add)
	if l.holidays == nil || l.holidays.rule == HolidaysShown || l.holidays.rule == HolidaysAsk {
		return
	}
	first, _ := slices.BinarySearch(l.holidays.days, floorDiv(lo, paperDay))
	for _, day := range l.holidays.days[first:] {
		start := day * paperDay
		if start > hi {
			return
		}
		some := []int64{0, paperDay}
		if l.holidays.rule == HolidaysWeekend {
			some = append(some, l.week.sundayEdges()...)
		}
		for _, e := range some {
			if x := start + e; x > lo && x <= hi {
				add(x)
			}
		}
	}
}

// sunday is where the last day of a week begins.
const sunday = 6 * paperDay

// onSunday reports whether a window is open at a reading's time of day on a Sunday.
func (w *weekly) onSunday(h int64) bool {
	return w.contains(mondays + sunday + floorMod(h, paperDay))
}

// sundayEdges returns the times of day at which a window opens or closes on a Sunday.
func (w *weekly) sundayEdges() []int64 {
	var out []int64
	for _, e := range w.edges {
		if e >= sunday {
			out = append(out, e-sunday)
		}
	}
	return out
}

// A HolidayAhead is a holiday of a schedule, as instants.
type HolidayAhead struct {
	Holiday
	Start time.Time
	End   time.Time
	Ask   bool // the person who has a shift then is asked whether they want cover
}

// HolidaysIn returns the holidays of a schedule that overlap a stretch of time, by start. Rotations in several time
// zones may have the same day at different times.
func (s *Schedule) HolidaysIn(from, to time.Time) []HolidayAhead {
	var out []HolidayAhead
	for i := range s.lines {
		versions := s.lines[i].versions
		for n := range versions {
			begin, end := max(nanos(from), versions[n].from), nanos(to)
			if n+1 < len(versions) {
				end = min(end, versions[n+1].from)
			}
			for j := range versions[n].layers {
				out = versions[n].layers[j].holidaysIn(begin, end, out)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b HolidayAhead) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	return out
}

// holidaysIn adds the layer's holidays between two instants to those that were found.
func (l *layer) holidaysIn(from, to int64, found []HolidayAhead) []HolidayAhead {
	if l.holidays == nil || from >= to {
		return found
	}
	lo := floorDiv(l.zone.reading(seconds(from)), paperDay)
	first, _ := slices.BinarySearch(l.holidays.days, lo)
	for i := first; i < len(l.holidays.days); i++ {
		day := l.holidays.days[i]
		start, end := l.zone.first(day*paperDay), l.zone.first((day+1)*paperDay)
		if start*nanosecond >= to {
			break
		}
		h := HolidayAhead{
			Holiday: Holiday{Date: dateOf(day), Name: l.holidays.names[i]},
			Start:   time.Unix(start, 0).UTC(), End: time.Unix(end, 0).UTC(), Ask: l.holidays.rule == HolidaysAsk,
		}
		at := slices.IndexFunc(found, func(o HolidayAhead) bool { return o.Date == h.Date && o.Start.Equal(h.Start) })
		if at < 0 {
			found = append(found, h)
			continue
		}
		found[at].Ask = found[at].Ask || h.Ask
	}
	return found
}

// plain writes holidays in the one way that says what they say.
func (h *Holidays) plain() *Holidays {
	if h == nil || h.Calendar == "" && len(h.Own) == 0 {
		return nil
	}
	p := *h
	p.Rule = cmp.Or(p.Rule, HolidaysShown)
	p.Own = slices.Clone(p.Own)
	slices.SortStableFunc(p.Own, func(a, b Holiday) int { return cmp.Compare(a.Date.days(), b.Date.days()) })
	return &p
}

package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the same zones on machines that have none of their own
)

// Seconds of paper time, on which every day has 24 hours.
const (
	paperHour = int64(3600)
	paperDay  = 24 * paperHour
	paperWeek = 7 * paperDay
)

// A zone's changes are tabled up to 2200; later instants keep the last offset.
const (
	tableEnd    = 7258118400 // 2200-01-01T00:00:00Z
	bucketShift = 22         // a bucket of the index is 48.5 days
)

// A Zone is a time zone as a wall clock that is never turned back: in spring it jumps with the real
// one, and in autumn it stands still until the real one has caught up. A local time happens at the
// first instant at which that clock shows it or more, so everything happens once and in order.
type Zone struct {
	name   string
	loc    *time.Location
	start  []int64  // unix seconds at which each offset begins; the first has no beginning
	offset []int64  // seconds east of UTC
	bucket []uint16 // last period that begins at or before bucket<<bucketShift
}

var zones sync.Map // name → *Zone

// LoadZone returns the zone with an IANA name such as "Europe/Berlin".
func LoadZone(name string) (*Zone, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*Zone), nil
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is not a time zone such as \"Europe/Berlin\"", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone such as \"Europe/Berlin\"", name)
	}
	z, _ := zones.LoadOrStore(name, compileZone(name, loc))
	return z.(*Zone), nil
}

func compileZone(name string, loc *time.Location) *Zone {
	offset := func(t int64) int64 {
		_, off := time.Unix(t, 0).In(loc).Zone()
		return int64(off)
	}
	z := &Zone{name: name, loc: loc, start: []int64{0}, offset: []int64{offset(0)}}
	for t := int64(0); t < tableEnd; {
		_, end := time.Unix(t, 0).In(loc).ZoneBounds()
		if end.IsZero() {
			break
		}
		next := end.Unix()
		stuck := next <= t // golang/go 81583: the end may lie before the instant
		if stuck {
			next = t + paperDay
		}
		if off, last := offset(next), z.offset[len(z.offset)-1]; off != last {
			for lo := t; stuck && next-lo > 1; {
				if mid := lo + (next-lo)/2; offset(mid) == last {
					lo = mid
				} else {
					next = mid
				}
			}
			z.start, z.offset = append(z.start, next), append(z.offset, offset(next))
		}
		t = next
	}
	return z.indexed()
}

// A Change is when a zone's clock changes its offset.
type Change struct {
	At     int64         // unix seconds
	Offset time.Duration // east of UTC, from then on
}

// NewZone makes a zone from the changes of its clock, in any order, and the offset before the
// first.
func NewZone(name string, before time.Duration, changes []Change) *Zone {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	z := &Zone{name: name, start: []int64{0}, offset: []int64{int64(before / time.Second)}}
	for _, c := range changes {
		last, off := len(z.start)-1, int64(c.Offset/time.Second)
		switch {
		case c.At <= z.start[last]: // the first, or at the same time as the previous one
			z.offset[last] = off
		case c.At < tableEnd && off != z.offset[last]:
			z.start, z.offset = append(z.start, c.At), append(z.offset, off)
		}
	}
	return z.indexed()
}

// indexed builds the index.
func (z *Zone) indexed() *Zone {
	for b, i := int64(0), 0; b<<bucketShift < tableEnd; b++ {
		for i+1 < len(z.start) && z.start[i+1] <= b<<bucketShift {
			i++
		}
		z.bucket = append(z.bucket, uint16(i))
	}
	return z
}

// Name returns the IANA name.
func (z *Zone) Name() string { return z.name }

// Location returns the zone as a time.Location.
func (z *Zone) Location() *time.Location { return z.loc }

// Instant returns the first instant at which the wall clock shows this date and
// time, or later.
func (z *Zone) Instant(d Date, t TimeOfDay) time.Time {
	return time.Unix(z.first(d.days()*paperDay+t.seconds()), 0).UTC()
}

// Local returns the latest time that the wall clock has shown up to t, in whole minutes.
func (z *Zone) Local(t time.Time) (Date, TimeOfDay) {
	h := z.reading(t.Unix())
	day := floorDiv(h, paperDay)
	return dateOf(day), TimeOfDay((h - day*paperDay) / 60)
}

// period returns the index of the offset in force at t.
func (z *Zone) period(t int64) int {
	i := 0
	if t > 0 {
		i = int(z.bucket[min(t>>bucketShift, int64(len(z.bucket)-1))])
	}
	for i+1 < len(z.start) && z.start[i+1] <= t {
		i++
	}
	return i
}

// reading returns the latest reading, in local seconds, that the wall clock has shown up to t.
func (z *Zone) reading(t int64) int64 {
	i := z.period(t)
	h := t + z.offset[i]
	// No clock was ever turned back by more than a day.
	for ; i > 0 && t-z.start[i] < 36*paperHour; i-- {
		h = max(h, z.start[i]-1+z.offset[i-1])
	}
	return h
}

// first returns the first instant at which the clock shows x or later. It is the inverse of reading
// in this sense: first(x) <= t exactly when x <= reading(t).
func (z *Zone) first(x int64) int64 {
	for i := z.period(x - 26*paperHour); ; i++ {
		t := x - z.offset[i]
		if i > 0 {
			t = max(t, z.start[i])
		}
		if i+1 == len(z.start) || t < z.start[i+1] {
			return t
		}
	}
}

// floorDiv divides towards minus infinity; b must be positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorMod returns the remainder of floorDiv, which is never negative.
func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

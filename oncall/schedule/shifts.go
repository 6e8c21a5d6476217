package schedule

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// A Shift is the longest stretch with one set of people for a role: [Start, End). Without Users it
// is a gap.
type Shift struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Users  []UserID  `json:"users"`
	Source Source    `json:"source,omitzero"`
}

// A Source explains why these people are on call at the beginning of a shift: a rotation, several
// of equal priority ("days + nights"), an override or manual shift, or a rotation changed by an
// override.
type Source struct {
	Rotation string     `json:"rotation,omitempty"`
	Override OverrideID `json:"override,omitempty"`
	Shift    ShiftID    `json:"shift,omitempty"`
}

// A Duty is who has a role at an instant, and why.
type Duty struct {
	Role   string    `json:"role"`
	Users  []UserID  `json:"users"`
	Source Source    `json:"source,omitzero"`
	Since  time.Time `json:"since,omitzero"` // zero if more than a year ago
	Until  time.Time `json:"until,omitzero"` // zero if nothing changes within a year
	Next   []UserID  `json:"next"`           // who follows at Until
}

// A Gap is a stretch in which nobody has a role. It is intended if a rotation has
// nobody on purpose there, or a temporary schedule was confirmed with its gap.
type Gap struct {
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Intended bool      `json:"intended"`
}

// MostShifts is the maximum number of shifts that Shifts returns: two years of the shortest turns.
// Old schedules may have more, and one must not use up the memory of all.
const MostShifts = 20_000

// chunkDays is how far Each looks ahead at a time.
const chunkDays = 91

// Shifts returns the shifts of a role from one instant to another, at most the first MostShifts.
// They tile the whole stretch, gaps included, and the first and last are clipped to it.
func (s *Schedule) Shifts(from, to time.Time, role string) []Shift {
	return s.FirstShifts(from, to, role, MostShifts)
}

// FirstShifts is Shifts with a limit of its own.
func (s *Schedule) FirstShifts(from, to time.Time, role string, most int) []Shift {
	shifts := []Shift{}
	for shift := range s.Each(from, to, role) {
		if len(shifts) == most {
			break
		}
		shifts = append(shifts, shift)
	}
	return shifts
}

// Each iterates over the shifts of a role from one instant to another, without a limit.
func (s *Schedule) Each(from, to time.Time, role string) iter.Seq[Shift] {
	l := s.line(role)
	if l == nil {
		l = &line{role: role, versions: []version{{from: ever}}, cuts: []int64{ever}, acting: [][]int32{nil}}
	}
	return func(yield func(Shift) bool) {
		var (
			last  Shift
			begun bool
		)
		arena := make([]UserID, 0, 64) // one allocation for many small sets
		more := true
		end := nanos(to)
		for at := nanos(from); at < end && more; {
			next := min(end, later(at, chunkDays))
			l.walk(at, next, func(p piece) bool {
				if begun && slices.Equal(last.Users, p.users) {
					last.End = instant(p.end)
					return true
				}
				if begun && !yield(last) {
					more = false
					return false
				}
				if len(arena)+len(p.users) > cap(arena) {
					arena = make([]UserID, 0, max(64, len(p.users)))
				}
				n := len(arena)
				arena = append(arena, p.users...)
				begun = true
				last = Shift{Start: instant(p.start), End: instant(p.end), Users: arena[n:len(arena):len(arena)], Source: l.source(p.why)}
				return true
			})
			at = next
		}
		if begun && more {
			yield(last)
		}
	}
}

// NextChange returns the first instant after one, and before the horizon, at which the people with
// a role change; false if there is none.
func (s *Schedule) NextChange(after, horizon time.Time, role string) (time.Time, bool) {
	l := s.line(role)
	if l == nil {
		return time.Time{}, false
	}
	var why trace
	var buffer [8]UserID
	now := l.resolve(buffer[:0], nanos(after), &why)
	from, end := nanos(after), nanos(horizon)
	for days := int64(7); from < end; days *= 4 {
		to := min(end, later(from, days))
		found := int64(forever)
		l.walk(from, to, func(p piece) bool {
			if slices.Equal(p.users, now) {
				return true
			}
			found = p.start
			return false
		})
		if found < forever {
			return instant(found), true
		}
		from = to
	}
	return time.Time{}, false
}

// later adds days to an instant, up to forever.
func later(t, days int64) int64 {
	if d := days * paperDay * nanosecond; t < forever-d {
		return t + d
	}
	return forever
}

// Who returns the people in each role at t, the reason, since when, and who comes next.
func (s *Schedule) Who(t time.Time) []Duty {
	duties := make([]Duty, 0, len(s.lines))
	for i := range s.lines {
		l := &s.lines[i]
		now := s.At(t, l.role)
		d := Duty{Role: l.role, Users: now, Next: []UserID{}}
		var why trace
		l.resolve(nil, nanos(t), &why)
		d.Source = l.source(why)
		if until, ok := s.NextChange(t, t.AddDate(1, 0, 0), l.role); ok {
			d.Until, d.Next = until, s.At(until, l.role)
		}
		for days := 7; days <= 7*64 && d.Since.IsZero(); days *= 4 {
			from := t.AddDate(0, 0, -days)
			for shift := range s.Each(from, t.Add(1), l.role) {
				if shift.Start.After(from) {
					d.Since = shift.Start
				}
			}
		}
		duties = append(duties, d)
	}
	return duties
}

// Gaps returns the stretches in which nobody has a role. The shadow role has no gaps, because
// nobody relies on it.
func (s *Schedule) Gaps(from, to time.Time, role string) []Gap {
	gaps := []Gap{}
	l := s.line(role)
	if role == RoleShadow {
		return gaps
	}
	if l == nil {
		if from.Before(to) {
			gaps = append(gaps, Gap{Start: from.UTC(), End: to.UTC()})
		}
		return gaps
	}
	l.walk(nanos(from), nanos(to), func(p piece) bool {
		if len(p.users) > 0 {
			return true
		}
		g := Gap{Start: instant(p.start), End: instant(p.end), Intended: p.why.intended()}
		if n := len(gaps); n > 0 && gaps[n-1].End.Equal(g.Start) && gaps[n-1].Intended == g.Intended {
			gaps[n-1].End = g.End
			return true
		}
		gaps = append(gaps, g)
		return true
	})
	return gaps
}

// A piece is a stretch in which nothing changes.
type piece struct {
	start, end int64
	users      []UserID // valid until the next piece
	why        trace
}

// walk calls yield with the pieces from one instant to another, in order, until yield returns
// false.
func (l *line) walk(from, to int64, yield func(piece) bool) {
	if from < to {
		l.visit(l.cutsIn(from, to), to, yield)
	}
}

// visit is walk over given cuts; the last piece ends at to.
func (l *line) visit(cuts []int64, to int64, yield func(piece) bool) {
	var buffer [8]UserID
	users := buffer[:0]
	for i, at := range cuts {
		p := piece{start: at, end: to}
		if i+1 < len(cuts) {
			p.end = cuts[i+1]
		}
		users = l.resolve(users[:0], at, &p.why)
		p.users = users
		if !yield(p) {
			return
		}
	}
}

// cutsIn returns from and, in order, every instant up to to at which something may change.
func (l *line) cutsIn(from, to int64) []int64 {
	cuts := make([]int64, 1, 64)
	cuts[0] = from
	add := func(t int64) {
		if t > from && t < to {
			cuts = append(cuts, t)
		}
	}
	away := func(g group) {
		for _, p := range g {
			for _, s := range p.away {
				add(s.start)
				add(s.end)
			}
		}
	}
	for i, v := range l.versions {
		begin, end := max(from, v.from), to
		if i+1 < len(l.versions) {
			end = min(to, l.versions[i+1].from)
		}
		if begin >= end {
			continue
		}
		add(begin)
		for j := range v.layers {
			v.layers[j].cuts(begin, end, add)
			for _, d := range v.layers[j].deals {
				for _, g := range d.groups {
					away(g)
				}
			}
		}
	}
	for _, t := range l.cuts {
		add(t)
	}
	for i := range l.ops {
		o := &l.ops[i]
		if o.end <= from || o.start >= to {
			continue
		}
		away(o.users)
		if o.hours != nil {
			lo, hi := o.hours.zone.reading(seconds(max(from, o.start))), o.hours.zone.reading(seconds(min(to, o.end)-1))
			o.hours.week.edgesIn(lo, hi, func(x int64) { add(o.hours.zone.first(x) * nanosecond) })
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// source turns a trace into words.
func (l *line) source(why trace) Source {
	var s Source
	if why.op > 0 {
		s.Override, s.Shift = l.ops[why.op-1].override, l.ops[why.op-1].shift
	}
	for i, y := range l.versions[why.version].layers {
		if why.layers>>i&1 == 0 {
			continue
		}
		if s.Rotation == "" {
			s.Rotation = y.name
		} else {
			s.Rotation = strings.Join([]string{s.Rotation, y.name}, " + ")
		}
	}
	return s
}

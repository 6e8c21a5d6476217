package schedule

import (
	"slices"
	"sort"
	"time"
)

// At returns who has a role at t, sorted; an empty list means nobody. The empty role is
// RolePrimary.
func (s *Schedule) At(t time.Time, role string) []UserID { return s.AppendAt([]UserID{}, t, role) }

// AppendAt appends to dst who has a role at t, sorted. It doesn't allocate if dst has room.
func (s *Schedule) AppendAt(dst []UserID, t time.Time, role string) []UserID {
	l := s.line(role)
	if l == nil {
		return dst
	}
	var why trace
	return l.resolve(dst, nanos(t), &why)
}

// Roles returns every role that anybody can have, RolePrimary first.
func (s *Schedule) Roles() []string {
	roles := make([]string, len(s.lines))
	for i := range s.lines {
		roles[i] = s.lines[i].role
	}
	return roles
}

// A trace explains an answer.
type trace struct {
	version int    // in force
	layers  uint64 // bit i: layer i put somebody on call and was not replaced
	op      int32  // the last op that had an effect, plus 1
	nobody  bool   // a rotation has nobody, on purpose
	missing bool   // somebody who would be on call is away or removed
}

// intended reports whether a gap is deliberate.
func (t *trace) intended() bool { return t.nobody && !t.missing }

// resolve appends the answer for one role.
func (l *line) resolve(dst []UserID, t int64, why *trace) []UserID {
	base := len(dst)
	dst, _ = l.hold(dst, t, why)
	if len(dst)-base > 1 {
		slices.Sort(dst[base:])
	}
	return dst
}

// hold appends the answer, and returns whom it counts as active. Whoever has taken over a shift by a swap keeps it while its
// person is away, or has left: that person then holds the shift for the swap's sake alone.
func (l *line) hold(dst []UserID, t int64, why *trace) ([]UserID, []holder) {
	base := len(dst)
	holders := l.holders(t)
	dst, idle := l.settle(dst, t, holders, why, nil)
	for idle >= 0 { // that swap takes nothing over, so its person is simply away
		holders = slices.Delete(holders, idle, idle+1)
		dst, idle = l.settle(dst[:base], t, holders, why, nil)
	}
	return dst, holders
}

// settle appends the rotations' answer as the ops change it, and marks the overrides that do. It also returns a holder whose
// swap had no effect, or -1.
func (l *line) settle(dst []UserID, t int64, holders []holder, why *trace, busy map[OverrideID]bool) (_ []UserID, idle int) {
	base := len(dst)
	idle = -1
	dst = l.rotations(dst, t, holders, why)
	for _, n := range l.actingAt(t) {
		last := len(holders) - 1
		until := last >= 0 && holders[last].until == n
		if until {
			holders = holders[:last]
		}
		var changed bool
		dst, changed = l.ops[n].apply(dst, base, t, holders, why)
		switch {
		case changed:
			why.op = n + 1
			if busy != nil {
				busy[l.ops[n].override] = true
			}
		case until:
			idle = last
		}
	}
	return dst, idle
}

// A holder is away, or has left, but counts as active until an op takes the shift over from them.
type holder struct {
	id    UserID
	until int32
}

// holders returns from whom swaps take over while they are away, the latest swap first. Who takes over may in turn hold the
// shift for the next.
func (l *line) holders(t int64) []holder {
	var out []holder
	for _, n := range slices.Backward(l.actingAt(t)) {
		o := &l.ops[n]
		if o.kind == opSwap && !o.leaver.active(t) && o.users[0].present(t, out) && o.acts(t) {
			out = append(out, holder{o.leaver.id, n})
		}
	}
	return out
}

// actingAt returns the ops in effect at t.
func (l *line) actingAt(t int64) []int32 {
	return l.acting[sort.Search(len(l.cuts), func(i int) bool { return l.cuts[i] > t })-1]
}

// rotations appends the people whom the rotations alone put on call.
func (l *line) rotations(dst []UserID, t int64, holders []holder, why *trace) []UserID {
	base := len(dst)
	*why = trace{version: sort.Search(len(l.versions), func(i int) bool { return l.versions[i].from > t }) - 1}
	layers := l.versions[why.version].layers
	for i := range layers {
		if len(dst) > base && layers[i].priority != layers[i-1].priority {
			break // a higher priority has somebody
		}
		g, inForce := layers[i].at(t)
		if !inForce {
			continue
		}
		var any bool
		dst, any = g.appendActive(dst, base, t, holders)
		switch {
		case any:
			why.layers |= 1 << i
		case len(g) == 0:
			why.nobody = true
		default:
			why.missing = true
		}
	}
	return dst
}

// appendActive appends the members who are active and not yet in dst[base:], and reports whether
// any is active.
func (g group) appendActive(dst []UserID, base int, t int64, holders []holder) ([]UserID, bool) {
	any := false
	for i := range g {
		if !g[i].present(t, holders) {
			continue
		}
		any = true
		if !slices.Contains(dst[base:], g[i].id) {
			dst = append(dst, g[i].id)
		}
	}
	return dst, any
}

// acts reports whether an op's hours include t.
func (o *op) acts(t int64) bool {
	return o.hours == nil || o.hours.week.contains(o.hours.zone.reading(seconds(t)))
}

// apply applies an op to the set dst[base:], and reports whether it changed anything.
func (o *op) apply(dst []UserID, base int, t int64, holders []holder, why *trace) ([]UserID, bool) {
	if !o.acts(t) {
		return dst, false
	}
	switch o.kind {
	case opCover:
		if o.covered && len(dst) == base || !slices.ContainsFunc(o.users, func(p person) bool { return p.present(t, holders) }) {
			return dst, false
		}
		*why = trace{version: why.version}
		dst, _ = o.users.appendActive(dst[:base], base, t, holders)
		return dst, true
	case opSwap:
		i := slices.Index(dst[base:], o.leaver.id)
		if i < 0 || !o.users[0].present(t, holders) {
			return dst, false
		}
		dst = slices.Delete(dst, base+i, base+i+1)
		dst, _ = o.users.appendActive(dst, base, t, holders)
		return dst, true
	case opAdd:
		before := len(dst)
		dst, any := o.users.appendActive(dst, base, t, holders)
		why.missing = why.missing || !any
		return dst, len(dst) > before
	case opRemove:
		before := len(dst)
		for i := range o.users {
			if at := slices.Index(dst[base:], o.users[i].id); at >= 0 {
				dst = slices.Delete(dst, base+at, base+at+1)
			}
		}
		why.missing = why.missing || len(dst) < before
		return dst, len(dst) < before
	default: // opClear
		*why = trace{version: why.version, nobody: true}
		return dst[:base], true
	}
}

package schedule

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// forever is later than every instant, and ever is earlier.
const (
	ever    = math.MinInt64
	forever = math.MaxInt64
)

const nanosecond = int64(time.Second) // in one second

// nanos returns t in unix nanoseconds, clamped to ever and forever.
func nanos(t time.Time) int64 {
	switch s := t.Unix(); {
	case s <= ever/nanosecond:
		return ever
	case s >= forever/nanosecond:
		return forever
	}
	return t.UnixNano()
}

// seconds rounds nanoseconds down to whole seconds.
func seconds(t int64) int64 { return floorDiv(t, nanosecond) }

// instant is the inverse of nanos.
func instant(t int64) time.Time { return time.Unix(0, t).UTC() }

// A person is a user with the spans in which they are away.
type person struct {
	id   UserID
	away []instants
}

// instants is a half-open span in unix nanoseconds.
type instants struct{ start, end int64 }

func (p person) active(t int64) bool {
	for _, s := range p.away {
		if t < s.end {
			return t < s.start
		}
	}
	return true
}

// present reports whether a person is active, or holds a shift for who takes it over.
func (p person) present(t int64, holders []holder) bool {
	return p.active(t) || slices.ContainsFunc(holders, func(h holder) bool { return h.id == p.id })
}

// A layer is a compiled rotation.
type layer struct {
	name     string
	priority int
	zone     *Zone
	turns    turns
	deals    []deal
	until    int64
	week     *weekly
	holidays *holidays // nil: none
}

// A deal is the order of turns from one turn until the next deal; it changes when members join or
// leave.
type deal struct {
	first  int64 // the first turn of this deal
	offset int64 // the group that has that turn
	groups []group
	origin []int // each group's index in the rotation's turns
}

func (d *deal) index(k int64) int64 { return (d.offset + k - d.first) % int64(len(d.groups)) }

// A group is the people who share a turn. An empty one means nobody, on purpose.
type group []person

// at returns who has the turn at t; false if the rotation is not in force.
func (l *layer) at(t int64) (group, bool) {
	if t >= l.until {
		return nil, false
	}
	h := l.zone.reading(seconds(t))
	if h < l.turns.start || !l.inForce(h) {
		return nil, false
	}
	return l.group(l.turns.number(h))
}

// group returns the people who have turn k.
func (l *layer) group(k int64) (group, bool) {
	i := len(l.deals) - 1
	for i > 0 && l.deals[i].first > k {
		i--
	}
	d := &l.deals[i]
	if k < d.first || len(d.groups) == 0 {
		return nil, false
	}
	return d.groups[d.index(k)], true
}

// cuts calls add with every instant inside (from, to) at which the layer may change.
func (l *layer) cuts(from, to int64, add func(int64)) {
	if l.until > from && l.until < to {
		add(l.until)
	}
	to = min(to, l.until)
	if from >= to {
		return
	}
	lo, hi := l.zone.reading(seconds(from)), l.zone.reading(seconds(to-1))
	at := func(reading int64) { add(l.zone.first(reading) * nanosecond) }
	if l.turns.start > lo && l.turns.start <= hi {
		at(l.turns.start)
	}
	if len(l.deals) > 1 || len(l.deals[0].groups) > 1 {
		last := l.turns.number(hi)
		for k := l.turns.number(lo) + 1; k <= last; k++ {
			// Outside the windows, a hand-off takes effect only when the next one opens.
			if h := l.turns.handOff(k); l.inForce(h) {
				at(h)
			}
		}
	}
	l.edgesIn(lo, hi, at)
}

// compileLayer checks and compiles a rotation.
func compileLayer(rotation Rotation, defaultZone string, people people) (layer, error) {
	l := layer{name: rotation.Name, priority: rotation.Priority, until: forever}
	name := rotation.TimeZone
	if name == "" {
		name = defaultZone
	}
	var err error
	if l.zone, err = LoadZone(name); err != nil {
		return layer{}, fmt.Errorf("timezone: %w", err)
	}
	if l.week, err = compileWindows(rotation.Windows); err != nil {
		return layer{}, err
	}
	if l.holidays, err = compileHolidays(rotation.Holidays); err != nil {
		return layer{}, err
	}
	if l.turns, err = compileTurns(rotation, l.week); err != nil {
		return layer{}, err
	}
	if len(rotation.Turns) == 0 {
		return layer{}, fmt.Errorf("turns is empty; for nobody on purpose, give one empty turn")
	}
	for i, users := range rotation.Turns {
		if slices.Contains(users, "") {
			return layer{}, fmt.Errorf("turns: turn %d has a user without an id", i+1)
		}
	}
	if rotation.Until != nil {
		l.until = nanos(*rotation.Until)
	}
	l.deals, err = dealTurns(rotation, &l.turns, people)
	return l, err
}

// dealTurns finds the turns at which the members change, and the order of turns from each.
// Membership is checked on the date of the hand-off, so a turn that has begun runs to its end.
func dealTurns(rotation Rotation, t *turns, people people) ([]deal, error) {
	changes := []int64{0}
	for i, m := range rotation.Members {
		if m.User == "" {
			return nil, fmt.Errorf("members: member %d has no user", i+1)
		}
		if !m.From.IsZero() && !m.Until.IsZero() && m.Until.days() <= m.From.days() {
			return nil, fmt.Errorf("members: %s takes part until %s, which is not after %s", m.User, m.Until, m.From)
		}
		for _, d := range []Date{m.From, m.Until} {
			if !d.IsZero() {
				changes = append(changes, t.number(d.days()*paperDay-1)+1)
			}
		}
	}
	slices.Sort(changes)
	var deals []deal
	next := int(floorMod(int64(rotation.FirstTurn), int64(len(rotation.Turns))))
	for _, k := range slices.Compact(changes) {
		if n := len(deals); n > 0 && len(deals[n-1].groups) > 0 {
			next = (deals[n-1].origin[deals[n-1].index(k-1)] + 1) % len(rotation.Turns)
		}
		d := deal{first: k}
		date := dateOf(floorDiv(t.handOff(k), paperDay))
		for i, users := range rotation.Turns {
			g := people.group(users, func(id UserID) bool { return rotation.takesPart(id, date) })
			if len(g) == 0 && len(users) > 0 {
				continue
			}
			if i < next {
				d.offset++
			}
			d.groups, d.origin = append(d.groups, g), append(d.origin, i)
		}
		deals = append(deals, d)
	}
	return deals, nil
}

// takesPart reports whether a user is a member on a date.
func (r Rotation) takesPart(id UserID, d Date) bool {
	listed := false
	for _, m := range r.Members {
		if m.User != id {
			continue
		}
		listed = true
		if (m.From.IsZero() || m.From.days() <= d.days()) && (m.Until.IsZero() || d.days() < m.Until.days()) {
			return true
		}
	}
	return !listed
}

// people maps the users who are ever away to when they are.
type people map[UserID][]instants

func (p people) person(id UserID) person { return person{id: id, away: p[id]} }

// group returns the users that keep accepts, each once.
func (p people) group(users []UserID, keep func(UserID) bool) group {
	g := make(group, 0, len(users))
	for i, id := range users {
		if keep(id) && !slices.Contains(users[:i], id) {
			g = append(g, p.person(id))
		}
	}
	return g
}

// compilePeople sorts and merges the spans in which people are away.
func compilePeople(inactive map[UserID][]Span) people {
	p := people{}
	for id, spans := range inactive {
		var all []instants
		for _, s := range spans {
			end := int64(forever)
			if s.End != nil {
				end = nanos(*s.End)
			}
			if start := nanos(s.Start); start < end {
				all = append(all, instants{start, end})
			}
		}
		slices.SortFunc(all, func(a, b instants) int { return cmp.Compare(a.start, b.start) })
		var joined []instants
		for _, s := range all {
			if n := len(joined); n > 0 && s.start <= joined[n-1].end {
				joined[n-1].end = max(joined[n-1].end, s.end)
			} else {
				joined = append(joined, s)
			}
		}
		if len(joined) > 0 {
			p[id] = joined
		}
	}
	return p
}

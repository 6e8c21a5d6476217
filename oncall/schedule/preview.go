package schedule

import (
	"cmp"
	"slices"
	"time"
)

// A Move is a stretch of time that a person gains or loses by an edit.
type Move struct {
	User   UserID    `json:"user"`
	Role   string    `json:"role"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Gained bool      `json:"gained"` // otherwise lost
}

// maxMovedShifts is how many shifts of a role MovedShifts compares: more than eight weeks of the
// shortest turns.
const maxMovedShifts = 2_000

// MovedShifts returns what every person gains and loses between two instants if the schedule before
// becomes the schedule after, sorted by start, role and user, lost before gained. It compares at
// most the first maxMovedShifts shifts.
func MovedShifts(before, after *Schedule, from, to time.Time) []Move {
	moves := []Move{}
	roles := before.Roles()
	for _, role := range after.Roles() {
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	for _, role := range roles {
		was, is := before.FirstShifts(from, to, role, maxMovedShifts), after.FirstShifts(from, to, role, maxMovedShifts)
		moves = append(moves, moved(was, is, Move{Role: role})...)
		moves = append(moves, moved(is, was, Move{Role: role, Gained: true})...)
	}
	slices.SortStableFunc(moves, func(a, b Move) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Role, b.Role), cmp.Compare(a.User, b.User))
	})
	return moves
}

// moved returns where people in one list of shifts are missing from the other; both tile the same
// stretch. Move is a template for the results.
func moved(these, others []Shift, pattern Move) []Move {
	var moves []Move
	open := map[UserID]int{} // each user's last move
	for i, j := 0, 0; i < len(these) && j < len(others); {
		a, b := these[i], others[j]
		m := pattern
		m.Start, m.End = a.Start, a.End
		if b.Start.After(a.Start) {
			m.Start = b.Start
		}
		if b.End.Before(a.End) {
			m.End = b.End
		}
		for _, u := range a.Users {
			if slices.Contains(b.Users, u) {
				continue
			}
			if last, ok := open[u]; ok && moves[last].End.Equal(m.Start) {
				moves[last].End = m.End
				continue
			}
			m.User = u
			open[u] = len(moves)
			moves = append(moves, m)
		}
		if !a.End.After(b.End) {
			i++
		}
		if !b.End.After(a.End) {
			j++
		}
	}
	return moves
}

// IdleOverrides returns the overrides that fall at least partly between two instants and change
// nothing there, such as swaps that no longer match a shift after an edit.
func (s *Schedule) IdleOverrides(from, to time.Time) []OverrideID {
	busy, all := map[OverrideID]bool{}, map[OverrideID]bool{}
	for i := range s.lines {
		l := &s.lines[i]
		for _, o := range l.ops {
			if o.override != 0 && o.start < nanos(to) && o.end > nanos(from) {
				all[o.override] = true
			}
		}
		for _, t := range l.cutsIn(nanos(from), nanos(to)) {
			var why trace
			_, holders := l.hold(nil, t, &why)
			l.settle(nil, t, holders, &why, busy)
		}
	}
	idle := []OverrideID{}
	for id := range all {
		if !busy[id] {
			idle = append(idle, id)
		}
	}
	slices.Sort(idle)
	return idle
}

// KeepTurn sets the first turn of an edited rotation so that the person who has the old rotation at an
// instant has the new one too, if it has a turn with at least one of them. So an edit by itself
// hands nothing over.
func KeepTurn(before, after Rotation, timeZone string, at time.Time) (Rotation, error) {
	b, err := compileLayer(before, timeZone, people{})
	if err != nil {
		return after, Refuse("Rotation %q, %s.", before.Name, err)
	}
	a, err := compileLayer(after, timeZone, people{})
	if err != nil {
		return after, Refuse("Rotation %q, %s.", after.Name, err)
	}
	numberBefore := b.turns.number(b.zone.reading(at.Unix()))
	is := a.turns.number(a.zone.reading(at.Unix()))
	best := after.FirstTurn
	// If a turn was taken out, and nobody who has it takes part any more, those come who would have been next. With as
	// many turns as before, whoever stands in their place has it.
	turns := 1
	if len(after.Turns) < len(before.Turns) {
		turns = len(before.Turns)
	}
	for k := range int64(turns) {
		holders, _ := b.group(numberBefore + k)
		if len(holders) == 0 && k == 0 {
			break // nobody on purpose
		}
		first, kept, err := a.bestFirst(after, is, holders)
		if err != nil {
			return after, err
		}
		if kept {
			best = first
			break
		}
	}
	after.FirstTurn = best
	return after, nil
}

// bestFirst returns the first turn of a rotation with which a turn has the most of some people, and whether it has any.
func (l *layer) bestFirst(r Rotation, turn int64, holders group) (best int, kept bool, err error) {
	largest, crowd := 0, 1
	for _, users := range r.Turns {
		crowd += len(users)
	}
	for first := range r.Turns {
		r.FirstTurn = first
		if l.deals, err = dealTurns(r, &l.turns, people{}); err != nil {
			return 0, false, Refuse("Rotation %q, %s.", r.Name, err)
		}
		group, _ := l.group(turn)
		same := 0 // prefer more of the same people, then fewer others
		for _, p := range group {
			if slices.ContainsFunc(holders, func(q person) bool { return q.id == p.id }) {
				same += crowd
			}
			same--
		}
		if same > largest {
			best, largest = first, same
		}
	}
	return best, largest > 0, nil
}

// OverlappingShifts returns the manual shifts that overlap the given one in time and role, for
// schedules that refuse that.
func OverlappingShifts(shifts []ManualShift, with ManualShift) []ManualShift {
	var found []ManualShift
	for _, s := range shifts {
		if roleName(s.Role) == roleName(with.Role) && s.Start.Before(with.End) && with.Start.Before(s.End) &&
			(s.ID == 0 || s.ID != with.ID) {
			found = append(found, s)
		}
	}
	return found
}

// CutShifts removes a stretch of time from manual shifts. A shift on both sides of it becomes two,
// the second without an id.
func CutShifts(shifts []ManualShift, start, end time.Time) []ManualShift {
	var left []ManualShift
	for _, s := range shifts {
		if !s.Start.Before(end) || !start.Before(s.End) {
			left = append(left, s)
			continue
		}
		if s.Start.Before(start) {
			head := s
			head.End = start
			left = append(left, head)
		}
		if s.End.After(end) {
			tail := s
			tail.Start = end
			if s.Start.Before(start) {
				tail.ID = 0
			}
			left = append(left, tail)
		}
	}
	return left
}

// JoinLast lets people who were added after the last turn of a rotation come after everybody else: whoever is next at an instant stays next.
// Without it they would come right after the last turn of the list, wherever the round stands. Any other edit stays as it is.
func JoinLast(before, after Rotation, timeZone string, at time.Time) (Rotation, error) {
	n := len(before.Turns)
	if n == 0 || len(after.Turns) <= n || before.StartDate != after.StartDate ||
		!slices.EqualFunc(before.Turns, after.Turns[:n], slices.Equal) {
		return after, nil
	}
	b, err := compileLayer(before, timeZone, people{})
	if err != nil {
		return after, Refuse("Rotation %q, %s.", before.Name, err)
	}
	now, _ := b.group(b.turns.number(b.zone.reading(at.Unix())))
	present := slices.IndexFunc(before.Turns, func(turn []UserID) bool {
		return len(turn) > 0 && len(turn) == len(now) && !slices.ContainsFunc(turn, func(u UserID) bool {
			return !slices.ContainsFunc(now, func(p person) bool { return p.id == u })
		})
	})
	if present < 0 {
		return after, nil
	}
	after.Turns = slices.Concat(before.Turns[present:], before.Turns[:present], after.Turns[n:])
	return after, nil
}

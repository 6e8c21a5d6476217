package schedule

import (
	"fmt"
	"slices"
	"time"
)

// An Override changes who is on call between two instants, whatever the rotations say. Overrides
// apply in order of creation, each to the result so far; so the latest wins, and an older one shows
// again once the newer ends.
//
// An empty Role means: cover and add act on RolePrimary; swap and remove, which name a person, act
// on every role in which that person is on call; a temporary schedule replaces every role.
//
// Windows make an override recur: "every Tuesday 18:00 to 20:00" is a window between a Start and an
// End that may be months apart, in the override's time zone or else the schedule's.
type Override struct {
	ID          OverrideID    `json:"id"` // in order of creation; 0, not stored yet, is the latest
	ScheduleID  ID            `json:"schedule_id"`
	Kind        OverrideKind  `json:"kind"`
	Role        string        `json:"role,omitempty"`
	Start       time.Time     `json:"start"`
	End         time.Time     `json:"end"`
	Users       []UserID      `json:"users,omitempty"` // cover, add, remove
	From        UserID        `json:"from,omitempty"`  // swap: who leaves
	To          UserID        `json:"to,omitempty"`    // swap: who takes over
	TimeZone    string        `json:"timezone,omitempty"`
	Windows     []Window      `json:"windows,omitempty"`
	Shifts      []ManualShift `json:"shifts,omitempty"`       // temporary
	AllowGaps   bool          `json:"allow_gaps,omitempty"`   // temporary: gaps were confirmed
	OnlyCovered bool          `json:"only_covered,omitempty"` // cover: only while somebody would be on call
	Reason      string        `json:"reason,omitempty"`
	CreatedBy   UserID        `json:"created_by,omitempty"`
	CreatedAt   time.Time     `json:"created_at,omitzero"`
	CancelledAt *time.Time    `json:"cancelled_at,omitempty"` // ends it immediately; before Start, it never takes effect
}

// OverrideKind is what an override does to the people on call.
type OverrideKind string

// The kinds of override. Only people who are active at the instant count, but whoever swap replaces may be away or have left.
const (
	// OverrideCover replaces everybody by Users; no effect if none of them is active.
	OverrideCover OverrideKind = "cover"
	// OverrideSwap replaces From by To, if From is on call, or would be if they were active, and To is active.
	OverrideSwap OverrideKind = "swap"
	// OverrideAdd adds Users to the people on call.
	OverrideAdd OverrideKind = "add"
	// OverrideRemove takes Users off call; lower rotations don't fill in.
	OverrideRemove OverrideKind = "remove"
	// OverrideTemporary replaces everything made before it by a fixed list of shifts.
	OverrideTemporary OverrideKind = "temporary"
)

// A ManualShift is a shift entered by hand: these people, from start to end.
type ManualShift struct {
	ID    ShiftID   `json:"id,omitempty"`
	Role  string    `json:"role,omitempty"` // "" is RolePrimary
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Users []UserID  `json:"users"`
}

// ShiftID identifies a ManualShift.
type ShiftID int64

// Ends returns when the override ends, cancellation included.
func (o Override) Ends() time.Time {
	if o.CancelledAt != nil && o.CancelledAt.Before(o.End) {
		return *o.CancelledAt
	}
	return o.End
}

// Named returns the people whom the override puts on call.
func (o Override) Named() []UserID {
	named := slices.Clone(o.Users)
	if o.Kind == OverrideRemove {
		named = nil
	}
	if o.To != "" {
		named = append(named, o.To)
	}
	for _, s := range o.Shifts {
		named = append(named, s.Users...)
	}
	return named
}

// People returns everybody whom any version, override or shift of the schedule puts on call.
func (d Definition) People() []UserID {
	var people []UserID
	for _, v := range d.Versions {
		for _, r := range v.Rotations {
			people = slices.Concat(people, slices.Concat(r.Turns...))
		}
	}
	for _, o := range d.Overrides {
		people = slices.Concat(people, o.Named())
	}
	for _, s := range d.Shifts {
		people = slices.Concat(people, s.Users)
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// Cancellable refuses to cancel what is over.
func (o Override) Cancellable(now time.Time) error {
	switch {
	case o.CancelledAt != nil:
		return Refuse("It has been cancelled already.")
	case !o.End.After(now):
		return Refuse("It is over already.")
	}
	return nil
}

// An op is the compiled effect of an override or manual shift on one role.
type op struct {
	kind       opKind
	start, end int64
	role       string // "" is every role
	users      group
	leaver     person // swap: who is replaced
	hours      *Hours // nil is always
	covered    bool   // only while somebody is on call
	override   OverrideID
	shift      ShiftID
	order      int64
}

type opKind uint8

const (
	opCover opKind = iota
	opSwap
	opAdd
	opRemove
	opClear // empties the role, before the shifts of a temporary schedule
)

// hides reports whether an op hides everything made before it.
func (o *op) hides() bool {
	switch {
	case o.hours != nil, o.covered:
		return false
	case o.kind == opClear:
		return true
	case o.kind == opCover:
		return slices.ContainsFunc(o.users, func(p person) bool { return len(p.away) == 0 })
	}
	return false
}

// compileOverride checks an override and returns its ops. Every refusal begins with text.
func compileOverride(override Override, defaultZone, text string, people people) ([]op, error) {
	if !override.Start.Before(override.End) {
		return nil, Refuse("%s: end is not after start.", text)
	}
	if slices.Contains(override.Users, "") {
		return nil, Refuse("%s: users has a user without an id.", text)
	}
	base := op{start: nanos(override.Start), end: nanos(override.Ends()), role: override.Role, override: override.ID, order: int64(override.ID)}
	if override.ID == 0 {
		base.order = forever
	}
	if len(override.Windows) > 0 {
		zone := override.TimeZone
		if zone == "" {
			zone = defaultZone
		}
		z, err := LoadZone(zone)
		if err != nil {
			return nil, Refuse("%s, timezone: %s.", text, err)
		}
		week, err := compileWindows(override.Windows)
		if err != nil {
			return nil, Refuse("%s, %s.", text, err)
		}
		base.hours = &Hours{zone: z, week: week}
	}
	switch override.Kind {
	case OverrideTemporary:
		return compileTemporary(override, base, text, people)
	case OverrideSwap:
		if override.From == "" || override.To == "" || override.From == override.To {
			return nil, Refuse("%s: a swap needs two people, from and to.", text)
		}
		base.kind, base.leaver, base.users = opSwap, people.person(override.From), group{people.person(override.To)}
		return []op{base}, nil
	case OverrideCover:
		base.kind, base.role, base.covered = opCover, roleName(override.Role), override.OnlyCovered
	case OverrideAdd:
		base.kind, base.role = opAdd, roleName(override.Role)
	case OverrideRemove:
		base.kind = opRemove
	default:
		return nil, Refuse("%s: kind %q is none of cover, swap, add, remove, temporary.", text, override.Kind)
	}
	if len(override.Users) == 0 {
		return nil, Refuse("%s: users is empty.", text)
	}
	base.users = people.group(override.Users, everybody)
	return []op{base}, nil
}

func everybody(UserID) bool { return true }

// compileTemporary clears the span and adds the shifts, clipped to it.
func compileTemporary(override Override, base op, text string, people people) ([]op, error) {
	if len(override.Windows) > 0 {
		return nil, Refuse("%s: a temporary schedule can't have windows.", text)
	}
	role := roleName(override.Role)
	base.kind = opClear
	ops := []op{base}
	var cover []ManualShift
	for i, s := range override.Shifts {
		if override.Role != "" && s.Role != "" && s.Role != override.Role {
			return nil, Refuse("%s: shift %d is for role %q, but the temporary schedule for %q.", text, i+1, s.Role, override.Role)
		}
		if s.Role == "" {
			s.Role = role
		}
		add, err := compileShift(s, fmt.Sprintf("%s, shift %d", text, i+1), people)
		if err != nil {
			return nil, err
		}
		add.override, add.order = base.override, base.order
		add.start, add.end = max(base.start, add.start), min(base.end, add.end)
		ops = append(ops, add)
		if s.Role == role {
			cover = append(cover, s)
		}
	}
	if gap, found := firstGap(cover, override.Start, override.End); found && !override.AllowGaps {
		return nil, Refuse("%s: nobody is %s from %s; fill the gap or confirm it.", text, role, gap.UTC().Format(time.RFC3339))
	}
	return ops, nil
}

// compileShift checks a manual shift.
func compileShift(s ManualShift, text string, people people) (op, error) {
	if !s.Start.Before(s.End) {
		return op{}, Refuse("%s: end is not after start.", text)
	}
	if len(s.Users) == 0 || slices.Contains(s.Users, "") {
		return op{}, Refuse("%s: users is empty or has a user without an id.", text)
	}
	return op{
		kind: opAdd, start: nanos(s.Start), end: nanos(s.End), role: roleName(s.Role),
		users: people.group(s.Users, everybody), shift: s.ID, order: ever,
	}, nil
}

// firstGap returns the first instant from start to end that no shift covers.
func firstGap(shifts []ManualShift, start, end time.Time) (time.Time, bool) {
	shifts = slices.Clone(shifts)
	slices.SortFunc(shifts, func(a, b ManualShift) int { return a.Start.Compare(b.Start) })
	for _, s := range shifts {
		if s.Start.After(start) {
			break
		}
		if s.End.After(start) {
			start = s.End
		}
	}
	return start, start.Before(end)
}

// roleName fills in the default role.
func roleName(role string) string {
	if role == "" {
		return RolePrimary
	}
	return role
}

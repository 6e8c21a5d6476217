package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var staff = []UserID{"ann", "bo", "cy", "di", "ed"}

// randomSchedule makes up a schedule with every feature.
func randomSchedule(rng *rand.Rand) Definition {
	begin := Date{2026, 2, 1}.days()
	instant := func() time.Time { return time.Unix(begin*paperDay+rng.Int64N(90*paperDay), rng.Int64N(3)*1e8).UTC() }
	some := func() []UserID {
		n := 1 + rng.IntN(2)
		at := rng.IntN(len(staff) - n)
		return staff[at : at+n]
	}
	d := Definition{Name: "random", TimeZone: "Europe/Berlin", Inactive: map[UserID][]Span{}}
	for v := range 1 + rng.IntN(3) {
		version := Version{ID: int64(v + 1)}
		if v > 0 {
			at := instant()
			version.EffectiveFrom = &at
		}
		for range 1 + rng.IntN(3) {
			version.Rotations = append(version.Rotations, randomRotation(rng, some, instant))
		}
		d.Versions = append(d.Versions, version)
	}
	for i := range rng.IntN(25) {
		start := instant()
		o := Override{ID: OverrideID(i + 1), Start: start, End: start.Add(time.Duration(1+rng.IntN(100)) * time.Hour)}
		o.Kind = []OverrideKind{OverrideCover, OverrideSwap, OverrideAdd, OverrideRemove, OverrideTemporary}[rng.IntN(5)]
		o.Role = []string{"", "", RoleSecondary}[rng.IntN(3)]
		switch o.Kind {
		case OverrideSwap:
			o.From, o.To = staff[rng.IntN(3)], staff[3+rng.IntN(2)]
		case OverrideTemporary:
			o.AllowGaps = true
			o.Shifts = []ManualShift{{Start: o.Start.Add(time.Minute), End: o.End.Add(time.Minute), Users: some()}}
		default:
			o.Users = some()
		}
		if o.Kind != OverrideTemporary && rng.IntN(4) == 0 {
			o.Windows = []Window{{Days: weekdays[:3], From: 22 * 60, To: 3 * 60}}
		}
		if rng.IntN(6) == 0 {
			at := instant()
			o.CancelledAt = &at
		}
		d.Overrides = append(d.Overrides, o)
	}
	for i := range rng.IntN(3) {
		start := instant()
		d.Shifts = append(d.Shifts, ManualShift{ID: ShiftID(i + 1), Start: start, End: start.Add(9 * time.Hour), Users: some()})
	}
	for range rng.IntN(3) {
		start := instant()
		span := Span{Start: start}
		if rng.IntN(3) > 0 {
			end := start.Add(time.Duration(rng.IntN(300)) * time.Hour)
			span.End = &end
		}
		id := staff[rng.IntN(len(staff))]
		d.Inactive[id] = append(d.Inactive[id], span)
	}
	return d
}

func randomRotation(rng *rand.Rand, some func() []UserID, instant func() time.Time) Rotation {
	zones := []string{"", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Antarctica/Troll"}
	r := modelRotation(rng, instant(), zones[rng.IntN(len(zones))])
	r.Role = []string{"", "", RoleSecondary, RoleShadow}[rng.IntN(4)]
	r.Priority = rng.IntN(3)
	r.Turns = nil
	for range 1 + rng.IntN(4) {
		turn := some()
		if rng.IntN(6) == 0 {
			turn = nil
		}
		r.Turns = append(r.Turns, turn)
	}
	if r.Period.Cron == "" && rng.IntN(3) == 0 {
		r.Advance = AdvanceActive
	}
	if rng.IntN(3) == 0 {
		until := instant()
		r.Until = &until
	}
	for range rng.IntN(3) {
		d := r.StartDate.AddDays(rng.IntN(40))
		r.Members = append(r.Members, Member{User: staff[rng.IntN(len(staff))], From: d, Until: d.AddDays(1 + rng.IntN(60))})
	}
	return r
}

func mustCompile(t testing.TB, s Definition) *Schedule {
	t.Helper()
	c, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everyRandom calls f with many schedules, as many as seeds says of n, and with the stretch in which they happen.
func everyRandom(t *testing.T, n int, f func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time)) {
	t.Helper()
	for i := range seeds(n) {
		rng := rand.New(rand.NewPCG(11, uint64(i)))
		from := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
		s := randomSchedule(rng)
		t.Run(fmt.Sprint(i), func(t *testing.T) { f(t, rng, s, from, from.AddDate(0, 0, 120)) })
	}
}

func TestShiftsTileAndAgreeWithAt(t *testing.T) {
	t.Parallel()
	everyRandom(t, 300, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		c := mustCompile(t, s)
		for _, role := range c.Roles() {
			end := from
			shifts := c.Shifts(from, to, role)
			for i, shift := range shifts {
				if !shift.Start.Equal(end) || !shift.Start.Before(shift.End) {
					t.Fatalf("%s: shift %d begins at %s, want %s", role, i, shift.Start, end)
				}
				end = shift.End
				if i > 0 && slices.Equal(shift.Users, shifts[i-1].Users) {
					t.Fatalf("%s: shift %d is the same as the one before", role, i)
				}
				length := shift.End.Sub(shift.Start)
				for _, at := range []time.Time{shift.Start, shift.End.Add(-1), shift.Start.Add(time.Duration(rng.Int64N(int64(length))))} {
					if got := c.At(at, role); !slices.Equal(got, shift.Users) {
						t.Fatalf("%s at %s: %v, but the shift has %v", role, at, got, shift.Users)
					}
				}
				next, ok := c.NextChange(shift.Start, to, role)
				if last := i == len(shifts)-1; ok == last || ok && !next.Equal(shift.End) {
					t.Fatalf("%s: the next change after %s is %s %t, want %s", role, shift.Start, next, ok, shift.End)
				}
			}
			if !end.Equal(to) {
				t.Fatalf("%s: the shifts end at %s, want %s", role, end, to)
			}
		}
	})
}

// TestAnswersDoNotDependOnTheWindow asks for a part of a stretch.
func TestAnswersDoNotDependOnTheWindow(t *testing.T) {
	t.Parallel()
	everyRandom(t, 100, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		c := mustCompile(t, s)
		middle := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
		whole, parts := c.Shifts(from, to, ""), c.Shifts(from, middle, "")
		for i, shift := range c.Shifts(middle, to, "") {
			if last := &parts[len(parts)-1]; i == 0 && slices.Equal(last.Users, shift.Users) {
				last.End = shift.End
			} else {
				parts = append(parts, shift)
			}
		}
		same := slices.EqualFunc(whole, parts, func(a, b Shift) bool {
			return a.Start.Equal(b.Start) && a.End.Equal(b.End) && slices.Equal(a.Users, b.Users)
		})
		if !same {
			t.Fatalf("the shifts differ if they are computed in two parts, cut at %s: whole\n%v\nin parts\n%v", middle, whole, parts)
		}
	})
}

func TestEditNeverChangesThePast(t *testing.T) {
	t.Parallel()
	everyRandom(t, 200, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		before := mustCompile(t, s)
		edit := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
		// An edit may come between versions that are already planned.
		other := randomSchedule(rng).Versions[0]
		other.EffectiveFrom = &edit
		s.Versions = append(s.Versions, other)
		s.Overrides = append(s.Overrides, Override{Kind: OverrideCover, Start: edit, End: to, Users: staff[:1]})
		after := mustCompile(t, s)
		for range 200 {
			at := from.Add(time.Duration(rng.Int64N(int64(edit.Sub(from)))))
			for _, role := range before.Roles() {
				if was, is := before.At(at, role), after.At(at, role); !slices.Equal(was, is) {
					t.Fatalf("an edit at %s changed %s from %v to %v", edit, at, was, is)
				}
			}
		}
		for _, m := range MovedShifts(before, after, from, to) {
			if m.Start.Before(edit) {
				t.Fatalf("an edit at %s moved %+v", edit, m)
			}
		}
	})
}

// TestMovesAreTheDifference takes away and adds what MovedShifts says, minute by minute.
func TestMovesAreTheDifference(t *testing.T) {
	t.Parallel()
	everyRandom(t, 40, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		before := mustCompile(t, s)
		s.Overrides = append(s.Overrides, randomSchedule(rng).Overrides...)
		for i := range s.Overrides {
			s.Overrides[i].ID = OverrideID(i + 1)
		}
		after := mustCompile(t, s)
		moves := MovedShifts(before, after, from, to)
		for range 300 {
			at := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
			want := after.At(at, "")
			got := before.At(at, "")
			for _, m := range moves {
				if m.Role != RolePrimary || at.Before(m.Start) || !at.Before(m.End) {
					continue
				}
				if m.Gained {
					got = append(got, m.User)
				} else {
					got = slices.DeleteFunc(got, func(u UserID) bool { return u == m.User })
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%s: %v with the moves, want %v", at, got, want)
			}
		}
	})
}

// TestOverridesAgreeWithTheList applies the overrides one by one from the list, without
// any index.
func TestOverridesAgreeWithTheList(t *testing.T) {
	t.Parallel()
	everyRandom(t, 200, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		s.Inactive = nil
		s.Overrides = slices.DeleteFunc(s.Overrides, func(o Override) bool {
			return o.Kind == OverrideTemporary || len(o.Windows) > 0
		})
		bare := s
		bare.Overrides = nil
		c, base := mustCompile(t, s), mustCompile(t, bare)
		for range 300 {
			at := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
			want := base.At(at, "")
			for _, o := range s.Overrides {
				if !at.Before(o.Start) && at.Before(o.Ends()) && o.Role != RoleSecondary {
					want = applyOne(o, want)
				}
			}
			if slices.Sort(want); !slices.Equal(c.At(at, ""), want) {
				t.Fatalf("%s: %v, want %v", at, c.At(at, ""), want)
			}
		}
	})
}

func applyOne(o Override, set []UserID) []UserID {
	without := func(gone []UserID) []UserID {
		return slices.DeleteFunc(slices.Clone(set), func(u UserID) bool { return slices.Contains(gone, u) })
	}
	switch o.Kind {
	case OverrideCover:
		return slices.Clone(o.Users)
	case OverrideAdd:
		return append(without(o.Users), o.Users...)
	case OverrideRemove:
		return without(o.Users)
	default:
		if !slices.Contains(set, o.From) {
			return set
		}
		return append(without([]UserID{o.From, o.To}), o.To)
	}
}

// TestWindowsThatTileThePaperTileTheDay has three people share the day in every zone,
// across every change of its clock, for 53 weeks and for the days around each change
// of fifty years: always exactly one of them is on call.
func TestWindowsThatTileThePaperTileTheDay(t *testing.T) {
	t.Parallel()
	edges := []TimeOfDay{0, 60 + 30, 2*60 + 15, 2*60 + 45, 9 * 60, 23*60 + 45}
	allZones(t, func(z *Zone, _ *time.Location) {
		var rotations []Rotation
		for i, from := range edges {
			to := edges[(i+1)%len(edges)]
			rotations = append(rotations, Rotation{
				Name: from.String(), TimeZone: z.name, Period: Period{Unit: DayUnit}, StartDate: Date{1989, 12, 1},
				HandOff: from, Turns: [][]UserID{{staff[i%3]}, {staff[3+i%2]}},
				Windows: []Window{{Days: weekdays[:], From: from, To: to}},
			})
		}
		c := mustCompile(t, Definition{Versions: []Version{{Rotations: rotations}}})
		checkOne := func(from, to time.Time) {
			end := from
			for _, s := range c.Shifts(from, to, "") {
				if len(s.Users) != 1 || !s.Start.Equal(end) {
					t.Fatalf("%s: %v from %s to %s; want 1 entry and %s", z.name, s.Users, s.Start, s.End, end)
				}
				end = s.End
			}
			if !end.Equal(to) {
				t.Fatalf("%s: cover ends at %s, want %s", z.name, end, to)
			}
		}
		for _, change := range changesIn(z, 1990, 2040) {
			checkOne(time.Unix(change-2*paperDay, 0), time.Unix(change+2*paperDay, 0))
		}
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		checkOne(from, from.AddDate(0, 0, 53*7))
	})
}

// TestWeeklyCoversEverything is the plain rotation in every zone: 53 weeks, one person
// at a time, every hand-off at 09:00 or later by the wall clock.
func TestWeeklyCoversEverything(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 12, 12, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 53*7)
	allZones(t, func(z *Zone, loc *time.Location) {
		c := mustCompile(t, Definition{TimeZone: z.name, Versions: []Version{{Rotations: []Rotation{{
			Name: "weekly", Period: Period{Unit: WeekUnit}, StartDate: Date{2026, 1, 5}, HandOff: 9 * 60,
			Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}},
		}}}}})
		shifts := c.Shifts(from, to, "")
		if len(shifts) < 53 || len(c.Gaps(from, to, "")) > 0 {
			t.Fatalf("%s: %d shifts, gaps %v; want at least 53 and none", z.name, len(shifts), c.Gaps(from, to, ""))
		}
		for i, s := range shifts[1:] {
			local := s.Start.In(loc)
			if len(s.Users) != 1 {
				t.Fatalf("%s: got shift %d of %v, want it of one person", z.name, i+1, s.Users)
			}
			if got := local.Format("Monday 15:04"); got != "Monday 09:00" {
				t.Fatalf("%s: got shift %d beginning %s, want Monday 09:00", z.name, i+1, got)
			}
		}
	})
}

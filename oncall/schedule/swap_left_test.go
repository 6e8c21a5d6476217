package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// left returns a schedule of Ann's, Bo's and Cy's weeks from 5 January, with overrides, and with Cy gone on 20 January.
func left(t *testing.T, overrides ...Override) *Schedule {
	t.Helper()
	for i := range overrides {
		overrides[i].ID = OverrideID(i + 1)
	}
	return mustCompile(t, Definition{
		TimeZone: "UTC",
		Versions: []Version{{Rotations: []Rotation{
			{
				Name: "weekly", Priority: 1, Period: Period{Unit: WeekUnit}, StartDate: Date{2026, 1, 5}, HandOff: 9 * 60,
				Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}},
			},
			{Name: "backstop", Period: Period{Unit: WeekUnit}, StartDate: Date{2026, 1, 5}, Turns: [][]UserID{{"ed"}}},
		}}},
		Overrides: overrides,
		Inactive: map[UserID][]Span{
			"cy": {{Start: time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)}}, "fay": {{Start: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}},
		},
	})
}

// TestWhoTookAShiftKeepsItWhenItsOwnerLeaves looks at the weeks of 26 January, which is Ann's, 2 February, Bo's, and 9 February,
// Cy's.
func TestWhoTookAShiftKeepsItWhenItsOwnerLeaves(t *testing.T) {
	t.Parallel()
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	annWeek := Override{Kind: OverrideSwap, Start: at(1, 26, 9), End: at(2, 2, 9), From: "ann", To: "cy"}
	cyWeek := Override{Kind: OverrideSwap, Start: at(2, 9, 9), End: at(2, 16, 9), From: "cy", To: "ann"}
	with := func(o Override, change func(*Override)) Override {
		change(&o)
		return o
	}
	cancelled := at(1, 15, 0)
	for _, tt := range []struct {
		name      string
		overrides []Override
		at        time.Time
		want      UserID
	}{
		{"nothing was agreed: the backstop", nil, at(2, 10, 12), "ed"},
		{"a swap: what Cy took falls back", []Override{annWeek, cyWeek}, at(1, 27, 12), "ann"},
		{"a swap: what Ann took is hers", []Override{annWeek, cyWeek}, at(2, 10, 12), "ann"},
		{"a part of a shift", []Override{with(cyWeek, func(o *Override) { o.End = at(2, 11, 9) })}, at(2, 10, 12), "ann"},
		{"the rest of that shift", []Override{with(cyWeek, func(o *Override) { o.End = at(2, 11, 9) })}, at(2, 12, 12), "ed"},
		{"outside of its hours", []Override{with(cyWeek, func(o *Override) { o.Windows = []Window{{Days: weekdays[:], From: 0, To: 8 * 60}} })}, at(2, 10, 12), "ed"},
		{"passed on", []Override{cyWeek, with(cyWeek, func(o *Override) { o.From, o.To = "ann", "di" })}, at(2, 10, 12), "di"},
		{"through Cy's hands", []Override{annWeek, with(annWeek, func(o *Override) { o.From, o.To = "cy", "di" })}, at(1, 27, 12), "di"},
		{"given back to Cy", []Override{cyWeek, with(cyWeek, func(o *Override) { o.From, o.To = "ann", "cy" })}, at(2, 10, 12), "ann"},
		{"Cy covered for all", []Override{with(annWeek, func(o *Override) { o.Kind, o.From, o.To, o.Users = OverrideCover, "", "", []UserID{"cy"} })}, at(1, 27, 12), "ann"},
		{"taken over twice", []Override{cyWeek, with(cyWeek, func(o *Override) { o.To = "di" })}, at(2, 10, 12), "ann"},
		{"through two who have left", []Override{with(cyWeek, func(o *Override) { o.From, o.To = "cy", "fay" }), with(cyWeek, func(o *Override) { o.From, o.To = "fay", "di" })}, at(2, 10, 12), "di"},
		{"removed before it was taken over", []Override{with(cyWeek, func(o *Override) { o.Kind, o.From, o.To, o.Users = OverrideRemove, "", "", []UserID{"cy"} }), cyWeek}, at(2, 10, 12), "ed"},
		{"undone", []Override{with(cyWeek, func(o *Override) { o.CancelledAt = &cancelled })}, at(2, 10, 12), "ed"},
		{"of a shift that isn't Cy's", []Override{with(cyWeek, func(o *Override) { o.Start, o.End = at(2, 2, 9), at(2, 9, 9) })}, at(2, 3, 12), "bo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := left(t, tt.overrides...).At(tt.at, ""); !slices.Equal(got, []UserID{tt.want}) {
				t.Errorf("%v is on call, want %s", got, tt.want)
			}
		})
	}
}

// TestSwapsOutliveTheirFirstOwner takes random schedules and lets a person go. Whoever had a shift of theirs by a swap that
// applied last has it still, and nobody who is away is ever on call.
func TestSwapsOutliveTheirFirstOwner(t *testing.T) {
	t.Parallel()
	everyRandom(t, 200, func(t *testing.T, rng *rand.Rand, s Definition, from, to time.Time) {
		gone := staff[rng.IntN(3)]
		s.Inactive = nil
		before := mustCompile(t, s)
		since := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
		s.Inactive = map[UserID][]Span{gone: {{Start: since}}}
		after := mustCompile(t, s)
		for range 300 {
			at := since.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
			for _, role := range after.Roles() {
				was, is := before.At(at, role), after.At(at, role)
				if slices.Contains(is, gone) {
					t.Fatalf("%s at %s: %v, although %s has left", role, at, is, gone)
				}
				if slices.Contains(was, gone) {
					continue // others may fill in
				}
				for _, o := range s.Overrides {
					last := o.Kind == OverrideSwap && o.From == gone && after.lastAt(at, role) == o.ID
					if last && slices.Contains(was, o.To) && !slices.Contains(is, o.To) {
						t.Fatalf("%s at %s: %v, want %s among them, who took over from %s", role, at, is, o.To, gone)
					}
				}
			}
		}
	})
}

// lastAt returns the newest override that acts in a role.
func (s *Schedule) lastAt(t time.Time, role string) OverrideID {
	l := s.line(role)
	acting := l.actingAt(nanos(t))
	for _, n := range slices.Backward(acting) {
		if l.ops[n].acts(nanos(t)) {
			return l.ops[n].override
		}
	}
	return 0
}

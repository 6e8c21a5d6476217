package schedule

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// weeklyRotation returns a plain rotation in New York; words change it.
func weeklyRotation(change func(r *Rotation)) Rotation {
	r := Rotation{
		Name: "weekly", TimeZone: "America/New_York", Period: Period{Unit: WeekUnit}, StartDate: Date{2026, 1, 5},
		HandOff: 9 * 60, Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func scheduleOf(rotations ...Rotation) Definition {
	return Definition{TimeZone: "America/New_York", Versions: []Version{{Rotations: rotations}}}
}

func TestCompileRefusals(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rotation := func(change func(r *Rotation)) Definition { return scheduleOf(weeklyRotation(change)) }
	override := func(o Override) Definition {
		o.ID = 7
		if o.End.IsZero() {
			o.Start, o.End = day, day.AddDate(0, 0, 1)
		}
		return Definition{Overrides: []Override{o}}
	}
	crowd := make([]Rotation, 65)
	for i := range crowd {
		crowd[i] = weeklyRotation(nil)
	}
	tests := []struct {
		schedule Definition
		want     string
	}{
		{rotation(func(r *Rotation) { r.TimeZone = "Mars" }), `Rotation "weekly", timezone: "Mars" is not a time zone such as "Europe/Berlin".`},
		{rotation(func(r *Rotation) { r.Name, r.Turns = "", nil }), `Rotation 1, turns is empty; for nobody on purpose, give one empty turn.`},
		{rotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann"}, {""}} }), `Rotation "weekly", turns: turn 2 has a user without an id.`},
		{rotation(func(r *Rotation) { r.StartDate = Date{} }), `Rotation "weekly", start_date is missing.`},
		{rotation(func(r *Rotation) { r.StartDate = Date{2026, 2, 30} }), `Rotation "weekly", start_date: 2026-02-30 is not a date from 1970 to 2199.`},
		{rotation(func(r *Rotation) { r.StartDate = Date{1066, 10, 14} }), `Rotation "weekly", start_date: 1066-10-14 is not a date from 1970 to 2199.`},
		{rotation(func(r *Rotation) { r.HandOff = 24 * 60 }), `Rotation "weekly", hand_off is not a time of day.`},
		{rotation(func(r *Rotation) { r.Period.Unit = "fortnights" }), `Rotation "weekly", period.unit: "fortnights" is none of hours, days, weeks, months.`},
		{rotation(func(r *Rotation) { r.Period.Every = -1 }), `Rotation "weekly", period.every: -1 is not a number from 1 to 10000.`},
		{rotation(func(r *Rotation) { r.Advance = "never" }), `Rotation "weekly", advance: "never" is neither "calendar" nor "active".`},
		{rotation(func(r *Rotation) { r.Period.Cron = "@daily" }), `Rotation "weekly", period.cron: "@daily" is not a cron expression of five fields.`},
		{rotation(func(r *Rotation) { r.Period.Cron, r.Advance = "0 9 * * *", AdvanceActive }), `Rotation "weekly", advance can't be "active" with period.cron: name the days in the expression.`},
		{rotation(func(r *Rotation) { r.Windows = []Window{{}} }), `Rotation "weekly", window 1: either days, or from_day and to_day, must be given.`},
		{rotation(func(r *Rotation) { r.Windows = []Window{{Days: weekdays[:], FromDay: Monday}} }), `Rotation "weekly", window 1: days can't be combined with from_day and to_day.`},
		{rotation(func(r *Rotation) { r.Windows = []Window{{Days: []Weekday{"moon"}}} }), `Rotation "weekly", window 1: days: "moon" is not a weekday such as "mon".`},
		{rotation(func(r *Rotation) { r.Members = []Member{{User: "cy", From: Date{2026, 5, 1}, Until: Date{2026, 5, 1}}} }), `Rotation "weekly", members: cy takes part until 2026-05-01, which is not after 2026-05-01.`},
		{scheduleOf(crowd...), `There are more than 64 rotations for role "primary".`},
		{override(Override{Kind: OverrideCover, Start: day, End: day}), `Override 7: end is not after start.`},
		{override(Override{Kind: "dance"}), `Override 7: kind "dance" is none of cover, swap, add, remove, temporary.`},
		{override(Override{Kind: OverrideCover}), `Override 7: users is empty.`},
		{override(Override{Kind: OverrideSwap, From: "ann", To: "ann"}), `Override 7: a swap needs two people, from and to.`},
		{override(Override{Kind: OverrideAdd, Users: []UserID{"ann"}, Windows: []Window{{Days: weekdays[:1]}}}), `Override 7, timezone: "" is not a time zone such as "Europe/Berlin".`},
		{override(Override{Kind: OverrideTemporary}), `Override 7: nobody is primary from 2026-03-01T00:00:00Z; fill the gap or confirm it.`},
		{Definition{Shifts: []ManualShift{{Start: day, End: day}}}, `Shift 1: end is not after start.`},
		{Definition{Shifts: []ManualShift{{Start: day, End: day.Add(1)}}}, `Shift 1: users is empty or has a user without an id.`},
	}
	for _, test := range tests {
		_, err := Compile(test.schedule)
		refusal := Refusal{}
		if !errors.As(err, &refusal) || refusal.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

// TestFourteenPeopleOnWeekdays: after fourteen active days everyone has had one.
func TestFourteenPeopleOnWeekdays(t *testing.T) {
	t.Parallel()
	r := weeklyRotation(func(r *Rotation) {
		r.Period, r.Advance, r.Turns = Period{Unit: DayUnit}, AdvanceActive, nil
		r.Windows = []Window{{Days: weekdays[:5], From: 9 * 60, To: 17 * 60}}
	})
	for i := range 14 {
		r.Turns = append(r.Turns, []UserID{UserID('a' + rune(i))})
	}
	c := mustCompile(t, scheduleOf(r))
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	turns := map[UserID]int{}
	for _, s := range c.Shifts(from, from.AddDate(0, 0, 14*7), "") {
		for _, u := range s.Users {
			turns[u]++
		}
	}
	if len(turns) != 14 {
		t.Fatalf("%d people had a turn, want 14", len(turns))
	}
	for u, n := range turns {
		if n != 5 {
			t.Errorf("%s had %d turns in 70 active days, want 5", u, n)
		}
	}
}

func TestWhoSaysWhyEachPersonIsOnCall(t *testing.T) {
	t.Parallel()
	s := scheduleOf(
		weeklyRotation(nil),
		weeklyRotation(func(r *Rotation) { r.Name, r.Role, r.Turns = "backup", RoleSecondary, [][]UserID{{"di"}} }),
	)
	s.Overrides = []Override{{ID: 4, Kind: OverrideSwap, Start: at(t, "2026-03-04T00:00:00Z"), End: at(t, "2026-03-05T00:00:00Z"), From: "cy", To: "di"}}
	got := mustCompile(t, s).Who(at(t, "2026-03-04T12:00:00Z"))
	want := []Duty{
		{
			Role: RolePrimary, Users: []UserID{"di"}, Source: Source{Rotation: "weekly", Override: 4},
			Since: at(t, "2026-03-04T00:00:00Z"), Until: at(t, "2026-03-05T00:00:00Z"), Next: []UserID{"cy"},
		},
		{Role: RoleSecondary, Users: []UserID{"di"}, Source: Source{Rotation: "backup"}, Since: at(t, "2026-01-05T14:00:00Z"), Next: []UserID{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
}

func TestGapsAreWhereNobodyIsOnCall(t *testing.T) {
	t.Parallel()
	office := []Window{{Days: weekdays[:5], From: 9 * 60, To: 17 * 60}}
	s := scheduleOf(
		weeklyRotation(func(r *Rotation) { r.Windows = office }),
		weeklyRotation(func(r *Rotation) { r.Role = RoleShadow }),
	)
	from, to := at(t, "2026-03-02T00:00:00Z"), at(t, "2026-03-03T00:00:00Z")
	want := []Gap{{Start: from, End: at(t, "2026-03-02T14:00:00Z")}, {Start: at(t, "2026-03-02T22:00:00Z"), End: to}}
	c := mustCompile(t, s)
	if diff := cmp.Diff(want, c.Gaps(from, to, "")); diff != "" {
		t.Errorf("a shadow covers nothing (-want +got):\n%s", diff)
	}
	if gaps := c.Gaps(from, to, RoleShadow); len(gaps) > 0 {
		t.Errorf("a shadow is missed: %v, want none", gaps)
	}
	if gaps := c.Gaps(from, to, RoleSecondary); len(gaps) != 1 || gaps[0].Intended {
		t.Errorf("an unknown role has gaps %v; want one, not intended", gaps)
	}
	// Below everything, a rotation with nobody on purpose marks the nights as intended gaps.
	s.Versions[0].Rotations = append(s.Versions[0].Rotations, weeklyRotation(func(r *Rotation) { r.Priority, r.Turns = -1, [][]UserID{{}} }))
	for i := range want {
		want[i].Intended = true
	}
	if diff := cmp.Diff(want, mustCompile(t, s).Gaps(from, to, "")); diff != "" {
		t.Errorf("mustCompile(t, s).Gaps (-want +got):\n%s", diff)
	}
}

func TestNextChangeHorizon(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, scheduleOf(weeklyRotation(nil)))
	after := at(t, "2026-03-02T14:00:00Z")
	if next, ok := c.NextChange(after, at(t, "2026-03-09T13:00:00Z"), ""); ok {
		t.Errorf("a change at %s is not before the horizon", next)
	}
	if next, ok := c.NextChange(after, at(t, "2026-03-09T13:00:01Z"), ""); !ok || !next.Equal(at(t, "2026-03-09T13:00:00Z")) {
		t.Errorf("next change %s %t; want %s", next, ok, at(t, "2026-03-09T13:00:00Z"))
	}
	if _, ok := c.NextChange(after, after.AddDate(900, 0, 0), "juggler"); ok {
		t.Error("an unknown role changes")
	}
}

func TestCancelledOverride(t *testing.T) {
	t.Parallel()
	s := scheduleOf(weeklyRotation(nil))
	start, end := at(t, "2026-03-03T00:00:00Z"), at(t, "2026-03-05T00:00:00Z")
	for _, test := range []struct{ cancelled, want string }{
		{"2026-03-01T00:00:00Z", "ann ann"}, {"2026-03-04T00:00:00Z", "di ann"}, {"2026-03-06T00:00:00Z", "di di"},
	} {
		cancelled := at(t, test.cancelled)
		s.Overrides = []Override{{ID: 1, Kind: OverrideCover, Start: start, End: end, Users: []UserID{"di"}, CancelledAt: &cancelled}}
		c := mustCompile(t, s)
		early, late := c.At(start, ""), c.At(end.Add(-1), "")
		want := strings.ReplaceAll(test.want, "ann", "cy")
		if got := string(early[0]) + " " + string(late[0]); got != want {
			t.Errorf("cancelled at %s: %s, want %s", test.cancelled, got, want)
		}
	}
}

// TestRotationJSON keeps the stored form stable: old documents must be readable for ever.
func TestRotationJSON(t *testing.T) {
	t.Parallel()
	const stored = `{"name":"nights","role":"secondary","priority":2,"timezone":"Europe/Berlin",` +
		`"period":{"every":2,"unit":"weeks"},"start_date":"2026-03-07","hand_off":"09:00","turns":[["U1"],["U2","U3"],[]],` +
		`"first_turn":1,"until":"2026-05-01T00:00:00Z","windows":[{"days":["mon","fri"],"from":"22:00","to":"06:00"},` +
		`{"from_day":"fri","from":"18:00","to_day":"mon","to":"08:00"}],"advance":"active",` +
		`"members":[{"user":"U3","from":"2026-04-01"}]}`
	var r Rotation
	if err := json.Unmarshal([]byte(strings.Replace(stored, `{"name"`, `{"colour":"blue","name"`, 1)), &r); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(r); err != nil || string(got) != stored {
		t.Errorf("%v\n got %s\nwant %s", err, got, stored)
	}
	if got, _ := json.Marshal(Rotation{Turns: [][]UserID{}}); string(got) != `{"name":"","period":{},"start_date":"","hand_off":"00:00","turns":[]}` {
		t.Errorf("the empty rotation is %s, want %q", got, `{"name":"","period":{},"start_date":"","hand_off":"00:00","turns":[]}`)
	}
	for _, wrong := range []string{`{"start_date":"7 March"}`, `{"hand_off":"9"}`, `{"members":[{"from":"soon"}]}`} {
		if json.Unmarshal([]byte(wrong), &r) == nil {
			t.Errorf("%s was read, want an error", wrong)
		}
	}
}

func TestMovedShifts(t *testing.T) {
	t.Parallel()
	before := scheduleOf(weeklyRotation(nil))
	after := scheduleOf(weeklyRotation(func(r *Rotation) { r.Turns[1] = []UserID{"cy"} }))
	after.Overrides = []Override{{
		Kind: OverrideAdd, Start: at(t, "2026-03-05T00:00:00Z"), End: at(t, "2026-03-06T00:00:00Z"), Users: []UserID{"di"},
	}}
	from, to := at(t, "2026-02-24T00:00:00Z"), at(t, "2026-03-24T00:00:00Z")
	got := MovedShifts(mustCompile(t, before), mustCompile(t, after), from, to)
	begin := at(t, "2026-03-02T14:00:00Z")
	want := []Move{
		{User: "bo", Role: RolePrimary, Start: from, End: begin},
		{User: "cy", Role: RolePrimary, Start: from, End: begin, Gained: true},
		{User: "di", Role: RolePrimary, Start: after.Overrides[0].Start, End: after.Overrides[0].End, Gained: true},
		{User: "bo", Role: RolePrimary, Start: at(t, "2026-03-16T13:00:00Z"), End: at(t, "2026-03-23T13:00:00Z")},
		{User: "cy", Role: RolePrimary, Start: at(t, "2026-03-16T13:00:00Z"), End: at(t, "2026-03-23T13:00:00Z"), Gained: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
	// A stretch divided by other people's shifts is reported as one.
	none := mustCompile(t, Definition{})
	alone := scheduleOf(weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann", "bo"}, {"ann", "cy"}} }))
	gained := MovedShifts(none, mustCompile(t, alone), from, to)
	gained = slices.DeleteFunc(gained, func(m Move) bool { return m.User != "ann" })
	if diff := cmp.Diff([]Move{{User: "ann", Role: RolePrimary, Start: from, End: to, Gained: true}}, gained); diff != "" {
		t.Errorf("gained (-want +got):\n%s", diff)
	}
}

func TestOverridesThatDoNothing(t *testing.T) {
	t.Parallel()
	s := scheduleOf(weeklyRotation(nil))
	start, end := at(t, "2026-03-03T00:00:00Z"), at(t, "2026-03-05T00:00:00Z")
	s.Overrides = []Override{
		{ID: 1, Kind: OverrideSwap, Start: start, End: end, From: "cy", To: "di"},
		{ID: 2, Kind: OverrideSwap, Start: start, End: end, From: "bo", To: "di"},
		{ID: 3, Kind: OverrideCover, Start: end, End: end.Add(time.Hour), Users: []UserID{"di"}},
		{ID: 4, Kind: OverrideSwap, Start: end.AddDate(0, 1, 0), End: end.AddDate(0, 2, 0), From: "ed", To: "di"},
	}
	if got := mustCompile(t, s).IdleOverrides(start, end.AddDate(0, 0, 1)); !slices.Equal(got, []OverrideID{2}) {
		t.Errorf("idle: %v, want %v", got, []OverrideID{2})
	}
}

func TestKeepTurnRotatesTheTurnsToThePersonOnCall(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-04T12:00:00Z") // cy's week
	before := weeklyRotation(nil)
	for name, change := range map[string]func(r *Rotation){
		"one more":     func(r *Rotation) { r.Turns = [][]UserID{{"di"}, {"ann"}, {"cy"}, {"bo"}} },
		"daily":        func(r *Rotation) { r.Period = Period{Unit: DayUnit} },
		"cron":         func(r *Rotation) { r.Period = Period{Cron: "0 9 * * 1,4"} },
		"in pairs":     func(r *Rotation) { r.Turns = [][]UserID{{"ann", "bo", "cy"}, {"cy"}, {"di"}} },
		"begins today": func(r *Rotation) { r.StartDate = Date{2026, 3, 4}; r.HandOff = 60 },
		"with a newcomer": func(r *Rotation) {
			r.Turns = [][]UserID{{"di"}, {"bo"}, {"cy"}}
			r.Members = []Member{{User: "di", From: Date{2026, 2, 10}}}
		},
	} {
		after, err := KeepTurn(before, weeklyRotation(change), "", now)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCompile(t, scheduleOf(after)).At(now, ""); !slices.Equal(got, []UserID{"cy"}) {
			t.Errorf("%s: %v is on call, want %v", name, got, []UserID{"cy"})
		}
	}
	gone := weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann"}, {"bo"}}; r.FirstTurn = 1 })
	after, err := KeepTurn(before, gone, "", now)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mustCompile(t, scheduleOf(after)).At(now, ""), mustCompile(t, scheduleOf(before)).At(now.AddDate(0, 0, 7), ""); !slices.Equal(got, want) {
		t.Errorf("cy is gone: %v is on call, want %v, who would have been next", got, want)
	}
	// Whoever stands in cy's place now, or nobody on purpose, has the turn: nobody was taken out.
	for _, place := range [][]UserID{{"di"}, {}} {
		replaced := weeklyRotation(func(r *Rotation) {
			for i, users := range r.Turns {
				if slices.Equal(users, []UserID{"cy"}) {
					r.Turns[i] = place
				}
			}
		})
		after, err := KeepTurn(before, replaced, "", now)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCompile(t, scheduleOf(after)).At(now, ""); !slices.Equal(got, place) {
			t.Errorf("cy's place has %v: %v is on call, want %v", place, got, place)
		}
	}
}

func TestManualShifts(t *testing.T) {
	t.Parallel()
	hour := func(h int) time.Time { return at(t, "2026-03-04T00:00:00Z").Add(time.Duration(h) * time.Hour) }
	shifts := []ManualShift{
		{ID: 1, Start: hour(0), End: hour(4), Users: []UserID{"ann"}},
		{ID: 2, Start: hour(4), End: hour(12), Users: []UserID{"bo"}},
		{ID: 3, Role: RoleSecondary, Start: hour(0), End: hour(24), Users: []UserID{"cy"}},
	}
	if got := OverlappingShifts(shifts, ManualShift{Start: hour(4), End: hour(5)}); len(got) != 1 || got[0].ID != 2 {
		t.Errorf("overlapping: %v; want only shift 2", got)
	}
	if got := OverlappingShifts(shifts, shifts[0]); len(got) > 0 {
		t.Errorf("a shift overlaps itself: %v, want none", got)
	}
	want := []ManualShift{
		{ID: 1, Start: hour(0), End: hour(3), Users: []UserID{"ann"}},
		{ID: 2, Start: hour(8), End: hour(12), Users: []UserID{"bo"}},
		{ID: 3, Role: RoleSecondary, Start: hour(0), End: hour(3), Users: []UserID{"cy"}},
		{Role: RoleSecondary, Start: hour(8), End: hour(24), Users: []UserID{"cy"}},
	}
	if diff := cmp.Diff(want, CutShifts(shifts, hour(3), hour(8))); diff != "" {
		t.Errorf("CutShifts(shifts, hour(3), hour(8)) (-want +got):\n%s", diff)
	}
}

func TestHoursOpenAcrossClockChanges(t *testing.T) {
	t.Parallel()
	h, err := CompileHours("America/New_York", []Window{{Days: []Weekday{Sunday}, From: 150, To: 160}})
	if err != nil {
		t.Fatal(err)
	}
	// On 8 March 02:30 to 02:40 does not exist: that window has no length.
	if got := h.NextOpen(at(t, "2026-03-07T00:00:00Z")); !got.Equal(at(t, "2026-03-15T06:30:00Z")) {
		t.Errorf("opens at %s, want %s", got, at(t, "2026-03-15T06:30:00Z"))
	}
	if now := at(t, "2026-03-15T06:35:00Z"); !h.Open(now) || !h.NextOpen(now).Equal(now) {
		t.Error("it is open")
	}
	if _, err := CompileHours("Mars", nil); err == nil {
		t.Error("Mars has hours")
	}
	if always, err := CompileHours("UTC", nil); err != nil || !always.Open(time.Unix(0, 0)) {
		t.Errorf("without windows: got %v, %v, want hours that are always open", always, err)
	}
}

func FuzzSchedule(f *testing.F) {
	rotation, err := json.Marshal(weeklyRotation(func(r *Rotation) {
		r.Advance, r.Windows = AdvanceActive, []Window{{FromDay: Friday, From: 18 * 60, ToDay: Monday, To: 60}}
		r.Members = []Member{{User: "bo", From: Date{2026, 2, 1}}}
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"versions":[{"rotations":[` + string(rotation) + `]}]}`))
	f.Add([]byte(`{"timezone":"Africa/Cairo","overrides":[{"id":1,"kind":"add","users":["a"],"start":"2026-03-01T00:00:00Z",` +
		`"end":"2026-04-01T00:00:00Z","windows":[{"days":["tue"],"from":"18:00","to":"02:00"}]}]}`))
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 20)
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Definition
		if json.Unmarshal(data, &s) != nil {
			return
		}
		c, err := Compile(s)
		if err != nil {
			return
		}
		c.Who(from)
		for _, role := range c.Roles() {
			end := from
			for _, shift := range c.Shifts(from, to, role) {
				if !shift.Start.Equal(end) || !slices.Equal(shift.Users, c.At(shift.Start, role)) {
					t.Fatalf("%s: got the shift %+v, want it to start at %s, with %v", role, shift, end, c.At(shift.Start, role))
				}
				end = shift.End
			}
			if !end.Equal(to) {
				t.Fatalf("%s: the shifts end at %s, want %s", role, end, to)
			}
		}
	})
}

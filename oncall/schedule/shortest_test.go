package schedule

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
)

const minutely = "* * * * *"

// shortTurns makes a rotation that hands off at some minutes, or every so many hours.
func shortTurns(name, cron string, every int, edit func(*Rotation)) Rotation {
	r := Rotation{
		Name: name, TimeZone: "UTC", StartDate: Date{2026, 1, 5}, HandOff: 9 * 60, Turns: [][]UserID{{"ann"}, {"bo"}, {"cy"}},
		Period: Period{Cron: cron},
	}
	if cron == "" {
		r.Period = Period{Every: every, Unit: HourUnit}
	}
	if edit != nil {
		edit(&r)
	}
	return r
}

func TestShortestTurnIsAnHour(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-04T12:00:00Z")
	role := func(role string) func(*Rotation) { return func(r *Rotation) { r.Role = role } }
	half := func(r *Rotation) { r.HandOff += 30 }
	var minutes []Window
	for m := range 300 {
		minutes = append(minutes, Window{Days: weekdays[:], From: TimeOfDay(4 * m), To: TimeOfDay(4*m + 2)})
	}
	const itself = `Rotation "a" hands off more often than once an hour: the shortest turn is an hour.`
	for name, c := range map[string]struct {
		rotations []Rotation
		want      string
	}{
		"hourly":                       {[]Rotation{shortTurns("a", "", 1, nil)}, ""},
		"hourly by cron":               {[]Rotation{shortTurns("a", "30 * * * *", 0, nil)}, ""},
		"daily":                        {[]Rotation{shortTurns("a", "", 24, nil)}, ""},
		"three hourly at once":         {[]Rotation{shortTurns("a", "", 1, nil), shortTurns("b", "0 * * * *", 0, nil), shortTurns("c", "", 1, nil)}, ""},
		"hourly in two roles":          {[]Rotation{shortTurns("a", "", 1, nil), shortTurns("b", "30 * * * *", 0, role("secondary"))}, ""},
		"every minute":                 {[]Rotation{shortTurns("a", minutely, 0, nil)}, itself},
		"every half hour":              {[]Rotation{shortTurns("a", "*/30 * * * *", 0, nil)}, itself},
		"twice within an hour, Monday": {[]Rotation{shortTurns("a", "0,30 9 * * 1", 0, nil)}, itself},
		"one person every minute":      {[]Rotation{shortTurns("a", minutely, 0, func(r *Rotation) { r.Turns = [][]UserID{{"ann"}} })}, itself},
		"shadow every minute":          {[]Rotation{shortTurns("a", minutely, 0, role(RoleShadow))}, itself},
		"two hourly by turns": {
			[]Rotation{shortTurns("a", "", 1, nil), shortTurns("b", "", 1, half)},
			`The rotations for role "primary" change 335 times within a week: at most once an hour is possible.`,
		},
		"one of them from next year on": {
			[]Rotation{shortTurns("a", "", 1, nil), shortTurns("b", "", 1, func(r *Rotation) { half(r); r.StartDate.Year++ })},
			`The rotations for role "primary" change 335 times within a week: at most once an hour is possible.`,
		},
		"windows of two minutes": {
			[]Rotation{shortTurns("a", "", 24, func(r *Rotation) { r.Windows = minutes })},
			`The rotations for role "primary" change 4199 times within a week: at most once an hour is possible.`,
		},
		"every minute of January": {
			eachMinute("%d * * 1 *"), `The rotations for role "primary" change 10079 times within a week: at most once an hour is possible.`,
		},
		"every minute of some days of a month": {
			eachMinute("%d * 20-27 * *"), `The rotations for role "primary" change 10079 times within a week: at most once an hour is possible.`,
		},
		"every minute of the last Thursday": {
			eachMinute("%d * 28-31 12 thu"), `The rotations for role "primary" change 10079 times within a week: at most once an hour is possible.`,
		},
		"a rotation for each month": {
			[]Rotation{shortTurns("a", "0 9 1 1 *", 0, nil), shortTurns("b", "30 9 1 2 *", 0, nil), shortTurns("c", "45 21 1 * *", 0, nil)}, "",
		},
		"clocks that go together in winter only": {
			[]Rotation{shortTurns("a", "", 1, nil), shortTurns("b", "", 1, func(r *Rotation) { r.TimeZone = "Australia/Lord_Howe" })},
			`The rotations for role "primary" change 335 times within a week: at most once an hour is possible.`,
		},
	} {
		before := scheduleOf(weeklyRotation(nil))
		_, err := before.Edit(Version{Rotations: c.rotations}, 0, now)
		made := Definition{TimeZone: "UTC", Versions: []Version{{Rotations: c.rotations}}}
		for how, err := range map[string]error{"an edit": err, "a new one": made.CheckTurns(), "apply": before.CheckNewTurns(c.rotations, now)} {
			refusal, ok := errors.AsType[Refusal](err)
			if err != nil && !ok {
				t.Errorf("%s, %s: %v, want no error but a refusal", name, how, err)
			}
			got := ""
			if ok {
				got = refusal.Error()
			}
			if got != c.want {
				t.Errorf("%s, %s: refused with %q, want %q", name, how, got, c.want)
			}
		}
	}
}

// eachMinute makes a rotation for each minute of the hour: each of them hands off hourly at most.
func eachMinute(cron string) (out []Rotation) {
	for m := range 60 {
		out = append(out, shortTurns(fmt.Sprint(m), fmt.Sprintf(cron, m), 0, nil))
	}
	return out
}

// Manual shifts are no way around it.
func TestManualShiftsAreLimitedToHourlyChanges(t *testing.T) {
	t.Parallel()
	begin := at(t, "2026-03-04T12:00:00Z")
	shifts := func(n int, every, long time.Duration, role string) (out []ManualShift) {
		for i := range n {
			from := begin.Add(time.Duration(i) * every)
			out = append(out, ManualShift{Role: role, Start: from, End: from.Add(long), Users: []UserID{"ann"}})
		}
		return out
	}
	for name, c := range map[string]struct {
		shifts []ManualShift
		fine   bool
	}{
		"a year of hours":   {shifts(8760, time.Hour, time.Hour, ""), true},
		"twelve hours":      {shifts(1000, 12*time.Hour, 12*time.Hour, ""), true},
		"minutes":           {shifts(600, time.Minute, time.Minute, ""), false},
		"minutes of a role": {append(shifts(600, time.Minute, time.Minute, "backup"), shifts(9, time.Hour, time.Hour, "")...), false},
		"with pauses":       {shifts(600, time.Hour, 50*time.Minute, ""), false},
	} {
		d := Definition{Name: "s", TimeZone: "UTC", Shifts: c.shifts}
		if err := d.CheckTurns(); (err == nil) != c.fine {
			t.Errorf("%s, a new schedule: got %v, want it allowed: %t", name, err, c.fine)
		}
		by := Definition{Name: "s", TimeZone: "UTC"}
		var refused error
		for _, s := range c.shifts[:min(len(c.shifts), 400)] {
			if refused = by.Fits(s); refused != nil {
				break
			}
			by.Shifts = append(by.Shifts, s)
		}
		if (refused == nil) != c.fine {
			t.Errorf("%s, one by one: got %v, want it allowed: %t", name, refused, c.fine)
		}
		o := Override{Kind: OverrideTemporary, Start: begin, End: begin.AddDate(2, 0, 0), Shifts: c.shifts}
		if err := o.CheckTurns(); (err == nil) != c.fine {
			t.Errorf("%s, a temporary schedule: got %v, want it allowed: %t", name, err, c.fine)
		}
	}
	// A stored schedule can be fixed.
	old := Definition{Name: "s", TimeZone: "UTC", Shifts: shifts(600, time.Minute, time.Minute, "")}
	if err := old.Fits(ManualShift{Start: begin.AddDate(0, 1, 0), End: begin.AddDate(0, 1, 1), Users: []UserID{"bo"}}); err != nil {
		t.Errorf("a shift elsewhere: %v", err)
	}
}

// Stored rotations stay in force, and can be fixed one at a time.
func TestStoredShorterTurnsStayValid(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-04T12:00:00Z")
	bad := []Rotation{shortTurns("a", minutely, 0, nil), shortTurns("b", "*/2 * * * *", 0, nil)}
	s := scheduleOf(bad...)
	for name, after := range map[string][]Rotation{
		"the same": bad, "others' turns": {shortTurns("a", minutely, 0, func(r *Rotation) { r.Turns = r.Turns[:2] }), bad[1]},
		"one of them mended": {shortTurns("a", "0 9 * * *", 0, nil), bad[1]}, "one taken away": bad[:1],
	} {
		if _, err := s.Edit(Version{Rotations: after}, 0, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Edit(Version{Rotations: append(bad[:2:2], shortTurns("c", "*/3 * * * *", 0, nil))}, 0, now); err == nil {
		t.Error("one more is taken")
	}
	if _, err := s.Edit(Version{Rotations: []Rotation{weeklyRotation(nil)}}, 0, now); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestOverridesAreLimitedToHourlyChanges(t *testing.T) {
	t.Parallel()
	begin := at(t, "2026-03-04T12:00:00Z")
	o := Override{Kind: OverrideCover, Users: []UserID{"ann"}, Start: begin, End: begin.AddDate(2, 0, 0)}
	o.Windows = []Window{{Days: weekdays[:], From: 9 * 60, To: 17 * 60}}
	if err := o.CheckTurns(); err != nil {
		t.Errorf("office hours: %v", err)
	}
	for m := range 300 {
		o.Windows = append(o.Windows, Window{Days: weekdays[:], From: TimeOfDay(4 * m), To: TimeOfDay(4*m + 2)})
	}
	if err := o.CheckTurns(); err == nil {
		t.Error("windows of minutes are taken")
	}
	o = Override{Kind: OverrideTemporary, Start: begin, End: begin.AddDate(0, 0, 1)}
	for m := range 600 {
		o.Shifts = append(o.Shifts, ManualShift{Users: []UserID{"ann"}, Start: begin.Add(time.Duration(m) * time.Minute), End: begin.Add(time.Duration(m+1) * time.Minute)})
	}
	if err := o.CheckTurns(); err == nil {
		t.Error("a temporary schedule of minutes is taken")
	}
}

// A schedule from before the limit takes no more memory than others.
func TestMemoryIsBoundedWhateverIsStored(t *testing.T) {
	c := mustCompile(t, scheduleOf(shortTurns("a", minutely, 0, nil)))
	other := mustCompile(t, scheduleOf(shortTurns("a", "", 24, nil)))
	from := at(t, "2026-03-04T12:00:00Z")
	for name, c := range map[string]struct {
		do  func() int
		max int
	}{
		"shifts":       {func() int { return len(c.Shifts(from, from.AddDate(5, 0, 0), "")) }, MostShifts},
		"first shifts": {func() int { return len(c.FirstShifts(from, from.AddDate(5, 0, 0), "", 7)) }, 7},
		"stints":       {func() int { return len(c.Stints("ann", from, from.AddDate(5, 0, 0))) }, MostShifts},
		"moves":        {func() int { return len(MovedShifts(c, other, from, from.AddDate(5, 0, 0))) }, 4 * maxMovedShifts},
		"who":          {func() int { return len(c.Who(from)) }, 1},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n := c.do()
		runtime.ReadMemStats(&after)
		if n == 0 || n > c.max {
			t.Errorf("%s: %d, want at most %d", name, n, c.max)
		}
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 40 {
			t.Errorf("%s: %d MiB, want at most 40", name, used)
		}
	}
}

// Shifts are the same however far ahead each chunk reaches.
func TestShiftsCrossTheChunks(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, scheduleOf(weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann"}} })))
	from := at(t, "2026-03-04T12:00:00Z")
	if got := c.Shifts(from, from.AddDate(3, 0, 0), ""); len(got) != 1 || !got[0].End.Equal(from.AddDate(3, 0, 0)) {
		t.Errorf("one person, three years: %v; want one, with the end %v", got, from.AddDate(3, 0, 0))
	}
	n := 0
	for s := range c.Each(from, from.AddDate(3, 0, 0), "") {
		if n++; n > 1 || fmt.Sprint(s.Users) != "[ann]" {
			t.Errorf("the shift is %+v, want a single one, of Ann", s)
		}
	}
	empty := mustCompile(t, scheduleOf())
	if got := empty.Shifts(from, from.AddDate(0, 0, 1), ""); len(got) != 1 || got[0].Users == nil {
		t.Errorf("nobody is nil: %#v; want one shift with an empty list", got)
	}
	if got := c.Shifts(from, from, ""); got == nil || len(got) != 0 {
		t.Errorf("no time: %v; want non-nil and none", got)
	}
}

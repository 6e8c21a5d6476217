package schedule

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestEditBeginsANewVersion(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-04T12:00:00Z")
	s := scheduleOf(weeklyRotation(nil))
	s.TimeZone, s.Name = "Europe/Berlin", "primary"
	s.Versions[0].ID = 7
	tomorrow, yesterday := now.AddDate(0, 0, 1), now.AddDate(0, 0, -1)
	edit := Version{Rotations: []Rotation{weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"di"}}; r.TimeZone = "" })}}

	after, err := s.Edit(edit, 7, now)
	if err != nil {
		t.Fatal(err)
	}
	if zone := after.Versions[1].Rotations[0].TimeZone; zone != "Europe/Berlin" {
		t.Errorf("the zone is written out as %q, want %q", zone, "Europe/Berlin")
	}
	if len(s.Versions) != 1 || edit.Rotations[0].TimeZone != "" {
		t.Error("the edit changed what it was given")
	}
	before, is := mustCompile(t, s), mustCompile(t, after)
	if got := is.At(now, ""); !slices.Equal(got, []UserID{"di"}) {
		t.Errorf("from now on %v, want %v", got, []UserID{"di"})
	}
	if moves := MovedShifts(before, is, now.AddDate(0, -2, 0), now); len(moves) != 0 {
		t.Errorf("the past has changed: %v, want none", moves)
	}
	if got := after.Current(now); len(got) != 1 || got[0].Turns[0][0] != "di" {
		t.Errorf(`in force now: %v; want Di's rotation alone`, got)
	}
	if got := after.Current(now.Add(-1)); len(got) != 1 || got[0].Turns[0][0] != "ann" {
		t.Errorf(`in force before: %v; want Ann's rotation alone`, got)
	}

	edit.EffectiveFrom = &tomorrow
	if after, err = s.Edit(edit, 7, now); err != nil {
		t.Fatal(err)
	}
	if got := mustCompile(t, after).At(now, ""); !slices.Equal(got, before.At(now, "")) {
		t.Errorf("with a change from tomorrow on, %v are on call today, want %v", got, before.At(now, ""))
	}

	// An edit of today replaces what was planned for tomorrow.
	after.Versions[1].ID = 8
	edit.EffectiveFrom = nil
	edit.Rotations[0].Turns = [][]UserID{{"ed"}}
	again, err := after.Edit(edit, 8, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustCompile(t, again).At(tomorrow.AddDate(0, 1, 0), ""); !slices.Equal(got, []UserID{"ed"}) {
		t.Errorf("a month later %v, want %v", got, []UserID{"ed"})
	}

	if planned := after.Planned(now); len(planned) != 1 || !planned[0].EffectiveFrom.Equal(tomorrow) {
		t.Errorf("planned before: %+v; want one, in force from %v", planned, tomorrow)
	}
	if planned := again.Planned(now); len(planned) != 0 {
		t.Errorf("planned after: %+v, want none", planned)
	}
	if n, all := len(again.History()), len(again.Versions); n != 3 || all != 4 {
		t.Errorf("%d of %d versions are history; want n 3 and all 4", n, all)
	}

	edit.EffectiveFrom = &yesterday
	refused(t, s, edit, 7, now, "A change can't begin in the past.")
	edit.EffectiveFrom = nil
	refused(t, s, edit, 6, now, `Somebody else has changed "primary" in the meantime, so nothing was saved. Open it again to see the change.`)
	s.Versions[0].CreatedBy = "U1"
	refused(t, s, edit, 6, now, `U1 has changed "primary" in the meantime, so nothing was saved. Open it again to see the change.`)
	edit.Rotations[0].Turns = nil
	refused(t, s, edit, 7, now, `Rotation "weekly", turns is empty; for nobody on purpose, give one empty turn.`)
}

func refused(t *testing.T, s Definition, v Version, seen int64, now time.Time, want string) {
	t.Helper()
	_, err := s.Edit(v, seen, now)
	if got, ok := errors.AsType[Refusal](err); !ok || got.Error() != want {
		t.Errorf("refused with %v, want %s", err, want)
	}
}

func TestKeepTurnsLeavesThePersonOnCall(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-04T12:00:00Z") // cy's week
	rotations := func(change func(r *Rotation)) []Rotation { return []Rotation{weeklyRotation(change)} }
	add := func(r *Rotation) { r.Turns = append([][]UserID{{"di"}}, r.Turns...) }
	for name, c := range map[string]struct {
		before, after func(r *Rotation)
		want          UserID
	}{
		"participants change": {after: add, want: "cy"},
		"of a kept turn":      {before: func(r *Rotation) { r.FirstTurn = 1 }, after: func(r *Rotation) { r.Name = "weekly" }, want: keptTurn(t, now)},
		"a new start date":    {after: func(r *Rotation) { add(r); r.StartDate = Date{2026, 3, 2} }, want: "di"},
		"another rotation":    {after: func(r *Rotation) { add(r); r.Name = "new"; r.StartDate = Date{2026, 3, 2} }, want: "di"},
	} {
		kept, err := KeepTurns(rotations(c.before), rotations(c.after), "", now)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCompile(t, scheduleOf(kept[0])).At(now, ""); !slices.Equal(got, []UserID{c.want}) {
			t.Errorf("%s: %v has the turn, want %s", name, got, c.want)
		}
	}
}

// keptTurn returns who has the turn when the first turn was moved by one.
func keptTurn(t *testing.T, now time.Time) UserID {
	t.Helper()
	return mustCompile(t, scheduleOf(weeklyRotation(func(r *Rotation) { r.FirstTurn = 1 }))).At(now, "")[0]
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Somebody who is added at the end of the list comes after everybody else, wherever the round stands.
func TestJoinLastLeavesWhoIsNext(t *testing.T) {
	t.Parallel()
	for _, now := range []string{"2026-03-04T12:00:00Z", "2026-03-11T12:00:00Z", "2026-03-18T12:00:00Z"} {
		before := weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann"}, {"cy"}} })
		after := weeklyRotation(func(r *Rotation) { r.Turns = [][]UserID{{"ann"}, {"cy"}, {"bo"}} })
		joined, err := JoinLast(before, after, "", at(t, now))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := KeepTurns([]Rotation{before}, []Rotation{joined}, "", at(t, now))
		if err != nil {
			t.Fatal(err)
		}
		was, is := mustCompile(t, scheduleOf(before)), mustCompile(t, scheduleOf(kept[0]))
		for week := range 2 {
			then := at(t, now).AddDate(0, 0, 7*week)
			if want := was.At(then, ""); !slices.Equal(is.At(then, ""), want) {
				t.Errorf("at %s: %v, want %v as before", then, is.At(then, ""), want)
			}
		}
		if got := is.At(at(t, now).AddDate(0, 0, 14), ""); !slices.Equal(got, []UserID{"bo"}) {
			t.Errorf("two weeks after %s: %v, want bo", now, got)
		}
	}
}

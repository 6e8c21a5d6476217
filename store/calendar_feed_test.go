package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// feed makes a feed and returns it with its secret.
func (w *world) feed(f store.Feed) (store.Feed, string) {
	w.t.Helper()
	made, secret, err := w.MakeFeed(w.t.Context(), oncall.ByTimer(), f, start)
	if err != nil {
		w.t.Fatal(err)
	}
	return made, secret
}

func (w *world) schedule(name string) *schedule.Schedule {
	w.t.Helper()
	for _, s := range must[*store.Directory](w.t)(w.Directory(w.t.Context())).Schedules {
		if s.Name() == name {
			return s
		}
	}
	w.t.Fatalf("no schedule %q", name)
	return nil
}

// calendar formats a feed, one line for each shift.
func (w *world) calendar(f store.Feed, now time.Time) (lines []string, c store.Calendar) {
	w.t.Helper()
	state := must[store.Calendar](w.t)(w.FeedState(w.t.Context(), f))
	dir := must[*store.Directory](w.t)(w.Directory(w.t.Context()))
	c = must[store.Calendar](w.t)(dir.Calendar(w.t.Context(), f, state, now))
	for _, s := range c.Shifts {
		lines = append(lines, fmt.Sprint(s.Start.Format("01-02 15:04"), " ", s.End.Format("01-02 15:04"), " ", s.Schedule.Name(), " ", s.Role, " ", s.Users))
	}
	return lines, c
}

func TestFeedsAreFoundByTheirSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.schedule("primary").ID()
	mine, secret := w.feed(store.Feed{UserID: ann, CreatedBy: ann})
	ours, other := w.feed(store.Feed{ScheduleID: id, CreatedBy: ann})
	if secret == other || len(secret) < 32 {
		t.Errorf("secrets %q and %q, want two different ones of at least 32 characters", secret, other)
	}
	if n := w.count(`SELECT count(*) FROM feeds WHERE feeds::text LIKE '%' || $1 || '%' OR encode(secret_hash, 'escape') LIKE '%' || $1 || '%'`, secret); n != 0 {
		t.Errorf("the secret is kept: got %v, want 0", n)
	}
	for s, want := range map[string]store.Feed{secret: mine, other: ours} {
		got := must[store.Feed](t)(w.FeedBySecret(t.Context(), s))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("got (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]store.Feed{mine, ours}, must[[]store.Feed](t)(w.FeedsBy(t.Context(), oncall.ByTimer(), ann))); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if err := w.RevokeFeed(t.Context(), oncall.ByTimer(), mine.ID, start); err != nil {
		t.Fatal(err)
	}
	_, err := w.FeedBySecret(t.Context(), secret)
	if again := w.RevokeFeed(t.Context(), oncall.ByTimer(), mine.ID, start); !errors.Is(err, oncall.ErrNotFound) || !errors.Is(again, oncall.ErrNotFound) {
		t.Errorf("a revoked feed is still there: %v, %v; want the error %v and the error %v", err, again, oncall.ErrNotFound, oncall.ErrNotFound)
	}
	if diff := cmp.Diff([]store.Feed{ours}, must[[]store.Feed](t)(w.FeedsBy(t.Context(), oncall.ByTimer(), ann))); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Leavers no longer see any calendar, and nobody sees that of a removed schedule.
func TestFeedsEndWithTheirPeopleAndSchedules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, byBo := w.feed(store.Feed{ScheduleID: w.schedule("primary").ID(), CreatedBy: bo})
	_, byAnn := w.feed(store.Feed{ScheduleID: w.schedule("primary").ID(), CreatedBy: ann})
	_, ofBo := w.feed(store.Feed{UserID: bo, CreatedBy: ann})
	gone := func(secret string) bool {
		_, err := w.FeedBySecret(t.Context(), secret)
		if err != nil && !errors.Is(err, oncall.ErrNotFound) {
			t.Fatal(err)
		}
		return err != nil
	}
	w.exec(`UPDATE users SET deactivated_at = $1 WHERE id = $2`, start, bo)
	if !gone(byBo) || !gone(ofBo) || gone(byAnn) {
		t.Errorf("made by one who left: %v, of one who left: %v, of another: %v; want true, true and false", gone(byBo), gone(ofBo), gone(byAnn))
	}
	w.exec(`UPDATE schedules SET removed_at = $1`, start)
	if !gone(byAnn) {
		t.Error("a removed schedule has a feed")
	}
}

func TestFeedRequiresAnOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range []store.Feed{
		{UserID: "U0NOBODY", CreatedBy: ann}, {ScheduleID: 999, CreatedBy: ann}, {UserID: ann, CreatedBy: "U0NOBODY"}, {UserID: ann},
	} {
		if _, _, err := w.MakeFeed(t.Context(), oncall.ByTimer(), f, start); !errors.Is(err, oncall.ErrNotFound) {
			t.Errorf("%+v: %v, want the error %v", f, err, oncall.ErrNotFound)
		}
	}
	for _, f := range []store.Feed{{CreatedBy: ann}, {UserID: ann, ScheduleID: w.schedule("primary").ID(), CreatedBy: ann}} {
		if _, _, err := w.MakeFeed(t.Context(), oncall.ByTimer(), f, start); err == nil {
			t.Errorf("%+v was made, want an error", f)
		}
	}
}

// Ann's feed has her own shifts in one piece; the schedule's feed has everybody's.
func TestCalendarShowsAMonthBackAndHalfAYearAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.schedule("primary").ID()
	mine, _ := w.feed(store.Feed{UserID: ann, CreatedBy: ann})
	ours, _ := w.feed(store.Feed{ScheduleID: id, CreatedBy: ann})
	lines, before := w.calendar(mine, start)
	if diff := cmp.Diff([]string{"02-02 08:00 02-09 08:00 primary primary [U0ANN]", "02-16 08:00 02-23 08:00 primary primary [U0ANN]"}, lines[:2]); diff != "" {
		t.Errorf("lines[:2] (-want +got):\n%s", diff)
	}
	if last := lines[len(lines)-1]; len(lines) != 15 || last != "08-17 07:00 08-24 07:00 primary primary [U0ANN]" {
		t.Errorf(`%d shifts, the last is %s; want 15 and last "08-17 07:00 08-24 07:00 primary primary [U0ANN]"`, len(lines), last)
	}
	if all, _ := w.calendar(ours, start); len(all) != 31 || all[0] != "01-26 08:00 02-02 08:00 primary primary [U0BO]" {
		t.Errorf(`%d shifts, the first is %s; want 31 and "01-26 08:00 02-02 08:00 primary primary [U0BO]"`, len(all), all[0])
	}
	later, again := w.calendar(mine, start.Add(11*time.Hour)) // the same day
	if diff := cmp.Diff(lines, later); diff != "" || again.Revision != before.Revision || !again.Changed.Equal(before.Changed) {
		t.Errorf("the calendar changed within a day, at revision %d after %d (-before +after):\n%s", again.Revision, before.Revision, diff)
	}
	// Cy joins Ann for a day, which doesn't split her shift. Then Bo takes its last days.
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	for _, o := range []schedule.Override{
		{Kind: schedule.OverrideAdd, Start: at(4, 0), End: at(5, 0), Users: []oncall.UserID{cy}},
		{Kind: schedule.OverrideSwap, Start: at(7, 0), End: at(9, 8), From: ann, To: bo},
	} {
		if _, err := w.AddOverride(t.Context(), oncall.ByTimer(), id, o, start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	_, after := w.calendar(mine, start)
	was, is := before.Shifts[2], after.Shifts[2]
	if was.Key != is.Key {
		t.Errorf("the shift %v became %v, want the same key", was, is)
	}
	if !was.Start.Equal(at(2, 8)) || !is.Start.Equal(was.Start) || !is.End.Equal(at(7, 0)) {
		t.Errorf("the shift %v became %v; want it from %v still, and now until %v", was, is, at(2, 8), at(7, 0))
	}
	if after.Revision <= before.Revision || !after.Changed.Equal(start.Add(time.Hour)) {
		t.Errorf("revision %d at %v, want more than %d, at %v", after.Revision, after.Changed, before.Revision, start.Add(time.Hour))
	}
	if all, _ := w.calendar(ours, start); len(all) != 33 { // in Bo's case the days before join his week
		t.Errorf("the schedule has %d shifts, want 33", len(all))
	}
}

// A shift keeps its key as time goes by.
func TestCalendarKeysStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, _ := w.feed(store.Feed{UserID: ann, CreatedBy: ann})
	keys := map[string]time.Time{}
	for day := range 70 {
		_, c := w.calendar(mine, start.AddDate(0, 0, day))
		for _, s := range c.Shifts {
			if was, ok := keys[s.Key]; ok && !was.Equal(s.Start) {
				t.Fatalf("%s begins at %v, want %v as before", s.Key, s.Start, was)
			}
			keys[s.Key] = s.Start
		}
	}
	if len(keys) != 20 {
		t.Errorf("%d shifts, want 20", len(keys))
	}
}

// A feed stops when its owner loses the right to it, and works again when the right returns.
func TestFeedFollowsPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(oncall.User{ID: "U0MAL", Name: "mal", Standing: oncall.FullMember})
	id := w.schedule("primary").ID()
	_, ours := w.feed(store.Feed{ScheduleID: id, CreatedBy: "U0MAL"})
	_, own := w.feed(store.Feed{UserID: "U0MAL", CreatedBy: "U0MAL"})
	_, teams := w.feed(store.Feed{ScheduleID: id, CreatedBy: bo})
	shown := func(secret string) bool {
		t.Helper()
		_, err := w.FeedBySecret(t.Context(), secret)
		if err != nil && !errors.Is(err, oncall.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, now := range []struct {
		sql              string
		ours, own, teams bool
	}{
		{`UPDATE users SET standing = 'member'`, true, true, true},
		{`UPDATE users SET standing = ''`, true, true, true},
		{`UPDATE users SET standing = 'guest'`, false, true, true},
		{`UPDATE users SET standing = 'stranger'`, false, false, false},
		{`UPDATE users SET standing = 'member'`, true, true, true},
		{`UPDATE teams SET private = true`, false, true, true},
		{`UPDATE users SET standing = ''`, false, true, true},
	} {
		w.exec(now.sql)
		if got := []bool{shown(ours), shown(own), shown(teams)}; !slices.Equal(got, []bool{now.ours, now.own, now.teams}) {
			t.Errorf("after %s: a schedule's, one's own, one of the team: %v, want %v", now.sql, got, []bool{now.ours, now.own, now.teams})
		}
	}
}

package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func (w *world) request() oncall.Cover {
	w.t.Helper()
	return must[oncall.Cover](w.t)(w.AskForCover(w.t.Context(), oncall.ByUser(ann), w.stint(ann, 1), "a wedding", true, w.clock()))
}

func TestCoverIsTakenInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.request()
	// It is noon. The zones of Bo and Cy are unknown, so UTC decides whether they are asked.
	if diff := cmp.Diff([]string{"U0CY cover_ask open", "U0BO cover_ask open"}, w.noticeStates()); diff != "" {
		t.Errorf("w.noticeStates() (-want +got):\n%s", diff)
	}
	if _, err := w.AskForCover(t.Context(), oncall.ByUser(ann), w.stint(ann, 1), "", true, start); err == nil {
		t.Error("a second request for the same shift was taken")
	}
	noon := c.Stint.Start.Add(3 * time.Hour)
	got, err := w.UpdateCover(t.Context(), oncall.ByUser(bo), c.ID, oncall.CoverAct{Do: oncall.TakeCover, From: noon, To: noon.Add(time.Hour)}, start)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != oncall.CoverOpen || len(got.Takes) != 1 || got.Takes[0].Override == 0 {
		t.Fatalf("got %+v; want the state %v and one part taken, with its override", got, oncall.CoverOpen)
	}
	for at, want := range map[time.Time]oncall.UserID{noon.Add(-1): ann, noon: bo, noon.Add(time.Hour): ann} {
		if got := w.onCall(at); got[0] != want {
			t.Errorf("at %s: %v, want %s", at, got, want)
		}
	}
	if got, err = w.UpdateCover(t.Context(), oncall.ByUser(cy), c.ID, oncall.CoverAct{Do: oncall.TakeCover}, start); err != nil || got.State != oncall.CoverTaken {
		t.Fatalf("%+v, %v, want State %v", got, err, oncall.CoverTaken)
	}
	if diff := cmp.Diff([]oncall.UserID{cy}, w.onCall(noon.Add(-1))); diff != "" {
		t.Errorf("w.onCall(noon.Add(-1)) (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"U0CY cover_ask taken", "U0BO cover_ask taken",
		"U0ANN cover_news taken", "#payments cover_done taken", "U0ANN cover_news taken", "#payments cover_done taken",
	}, w.noticeStates()); diff != "" {
		t.Errorf("w.noticeStates() (-want +got):\n%s", diff)
	}
}

// If two people press Take at the same time on two instances, one of them gets the shift.
func TestFirstToTakeCoverWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	c := w.request()
	done := count(t, []func() (oncall.Cover, error){
		func() (oncall.Cover, error) {
			return w.UpdateCover(t.Context(), oncall.ByUser(bo), c.ID, oncall.CoverAct{Do: oncall.TakeCover}, start)
		},
		func() (oncall.Cover, error) {
			return other.UpdateCover(t.Context(), oncall.ByUser(cy), c.ID, oncall.CoverAct{Do: oncall.TakeCover}, start)
		},
	})
	if n := w.count(`SELECT count(*) FROM overrides`); done != 1 || n != 1 {
		t.Errorf("%d took it, %d overrides; want done 1 and n 1", done, n)
	}
}

func TestCoverRequestTimer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.request()
	jobs := func() int { return w.jobs("cover_timer") }
	if jobs() != 1 {
		t.Fatalf("%d timers, want 1", jobs())
	}
	// Everybody has been asked, so the reminder a day before the shift comes next.
	if err := w.RunCoverTimer(t.Context(), c.ID, c.Stint.Start.Add(-25*time.Hour)); err != nil || jobs() != 1 {
		t.Errorf("a stale timer: %v, %d timers, want 1", err, jobs())
	}
	for range 2 {
		if err := w.RunCoverTimer(t.Context(), c.ID, c.Stint.Start.Add(-24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'cover_news'`); n != 1 || jobs() != 2 {
		t.Errorf("%d reminders, %d timers; want n 1 and 2", n, jobs())
	}
	if err := w.RunCoverTimer(t.Context(), c.ID, c.Stint.End); err != nil {
		t.Fatal(err)
	}
	if got := must[oncall.Cover](t)(w.Cover(t.Context(), oncall.ByTimer(), c.ID)); got.State != oncall.CoverOver {
		t.Errorf("after the shift it is %s, want %s", got.State, oncall.CoverOver)
	}
}

// Everything that depends on a schedule ends when it is removed.
func TestRemovedScheduleEndsRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, swap := w.request(), w.offer()
	w.exec(`UPDATE schedules SET removed_at = $1`, start)
	if err := w.RunCoverTimer(t.Context(), c.ID, *c.NextAt); err != nil {
		t.Fatal(err)
	}
	if got := must[oncall.Cover](t)(w.Cover(t.Context(), oncall.ByTimer(), c.ID)); got.State != oncall.CoverStale {
		t.Errorf("the cover request is %s, want %s", got.State, oncall.CoverStale)
	}
	if _, err := w.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start); err == nil {
		t.Error("a swap in a removed schedule was accepted")
	}
	if n := w.count(`SELECT count(*) FROM swaps WHERE state = 'stale'`); n != 1 {
		t.Errorf("the swap is not stale: got %v, want 1", n)
	}
}

// People with time off during the shift are not asked.
func TestCoverSkipsPeopleOnTimeOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shift := w.stint(ann, 1)
	must[oncall.TimeOff](t)(w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: bo, Start: shift.End.Add(-time.Hour), End: shift.End}, start))
	w.request()
	if diff := cmp.Diff([]string{"U0CY cover_ask open"}, w.noticeStates()); diff != "" {
		t.Errorf("w.noticeStates() (-want +got):\n%s", diff)
	}
}

func TestCancelOverrideNeedsARightToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shift := w.stint(ann, 1)
	o := must[schedule.Override](t)(w.AddOverride(t.Context(), oncall.ByTimer(), shift.Schedule, schedule.Override{
		Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: shift.Start, End: shift.End, CreatedBy: cy,
	}, start))
	const mal = oncall.UserID("U0MAL")
	if _, err := w.CancelOverride(t.Context(), oncall.ByUser(mal), o.ID, start); err == nil || w.onCall(shift.Start)[0] != cy {
		t.Errorf("cancelled by somebody of no team: %v; want it refused, with %v on call still", err, cy)
	}
	if own := must[[]schedule.Override](t)(w.OverridesBy(t.Context(), oncall.ByTimer(), cy, start)); len(own) != 1 || own[0].ID != o.ID {
		t.Errorf("Cy's overrides are %+v; want one, with the id %v", own, o.ID)
	}
	if _, err := w.CancelOverride(t.Context(), oncall.ByUser(ann), o.ID, shift.Start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if w.onCall(shift.Start)[0] != cy || w.onCall(shift.Start.Add(time.Hour))[0] != ann {
		t.Error("the override did not end when it was cancelled")
	}
}

// Switching an override never loses it, even if its author, who switches it, is in no team.
func TestSwitchingAnOverrideNeverLosesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shift := w.stint(ann, 1)
	const mal = oncall.UserID("U0MAL")
	w.person(oncall.User{ID: mal, Name: "mal", Standing: oncall.FullMember})
	o := must[schedule.Override](t)(w.AddOverride(t.Context(), oncall.ByTimer(), shift.Schedule, schedule.Override{
		Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: shift.Start, End: shift.End, CreatedBy: cy,
	}, start))
	if _, err := w.SwitchOverride(t.Context(), oncall.ByUser(mal), o.ID, start); err == nil {
		t.Error("somebody of no team switched an override, want that refused")
	}
	w.exec(`UPDATE overrides SET created_by = $1`, mal)
	half := shift.Start.Add(time.Hour)
	is := must[schedule.Override](t)(w.SwitchOverride(t.Context(), oncall.ByUser(mal), o.ID, half))
	if is.ID == o.ID || !is.OnlyCovered {
		t.Errorf("it became %+v; want another one than %v, which covers only who is on call", is, o.ID)
	}
	if !is.Start.Equal(half) || is.CreatedBy != mal {
		t.Errorf("it became %+v; want it from %v, made by %v", is, half, mal)
	}
	if w.onCall(shift.Start)[0] != cy || w.onCall(half)[0] != cy {
		t.Error("Cy is no longer on call, before or after the switch")
	}
	if n := w.count(`SELECT count(*) FROM overrides WHERE cancelled_at IS NULL`); n != 1 {
		t.Errorf("%d overrides are in force, want 1", n)
	}
	if _, err := w.SwitchOverride(t.Context(), oncall.ByUser(mal), is.ID, half); err == nil {
		t.Error("somebody of no team puts people on call for more")
	}
	// If the new override can't be saved, the old one is kept.
	w.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'`)
	w.exec(`CREATE TRIGGER refuse BEFORE INSERT ON overrides FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if _, err := w.SwitchOverride(t.Context(), oncall.ByUser(ann), is.ID, half); err == nil || w.onCall(half)[0] != cy {
		t.Errorf("the override is gone: %v; want it refused, with %v on call still", err, cy)
	}
}

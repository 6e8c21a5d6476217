package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// stint returns a person's n-th stint from start on, in all schedules.
func (w *world) stint(user oncall.UserID, n int) schedule.Stint {
	w.t.Helper()
	dir := must[*store.Directory](w.t)(w.Directory(w.t.Context()))
	stints := dir.Roster().Stints(user, w.clock(), w.clock().AddDate(0, 3, 0))
	if len(stints) <= n {
		w.t.Fatalf("%s has %d stints, want more than %d", user, len(stints), n)
	}
	return stints[n]
}

// offer returns Ann's second week for Bo's first.
func (w *world) offer() oncall.Swap {
	w.t.Helper()
	return must[oncall.Swap](w.t)(w.OfferSwap(w.t.Context(), oncall.ByUser(ann), w.stint(ann, 1), w.stint(bo, 0), "a wedding", w.clock()))
}

// onCall returns the people on call in the only schedule.
func (w *world) onCall(at time.Time) []oncall.UserID {
	w.t.Helper()
	dir := must[*store.Directory](w.t)(w.Directory(w.t.Context()))
	return dir.Schedules[0].At(at, "")
}

// noticeStates lists the notices as "recipient kind state".
func (w *world) noticeStates() []string {
	return w.strings(`SELECT recipient || ' ' || kind || ' ' || coalesce(facts->>'state', '') FROM notices ORDER BY id`)
}

func TestSwapIsAcceptedAndUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swap := w.offer()
	if diff := cmp.Diff([]string{"U0BO swap_ask open", "U0ANN swap_sent open"}, w.noticeStates()); diff != "" {
		t.Errorf("w.noticeStates() (-want +got):\n%s", diff)
	}
	got, err := w.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start)
	if err != nil || got.State != oncall.SwapAccepted || len(got.Overrides) != 2 {
		t.Fatalf("%+v, %v; want the state %v and two overrides", got, err, oncall.SwapAccepted)
	}
	if first, second := w.onCall(swap.Take.Start), w.onCall(swap.Give.Start); first[0] != ann || second[0] != bo {
		t.Errorf("on call are %v and %v; want %v and %v", first, second, ann, bo)
	}
	if diff := cmp.Diff([]string{
		"U0BO swap_ask accepted", "U0ANN swap_sent accepted", "U0ANN swap_news accepted", "#payments swap_done accepted",
	}, w.noticeStates()); diff != "" {
		t.Errorf("w.noticeStates() (-want +got):\n%s", diff)
	}
	if got, err = w.UpdateSwap(t.Context(), oncall.ByUser(ann), swap.ID, oncall.UndoSwap, start); err != nil || got.State != oncall.SwapUndone {
		t.Fatalf("%+v, %v, want State %v", got, err, oncall.SwapUndone)
	}
	if first, second := w.onCall(swap.Take.Start), w.onCall(swap.Give.Start); first[0] != bo || second[0] != ann {
		t.Errorf("after the undo, on call are %v and %v; want %v and %v", first, second, bo, ann)
	}
	if told := w.noticeStates(); told[len(told)-1] != "U0BO swap_news undone" || told[3] != "#payments swap_done undone" {
		t.Errorf(`told %q; want "#payments swap_done undone" fourth and "U0BO swap_news undone" last`, told)
	}
}

// If a team names its admins, its rows say more than who its members are.
func TestSwapInTeamWithAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Teams[0].Admins = []string{"cy"}
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	swap := w.offer()
	got, err := w.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start)
	if err != nil || got.State != oncall.SwapAccepted {
		t.Fatalf("%+v, %v, want State %v", got, err, oncall.SwapAccepted)
	}
}

// Of two clicks at the same time on two instances, exactly one counts.
func TestConcurrentSwapAnswersHaveOneOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	for range 5 {
		swap := w.offer()
		answers := []func() (oncall.Swap, error){
			func() (oncall.Swap, error) {
				return w.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start)
			},
			func() (oncall.Swap, error) {
				return other.UpdateSwap(t.Context(), oncall.ByUser(ann), swap.ID, oncall.WithdrawSwap, start)
			},
			func() (oncall.Swap, error) {
				return other.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start)
			},
		}
		if done := count(t, answers); done != 1 {
			t.Fatalf("%d answers counted, want 1", done)
		}
		overrides := w.count(`SELECT count(*) FROM overrides WHERE cancelled_at IS NULL`)
		accepted := w.count(`SELECT count(*) FROM swaps WHERE state = 'accepted'`)
		if overrides != 2*accepted {
			t.Fatalf("%d overrides of %d accepted swaps, want %d", overrides, accepted, 2*accepted)
		}
		if accepted == 1 {
			break
		}
	}
}

// Of two swaps of one shift that are accepted at the same moment on two instances, one succeeds.
func TestShiftIsSwappedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	one, two := w.offer(), must[oncall.Swap](t)(w.OfferSwap(t.Context(), oncall.ByUser(ann), w.stint(ann, 1), w.stint(bo, 1), "", start))
	done := count(t, []func() (oncall.Swap, error){
		func() (oncall.Swap, error) {
			return w.UpdateSwap(t.Context(), oncall.ByUser(bo), one.ID, oncall.AcceptSwap, start)
		},
		func() (oncall.Swap, error) {
			return other.UpdateSwap(t.Context(), oncall.ByUser(bo), two.ID, oncall.AcceptSwap, start)
		},
	})
	states := w.strings(`SELECT state FROM swaps ORDER BY state`)
	if diff := cmp.Diff([]string{"accepted", "stale"}, states); done != 1 || diff != "" {
		t.Errorf("%d counted, want 1; states (-want +got): %s", done, diff)
	}
	if n := w.count(`SELECT count(*) FROM overrides`); n != 2 {
		t.Errorf("%d overrides, want 2", n)
	}
}

// count runs answers at the same time and returns how many were not refused.
func count[T any](t *testing.T, answers []func() (T, error)) int {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(answers))
	for i, answer := range answers {
		all.Go(func() { _, errs[i] = answer() })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if _, refused := errors.AsType[oncall.Refusal](err); err != nil && !refused {
			t.Fatal(err)
		}
		if err == nil {
			done++
		}
	}
	return done
}

func TestStaleSwapIsSavedAsStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swap := w.offer()
	must[schedule.Override](t)(w.AddOverride(t.Context(), oncall.ByTimer(), swap.Take.Schedule, schedule.Override{
		Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: swap.Take.Start, End: swap.Take.Start.Add(time.Hour), CreatedBy: cy,
	}, start))
	_, err := w.UpdateSwap(t.Context(), oncall.ByUser(bo), swap.ID, oncall.AcceptSwap, start)
	if want := "U0BO no longer has that shift in primary. So nothing was swapped."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if n := w.count(`SELECT count(*) FROM swaps WHERE state = 'stale' AND ended_at = $1`, start); n != 1 {
		t.Errorf("the swap is not stale: got %v, want 1", n)
	}
	if told := w.noticeStates(); told[0] != "U0BO swap_ask stale" || told[len(told)-1] != "U0ANN swap_news stale" {
		t.Errorf(`told %q; want "U0BO swap_ask stale" first and "U0ANN swap_news stale" last`, told)
	}
	if _, err := w.UpdateSwap(t.Context(), oncall.ByUser(bo), 999, oncall.AcceptSwap, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("a swap that isn't there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

func TestSwapTimer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	expired := w.offer()
	if _, err := w.OfferSwap(ctx, oncall.ByTimer(), expired.Give, expired.Take, "", start); err == nil {
		t.Error("an open swap can be offered again, want that refused")
	}
	run := func(id oncall.SwapID, at time.Time) {
		t.Helper()
		if err := w.RunSwapTimer(ctx, id, at); err != nil {
			t.Fatal(err)
		}
	}
	run(expired.ID, expired.ExpiresAt.Add(-time.Second))
	if n := w.count(`SELECT count(*) FROM swaps WHERE state = 'open'`); n != 1 {
		t.Errorf("it expired early: got %v, want 1", n)
	}
	run(expired.ID, expired.ExpiresAt)
	run(expired.ID, expired.ExpiresAt)
	accepted := w.offer()
	if _, err := w.UpdateSwap(ctx, oncall.ByUser(bo), accepted.ID, oncall.AcceptSwap, start); err != nil {
		t.Fatal(err)
	}
	run(accepted.ID, expired.ExpiresAt)
	run(accepted.ID, accepted.Begins())
	states := w.strings(`SELECT state FROM swaps ORDER BY id`)
	if diff := cmp.Diff([]string{"expired", "accepted"}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	shown := w.strings(`SELECT facts->>'state' FROM notices WHERE about = $1 AND kind = 'swap_ask'`, accepted.ID)
	if diff := cmp.Diff([]string{string(oncall.SwapBegun)}, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE about = $1 AND kind = 'swap_news'`, expired.ID); n != 1 {
		t.Errorf("Ann was told %d times, want 1", n)
	}
}

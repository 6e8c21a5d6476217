package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// day returns a day of March 2026; start is the second.
func day(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

// away lists who is away in March, one person a line.
func (w *world) away() (lines []string) {
	w.t.Helper()
	for _, off := range must[[]oncall.TimeOff](w.t)(w.TimeOff(w.t.Context(), oncall.ByTimer(), day(1), day(31))) {
		lines = append(lines, fmt.Sprint(off.UserID, " ", off.Start.Day(), "–", off.End.Day(), " ", off.Note, off.Source))
	}
	return lines
}

func TestTimeOffIsKeptUntilItIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := must[oncall.TimeOff](t)
	later := add(w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: bo, Start: day(20), End: day(22), Note: "Rome"}, start))
	first := add(w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: ann, Start: day(10), End: day(12)}, start))
	if diff := cmp.Diff([]string{"U0ANN 10–12 ", "U0BO 20–22 Rome"}, w.away()); diff != "" {
		t.Errorf("w.away() (-want +got):\n%s", diff)
	}
	all := must[[]oncall.TimeOff](t)(w.TimeOff(t.Context(), oncall.ByTimer(), day(12), day(21))) // Ann is back at the start
	if diff := cmp.Diff([]oncall.TimeOff{later}, all); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, must[oncall.TimeOff](t)(w.CancelTimeOff(t.Context(), oncall.ByTimer(), first.ID, start))); diff != "" {
		t.Error(diff)
	}
	if _, err := w.CancelTimeOff(t.Context(), oncall.ByTimer(), first.ID, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("cancelled twice: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if diff := cmp.Diff([]string{"U0BO 20–22 Rome"}, w.away()); diff != "" {
		t.Errorf("w.away() (-want +got):\n%s", diff)
	}
	// Repeating the same time off adds it once.
	if again := add(w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: bo, Start: day(20), End: day(21), Note: "again"}, start)); again != later {
		t.Errorf("said again: %+v, want %+v", again, later)
	}
	if _, err := w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: "U0NOBODY", Start: day(1), End: day(2)}, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("of nobody: %v, want the error %v", err, oncall.ErrNotFound)
	}
	_, err := w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: ann, Start: day(2), End: day(2)}, start)
	if refusal, ok := errors.AsType[oncall.Refusal](err); !ok || refusal.Error() != "Time off must end after it begins." {
		t.Errorf(`without length: %v; want the refusal "Time off must end after it begins."`, err)
	}
}

func TestImportReplacesPreviousImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	span := func(uid string, from, to int) oncall.TimeOff {
		return oncall.TimeOff{UID: uid, Start: day(from), End: day(to), Note: uid + " "}
	}
	bring := func(source string, want store.TimeOffImport, spans ...oncall.TimeOff) {
		t.Helper()
		got := must[store.TimeOffImport](t)(w.ImportTimeOff(t.Context(), oncall.ByCommandLine("root@example"), ann, source, spans, day(6)))
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if _, err := w.AddTimeOff(t.Context(), oncall.ByTimer(), oncall.TimeOff{UserID: ann, Start: day(29), End: day(30), Note: "by hand"}, start); err != nil {
		t.Fatal(err)
	}
	bring("work", store.TimeOffImport{Added: 4}, span("over", 2, 4), span("a", 10, 12), span("b", 14, 15), span("b", 14, 15), span("c", 20, 22), span("none", 9, 9))
	bring("home", store.TimeOffImport{Added: 1}, span("h", 24, 25))
	ids := w.strings(`SELECT id::text FROM time_off WHERE uid = 'a'`)
	// The past is kept. Of the future, a stays, b moves and c is removed.
	bring("work", store.TimeOffImport{Added: 1, Kept: 1, Cancelled: 2}, span("a", 10, 12), span("b", 16, 17))
	want := []string{"U0ANN 2–4 over work", "U0ANN 10–12 a work", "U0ANN 16–17 b work", "U0ANN 24–25 h home", "U0ANN 29–30 by hand"}
	if diff := cmp.Diff(want, w.away()); diff != "" {
		t.Errorf("w.away() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids, w.strings(`SELECT id::text FROM time_off WHERE uid = 'a'`)); diff != "" {
		t.Errorf("what stays was written anew: %s", diff)
	}
	bring("work", store.TimeOffImport{Cancelled: 2})
	if _, err := w.ImportTimeOff(t.Context(), oncall.ByCommandLine("root@example"), "U0NOBODY", "work", nil, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("of nobody: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// If two instances run the same import at once, everything is added once.
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for _, s := range []*store.System{w.System, w.another()} {
		wg.Go(func() {
			if _, err := s.ImportTimeOff(t.Context(), oncall.ByCommandLine("root@example"), ann, "work", []oncall.TimeOff{{UID: "a", Start: day(10), End: day(12)}}, start); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff([]string{"U0ANN 10–12 work"}, w.away()); diff != "" {
		t.Errorf("w.away() (-want +got):\n%s", diff)
	}
}

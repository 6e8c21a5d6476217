package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// job makes a running job and returns its id.
func (w *world) job() int64 {
	w.t.Helper()
	return int64(w.count(`
		INSERT INTO river_job (state, kind, queue, args, max_attempts, attempt, created_at, scheduled_at)
		VALUES ('running', 'draw', 'draw', '{}', 5, 1, $1, $1)
		RETURNING id`, start))
}

// drawJob returns a job that draws the first incident.
func drawJob(job int64) store.WaitingDraw { return store.WaitingDraw{Job: job, Incident: 1} }

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestDrawingProgressIsSavedStepByStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx, job := t.Context(), w.job()
	events := 2 // of the timeline
	begin := func() store.Drawing {
		t.Helper()
		d := must[store.Drawing](t)(w.BeginDraw(ctx, 1, job, start))
		if d.Busy || d.Delivery != "incident-1-1772449200" {
			t.Errorf(`drawing: %+v; want the lease, and the delivery "incident-1-1772449200"`, d)
		}
		if p := d.Picture; p.Incident.ID != 1 || len(p.Events) != events {
			t.Errorf("drawing: incident %d with %d events, want 1 with %d", p.Incident.ID, len(p.Events), events)
		}
		d.Picture, d.Delivery = oncall.Picture{}, ""
		return d
	}
	want := store.Drawing{Copies: []store.Copy{}}
	if d := cmp.Diff(want, begin()); d != "" {
		t.Errorf("before anything (-want +got):\n%s", d)
	}
	tried := start.Add(time.Second)
	w.check(w.RootTried(ctx, 1, tried))
	w.check(w.RootTried(ctx, 1, tried.Add(time.Hour))) // the first attempt is where to look from
	want.RootTried = &tried
	if d := cmp.Diff(want, begin()); d != "" {
		t.Errorf("tried (-want +got):\n%s", d)
	}
	root := store.MessageRef{Channel: "C1", TS: "5.0"}
	w.check(w.RootPosted(ctx, 1, root, start.Add(time.Minute)))
	w.check(w.Drawn(ctx, 1, root, 2))
	w.check(w.Threaded(ctx, 1, 2))
	want.Root, want.RootDrawn, want.ThreadTo = root, 2, 2
	if d := cmp.Diff(want, begin()); d != "" {
		t.Errorf("posted (-want +got):\n%s", d)
	}

	must[oncall.PageOrder](t)(w.BeginPage(ctx, oncall.SendPage{Page: 1}, 7, start))
	dm := store.MessageRef{Channel: "D1", TS: "6.0"}
	w.check(w.RecordPage(ctx, 1, oncall.PageAccepted{Copy: &oncall.DrawnCopy{Channel: dm.Channel, TS: dm.TS, Version: 1}}, start))
	events++
	w.check(w.Drawn(ctx, 1, dm, 2))
	want.Copies = []store.Copy{{MessageRef: dm, Drawn: 2, User: ann, Why: oncall.Say("you are on call in primary")}}
	if d := cmp.Diff(want, begin()); d != "" {
		t.Errorf("with a copy (-want +got):\n%s", d)
	}
	w.check(w.ForgetPlace(ctx, 1, dm))
	w.check(w.ForgetPlace(ctx, 1, root))
	if d := cmp.Diff(store.Drawing{Copies: []store.Copy{}}, begin()); d != "" {
		t.Errorf("forgotten (-want +got):\n%s", d)
	}
	if _, err := w.BeginDraw(ctx, 99, job, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

func TestOneJobDrawsAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx, a, b := t.Context(), w.job(), w.job()
	busy := func(job int64, now time.Time) bool {
		t.Helper()
		return must[store.Drawing](t)(w.BeginDraw(ctx, 1, job, now)).Busy
	}
	if busy(a, start) {
		t.Error("the first job is refused the lease, which nobody has")
	}
	if !busy(b, start) {
		t.Error("a second job gets the lease while the first has it")
	}
	if busy(a, start) {
		t.Error("the first job is refused its own lease when it asks again")
	}
	if done := must[bool](t)(w.EndDraw(ctx, drawJob(b), 2, start)); done {
		t.Error("a job without the lease ended the drawing")
	}
	w.check(w.PutDrawBack(ctx, drawJob(b), start, false, start))
	b = w.job()
	if !busy(b, start) {
		t.Error("a job without the lease released it")
	}
	if !busy(b, start.Add(29*time.Second)) {
		t.Error("another job gets the lease after 29 s, want it kept for 30 s")
	}
	if busy(b, start.Add(30*time.Second)) {
		t.Error("another job is refused the lease after 30 s, want it to get it")
	}
	if !busy(a, start.Add(31*time.Second)) {
		t.Error("the first job gets the lease that the second has")
	}
	w.check(w.PutDrawBack(ctx, drawJob(b), start, false, start))
	b = w.job()
	if busy(a, start.Add(31*time.Second)) {
		t.Error("a lease that was released is refused")
	}
	w.exec(`UPDATE river_job SET state = 'discarded', finalized_at = $2 WHERE id = $1`, a, start)
	if busy(b, start.Add(32*time.Second)) {
		t.Error("a job that has ended keeps the lease")
	}
	if done := must[bool](t)(w.EndDraw(ctx, drawJob(b), 2, start)); !done {
		t.Error("the drawing has not ended although its job drew the newest version")
	}
}

// A job that stops because another is drawing relies on the other to see its change. So after many
// changes, each with a job that draws until it may stop, the newest version must have been drawn.
func TestEveryChangeIsDrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	other := w.another()
	root := store.MessageRef{Channel: "C1", TS: "1.0"}
	must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, w.job(), start))
	w.check(w.RootPosted(t.Context(), 1, root, start))
	w.exec(`UPDATE drawings SET lease_job = NULL`)

	var wg sync.WaitGroup
	ctx := context.Background()
	for i := range 40 {
		s := w.System
		if i%2 == 1 {
			s = other
		}
		job := w.job()
		wg.Go(func() {
			_, err := s.Act(ctx, 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActNote, Text: "hello"}, start)
			for done := false; !done && err == nil; {
				var d store.Drawing
				if d, err = s.BeginDraw(ctx, 1, job, start); err != nil || d.Busy {
					break
				}
				version := d.Picture.Incident.Version
				if err = s.Drawn(ctx, 1, root, version); err == nil {
					done, err = s.EndDraw(ctx, drawJob(job), version, start)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d := must[store.Drawing](t)(w.BeginDraw(ctx, 1, w.job(), start))
	if d.Busy || d.RootDrawn != 42 || d.Picture.Incident.Version != 42 {
		t.Errorf("busy %v, version %d is drawn, want %d", d.Busy, d.RootDrawn, d.Picture.Incident.Version)
	}
}

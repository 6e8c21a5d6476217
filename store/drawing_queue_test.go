package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// waitingDraws returns the drawings that are waiting at the given time.
func (w *world) waitingDraws(now time.Time) []store.WaitingDraw {
	w.t.Helper()
	return must[[]store.WaitingDraw](w.t)(w.WaitingDraws(w.t.Context(), now))
}

func (w *world) note(now time.Time) {
	w.t.Helper()
	if _, err := w.Act(w.t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActNote, Text: "hello"}, now); err != nil {
		w.t.Fatal(err)
	}
}

// Any number of changes leave one waiting job, which records whether a person waits for it.
func TestOneDrawWaitsForAnIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	got := w.waitingDraws(start)
	if len(got) != 1 || got[0].Incident != 1 || got[0].Channel == "" {
		t.Fatalf("after an incident has opened: %+v, want one draw, of incident 1, in a channel", got)
	}
	if d := got[0]; d.Asked || d.Count || d.Over || d.Edits {
		t.Fatalf("after an incident has opened: asked %t, count %t, over %t, edits %t, want none of them", d.Asked, d.Count, d.Over, d.Edits)
	}
	for range 5 {
		w.note(start)
	}
	if got := w.waitingDraws(start); len(got) != 1 || !got[0].Asked {
		t.Fatalf("after a person's notes: %+v; want one, asked for by a person", got)
	}
	if n := w.jobs("draw"); n != 1 {
		t.Errorf("%d draw jobs, want 1", n)
	}
	// While a drawing is in progress, all further requests share one waiting job.
	job := got[0].Job
	if n := must[int](t)(w.TakeDraw(t.Context(), job, "me", start)); n != 1 {
		t.Fatalf("attempt %d, want 1", n)
	}
	if n := must[int](t)(w.TakeDraw(t.Context(), job, "you", start)); n != 0 {
		t.Errorf("it was taken twice: got %v, want 0", n)
	}
	for range 5 {
		w.note(start)
	}
	if n := w.jobs("draw"); n != 2 {
		t.Errorf("%d draw jobs, want 2", n)
	}
	d := must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, job, start))
	if done := must[bool](t)(w.EndDraw(t.Context(), drawJob(job), d.Picture.Incident.Version-1, start)); done {
		t.Error("the drawing ended although an old version was drawn")
	}
	w.check(w.PutDrawBack(t.Context(), drawJob(job), start.Add(time.Minute), true, start))
	got = w.waitingDraws(start)
	if len(got) != 1 || got[0].Job == job || !got[0].Asked {
		t.Errorf("put back: %+v; want one, asked for by a person, with a job of its own other than %v", got, job)
	}
	if n := w.jobs("draw"); n != 1 {
		t.Errorf("put back: %d draw jobs, want 1", n)
	}
	// With nothing else waiting, it waits until then.
	job = got[0].Job
	must[int](t)(w.TakeDraw(t.Context(), job, "me", start))
	w.check(w.PutDrawBack(t.Context(), drawJob(job), start.Add(time.Minute), true, start))
	if got := w.waitingDraws(start.Add(time.Minute - 1)); len(got) != 0 {
		t.Errorf("too early: %+v, want none", got)
	}
	if got := w.waitingDraws(start.Add(time.Minute)); len(got) != 1 {
		t.Errorf("in time: %+v, want 1 entry", got)
	}
	if n := must[int](t)(w.TakeDraw(t.Context(), job, "me", start)); n != 2 {
		t.Errorf("attempt %d after a failure, want 2", n)
	}
}

// A request to draw that arrives while a drawing ends is never lost: either the drawing sees it, or a
// job waits.
func TestDrawRequestsAreNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	other := w.another()
	root := store.MessageRef{Channel: "C1", TS: "1.0"}
	must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, w.job(), start))
	w.check(w.RootPosted(t.Context(), 1, root, start))
	w.exec(`UPDATE drawings SET lease_job = NULL`)
	ctx := t.Context()
	var people, drawers sync.WaitGroup
	for i := range 4 {
		people.Go(func() {
			for range 25 {
				if _, err := []*store.System{w.System, other}[i%2].Act(ctx, 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActNote, Text: "hello"}, start); err != nil {
					t.Error(err)
				}
			}
		})
	}
	still := make(chan struct{})
	most := 0
	for i := range 2 {
		s := []*store.System{w.System, other}[i]
		drawers.Go(func() {
			for last := false; !last; {
				select {
				case <-still:
					last = true // one more look after the last change
				default:
				}
				waiting, err := s.WaitingDraws(ctx, start)
				if err != nil {
					t.Error(err)
					return
				}
				if i == 0 {
					most = max(most, len(waiting))
				}
				for _, d := range waiting {
					if err := drawOnce(s, d, root); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	people.Wait()
	close(still)
	drawers.Wait()
	for _, d := range w.waitingDraws(start) {
		w.check(drawOnce(w.System, d, root))
	}
	d := must[store.Drawing](t)(w.BeginDraw(ctx, 1, w.job(), start))
	if d.Busy || d.RootDrawn != 102 || d.Picture.Incident.Version != 102 {
		t.Errorf("busy %v, version %d is drawn of %d; want the lease, with version 102 drawn of 102", d.Busy, d.RootDrawn, d.Picture.Incident.Version)
	}
	if most > 1 {
		t.Errorf("%d draws waited for one incident, want at most 1", most)
	}
}

// drawOnce draws the way the jobs do.
func drawOnce(s *store.System, w store.WaitingDraw, root store.MessageRef) error {
	ctx := context.Background()
	attempt, err := s.TakeDraw(ctx, w.Job, "me", start)
	if err != nil || attempt == 0 {
		return err
	}
	for {
		d, err := s.BeginDraw(ctx, w.Incident, w.Job, start)
		if err != nil {
			return err
		}
		if d.Busy {
			return s.PutDrawBack(ctx, w, start, false, start)
		}
		version := d.Picture.Incident.Version
		if err := s.Drawn(ctx, w.Incident, root, version); err != nil {
			return err
		}
		if done, err := s.EndDraw(ctx, w, version, start); done || err != nil {
			return err
		}
	}
}

// Jobs of the previous release, which queued one for each change, lead to one drawing.
func TestJobsOfTheReleaseBeforeAreDrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	for range 5 {
		w.exec(`INSERT INTO river_job (state, kind, queue, args, max_attempts, priority, created_at, scheduled_at)
			VALUES ('available', 'draw', 'draw', '{"incident": 1, "version": 1}', 5, 1, $1, $1)`, start)
	}
	got := w.waitingDraws(start)
	if len(got) != 6 {
		t.Fatalf("%d wait, want 6", len(got))
	}
	w.check(drawOnce(w.System, got[3], store.MessageRef{}))
	if got := w.waitingDraws(start); len(got) != 0 {
		t.Errorf("%d wait after one drawing, want 0", len(got))
	}
}

// A waiting drawing records whether it is worse than everything in its team's channel, and whether
// more news is expected soon.
func TestDrawingOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	one := func(id oncall.IncidentID, now time.Time) store.WaitingDraw {
		t.Helper()
		for _, d := range w.waitingDraws(now) {
			if d.Incident == id {
				return d
			}
		}
		t.Fatalf("incident %d doesn't wait", id)
		return store.WaitingDraw{}
	}
	if d := one(1, start); !d.First || d.Coming {
		t.Errorf("the channel shows nothing: %+v; want it the first, with nothing more to come", d)
	}
	// Nobody folds what comes now.
	worse := trigger("disk of the database")
	worse.Severity = oncall.Critical
	w.accept(trigger("another disk"), worse)
	if d := one(1, start); !d.First || !d.Coming {
		t.Errorf("more has come: %+v; want it the first, with more to come", d)
	}
	if d := one(1, start.Add(3*time.Second)); d.Coming {
		t.Errorf("it has waited long enough: %+v, want nothing more to come", d)
	}
	stop := w.run(w.System)
	w.fold()
	stop()
	must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, one(1, start).Job, start))
	w.check(w.RootTried(t.Context(), 1, start))
	w.check(w.RootPosted(t.Context(), 1, store.MessageRef{Channel: "C0PAY", TS: "1"}, start))
	if d := one(1, start); d.First || d.Coming {
		t.Errorf("it is posted: %+v; want it neither first nor with more to come", d)
	}
	if d := one(2, start); d.First {
		t.Errorf("no worse than what the channel shows: %+v, want it not the first", d)
	}
	if d := one(3, start); !d.First {
		t.Errorf("worse than all that the channel shows: %+v, want it the first", d)
	}
}

package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// addNote adds a note, which bumps the incident's version as any decision does.
func (w *world) addNote(id oncall.IncidentID, text string) {
	w.t.Helper()
	_, err := w.store.Act(w.t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActNote, Text: text}, w.clock())
	if err != nil {
		w.t.Errorf("note: %v", err)
	}
}

// drawingDone reports whether all drawing is done and shows what is stored.
func (w *world) drawingDone(id oncall.IncidentID) bool {
	w.t.Helper()
	return w.queueEmpty("draw") && w.messenger.showsOnly(id, w.version(id))
}

func TestDrawRepeatsUntilTheIncidentStopsChanging(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	const bumps = 50
	posting, release := make(chan struct{}, 1), make(chan struct{})
	w.messenger.fail(func(ctx context.Context, act string, posted bool) error {
		if act == "post" && !posted {
			posting <- struct{}{}
			<-release
		}
		return nil
	})
	// Two instances, because the lease must also work between instances.
	w.start(w.sender)
	w.start(w.sender)
	id := w.signal("db-1")[0]
	await(t, "the message is being posted", posting)
	var all sync.WaitGroup
	for i := range bumps {
		all.Go(func() { w.addNote(id, fmt.Sprintf("note %d", i)) })
	}
	all.Wait()
	close(release)
	for i := range bumps {
		all.Go(func() { w.addNote(id, fmt.Sprintf("late note %d", i)) })
	}
	all.Wait()
	w.until("the message shows the last version", func() bool { return w.drawingDone(id) })
	if n := len(w.messenger.rootsOf(id)); n != 1 {
		t.Errorf("%d roots, want 1", n)
	}
	events := w.events(id, oncall.EventNote)
	if len(events) != 2*bumps {
		t.Fatalf("%d events, want %d", len(events), 2*bumps)
	}
	for _, e := range events {
		if n := w.messenger.timesReported(e.ID); n != 1 {
			t.Errorf("%q was told %d times in the thread, want once", e.Detail.Text, n)
		}
	}
	if edits := w.messenger.edits; edits > bumps {
		t.Errorf("%d edits for %d changes: changes are not drawn together, want at most %d", edits, 2*bumps, bumps)
	}
}

func TestDrawAdoptsARootWhosePostWasUnanswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var unseen atomic.Int32
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act == "post" && posted && unseen.Add(1) == 1 {
			return errors.New("connection reset")
		}
		return nil
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is found and shows the last version", func() bool { return w.drawingDone(id) })
	if got := unseen.Load(); got != 1 {
		t.Errorf("posted %d times, want once", got)
	}
}

func TestDrawPostsAgainWhenNothingWasPosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var tries atomic.Int32
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act == "post" && !posted && tries.Add(1) == 1 {
			return errors.New("connection refused")
		}
		return nil
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is posted", func() bool { return w.drawingDone(id) })
}

func TestDrawCatchesUpAfterAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	var calls atomic.Int32
	var down atomic.Bool
	w.messenger.fail(func(context.Context, string, bool) error {
		if !down.Load() {
			return nil
		}
		calls.Add(1)
		return errors.New("slack is down")
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is posted", func() bool { return w.drawingDone(id) })
	down.Store(true)
	w.ack(id, ann)
	w.until("drawing has failed twice", func() bool { return calls.Load() >= 2 })
	if w.messenger.showsOnly(id, w.version(id)) {
		t.Error("the message shows what was never drawn")
	}
	down.Store(false)
	w.until("the message catches up", func() bool { return w.drawingDone(id) })
}

func TestDrawPostsADeletedRootAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is posted", func() bool { return w.drawingDone(id) })
	w.messenger.mu.Lock()
	clear(w.messenger.roots)
	w.messenger.mu.Unlock()
	w.ack(id, ann)
	w.until("the message is there again", func() bool { return w.drawingDone(id) })
}

// awaitAckShown waits until Ann's first direct message shows that she has acknowledged.
func (w *world) awaitAckShown() {
	w.t.Helper()
	at := store.MessageRef{Channel: "D" + string(ann), TS: "1700000000.000001"}
	w.until("Ann's message shows that she has it", func() bool {
		w.messenger.mu.Lock()
		defer w.messenger.mu.Unlock()
		return w.messenger.shown[at].Incident.Status == oncall.Acknowledged
	})
}

func TestDrawUpdatesDirectMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("Ann is paged", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
	w.ack(id, ann)
	w.awaitAckShown()
	w.until("all is drawn", func() bool { return w.drawingDone(id) })
}

// A channel that can't be posted to must not leave an outdated button in a direct message.
func TestDrawUpdatesDirectMessagesOfABrokenChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.messenger.fail(func(_ context.Context, act string, _ bool) error {
		if act == "post" || act == "find" {
			return errors.New("channel_not_found")
		}
		return nil
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("Ann is paged", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
	w.ack(id, ann)
	w.awaitAckShown()
}

// A flapping monitor that is counted many times a second must not use up Slack's limit for all
// incidents together.
func TestStormCountIsDrawnRarely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.messenger.fail(func(ctx context.Context, act string, posted bool) error {
		if act == "edit" && !posted {
			select {
			case <-time.After(50 * time.Millisecond): // about as long as Slack takes
			case <-ctx.Done():
			}
		}
		return nil
	})
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is posted", func() bool { return w.drawingDone(id) })
	before := w.version(id)
	began := time.Now()
	for n := 0; n < 60 || time.Since(began) < 7*time.Second; n++ {
		w.signal("db-1")
	}
	counted := w.version(id) - before
	w.until("the message shows the last count", func() bool { return w.drawingDone(id) })
	w.messenger.mu.Lock()
	edits := w.messenger.edits
	w.messenger.mu.Unlock()
	took := time.Since(began)
	if most := 2 * (4 + int(took/(3*time.Second))); counted < 50 || edits > most {
		t.Errorf("%d edits for %d counts in %s, want at most %d edits, for at least 50 counts", edits, counted, took, most)
	}
	t.Logf("%d edits for %d counts in %s", edits, counted, took)
}

// A job that finds another one drawing leaves. But if that one is about to finish, it must wait for
// it, because the other may have looked before our change.
func TestBeginDrawWaitsForTheEndOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	id := w.signal("db-1")[0]
	ctx := t.Context()
	if _, err := w.store.BeginDraw(ctx, id, w.jobID("draw"), w.clock()); err != nil {
		t.Fatal(err)
	}
	ending, err := w.store.Pool().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ending.Rollback(context.Background()) }()
	// Like EndDraw, which locks, looks at the version, and gives back the lease.
	if _, err := ending.Exec(ctx, `SELECT FROM drawings WHERE incident_id = $1 FOR UPDATE`, id); err != nil {
		t.Fatal(err)
	}
	busy := make(chan bool, 1)
	go func() {
		drawing, err := w.store.BeginDraw(ctx, id, -1, w.clock())
		busy <- drawing.Busy || err != nil
	}()
	w.until("the other waits", func() bool {
		var n int
		err := w.store.Pool().QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err != nil || n > 0 || len(busy) > 0
	})
	if _, err := ending.Exec(ctx, `UPDATE drawings SET lease_job = NULL WHERE incident_id = $1`, id); err != nil {
		t.Fatal(err)
	}
	if err := ending.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if await(t, "the other has looked", busy) {
		t.Error("the other instance leaves the drawing alone, although nobody draws; want it to take over")
	}
}

// jobID returns the id of a job of this kind.
func (w *world) jobID(kind string) (id int64) {
	w.t.Helper()
	err := w.store.Pool().QueryRow(w.t.Context(), `SELECT min(id) FROM river_job WHERE kind = $1`, kind).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// A reply whose outcome is unknown, as after a crash, is looked up before it is posted again.
func TestDrawAdoptsAReplyWhosePostWasUnanswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the message is posted", func() bool { return w.drawingDone(id) })
	var unseen atomic.Int32
	w.messenger.fail(func(_ context.Context, act string, posted bool) error {
		if act == "reply" && posted && unseen.Add(1) == 1 {
			return errors.New("connection reset")
		}
		return nil
	})
	w.ack(id, ann)
	w.until("a reply is posted, and nobody knows", func() bool { return unseen.Load() > 0 })
	w.addNote(id, "late")
	w.until("all is told", func() bool { return w.drawingDone(id) })
	for _, kind := range []oncall.EventKind{oncall.EventAcknowledged, oncall.EventNote} {
		for _, e := range w.events(id, kind) {
			if n := w.messenger.timesReported(e.ID); n != 1 {
				t.Errorf("%s was told %d times, want 1", e.Kind, n)
			}
		}
	}
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// drawWorkers is how many incidents an instance draws at once. No worker waits long for its turn at Slack, so a
	// few are enough; more would compete with incoming signals for the database.
	drawWorkers = 6
	// drawEvery is the shortest interval between two checks of the waiting drawings; drawEveryBusy is the
	// interval while many are waiting.
	drawEvery     = 100 * time.Millisecond
	drawEveryBusy = 300 * time.Millisecond
	manyWaiting   = 100
	// drawIdle is the interval while no drawing waits and this process has saved no change. These checks
	// find drawings that become due later and those left behind by other instances.
	drawIdle = 500 * time.Millisecond
	// drawRetry is the longest time before a drawing without room is offered to the messenger again.
	drawRetry = time.Second
)

// A drawLoop draws waiting incidents during one session. It is not a queue: each check loads every
// waiting drawing, and the messenger chooses the order.
type drawLoop struct {
	jobs    *Jobs
	name    string // of the session
	quit    chan struct{}
	cancel  context.CancelFunc // cancels the drawings in progress
	ended   chan struct{}
	freed   chan struct{} // signals that a worker is free
	mu      sync.Mutex
	busy    map[int64]bool      // jobs in progress
	skipped map[int64]time.Time // jobs that found no room, and until when they are skipped: in real time, like Slack's limits
	failed  bool                // whether the latest check of the waiting drawings failed
}

// startDrawing starts a draw loop under an instance's name.
func (j *Jobs) startDrawing(ctx context.Context, name string) *drawLoop {
	ctx, cut := context.WithCancel(context.WithoutCancel(ctx))
	d := &drawLoop{
		jobs: j, name: name, quit: make(chan struct{}), cancel: cut, ended: make(chan struct{}),
		freed: make(chan struct{}, 1), busy: map[int64]bool{}, skipped: map[int64]time.Time{},
	}
	go d.run(ctx)
	return d
}

// end starts no new drawings and waits for those in progress. When ctx ends, it cancels them.
func (d *drawLoop) end(ctx context.Context) {
	close(d.quit)
	d.jobs.messenger.StopWaiting()
	select {
	case <-d.ended:
	case <-ctx.Done():
	}
	d.cancel()
	<-d.ended
}

func (d *drawLoop) run(ctx context.Context) {
	defer close(d.ended)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		pause, idle := d.startDraws(ctx, func(w store.WaitingDraw) {
			all.Go(func() { d.work(ctx, w) })
		})
		timer := time.NewTimer(pause) // real time: this is about the load of this process
		select {
		case <-timer.C:
		case <-d.freed:
			timer.Stop()
		case <-d.quit:
			timer.Stop()
			return
		}
		if idle && !d.await() {
			return
		}
	}
}

// await waits until there may be something to draw. It reports false when the loop is to end.
func (d *drawLoop) await() bool {
	idle := drawIdle
	if d.jobs.store.Frugal() {
		idle = frugalDrawIdle
	}
	timer := time.NewTimer(idle - drawEvery) // real time, for the same reason
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.freed:
	case <-d.jobs.store.Saved():
	case <-d.quit:
		return false
	}
	return true
}

// startDraws starts the drawings that the messenger chooses. It returns the time until the next check,
// and whether no drawing waits.
func (d *drawLoop) startDraws(ctx context.Context, begin func(store.WaitingDraw)) (pause time.Duration, idle bool) {
	d.mu.Lock()
	free := drawWorkers - len(d.busy)
	d.mu.Unlock()
	if free <= 0 {
		return drawEvery, false
	}
	waiting, err := d.jobs.store.WaitingDraws(ctx, d.jobs.clock())
	if err != nil {
		if !d.failed && ctx.Err() == nil {
			d.jobs.log.Error().Err(err).Msg("can't look for what is to be drawn; still trying")
		}
		d.failed = true
		return drawRetry, false
	}
	d.failed, idle = false, len(waiting) == 0
	waiting = d.withoutSkipped(waiting)
	chosen := d.jobs.messenger.Choose(ctx, waiting, free)
	d.mu.Lock()
	for _, w := range chosen {
		if !d.busy[w.Job] {
			d.busy[w.Job] = true
			begin(w)
		}
	}
	d.mu.Unlock()
	if len(waiting) > manyWaiting {
		return drawEveryBusy, idle
	}
	return drawEvery, idle
}

// withoutSkipped leaves out the drawings that recently found no room.
func (d *drawLoop) withoutSkipped(waiting []store.WaitingDraw) []store.WaitingDraw {
	now := time.Now() //nolint:forbidigo // for Slack's limits, not for the product's time
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.skipped, func(_ int64, until time.Time) bool { return until.Before(now) })
	return slices.DeleteFunc(waiting, func(w store.WaitingDraw) bool { _, away := d.skipped[w.Job]; return away })
}

// skip skips a job for a while.
func (d *drawLoop) skip(job int64, after time.Duration) {
	until := time.Now().Add(min(after, drawRetry)) //nolint:forbidigo // as above
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skipped[job] = until
}

// work draws one incident or bundle.
func (d *drawLoop) work(ctx context.Context, draw store.WaitingDraw) {
	defer func() {
		d.mu.Lock()
		delete(d.busy, draw.Job)
		d.mu.Unlock()
		select {
		case d.freed <- struct{}{}:
		default:
		}
	}()
	attempt, err := d.jobs.store.TakeDraw(ctx, draw.Job, d.name, d.jobs.clock())
	if err != nil || attempt == 0 {
		return // another instance works on the job, or has rescued it
	}
	err = guarded(ctx, "drawer", drawLimit, func(ctx context.Context) error {
		return drawer{jobs: d.jobs, waiting: draw, stop: d.quit}.draw(ctx)
	})
	if err == nil {
		return
	}
	// If this process can't save the result, another instance repeats the drawing.
	note, release := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer release()
	if err := d.reschedule(note, draw, attempt, err); err != nil {
		d.jobs.log.Warn().Err(err).Msg("can't note a drawing; another instance goes on with it")
	}
}

// reschedule decides when an unfinished drawing is tried again.
func (d *drawLoop) reschedule(ctx context.Context, draw store.WaitingDraw, attempt int, err error) error {
	now := d.jobs.clock()
	after, failed := time.Duration(0), false
	switch l, isLater := errors.AsType[laterError](err); {
	case errors.Is(err, oncall.ErrNotFound), errors.Is(err, store.ErrGone) && draw.Incident == 0:
		return d.jobs.store.DropDraw(ctx, draw.Job)
	case isLater:
		after = l.after
	case delayOf(err) > 0:
		d.skip(draw.Job, delayOf(err))
	case !errors.Is(err, context.Canceled):
		after, failed = retryAfter(attempt), true
		d.jobs.metrics.failures.WithLabelValues(oncall.Draw{}.Kind()).Inc()
		d.jobs.log.Warn().Err(err).Stringer("incident", draw.Incident).Int("attempt", attempt).Msg("drawing failed; it will be tried again")
	}
	return d.jobs.store.PutDrawBack(ctx, draw, now.Add(after), failed, now)
}

// bundle brings the message about a bundle of incidents up to date.
func (dr drawer) bundle(ctx context.Context) error {
	for range maxPasses {
		t, err := dr.jobs.store.BeginNotice(ctx, dr.waiting.Notice, dr.jobs.clock())
		if err != nil {
			return err
		}
		if t.Place == (store.MessageRef{}) || t.Done(dr.jobs.clock()) {
			return dr.jobs.store.DropDraw(ctx, dr.waiting.Job)
		}
		if err := dr.jobs.messenger.RedrawNotice(ctx, dr.waiting, t.Place, t.Notice); err != nil {
			return fmt.Errorf("redraw notice %d: %w", t.Notice.ID, err)
		}
		if err := dr.jobs.store.NoticeDrawn(ctx, t.Notice.ID, t.Place, t.Notice.Version); err != nil {
			return err
		}
		if dr.stopping() {
			return laterError{}
		}
	}
	return laterError{time.Second}
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// tellWorker posts notices and keeps their messages true to them.
type tellWorker struct {
	river.WorkerDefaults[oncall.Tell]
	jobs *Jobs
}

// Timeout bounds one run.
func (w *tellWorker) Timeout(*river.Job[oncall.Tell]) time.Duration { return 2 * time.Minute }

// tellTurns bounds how often one run redraws a notice that keeps changing.
const tellTurns = 10

// Work tells the notice as it stands, until its message shows it.
func (w *tellWorker) Work(ctx context.Context, job *river.Job[oncall.Tell]) error {
	for range tellTurns {
		t, err := w.jobs.store.BeginTell(ctx, job.Args.Notice, w.jobs.clock())
		if err != nil {
			return unlessMissing(err)
		}
		if t.Settled(w.jobs.clock()) {
			return nil
		}
		at, err := w.tell(ctx, t)
		switch {
		case errors.Is(err, store.ErrGone):
			return river.JobCancel(err) // somebody has deleted it: it was read
		case err != nil:
			return err
		}
		if err := w.jobs.store.Told(ctx, t.Notice.ID, at, t.Notice.Version); err != nil {
			return err
		}
	}
	return river.JobSnooze(time.Second)
}

func (w *tellWorker) tell(ctx context.Context, t store.Telling) (store.Place, error) {
	if t.Place != (store.Place{}) {
		return t.Place, w.jobs.board.RedrawNotice(ctx, t.Place, t.Notice)
	}
	if t.TriedAt != nil {
		at, found, err := w.jobs.board.FindNotice(ctx, t.Notice, *t.TriedAt)
		if err != nil {
			return store.Place{}, fmt.Errorf("look for notice %d: %w", t.Notice.ID, err)
		}
		if found {
			return at, w.jobs.board.RedrawNotice(ctx, at, t.Notice)
		}
	}
	return w.jobs.board.PostNotice(ctx, t.Notice)
}

package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// swapWorker lets swaps expire.
type swapWorker struct {
	river.WorkerDefaults[oncall.SwapTimer]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *swapWorker) Timeout(*river.Job[oncall.SwapTimer]) time.Duration { return 15 * time.Second }

// Work looks at the swap; a stale timer does nothing.
func (w *swapWorker) Work(ctx context.Context, job *river.Job[oncall.SwapTimer]) error {
	return unlessMissing(w.jobs.store.RunSwapTimer(ctx, job.Args.Swap, w.jobs.clock()))
}

// coverWorker asks the next people for cover and reminds.
type coverWorker struct {
	river.WorkerDefaults[oncall.CoverTimer]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *coverWorker) Timeout(*river.Job[oncall.CoverTimer]) time.Duration { return 15 * time.Second }

// Work looks at the request; a stale timer does nothing.
func (w *coverWorker) Work(ctx context.Context, job *river.Job[oncall.CoverTimer]) error {
	return unlessMissing(w.jobs.store.RunCoverTimer(ctx, job.Args.Cover, w.jobs.clock()))
}

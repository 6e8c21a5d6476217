package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// lookWorker keeps what follows from a schedule right: hand-offs and reminders.
type lookWorker struct {
	river.WorkerDefaults[oncall.Look]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *lookWorker) Timeout(*river.Job[oncall.Look]) time.Duration { return 15 * time.Second }

// Work looks at the schedule; where nothing has changed it does nothing.
func (w *lookWorker) Work(ctx context.Context, job *river.Job[oncall.Look]) error {
	return unlessMissing(w.jobs.store.Look(ctx, job.Args.Schedule, w.jobs.clock()))
}

// chaseWorker asks whether somebody has said that they are on call.
type chaseWorker struct {
	river.WorkerDefaults[oncall.ChaseHandoff]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *chaseWorker) Timeout(*river.Job[oncall.ChaseHandoff]) time.Duration { return 15 * time.Second }

// Work looks at the hand-off; one that is over does nothing.
func (w *chaseWorker) Work(ctx context.Context, job *river.Job[oncall.ChaseHandoff]) error {
	return unlessMissing(w.jobs.store.ChaseHandoff(ctx, job.Args.Number, w.jobs.clock()))
}

// guardWorker looks for what will go wrong with cover, after an edit.
type guardWorker struct {
	river.WorkerDefaults[oncall.Guard]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *guardWorker) Timeout(*river.Job[oncall.Guard]) time.Duration { return 30 * time.Second }

// Work tells what is new.
func (w *guardWorker) Work(ctx context.Context, _ *river.Job[oncall.Guard]) error {
	return w.jobs.store.Guard(ctx, w.jobs.clock())
}

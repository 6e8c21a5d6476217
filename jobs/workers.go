package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// lookLimit bounds one attempt of a job that does no more than change what is stored.
const lookLimit = 15 * time.Second

// workers are all kinds of jobs, each with the time that one attempt may take and what it does.
func (j *Jobs) workers() *river.Workers {
	all := river.NewWorkers()
	add(all, lookLimit, j.incidentTimer)
	add(all, pageLimit, j.page)
	add(all, drawLimit, drawer{j}.draw)
	add(all, tellLimit, j.tell)
	add(all, probeLimit, j.verify)
	add(all, probeLimit, j.test)
	add(all, probeLimit, j.check)
	// Swaps expire.
	add(all, lookLimit, func(ctx context.Context, job *river.Job[oncall.SwapTimer]) error {
		return unlessMissing(j.store.RunSwapTimer(ctx, job.Args.Swap, j.clock()))
	})
	// A request for cover asks the next people and reminds.
	add(all, lookLimit, func(ctx context.Context, job *river.Job[oncall.CoverTimer]) error {
		return unlessMissing(j.store.RunCoverTimer(ctx, job.Args.Cover, j.clock()))
	})
	// What follows from a schedule is kept right: hand-offs and reminders.
	add(all, lookLimit, func(ctx context.Context, job *river.Job[oncall.Look]) error {
		return unlessMissing(j.store.Look(ctx, job.Args.Schedule, j.clock()))
	})
	// Somebody is to say that they are on call.
	add(all, lookLimit, func(ctx context.Context, job *river.Job[oncall.ChaseHandoff]) error {
		return unlessMissing(j.store.ChaseHandoff(ctx, job.Args.Number, j.clock()))
	})
	// After an edit, what will go wrong with cover is told.
	add(all, 30*time.Second, func(ctx context.Context, _ *river.Job[oncall.Guard]) error {
		return j.store.Guard(ctx, j.clock())
	})
	// User groups follow who is on call, by what was last seen of them.
	add(all, 2*time.Minute, func(ctx context.Context, _ *river.Job[oncall.SyncGroups]) error {
		now := j.clock()
		return errors.Join(j.mirrorGroups(ctx, now), j.syncGroups(ctx, now, seenWithin))
	})
	add(all, time.Minute, j.topic)
	return all
}

// A worker does the jobs of one kind. When a failed one runs again is the same for all.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	limit time.Duration
	work  func(context.Context, *river.Job[T]) error
}

func add[T river.JobArgs](all *river.Workers, limit time.Duration, work func(context.Context, *river.Job[T]) error) {
	river.AddWorker(all, &worker[T]{limit: limit, work: work})
}

// Timeout bounds one attempt.
func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.limit }

// Work does the job.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.work(ctx, job) }

// unlessMissing turns the work of something that does not exist into no work at all.
func unlessMissing(err error) error {
	if errors.Is(err, oncall.ErrNotFound) {
		return river.JobCancel(err)
	}
	return err
}

// incidentTimer runs what an incident waits for, unless the timer is stale.
func (j *Jobs) incidentTimer(ctx context.Context, job *river.Job[oncall.IncidentTimer]) error {
	now := j.clock()
	j.metrics.late.Observe(max(0, now.Sub(job.ScheduledAt).Seconds()))
	due, err := j.store.RunIncidentTimer(ctx, job.Args.Incident, job.Args.Seq, now)
	if err != nil {
		return unlessMissing(fmt.Errorf("run a timer: %w", err))
	}
	if !due {
		j.metrics.stale.Inc()
	}
	return nil
}

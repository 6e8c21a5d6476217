package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// escalateWorker runs the step of an incident's policy that has come due.
type escalateWorker struct {
	river.WorkerDefaults[oncall.Escalate]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *escalateWorker) Timeout(*river.Job[oncall.Escalate]) time.Duration { return 15 * time.Second }

// Work escalates, unless the timer is stale.
func (w *escalateWorker) Work(ctx context.Context, job *river.Job[oncall.Escalate]) error {
	now := w.jobs.clock()
	w.jobs.metrics.late.Observe(max(0, now.Sub(job.ScheduledAt).Seconds()))
	due, err := w.jobs.store.EscalateIncident(ctx, job.Args.Incident, job.Args.Seq, now)
	if err != nil {
		return unlessMissing(fmt.Errorf("escalate: %w", err))
	}
	if !due {
		w.jobs.metrics.stale.Inc()
	}
	return nil
}

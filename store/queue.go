package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/watchbill/watchbill/oncall"
)

// The queues. Each has workers of its own, so that a slow Slack never delays a timer.
const (
	QueueEscalate     = "escalate"
	QueuePage         = "page"
	QueueDraw         = "draw"
	QueueTell         = "tell"
	QueueHousekeeping = "housekeeping"
	QueueSilence      = "silence" // separate, so that a hanging Alertmanager delays nothing else
	QueueHook         = "hook"    // separate, so that a hanging receiver of webhooks delays nothing else
)

// urgent are the queues whose jobs are promoted and rescued by every instance.
var urgent = []string{QueueEscalate, QueuePage, QueueDraw, QueueTell, QueueSilence, QueueHook}

// soon is how far ahead a timer goes to the workers at once: River's own scheduler looks every 5 s
// and can miss what falls due in between.
const soon = 15 * time.Second

// forever is for jobs that are never given up. The rules say when a page is no longer due.
const forever = 10000

// options say how the jobs of each kind are queued, in the order of oncall/jobs.go.
var options = []struct {
	job      oncall.Job
	queue    string
	attempts int
}{
	{oncall.IncidentTimer{}, QueueEscalate, forever},
	{oncall.SwapTimer{}, QueueEscalate, forever},
	{oncall.CoverTimer{}, QueueEscalate, forever},
	{oncall.MaintenanceTimer{}, QueueEscalate, 25},
	{oncall.CheckSchedule{}, QueueEscalate, 25},
	{oncall.SettleSchedule{}, QueueEscalate, 25},
	{oncall.ChaseHandoff{}, QueueEscalate, 25},
	{oncall.SendPage{}, QueuePage, forever},
	{oncall.SendPulse{}, QueuePage, 1},
	{oncall.Draw{}, QueueDraw, forever},
	{oncall.Tell{}, QueueTell, forever},
	{oncall.SendProof{}, QueueTell, 10},
	{oncall.TestPage{}, QueueTell, 10},
	{oncall.CheckReach{}, QueueTell, 10},
	// These are done again every minute or hour anyway.
	{oncall.SyncGroups{}, QueueHousekeeping, 5},
	{oncall.SetTopic{}, QueueHousekeeping, 5},
	{oncall.CheckCoverage{}, QueueHousekeeping, 5},
	{oncall.MatchSilences{}, QueueSilence, 5},
	{oncall.CallHook{}, QueueHook, 5},
}

// optionsOf says how a job is queued.
func optionsOf(job oncall.Job) (river.InsertOpts, error) {
	for _, o := range options {
		if o.job.Kind() == job.Kind() {
			queue := o.queue
			if tell, is := job.(oncall.Tell); is && tell.Bundle {
				queue = QueueDraw
			}
			return river.InsertOpts{Queue: queue, MaxAttempts: o.attempts}, nil
		}
	}
	return river.InsertOpts{}, fmt.Errorf("no queue is known for jobs of kind %q", job.Kind())
}

// enqueue inserts jobs that were decided on at now.
func (s *Store) enqueue(ctx context.Context, tx pgx.Tx, now time.Time, tasks []oncall.Task) error {
	tasks, err := wishDraws(ctx, tx, now, tasks)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(tasks))
	for i, t := range tasks {
		opts, err := optionsOf(t.Do)
		if err != nil {
			return err
		}
		opts.ScheduledAt, opts.Priority = t.At, priorityOf(t)
		params[i] = river.InsertManyParams{Args: t.Do, InsertOpts: &opts}
	}
	if _, err := s.queue.InsertManyFastTx(context.WithValue(ctx, decidedAtKey{}, now), tx, params); err != nil {
		return fmt.Errorf("queue jobs: %w", err)
	}
	return nil
}

// aStep is how many incidents of one team, decided on together, share a priority.
const aStep = 10

// priorityOf lets pages and drawings of worse incidents go first, and those of a team that has only
// few before those of one that has hundreds; 1 is the first.
func priorityOf(t oncall.Task) int {
	switch t.Do.(type) {
	case oncall.SendPage, oncall.SendPulse, oncall.Draw:
	default:
		return 1
	}
	first := 2
	switch t.Severity {
	case oncall.Critical:
		first = 1
	case oncall.High: // and what has none
	case oncall.Medium:
		first = 3
	case oncall.Low:
		first = 4
	default:
	}
	return min(first+t.Ahead/aStep, 4)
}

// decidedAtKey is the context's key for the instant at which jobs are inserted.
type decidedAtKey struct{}

// insertHook is a hook of River's that dates jobs by the time we were given, and hands a timer that is
// near to the workers at once; they wait for its instant.
type insertHook struct{ river.HookDefaults }

// InsertBegin is called with each job before it is inserted.
func (*insertHook) InsertBegin(ctx context.Context, job *rivertype.JobInsertParams) error {
	now, ok := ctx.Value(decidedAtKey{}).(time.Time)
	if !ok {
		return fmt.Errorf("insert a job of kind %q: no time was given", job.Kind)
	}
	job.CreatedAt = &now
	if job.ScheduledAt == nil {
		job.ScheduledAt = &now
	}
	if job.State == rivertype.JobStateScheduled && job.ScheduledAt.Sub(now) <= soon {
		job.State = rivertype.JobStateAvailable
	}
	return nil
}

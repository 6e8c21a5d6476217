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

// The queues. Each has its own workers, so that a slow Slack never delays a timer.
const (
	QueueEscalate     = "escalate"
	QueuePage         = "page"
	QueueDraw         = "draw"
	QueueNotice       = "tell"
	QueueHousekeeping = "housekeeping"
	QueueSilence      = "silence" // separate, so that a hanging Alertmanager delays nothing else
	QueueHook         = "hook"    // separate, so that a receiver of webhooks or a calendar that hangs delays nothing but these and channels of incidents
)

// allQueues are all queues. Every instance promotes and rescues their jobs.
var allQueues = []string{QueueEscalate, QueuePage, QueueDraw, QueueNotice, QueueHousekeeping, QueueSilence, QueueHook}

// timerSoon is how close a timer must be to go to the workers immediately. River's own scheduler runs only every 5 s and
// would be late for such a timer.
const timerSoon = 15 * time.Second

// forever is the number of attempts of jobs that must not be given up. For pages, the rules decide when to stop.
const forever = 10000

// options says how to queue the jobs of each kind, in the order of oncall/jobs.go.
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
	{oncall.DrawNotice{}, QueueNotice, forever},
	{oncall.SendProof{}, QueueNotice, 10},
	{oncall.TestPage{}, QueueNotice, 10},
	{oncall.CheckReach{}, QueueNotice, 10},
	// These jobs are queued again every minute or hour anyway.
	{oncall.SyncGroups{}, QueueHousekeeping, 5},
	{oncall.SetTopic{}, QueueHousekeeping, 5},
	{oncall.CheckCoverage{}, QueueHousekeeping, 5},
	{oncall.MatchSilences{}, QueueSilence, 5},
	{oncall.ReadAwayCalendar{}, QueueHook, 5},
	{oncall.KeepChannel{}, QueueHook, 5},
	{oncall.DraftReview{}, QueueHook, 200},
	{oncall.ReadHolidayCalendar{}, QueueHook, 5},
	{oncall.AnswerTimeOff{}, QueueHousekeeping, 25},
	{oncall.CallHook{}, QueueHook, 5},
}

// optionsOf returns how to queue a job.
func optionsOf(job oncall.Job) (river.InsertOpts, error) {
	for _, o := range options {
		if o.job.Kind() == job.Kind() {
			queue := o.queue
			if notice, ok := job.(oncall.DrawNotice); ok && notice.Bundle {
				queue = QueueDraw
			}
			return river.InsertOpts{Queue: queue, MaxAttempts: o.attempts}, nil
		}
	}
	return river.InsertOpts{}, fmt.Errorf("no queue is known for jobs of kind %q", job.Kind())
}

// enqueue inserts the jobs of a decision made at now.
func (s *Store) enqueue(ctx context.Context, tx pgx.Tx, now time.Time, tasks []oncall.Task) error {
	tasks, err := queueDraws(ctx, tx, now, tasks)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(tasks))
	for i, t := range tasks {
		opts, err := optionsOf(t.Args)
		if err != nil {
			return err
		}
		opts.ScheduledAt, opts.Priority = t.At, priorityOf(t)
		params[i] = river.InsertManyParams{Args: t.Args, InsertOpts: &opts}
	}
	if _, err := s.queue.InsertManyFastTx(context.WithValue(ctx, decidedAtKey{}, now), tx, params); err != nil {
		return fmt.Errorf("queue jobs: %w", err)
	}
	return nil
}

// aStep is how many incidents of one team in one decision share a priority.
const aStep = 10

// priorityOf gives priority to pages and drawings of worse incidents, and to those of a team with few incidents over
// those of a team with hundreds. 1 is the highest priority.
func priorityOf(t oncall.Task) int {
	switch t.Args.(type) {
	case oncall.SendPage, oncall.SendPulse, oncall.Draw:
	default:
		return 1
	}
	first := 2
	switch t.Severity {
	case oncall.Critical:
		first = 1
	case oncall.High: // tasks without a severity, too
	case oncall.Medium:
		first = 3
	case oncall.Low:
		first = 4
	default:
	}
	return min(first+t.Ahead/aStep, 4)
}

// decidedAtKey is the context key for the time of the decision that jobs belong to.
type decidedAtKey struct{}

// insertHook is a River hook. It sets the creation time of jobs from the context, and makes timers that are due soon
// available to the workers immediately; a worker then waits for the exact time.
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
	if job.State == rivertype.JobStateScheduled && job.ScheduledAt.Sub(now) <= timerSoon {
		job.State = rivertype.JobStateAvailable
	}
	return nil
}

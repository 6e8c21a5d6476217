package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

// checkLimit limits one attempt of a job that changes only the database.
const checkLimit = 15 * time.Second

// workers registers each kind of job except Draw (see draw_loop.go), in the order of oncall/jobs.go,
// with the time limit of an attempt and the function that does the job.
func (j *Jobs) workers() *river.Workers {
	all := river.NewWorkers()
	add[oncall.IncidentTimer](all, checkLimit, j.incidentTimer)
	add[oncall.SwapTimer](all, checkLimit, j.swapTimer)
	add[oncall.CoverTimer](all, checkLimit, j.coverTimer)
	add[oncall.MaintenanceTimer](all, checkLimit, j.maintenanceTimer)
	add[oncall.CheckSchedule](all, checkLimit, j.checkSchedule)
	add[oncall.SettleSchedule](all, checkLimit, j.settleSchedule)
	add[oncall.ChaseHandoff](all, checkLimit, j.chaseHandoff)
	add[oncall.SendPage](all, pageLimit, j.page)
	add[oncall.SendPulse](all, pulseCheckLimit, j.pulseJob)
	add[oncall.DrawNotice](all, noticeLimit, j.sendNotice)
	add[oncall.SendProof](all, probeLimit, j.sendProof)
	add[oncall.TestPage](all, probeLimit, j.sendTest)
	add[oncall.CheckReach](all, probeLimit, j.sendCheck)
	add[oncall.SyncGroups](all, 2*time.Minute, j.followGroups)
	add[oncall.SetTopic](all, time.Minute, j.topic)
	add[oncall.CheckCoverage](all, 30*time.Second, j.checkCoverage)
	add[oncall.MatchSilences](all, silencesLimit, j.matchSilences)
	add[oncall.ReadAwayCalendar](all, awayCalendarLimit, j.readAwayCalendar)
	add[oncall.KeepChannel](all, channelLimit, j.keepChannel)
	add[oncall.DraftReview](all, reviewLimit, j.draftReview)
	add[oncall.ReadHolidayCalendar](all, awayCalendarLimit, j.readHolidayCalendar)
	add[oncall.AnswerTimeOff](all, 30*time.Second, j.answerTimeOff)
	add[oncall.CallHook](all, hookLimit, j.callHook)
	return all
}

// A worker does the jobs of one kind.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	limit time.Duration
	work  func(context.Context, *river.Job[T]) error
}

func add[T river.JobArgs](all *river.Workers, limit time.Duration, work func(context.Context, *river.Job[T]) error) {
	river.AddWorker(all, &worker[T]{limit: limit, work: work})
}

// Timeout limits one attempt.
func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.limit }

// Work does the job.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.work(ctx, job) }

// unlessMissing cancels a job whose object does not exist.
func unlessMissing(err error) error {
	if errors.Is(err, oncall.ErrNotFound) {
		return river.JobCancel(err)
	}
	return err
}

// incidentTimer takes the step that an incident waits for, unless the timer is stale.
func (j *Jobs) incidentTimer(ctx context.Context, job *river.Job[oncall.IncidentTimer]) error {
	now := j.clock()
	j.metrics.late.Observe(max(0, now.Sub(job.ScheduledAt).Seconds()))
	var due bool
	var err error
	if job.Args.Close {
		due, err = j.store.CloseFlap(ctx, job.Args.Incident, now)
	} else {
		due, err = j.store.RunIncidentTimer(ctx, job.Args.Incident, job.Args.Seq, now)
	}
	if err != nil {
		return unlessMissing(fmt.Errorf("run a timer: %w", err))
	}
	if !due {
		j.metrics.stale.Inc()
	}
	return nil
}

// swapTimer expires a swap.
func (j *Jobs) swapTimer(ctx context.Context, job *river.Job[oncall.SwapTimer]) error {
	return unlessMissing(j.store.RunSwapTimer(ctx, job.Args.Swap, j.clock()))
}

// coverTimer asks the next people to cover, and sends reminders.
func (j *Jobs) coverTimer(ctx context.Context, job *river.Job[oncall.CoverTimer]) error {
	return unlessMissing(j.store.RunCoverTimer(ctx, job.Args.Cover, j.clock()))
}

// maintenanceTimer announces the beginning or end of a maintenance window, and at its end releases the kept alerts.
func (j *Jobs) maintenanceTimer(ctx context.Context, _ *river.Job[oncall.MaintenanceTimer]) error {
	return j.store.CheckMaintenance(ctx, j.clock())
}

// checkSchedule carries out the hand-offs and reminders of a schedule that are due.
func (j *Jobs) checkSchedule(ctx context.Context, job *river.Job[oncall.CheckSchedule]) error {
	return unlessMissing(j.store.CheckSchedule(ctx, job.Args.Schedule, j.clock()))
}

// settleSchedule tells people how the edits of a schedule changed their shifts.
func (j *Jobs) settleSchedule(ctx context.Context, job *river.Job[oncall.SettleSchedule]) error {
	return j.store.SettleSchedule(ctx, job.Args.Schedule, j.clock())
}

// chaseHandoff follows up on a hand-off that nobody has confirmed.
func (j *Jobs) chaseHandoff(ctx context.Context, job *river.Job[oncall.ChaseHandoff]) error {
	return unlessMissing(j.store.ChaseHandoff(ctx, job.Args.Number, j.clock()))
}

// followGroups updates user groups to match who is on call, starting from the view of the last read.
func (j *Jobs) followGroups(ctx context.Context, _ *river.Job[oncall.SyncGroups]) error {
	now := j.clock()
	return errors.Join(j.readGroupMembers(ctx, now), j.syncGroups(ctx, now, groupsFreshFor))
}

// answerTimeOff does what a team has configured for somebody who is away while on call.
func (j *Jobs) answerTimeOff(ctx context.Context, job *river.Job[oncall.AnswerTimeOff]) error {
	return unlessMissing(j.store.AnswerTimeOff(ctx, job.Args, j.clock()))
}

// checkCoverage warns about gaps in coverage after an edit. It also runs when somebody leaves: first,
// the incidents that they had page again.
func (j *Jobs) checkCoverage(ctx context.Context, _ *river.Job[oncall.CheckCoverage]) error {
	now := j.clock()
	return errors.Join(j.takeBackFromLeavers(ctx, now), j.store.CheckCoverage(ctx, now))
}

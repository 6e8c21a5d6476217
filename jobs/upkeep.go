package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A chore is a task that every instance repeats. There is no leader, so none needs replacing when it dies.
type chore struct {
	name string
	do   func(ctx context.Context, now time.Time) error
}

// choreLimit limits one chore, so that a stuck one doesn't hold up the others forever.
const choreLimit = 20 * time.Second

// bundlesEvery is how often messages about bundles are redrawn, so that acknowledging a storm's incidents one by one
// doesn't redraw the message each time.
const bundlesEvery = 5 * time.Second

// urgentChores lists the chores of every second. River leaves promotion of scheduled jobs to a leader, which can be missing
// for up to 18 seconds after it dies, and River doesn't detect dead instances.
func (j *Jobs) urgentChores() []chore {
	return []chore{
		{"promote timers", func(ctx context.Context, now time.Time) error {
			for {
				if n, err := j.store.PromoteTimers(ctx, now); err != nil || n < store.PromoteLimit {
					return err
				}
			}
		}},
		{"rescue jobs", func(ctx context.Context, now time.Time) error {
			n, err := j.store.RescueJobs(ctx, now)
			if n > 0 {
				j.metrics.rescued.Add(float64(n))
				j.log.Warn().Int("jobs", n).Msg("took over the jobs of an instance that died")
			}
			return err
		}},
		{"share the limits", func(ctx context.Context, _ time.Time) error {
			n, err := j.store.Instances(ctx)
			if err == nil {
				j.messenger.SetInstances(n)
			}
			return err
		}},
		{"watch heartbeats", j.store.WatchHeartbeats},
		{"call webhooks", j.store.QueueHooks},
		{"release stuck jobs", func(ctx context.Context, now time.Time) error {
			n, err := j.store.ReleaseStuck(ctx, now)
			if n > 0 {
				j.metrics.rescued.Add(float64(n))
				j.log.Error().Int("jobs", n).Msg("jobs had no end although their instance lives; put them back into the queue")
			}
			return err
		}},
	}
}

// regularChores lists the chores of every minute.
func (j *Jobs) regularChores() []chore {
	return []chore{
		{"requeue overdue timers", func(ctx context.Context, now time.Time) error {
			n, err := j.store.RequeueOverdue(ctx, now)
			if n > 0 {
				j.metrics.lostTimer.Add(float64(n))
				j.log.Error().Int("timers", n).Msg("escalation timers were overdue and not in the queue; inserted them again")
			}
			return err
		}},
		{"requeue pages", func(ctx context.Context, now time.Time) error {
			n, err := j.store.RequeuePages(ctx, now)
			if n > 0 {
				j.log.Error().Int("pages", n).Msg("pages were waiting and not in the queue; inserted them again")
			}
			return err
		}},
		{"end storms", j.endStorms},
		{"close what has flapped", j.closeOverdueFlaps},
		{"close by age", func(ctx context.Context, now time.Time) error { _, err := j.store.AgeAlerts(ctx, now); return err }},
		{"take back what leavers have", j.takeBackFromLeavers},
		{"reconcile hand-offs", j.checkSchedules},
		{"settle edits", j.settleSchedules},
		{"remind of unacknowledged incidents", j.store.RemindUnacked},
		{"sync user groups", j.checkGroups},
		{"mirror user groups", j.readGroupMembers},
		{"look up channels", j.resolveChannels},
		{"end mutes", j.store.EndMutes},
		{"seal secrets anew", j.store.ResealSigning},
		{"seal webhooks anew", j.store.ResealHooks},
		{"seal calendars anew", j.store.ResealAwayCalendars},
		{"read calendars", j.store.QueueAwayCalendars},
		{"read holidays", j.store.QueueHolidayCalendars},
		{"check maintenance", j.store.CheckMaintenance},
		{"look at silences", j.store.QueueSilences},
		{"look at channels of incidents", j.store.QueueChannels},
		{"tell of the week", j.SendDigests},
		{"ask about actions", j.store.AskReviewActions},
		{"offer rest after bad nights", j.store.OfferRest},
		{"look up people", func(ctx context.Context, _ time.Time) error { return j.workspace.RefreshUsers(ctx) }},
		{"count the uses of keys", j.store.SaveKeyUses},
		{"count the uses of API keys", j.store.SaveAPIKeyUses},
		{"write down refusals", j.store.SaveRefusals},
		{"clean up", j.store.Housekeeping},
	}
}

// checkSchedules checks every schedule that is due. A schedule may have been removed in the
// meantime.
func (j *Jobs) checkSchedules(ctx context.Context, now time.Time) error {
	due, err := j.store.DueScheduleChecks(ctx, now)
	errs := []error{err}
	for _, id := range due {
		if err := j.store.CheckSchedule(ctx, id, now); !errors.Is(err, oncall.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// endStorms ends the storms that are due to end.
func (j *Jobs) endStorms(ctx context.Context, now time.Time) error {
	storms, err := j.store.Storms(ctx)
	errs := []error{err}
	for _, id := range storms {
		errs = append(errs, j.store.EndStorm(ctx, id, now))
	}
	return errors.Join(errs...)
}

// takeBackFromLeavers makes incidents page again if everybody who acknowledged them has left Slack.
func (j *Jobs) takeBackFromLeavers(ctx context.Context, now time.Time) error {
	had, err := j.store.IncidentsAckedByLeavers(ctx)
	errs := []error{err}
	for _, id := range had {
		errs = append(errs, j.store.TakeBackFromLeavers(ctx, id, now))
	}
	return errors.Join(errs...)
}

// closeOverdueFlaps closes flapping incidents whose timers were lost.
func (j *Jobs) closeOverdueFlaps(ctx context.Context, now time.Time) error {
	late, err := j.store.OverdueFlaps(ctx, now)
	errs := []error{err}
	for _, id := range late {
		due, err := j.store.CloseFlap(ctx, id, now)
		if due {
			j.metrics.lostTimer.Inc()
			j.log.Error().Stringer("incident", id).Msg("the timer of an incident that flaps was overdue and not in the queue; did what it is for")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// settleSchedules settles schedules whose jobs were lost.
func (j *Jobs) settleSchedules(ctx context.Context, now time.Time) error {
	due, err := j.store.DueSettlements(ctx, now)
	errs := []error{err}
	for _, id := range due {
		errs = append(errs, j.store.SettleSchedule(ctx, id, now))
	}
	return errors.Join(errs...)
}

// every runs the chores once per period until ctx ends. It logs when a chore begins to fail and when it works again.
func (j *Jobs) every(ctx context.Context, period time.Duration, chores []chore) {
	// This ticks in real time; the chores themselves go by our clock.
	tick := time.NewTicker(period)
	defer tick.Stop()
	failing := make(map[string]bool)
	for {
		for _, c := range chores {
			err := guarded(ctx, "chore", choreLimit, func(ctx context.Context) error { return c.do(ctx, j.clock()) })
			switch {
			case ctx.Err() != nil:
				return
			case err != nil && !failing[c.name]:
				j.log.Error().Err(err).Msg(c.name + " failed; it will be tried again")
			case err == nil && failing[c.name]:
				j.log.Info().Msg(c.name + " works again")
			}
			failing[c.name] = err != nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

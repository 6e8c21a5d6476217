package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A chore is a task that every instance repeats. There is no leader, so there is none to replace when
// it dies.
type chore struct {
	name  string
	do    func(ctx context.Context, now time.Time) error
	waits func(w store.Waiting, seconds int) bool // whether there is something to do; nil: there may be
}

// choreLimit limits one chore, so that a stuck one doesn't hold up the others forever.
const choreLimit = 20 * time.Second

// bundlesEvery is every how many seconds messages about bundles are redrawn, so that acknowledging a storm's incidents
// one by one doesn't redraw the message each time.
const bundlesEvery = 5

func (j *Jobs) followBundles() chore {
	return chore{
		name: "follow bundles", do: j.store.FollowBundles,
		waits: func(w store.Waiting, seconds int) bool { return w.Bundles && seconds%bundlesEvery == 0 },
	}
}

// urgentChores lists the chores that run every second. River leaves promoting scheduled jobs to a
// leader, which can be missing for up to 18 seconds after it dies, and River doesn't detect dead
// instances.
func (j *Jobs) urgentChores() []chore {
	return []chore{
		{name: "promote timers", waits: func(w store.Waiting, _ int) bool { return w.Timers }, do: func(ctx context.Context, now time.Time) error {
			for {
				if n, err := j.store.PromoteTimers(ctx, now); err != nil || n < store.PromoteLimit {
					return err
				}
			}
		}},
		{name: "rescue jobs", waits: func(w store.Waiting, _ int) bool { return w.Running }, do: func(ctx context.Context, now time.Time) error {
			n, err := j.store.RescueJobs(ctx, now)
			if n > 0 {
				j.metrics.rescued.Add(float64(n))
				j.log.Warn().Int("jobs", n).Msg("took over the jobs of an instance that died")
			}
			return err
		}},
		{name: "share the limits", waits: func(_ store.Waiting, seconds int) bool { return seconds%frugalShareSeconds == 0 }, do: func(ctx context.Context, _ time.Time) error {
			n, err := j.store.Instances(ctx)
			if err == nil {
				j.messenger.SetInstances(n)
			}
			return err
		}},
		{name: "watch heartbeats", waits: func(w store.Waiting, _ int) bool { return w.Heartbeats }, do: j.store.WatchHeartbeats},
		{name: "call webhooks", waits: func(w store.Waiting, _ int) bool { return w.Hooks }, do: j.store.QueueHooks},
		{name: "release stuck jobs", waits: func(w store.Waiting, _ int) bool { return w.Running }, do: func(ctx context.Context, now time.Time) error {
			n, err := j.store.ReleaseStuck(ctx, now)
			if n > 0 {
				j.metrics.rescued.Add(float64(n))
				j.log.Error().Int("jobs", n).Msg("jobs had no end although their instance lives; put them back into the queue")
			}
			return err
		}},
	}
}

// regularChores lists the chores that run every minute.
func (j *Jobs) regularChores() []chore {
	return []chore{
		{name: "requeue overdue timers", do: func(ctx context.Context, now time.Time) error {
			n, err := j.store.RequeueOverdue(ctx, now)
			if n > 0 {
				j.metrics.lostTimer.Add(float64(n))
				j.log.Error().Int("timers", n).Msg("escalation timers were overdue and not in the queue; inserted them again")
			}
			return err
		}},
		{name: "requeue pages", do: func(ctx context.Context, now time.Time) error {
			n, err := j.store.RequeuePages(ctx, now)
			if n > 0 {
				j.log.Error().Int("pages", n).Msg("pages were waiting and not in the queue; inserted them again")
			}
			return err
		}},
		{name: "end storms", do: j.endStorms},
		{name: "close what has flapped", do: j.closeOverdueFlaps},
		{name: "close by age", do: func(ctx context.Context, now time.Time) error { _, err := j.store.AgeAlerts(ctx, now); return err }},
		{name: "take incidents back from leavers", do: j.takeBackFromLeavers},
		{name: "reconcile hand-offs", do: j.checkSchedules},
		{name: "settle edits", do: j.settleSchedules},
		{name: "remind of unacknowledged incidents", do: j.store.RemindUnacked},
		{name: "sync user groups", do: j.checkGroups},
		{name: "mirror user groups", do: j.readGroupMembers},
		{name: "look up channels", do: j.resolveChannels},
		{name: "end mutes", do: j.store.EndMutes},
		{name: "re-encrypt secrets", do: j.store.ResealSigning},
		{name: "re-encrypt webhooks", do: j.store.ResealHooks},
		{name: "re-encrypt calendars", do: j.store.ResealAwayCalendars},
		{name: "read calendars", do: j.store.QueueAwayCalendars},
		{name: "read holidays", do: j.store.QueueHolidayCalendars},
		{name: "check maintenance", do: j.store.CheckMaintenance},
		{name: "check silences", do: j.store.QueueSilences},
		{name: "check channels of incidents", do: j.store.QueueChannels},
		{name: "send digests", do: j.SendDigests},
		{name: "ask about actions", do: j.store.AskReviewActions},
		{name: "offer rest after bad nights", do: j.store.OfferRest},
		{name: "look up people", do: func(ctx context.Context, _ time.Time) error { return j.workspace.RefreshUsers(ctx) }},
		{name: "count the uses of keys", do: j.store.SaveKeyUses},
		{name: "count the uses of API keys", do: j.store.SaveAPIKeyUses},
		{name: "save refusals", do: j.store.SaveRefusals},
		{name: "clean up", do: j.store.Housekeeping},
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
	// This ticks in real time, but the chores themselves use our clock.
	tick := time.NewTicker(period)
	defer tick.Stop()
	failing := make(map[string]bool)
	for {
		for _, c := range chores {
			if j.do(ctx, c, failing); ctx.Err() != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// do does a chore. The argument failing holds the chores that failed the last time.
func (j *Jobs) do(ctx context.Context, c chore, failing map[string]bool) {
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

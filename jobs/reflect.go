package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A Mirror is where Slack itself shows who is on call. What an admin of the workspace
// has to mend comes back as a Refusal.
type Mirror interface {
	// Groups returns every user group with its members, also the disabled ones.
	Groups(ctx context.Context) ([]oncall.SlackGroup, error)
	// SetGroup makes these people a group's members, but for those whom Slack refuses,
	// which it returns.
	SetGroup(ctx context.Context, id string, users []oncall.UserID) (refused []oncall.UserID, err error)
	// EnableGroup enables or disables a group.
	EnableGroup(ctx context.Context, id string, enabled bool) error
	// SetTopic puts a segment into a channel's topic.
	SetTopic(ctx context.Context, channel, segment string) error
}

// syncWorker lets user groups follow who is on call.
type syncWorker struct {
	river.WorkerDefaults[oncall.SyncGroups]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *syncWorker) Timeout(*river.Job[oncall.SyncGroups]) time.Duration { return 2 * time.Minute }

// Work compares all groups.
func (w *syncWorker) Work(ctx context.Context, _ *river.Job[oncall.SyncGroups]) error {
	return w.jobs.syncGroups(ctx, w.jobs.clock())
}

// topicWorker keeps the topic of a team's channel.
type topicWorker struct {
	river.WorkerDefaults[oncall.SetTopic]
	jobs *Jobs
}

// Timeout bounds one attempt.
func (w *topicWorker) Timeout(*river.Job[oncall.SetTopic]) time.Duration { return time.Minute }

// Work sets the topic as it should be now.
func (w *topicWorker) Work(ctx context.Context, job *river.Job[oncall.SetTopic]) error {
	channel, segment, err := w.jobs.store.TopicFacts(ctx, job.Args.Team)
	if err != nil || segment == "" {
		return err
	}
	err = w.jobs.mirror.SetTopic(ctx, channel, segment)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		w.jobs.log.Error().Err(err).Str("channel", channel).Msg("the topic can't say who is on call")
		return nil
	}
	return err
}

// syncTurns bounds how often one group is written and read back.
const syncTurns = 5

// syncGroups brings every user group to what it should be. One that fails doesn't hold up the
// others.
func (j *Jobs) syncGroups(ctx context.Context, now time.Time) error {
	facts, err := j.store.GroupFacts(ctx)
	if err != nil || len(facts.Groups) == 0 {
		return err
	}
	actual, err := j.mirror.Groups(ctx)
	var errs []error
	for _, g := range facts.Groups {
		trouble, failed := "", err
		if failed == nil {
			trouble, failed = j.syncGroup(ctx, g, facts, actual)
		}
		if refusal, refused := errors.AsType[oncall.Refusal](failed); refused {
			trouble, failed = refusal.Sentence, nil
		}
		if failed != nil {
			errs = append(errs, fmt.Errorf("sync user group %q: %w", g.Handle, failed))
			continue
		}
		errs = append(errs, j.store.GroupTrouble(ctx, g.ID, trouble, now))
	}
	return errors.Join(errs...)
}

// syncGroup compares one group, writes what differs, and reads it back until nothing does. It
// returns what its admins should know.
func (j *Jobs) syncGroup(ctx context.Context, g oncall.UserGroup, facts store.GroupFacts, actual []oncall.SlackGroup) (trouble string, err error) {
	var refused []oncall.UserID
	usable := func(u oncall.UserID) bool { return facts.Usable(u) && !slices.Contains(refused, u) }
	for range syncTurns {
		i := slices.IndexFunc(actual, func(s oncall.SlackGroup) bool { return s.Names(g.Handle) })
		if i < 0 {
			return "", oncall.Refuse("Slack has no user group @%s. Create it, or take it out of the set-up.", g.Handle)
		}
		is, want := actual[i], g.Membership(facts.Present, usable)
		switch want.Step(is) {
		case oncall.GroupDone:
			return want.Trouble(g, refused), nil
		case oncall.GroupEnable:
			err = j.mirror.EnableGroup(ctx, is.ID, true)
		case oncall.GroupDisable:
			err = j.mirror.EnableGroup(ctx, is.ID, false)
		case oncall.GroupSet:
			var unusable []oncall.UserID
			unusable, err = j.mirror.SetGroup(ctx, is.ID, want.Users)
			refused = append(refused, unusable...)
		}
		if err != nil {
			return "", err
		}
		// Somebody may have come on call meanwhile, and another instance have written.
		if facts, err = j.store.GroupFacts(ctx); err != nil {
			return "", err
		}
		if actual, err = j.mirror.Groups(ctx); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("it is not what was written, after %d times", syncTurns)
}

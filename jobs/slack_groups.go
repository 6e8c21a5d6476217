package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A Workspace is the part of Slack, besides messages, that the jobs keep up to date: user groups,
// topics and names. A problem that a workspace admin has to fix is returned as a Refusal.
type Workspace interface {
	// Groups returns every user group with its members, including disabled groups.
	Groups(ctx context.Context) ([]oncall.SlackGroup, error)
	// SetGroup sets the group's members and returns the people whom Slack refuses.
	SetGroup(ctx context.Context, id string, users []oncall.UserID) (refused []oncall.UserID, err error)
	// EnableGroup enables or disables a group.
	EnableGroup(ctx context.Context, id string, enabled bool) error
	// SetTopic sets Watchbill's part of a channel's topic.
	SetTopic(ctx context.Context, channel, segment string) error
	// KeepChannel takes the steps of a plan for an incident's own channel, and returns the channel's new
	// state. If a step fails, it returns the state reached so far.
	KeepChannel(ctx context.Context, order store.ChannelOrder) (oncall.IncidentChannel, error)
	// DraftReview drafts the review of an incident and delivers it to the thread or to the person who
	// requested it.
	DraftReview(ctx context.Context, job oncall.DraftReview) error
	// ResolveChannels looks up the ids of channels in the set-up that the store doesn't know.
	ResolveChannels(ctx context.Context) error
	// RefreshUsers looks up the profiles of the people in the set-up.
	RefreshUsers(ctx context.Context) error
}

// channelRetry is the pause after a failed lookup of a channel, which somebody may create meanwhile.
const channelRetry = time.Hour

// unknownChannels lists the channels that the latest lookup did not find.
type unknownChannels struct {
	mu    sync.Mutex
	names []string
	at    time.Time
}

// resolveChannels looks up the ids of the set-up's channels, before one is renamed and its name
// reused. It finds channels after an update, and after a set-up was applied without access to Slack.
func (j *Jobs) resolveChannels(ctx context.Context, now time.Time) error {
	j.channels.mu.Lock()
	defer j.channels.mu.Unlock()
	directory, err := j.store.Directory(ctx)
	if err != nil {
		return err
	}
	unknown := append(directory.ChannelsUnknown(), directory.ChannelsOfPrivate()...)
	if len(unknown) == 0 || slices.Equal(unknown, j.channels.names) && now.Sub(j.channels.at) < channelRetry {
		return nil
	}
	err = j.workspace.ResolveChannels(ctx)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		j.log.Warn().Err(err).Msg("channels are called by their names, and are lost when they are renamed")
		err = nil
	}
	if err == nil {
		j.channels.names, j.channels.at = unknown, now
	}
	return err
}

// topic brings the topic of a team's channel up to date.
func (j *Jobs) topic(ctx context.Context, job *river.Job[oncall.SetTopic]) error {
	channel, segment, err := j.store.Topic(ctx, job.Args.Team)
	if err != nil || segment == "" {
		return err
	}
	err = j.workspace.SetTopic(ctx, channel, segment)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		j.log.Error().Err(err).Str("channel", channel).Msg("the topic can't say who is on call")
		return nil
	}
	return err
}

const (
	// maxSyncPasses limits how often groups are written and read back.
	maxSyncPasses = 5
	// groupsFreshFor is how old the last read of the groups may be when a person comes on call. Slack
	// allows only twenty reads a minute.
	groupsFreshFor = time.Minute
	// unreadLimit limits the time for recording that the groups can't be read.
	unreadLimit = 5 * time.Second
)

// seenGroups holds Slack's user groups as this instance last read them.
type seenGroups struct {
	mu   sync.Mutex
	seen []oncall.SlackGroup
	at   time.Time
}

// checkGroups compares all groups with Slack, in case somebody has changed them there.
func (j *Jobs) checkGroups(ctx context.Context, now time.Time) error {
	return j.syncGroups(ctx, now, 0)
}

// readGroupMembers copies the members of the user groups that policies page from Slack.
func (j *Jobs) readGroupMembers(ctx context.Context, now time.Time) error {
	named, err := j.store.GroupsNamed(ctx)
	if err != nil || !named {
		return err
	}
	groups, err := j.workspace.Groups(ctx)
	if err != nil {
		// The call to Slack may have used up the job's time.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unreadLimit)
		defer cancel()
		return errors.Join(fmt.Errorf("see who is in user groups: %w", err), j.store.GroupsUnread(ctx, now))
	}
	return j.store.SaveGroupMembers(ctx, groups, now)
}

// syncGroups brings every user group up to date: it writes the groups that differ from its view and reads them back,
// until none differs. A group that fails doesn't hold up the others.
func (j *Jobs) syncGroups(ctx context.Context, now time.Time, age time.Duration) error {
	j.groups.mu.Lock()
	defer j.groups.mu.Unlock()
	s := groupSync{jobs: j, results: map[oncall.UserGroupID]groupResult{}, refused: map[oncall.UserGroupID][]oncall.UserID{}}
	var err error
	if s.scheduled, err = j.store.ScheduledGroups(ctx); err != nil || len(s.scheduled.Groups) == 0 {
		return err
	}
	if j.groups.seen == nil || now.Sub(j.groups.at) >= age {
		err = j.readGroups(ctx, now)
	}
	for range maxSyncPasses {
		if err != nil || !s.write(ctx) {
			break
		}
		// During the writes, a person may have come on call, or another instance may have written.
		if s.scheduled, err = j.store.ScheduledGroups(ctx); err != nil {
			return err
		}
		err = j.readGroups(ctx, now)
	}
	return s.report(ctx, now, err)
}

func (j *Jobs) readGroups(ctx context.Context, now time.Time) error {
	seen, err := j.workspace.Groups(ctx)
	j.groups.seen, j.groups.at = seen, now
	return err
}

// A groupSync is one run over all groups.
type groupSync struct {
	jobs      *Jobs
	scheduled store.ScheduledGroups
	refused   map[oncall.UserGroupID][]oncall.UserID // people whom Slack refused
	results   map[oncall.UserGroupID]groupResult
}

// A groupResult is the result for one group: what its admins should know, or an error.
type groupResult struct {
	trouble oncall.Sentence
	err     error
}

// write does the next step for every group, and reports whether any group needed a step.
func (s *groupSync) write(ctx context.Context) (wrote bool) {
	for _, g := range s.scheduled.Groups {
		if s.results[g.ID].err != nil {
			continue
		}
		did, trouble, err := s.step(ctx, g)
		wrote = wrote || did
		s.results[g.ID] = groupResult{trouble, err}
	}
	return wrote
}

func (s *groupSync) step(ctx context.Context, g oncall.UserGroup) (did bool, trouble oncall.Sentence, err error) {
	mirror, seen := s.jobs.workspace, s.jobs.groups.seen
	i := setup.IndexGroup(g.Handle, g.SlackID, seen)
	if i >= 0 && g.SlackID == "" { // a later group may get this handle
		if err := s.jobs.store.GroupSeen(ctx, g.ID, seen[i].ID); err != nil {
			return false, nil, err
		}
	}
	if i < 0 {
		return false, nil, oncall.Refuse("Slack has no user group @%s. Create it, or take it out of the set-up.", g.Handle)
	}
	want := g.Membership(s.scheduled.Present, func(u oncall.UserID) bool {
		return s.scheduled.Usable(u) && !slices.Contains(s.refused[g.ID], u)
	})
	switch want.Step(seen[i]) {
	case oncall.GroupDone:
		return false, want.Trouble(g, s.refused[g.ID]), nil
	case oncall.GroupDisable:
		return true, nil, mirror.EnableGroup(ctx, seen[i].ID, false)
	case oncall.GroupEnable:
		if err := mirror.EnableGroup(ctx, seen[i].ID, true); err != nil {
			return true, nil, err
		}
	case oncall.GroupSet:
	}
	refused, err := mirror.SetGroup(ctx, seen[i].ID, want.Users)
	s.refused[g.ID] = append(s.refused[g.ID], refused...)
	return true, nil, err
}

// report reports each group's result to its admins. An error in all concerns every group.
func (s *groupSync) report(ctx context.Context, now time.Time, all error) error {
	var errs []error
	for _, g := range s.scheduled.Groups {
		e := s.results[g.ID]
		if all != nil {
			e.err = all
		}
		if refusal, refused := errors.AsType[oncall.Refusal](e.err); refused {
			e = groupResult{trouble: refusal.Sentence}
		}
		if e.err != nil {
			errs = append(errs, fmt.Errorf("sync user group %q: %w", g.Handle, e.err))
			continue
		}
		errs = append(errs, s.jobs.store.GroupTrouble(ctx, g.ID, e.trouble, now))
	}
	return errors.Join(errs...)
}

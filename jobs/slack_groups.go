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

// A Mirror is a place in Slack, such as a user group or a topic, that shows who is on call. A problem that a
// workspace admin has to fix is returned as a Refusal.
type Mirror interface {
	// Groups returns every user group with its members, including disabled groups.
	Groups(ctx context.Context) ([]oncall.SlackGroup, error)
	// SetGroup sets the group's members and returns those whom Slack refuses.
	SetGroup(ctx context.Context, id string, users []oncall.UserID) (refused []oncall.UserID, err error)
	// EnableGroup enables or disables a group.
	EnableGroup(ctx context.Context, id string, enabled bool) error
	// SetTopic sets Watchbill's part of a channel's topic.
	SetTopic(ctx context.Context, channel, segment string) error
	// ResolveChannels looks up the ids of channels that the set-up names and the store doesn't know.
	ResolveChannels(ctx context.Context) error
	// RefreshUsers looks up the profiles of people whom the set-up names.
	RefreshUsers(ctx context.Context) error
}

// lookAgain is how long after a failed lookup a channel's name is looked up again, in case somebody created the
// channel.
const lookAgain = time.Hour

// A channelLook holds the channels that the latest lookup did not find.
type channelLook struct {
	mu      sync.Mutex
	unknown []string
	at      time.Time
}

// learnChannels looks up the channels that the set-up names before a channel is renamed and its name reused: after an
// update, and for a set-up that was applied without access to Slack.
func (j *Jobs) learnChannels(ctx context.Context, now time.Time) error {
	j.channels.mu.Lock()
	defer j.channels.mu.Unlock()
	directory, err := j.store.Directory(ctx)
	if err != nil {
		return err
	}
	unknown := append(directory.ChannelsUnknown(), directory.ChannelsOfPrivate()...)
	if len(unknown) == 0 || slices.Equal(unknown, j.channels.unknown) && now.Sub(j.channels.at) < lookAgain {
		return nil
	}
	err = j.mirror.ResolveChannels(ctx)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		j.log.Warn().Err(err).Msg("channels are called by their names, and are lost when they are renamed")
		err = nil
	}
	if err == nil {
		j.channels.unknown, j.channels.at = unknown, now
	}
	return err
}

// topic brings the topic of a team's channel up to date.
func (j *Jobs) topic(ctx context.Context, job *river.Job[oncall.SetTopic]) error {
	channel, segment, err := j.store.Topic(ctx, job.Args.Team)
	if err != nil || segment == "" {
		return err
	}
	err = j.mirror.SetTopic(ctx, channel, segment)
	if _, refused := errors.AsType[oncall.Refusal](err); refused {
		j.log.Error().Err(err).Str("channel", channel).Msg("the topic can't say who is on call")
		return nil
	}
	return err
}

const (
	// syncTurns limits how often groups are written and read back.
	syncTurns = 5
	// seenWithin is how old the last read of the groups may be when a person comes on call, because Slack allows only
	// twenty reads a minute.
	seenWithin = time.Minute
	// unreadLimit limits the time for recording that the groups can't be read.
	unreadLimit = 5 * time.Second
)

// A groupView holds Slack's user groups as this instance last read them.
type groupView struct {
	mu   sync.Mutex
	seen []oncall.SlackGroup
	at   time.Time
}

// checkGroups compares all groups with Slack, in case somebody has changed them there.
func (j *Jobs) checkGroups(ctx context.Context, now time.Time) error {
	return j.syncGroups(ctx, now, 0)
}

// mirrorGroups copies from Slack who is in the user groups that policies page.
func (j *Jobs) mirrorGroups(ctx context.Context, now time.Time) error {
	named, err := j.store.GroupsNamed(ctx)
	if err != nil || !named {
		return err
	}
	seen, err := j.mirror.Groups(ctx)
	if err != nil {
		// The call to Slack may have used up the job's time.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unreadLimit)
		defer cancel()
		return errors.Join(fmt.Errorf("see who is in user groups: %w", err), j.store.GroupsUnread(ctx, now))
	}
	return j.store.SaveGroupMembers(ctx, seen, now)
}

// syncGroups brings every user group up to date: it writes the groups that differ from its view and reads them back,
// until none differs. A group that fails doesn't hold up the others.
func (j *Jobs) syncGroups(ctx context.Context, now time.Time, age time.Duration) error {
	j.groups.mu.Lock()
	defer j.groups.mu.Unlock()
	s := groupSync{jobs: j, ends: map[oncall.UserGroupID]end{}, refused: map[oncall.UserGroupID][]oncall.UserID{}}
	var err error
	if s.duties, err = j.store.ScheduledGroups(ctx); err != nil || len(s.duties.Groups) == 0 {
		return err
	}
	if j.groups.seen == nil || now.Sub(j.groups.at) >= age {
		err = j.seeGroups(ctx, now)
	}
	for range syncTurns {
		if err != nil || !s.write(ctx) {
			break
		}
		// During the writes a person may have come on call, or another instance may have written.
		if s.duties, err = j.store.ScheduledGroups(ctx); err != nil {
			return err
		}
		err = j.seeGroups(ctx, now)
	}
	return s.tell(ctx, now, err)
}

func (j *Jobs) seeGroups(ctx context.Context, now time.Time) error {
	seen, err := j.mirror.Groups(ctx)
	j.groups.seen, j.groups.at = seen, now
	return err
}

// A groupSync is one run over all groups.
type groupSync struct {
	jobs    *Jobs
	duties  store.ScheduledGroups
	refused map[oncall.UserGroupID][]oncall.UserID // people whom Slack refused
	ends    map[oncall.UserGroupID]end
}

// An end is the result for one group: what its admins should know, or an error.
type end struct {
	trouble oncall.Sentence
	err     error
}

// write does the next step for every group, and reports whether any group needed a step.
func (s *groupSync) write(ctx context.Context) (wrote bool) {
	for _, g := range s.duties.Groups {
		if s.ends[g.ID].err != nil {
			continue
		}
		did, trouble, err := s.step(ctx, g)
		wrote = wrote || did
		s.ends[g.ID] = end{trouble, err}
	}
	return wrote
}

func (s *groupSync) step(ctx context.Context, g oncall.UserGroup) (did bool, trouble oncall.Sentence, err error) {
	mirror, seen := s.jobs.mirror, s.jobs.groups.seen
	i := setup.IndexGroup(g.Handle, g.SlackID, seen)
	if i >= 0 && g.SlackID == "" { // a later group may get this handle
		if err := s.jobs.store.GroupSeen(ctx, g.ID, seen[i].ID); err != nil {
			return false, nil, err
		}
	}
	if i < 0 {
		return false, nil, oncall.Refuse("Slack has no user group @%s. Create it, or take it out of the set-up.", g.Handle)
	}
	want := g.Membership(s.duties.Present, func(u oncall.UserID) bool {
		return s.duties.Usable(u) && !slices.Contains(s.refused[g.ID], u)
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

// tell tells the admins of each group about its result. An error in all concerns every group.
func (s *groupSync) tell(ctx context.Context, now time.Time, all error) error {
	var errs []error
	for _, g := range s.duties.Groups {
		e := s.ends[g.ID]
		if all != nil {
			e.err = all
		}
		if refusal, refused := errors.AsType[oncall.Refusal](e.err); refused {
			e = end{trouble: refusal.Sentence}
		}
		if e.err != nil {
			errs = append(errs, fmt.Errorf("sync user group %q: %w", g.Handle, e.err))
			continue
		}
		errs = append(errs, s.jobs.store.GroupTrouble(ctx, g.ID, e.trouble, now))
	}
	return errors.Join(errs...)
}

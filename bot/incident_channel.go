package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// maxChannelNames is how many names are tried if other channels have taken the first ones.
const maxChannelNames = 9

// channelClockSkew is how much Slack's clock may differ from ours.
const channelClockSkew = time.Minute

// `/oncall channel` briefly waits for the channel before it answers, within the time that Slack
// allows.
const (
	channelLooks = 15
	channelLook  = 100 * time.Millisecond
)

// A channelKeeper takes the steps of a plan for an incident's own channel.
type channelKeeper struct {
	*Bot
	store.ChannelOrder
	is   oncall.IncidentChannel
	made bool // just now, so nothing was posted there yet
}

// KeepChannel takes the steps of a plan for an incident's own channel. Each step can be repeated if
// its response was lost. A step that Slack permanently refuses is skipped, except creating the channel
// itself.
func (b *Bot) KeepChannel(ctx context.Context, order store.ChannelOrder) (oncall.IncidentChannel, error) {
	k := channelKeeper{Bot: b, ChannelOrder: order, is: order.Channel}
	for _, step := range []func(context.Context) error{k.create, k.greet, k.setTopic, k.bookmark, k.invite, k.say, k.end, k.archive} {
		if err := step(ctx); err != nil {
			return k.is, fmt.Errorf("keep the channel of incident %s: %w", order.Picture.Incident.ID, err)
		}
	}
	return k.is, nil
}

// create creates the channel, or finds the one that an earlier attempt created.
func (k *channelKeeper) create(ctx context.Context) error {
	name := k.is.Name
	for n := 2; k.is.ID == ""; n++ {
		id, err := k.slack.CreateChannel(ctx, name, k.is.Private)
		switch {
		case err == nil:
			k.is.ID, k.is.Name, k.made = id, name, true
			return nil
		case strings.HasPrefix(slackcall.CodeOf(err), "invalid_name") && name != k.plainName(): // by a rule of Slack's that we don't know
			k.is.Name = k.plainName()
			name = k.is.Name
			continue
		case !slackcall.NameTaken(err):
			return channelRefusal(err)
		}
		if id, err = k.madeBefore(ctx, name); err != nil {
			return err
		}
		if id != "" {
			k.is.ID, k.is.Name = id, name
			return nil
		}
		if n > maxChannelNames {
			return oncall.Refuse("Other channels have all the names that it could get, such as %s.", name)
		}
		name = fmt.Sprintf("%s-%d", k.is.Name, n)
	}
	return nil
}

// plainName returns a name without the incident's title.
func (k *channelKeeper) plainName() string {
	name := fmt.Sprintf("inc-%d", int64(k.Picture.Incident.ID))
	if k.is.Round > 0 {
		name += fmt.Sprintf("-%d", k.is.Round+1)
	}
	return name
}

// madeBefore looks for a channel with this name that this bot created since the first attempt.
func (k *channelKeeper) madeBefore(ctx context.Context, name string) (string, error) {
	all, err := k.slack.Channels(ctx)
	if slackcall.Refused(err) { // if we may not look for it, the channel gets the next name
		return "", nil
	}
	if err != nil {
		return "", err
	}
	us, err := k.slack.Auth(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		made := c.Created.Time()
		if c.Name == name && c.Creator == us.UserID && !c.IsArchived && c.IsPrivate == k.is.Private && !made.Before(k.is.TriedAt.Add(-channelClockSkew)) {
			return c.ID, nil
		}
	}
	return "", nil
}

// channelRefusal turns an error that somebody has to fix into a Refusal.
func channelRefusal(err error) error {
	switch {
	case !slackcall.Refused(err):
		return err
	case slackcall.CodeOf(err) == "missing_scope":
		return oncall.Refuse("The Slack app lacks the scope channels:manage, and for private teams groups:write. Add it under OAuth & Permissions and reinstall the app.")
	case slackcall.CodeOf(err) == "restricted_action":
		return oncall.Refuse("This workspace doesn't let apps create channels. An owner can allow it.")
	}
	return oncall.Refuse("Slack refuses it: %s.", slackcall.CodeOf(err))
}

// greet says what the channel is for, once.
func (k *channelKeeper) greet(ctx context.Context) error {
	if k.is.Greeted {
		return nil
	}
	d := view.ChannelGreeting(k.Picture, k.permalink(ctx, k.Root))
	if err := k.postOnce(ctx, fmt.Sprintf("channel-%d-%d", k.Picture.Incident.ID, k.is.Round), d); err != nil {
		return err
	}
	k.is.Greeted = true
	return nil
}

// postOnce posts a message, unless an earlier attempt already did.
func (k *channelKeeper) postOnce(ctx context.Context, delivery string, d view.Drawing) error {
	m := slackcall.Message{Channel: k.is.ID, Delivery: delivery, Incident: int64(k.Picture.Incident.ID), Priority: slackcall.ForUpdate}
	if !k.made {
		if _, found, err := k.find(ctx, m, k.is.TriedAt); err != nil || found {
			return err
		}
	}
	_, err := k.post(ctx, m, d)
	return ignoreRefused(err)
}

// ignoreRefused drops an error that is a permanent refusal from Slack, for instance because somebody
// archived or deleted the channel.
func ignoreRefused(err error) error {
	if slackcall.NoToken(err) { // a new token may be allowed to do it
		return err
	}
	if slackcall.Refused(err) || slackcall.OutcomeOf(err) == slackcall.Frozen {
		return nil
	}
	return err
}

// optional logs and drops a refusal from Slack if the channel can do without the step.
func (k *channelKeeper) optional(err error, what string) error {
	if slackcall.Refused(err) && !slackcall.NoToken(err) {
		k.log.Warn().Err(err).Str("channel", k.is.ID).Msg("Slack refuses " + what + " of an incident's channel; it does without")
	}
	return ignoreRefused(err)
}

func (k *channelKeeper) setTopic(ctx context.Context) error {
	if k.is.Topic == k.Topic {
		return nil
	}
	if err := k.optional(k.slack.SetTopic(ctx, k.is.ID, k.Topic), "the topic"); err != nil {
		return err
	}
	k.is.Topic = k.Topic
	return nil
}

// bookmark adds a bookmark to the incident's message, and those in the plan.
func (k *channelKeeper) bookmark(ctx context.Context) error {
	links := k.Bookmarks
	if root := k.permalink(ctx, k.Root); root != "" && !slices.Contains(k.is.Bookmarks, root) && !k.End {
		links = append([]oncall.Link{{Text: "Incident " + k.Picture.Incident.ID.String(), URL: root}}, links...)
	}
	if len(links) == 0 {
		return nil
	}
	has, err := k.slack.Bookmarks(ctx, k.is.ID)
	if err = k.optional(err, "the bookmarks"); err != nil {
		return err
	}
	for _, l := range links {
		if !slices.Contains(has, l.URL) {
			title := strings.TrimSpace(view.CutPlain(l.Text, view.MaxName))
			if err := k.optional(k.slack.AddBookmark(ctx, k.is.ID, title, l.URL), "a bookmark"); err != nil {
				return err
			}
		}
		k.is.Bookmarks = append(slices.Clone(k.is.Bookmarks), l.URL)
	}
	return nil
}

// invite invites people one by one, because Slack refuses all if it refuses one.
func (k *channelKeeper) invite(ctx context.Context) error {
	for _, u := range k.Invite {
		if err := k.optional(k.slack.Invite(ctx, k.is.ID, string(u)), "a member"); err != nil {
			return err
		}
		k.is.Invited = append(slices.Clone(k.is.Invited), u)
	}
	return nil
}

// say tells the people in the channel what others did, in one message.
func (k *channelKeeper) say(ctx context.Context) error {
	if d := view.ChannelLines(k.Say); d.Text != "" {
		if err := k.postOnce(ctx, fmt.Sprintf("channel-%d-%d-say-%d", k.Picture.Incident.ID, k.is.Round, k.is.Saying), d); err != nil {
			return err
		}
	}
	k.is.Said = k.is.Saying
	return nil
}

// end says that the incident is resolved.
func (k *channelKeeper) end(ctx context.Context) error {
	in := k.Picture.Incident
	if !k.End || in.ResolvedAt == nil {
		return nil
	}
	if err := k.postOnce(ctx, fmt.Sprintf("channel-%d-%d-end-%d", in.ID, k.is.Round, in.ResolvedAt.Unix()), view.ChannelEnd(k.Picture)); err != nil {
		return err
	}
	k.is.Ended = true
	return nil
}

func (k *channelKeeper) archive(ctx context.Context) error {
	if !k.Archive {
		return nil
	}
	if err := k.optional(k.slack.Archive(ctx, k.is.ID), "the archiving"); err != nil {
		return err
	}
	k.is.Archived = true
	return nil
}

// openChannel answers `/oncall channel 12`.
func (b *Bot) openChannel(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	in, err := b.store.Incident(ctx, r.by(), id)
	if err == nil && in.Channel != nil && in.Channel.ID != "" && !in.Channel.Archived {
		return view.HasChannel(in), nil
	}
	if err := b.act(ctx, id, r.user.ID, oncall.Act{Do: oncall.ActChannel}); err != nil {
		return "", err
	}
	for range channelLooks { // the channel is usually created at once, and then the answer can link to it
		if in, err := b.store.Incident(ctx, r.by(), id); err == nil && view.LinkedChannel(in) != "" {
			return view.HasChannel(in), nil
		}
		if !sleep(ctx, channelLook) {
			break
		}
	}
	return view.ChannelComes(id), nil
}

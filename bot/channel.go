package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
)

// channel returns where to post what is for a channel that the set-up names, or for a person: the id
// if it is known, for the name may be another channel's by now.
func (b *Bot) channel(ctx context.Context, named string) string {
	if slackcall.IsUser(named) || oncall.IsChannelID(named) {
		return named
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil { // a message goes out all the same
		b.log.Warn().Err(err).Str("channel", named).Msg("the id of a channel can't be looked up; it is called by its name")
		return named
	}
	return directory.Channel(named)
}

// learn keeps the id of a channel that was called by its name: Slack answers a post with it.
func (b *Bot) learn(ctx context.Context, named, id string) {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err == nil && slices.Contains(directory.ChannelsUnknown(), named) {
		is := oncall.SlackChannel{ID: id, Name: oncall.ChannelName(named)}
		err = b.store.SaveChannels(ctx, []oncall.NamedChannel{{Named: named, SlackChannel: is}}, b.clock())
	}
	if err != nil {
		b.log.Warn().Err(err).Str("channel", named).Msg("the id of a channel can't be kept")
	}
}

// LearnChannels looks up the channels that the set-up names and whose id isn't known yet, and whether those of
// private teams are private. Those that Slack doesn't have stay unknown. A Refusal says what an admin has to
// fix.
func (b *Bot) LearnChannels(ctx context.Context) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	named := append(directory.ChannelsUnknown(), directory.ChannelsOfPrivate()...)
	if len(named) == 0 {
		return nil
	}
	all, err := b.Channels(ctx)
	if err != nil {
		return err
	}
	var found []oncall.NamedChannel
	for _, named := range named {
		before, _ := directory.ChannelBefore(named)
		if c, is := oncall.LookUpChannel(named, before.ID, all); is {
			found = append(found, oncall.NamedChannel{Named: named, SlackChannel: c})
		}
	}
	if err := b.store.SaveChannels(ctx, found, b.clock()); err != nil {
		return fmt.Errorf("keep what was looked up: %w", err)
	}
	return nil
}

// Channels returns every channel that Slack lets us see.
func (b *Bot) Channels(ctx context.Context) ([]oncall.SlackChannel, error) {
	found, err := b.slack.Channels(ctx)
	if err != nil {
		if slackcall.CodeOf(err) == "missing_scope" || slackcall.CodeOf(err) == "invalid_types" {
			err = oncall.Refuse("The Slack app lacks the scope channels:read, and can't look channels up.")
		}
		return nil, fmt.Errorf("list channels: %w", err)
	}
	all := make([]oncall.SlackChannel, len(found))
	for i, c := range found {
		all[i] = oncall.SlackChannel{ID: c.ID, Name: c.Name, Archived: c.IsArchived, Private: c.IsPrivate}
	}
	return all, nil
}

// channelRenamed keeps the new name of a channel that the set-up names. Posts follow it anyway.
func (b *Bot) channelRenamed(ctx context.Context, id, name string) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	old := directory.ChannelCalled(id)
	if old == "" || old == name {
		return nil
	}
	b.log.Info().Str("channel", id).Str("from", old).Str("to", name).Msg("a channel was renamed in Slack; messages follow it")
	if err := b.store.ChannelRenamed(ctx, id, name, b.clock()); err != nil {
		return fmt.Errorf("keep the new name of a channel: %w", err)
	}
	return nil
}

// channelMoved keeps the new id of a channel.
func (b *Bot) channelMoved(ctx context.Context, from, to string) error {
	if err := b.store.ChannelMoved(ctx, from, to, b.clock()); err != nil {
		return fmt.Errorf("keep the new id of a channel: %w", err)
	}
	return nil
}

// channelClosed tells a team's admins that its channel was archived or deleted, before an incident can't be
// posted there.
func (b *Bot) channelClosed(ctx context.Context, id, why string) error {
	if err := b.store.ChannelClosed(ctx, id, why, b.clock()); err != nil {
		return fmt.Errorf("tell that a channel takes no messages any more: %w", err)
	}
	return nil
}

// channelOpened redraws what changed while a channel was archived.
func (b *Bot) channelOpened(ctx context.Context, id string) error {
	b.slack.ChannelOpened(id)
	if err := b.store.ChannelOpened(ctx, id, b.clock()); err != nil {
		return fmt.Errorf("draw in a channel again: %w", err)
	}
	return nil
}

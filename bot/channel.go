package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
)

// channel returns the channel to post to, for a channel in the set-up or for a person. It prefers the
// stored id, because another channel may have taken the name.
func (b *Bot) channel(ctx context.Context, named string) string {
	if slackcall.IsUser(named) || oncall.IsChannelID(named) {
		return named
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil { // posting by name still works
		b.log.Warn().Err(err).Str("channel", named).Msg("could not look up a channel's id; using its name")
		return named
	}
	return directory.Channel(named)
}

// rememberChannel stores the id of a channel that was addressed by name. Slack returns it with each post.
func (b *Bot) rememberChannel(ctx context.Context, named, id string) {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err == nil && slices.Contains(directory.ChannelsUnknown(), named) {
		is := oncall.SlackChannel{ID: id, Name: oncall.ChannelName(named)}
		err = b.store.SaveChannels(ctx, []oncall.NamedChannel{{Named: named, SlackChannel: is}}, b.clock())
	}
	if err != nil {
		b.log.Warn().Err(err).Str("channel", named).Msg("could not store a channel's id")
	}
}

// ResolveChannels looks up unknown ids of the set-up's channels, and whether the channels of private
// teams are private. A channel that Slack doesn't know stays without an id. A Refusal says what an
// admin has to fix.
func (b *Bot) ResolveChannels(ctx context.Context) error {
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
		if c, ok := oncall.LookUpChannel(named, before.ID, all); ok {
			found = append(found, oncall.NamedChannel{Named: named, SlackChannel: c})
		}
	}
	if err := b.store.SaveChannels(ctx, found, b.clock()); err != nil {
		return fmt.Errorf("store what was looked up: %w", err)
	}
	return nil
}

// Channels returns every channel that the bot may see.
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

// channelRenamed stores a channel's new name. Posts use the id and aren't affected.
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
		return fmt.Errorf("store the new name of a channel: %w", err)
	}
	return nil
}

// channelMoved stores a channel's new id.
func (b *Bot) channelMoved(ctx context.Context, from, to string) error {
	if err := b.store.ChannelMoved(ctx, from, to, b.clock()); err != nil {
		return fmt.Errorf("store the new id of a channel: %w", err)
	}
	return nil
}

// channelClosed notifies a team's admins that its channel was archived or deleted, before the next incident
// fails to post.
func (b *Bot) channelClosed(ctx context.Context, id, why string) error {
	if err := b.store.ChannelClosed(ctx, id, why, b.clock()); err != nil {
		return fmt.Errorf("notify of a channel that takes no messages: %w", err)
	}
	return nil
}

// channelOpened redraws the messages of a channel that was unarchived.
func (b *Bot) channelOpened(ctx context.Context, id string) error {
	b.slack.ChannelOpened(id)
	if err := b.store.ChannelOpened(ctx, id, b.clock()); err != nil {
		return fmt.Errorf("redraw a channel: %w", err)
	}
	return nil
}

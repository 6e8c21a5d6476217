package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
)

// SetTopic adds a segment to a channel's topic if it is missing, and leaves the rest of the topic
// unchanged.
func (b *Bot) SetTopic(ctx context.Context, channel, segment string) error {
	id, err := b.slack.Conversation(ctx, b.channel(ctx, channel), 0)
	if err != nil {
		return fmt.Errorf("set the topic of %s: %w", channel, topicRefusal(err))
	}
	old, err := b.slack.Topic(ctx, id)
	if err != nil {
		return fmt.Errorf("read the topic of %s: %w", channel, topicRefusal(err))
	}
	topic := oncall.SetTopicSegment(old, segment)
	if topic == old {
		return nil
	}
	if err := b.slack.SetTopic(ctx, id, topic); err != nil {
		return fmt.Errorf("set the topic of %s: %w", channel, topicRefusal(err))
	}
	return nil
}

// topicRefusal turns a permanent error from Slack into a Refusal.
func topicRefusal(err error) error {
	if !slackcall.Refused(err) {
		return err
	}
	if e, ok := errors.AsType[*slackcall.Error](err); ok && e.Needed != "" {
		return oncall.Refuse("The Slack app lacks the scope %s.", strings.ReplaceAll(e.Needed, ",", " or "))
	}
	return oncall.Refuse("Slack refuses it: %s.", slackcall.CodeOf(err))
}

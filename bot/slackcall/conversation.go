package slackcall

import (
	"context"
	"fmt"
	"html"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// notInChannel is Slack's code where only members may do something.
const notInChannel = "not_in_channel"

// Conversation returns the id of a conversation, of which posting also takes the name, or
// the person if it is a direct message, and reading doesn't.
func (c *Client) Conversation(ctx context.Context, to string) (id string, err error) {
	switch {
	case strings.HasPrefix(to, "#"):
		return c.channelNamed(ctx, to[1:])
	case IsUser(to):
		return c.direct(ctx, to)
	}
	return to, nil
}

// IsUser tells the id of a person from that of a conversation.
func IsUser(id string) bool { return strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W") }

func (c *Client) channelNamed(ctx context.Context, name string) (id string, err error) {
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		var channels []slack.Channel
		err := c.do(ctx, call{method: "conversations.list"}, func(ctx context.Context) (err error) {
			channels, cursor, err = c.api.GetConversationsContext(ctx, &slack.GetConversationsParameters{
				Cursor: cursor, ExcludeArchived: true, Limit: 1000, Types: []string{"public_channel", "private_channel"},
			})
			return err
		})
		if err != nil {
			return "", err
		}
		for _, found := range channels {
			if found.Name == name {
				return found.ID, nil
			}
		}
		if cursor == "" {
			break
		}
	}
	return "", &Error{Outcome: notify.Rejected, Code: "channel_not_found", cause: fmt.Errorf("no channel is named #%s", name)}
}

func (c *Client) direct(ctx context.Context, with string) (id string, err error) {
	err = c.do(ctx, call{method: "conversations.open"}, func(ctx context.Context) error {
		dm, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{with}})
		if err == nil {
			id = dm.ID
		}
		return err
	})
	return id, err
}

// Topic returns a channel's topic as people read it.
func (c *Client) Topic(ctx context.Context, channel string) (topic string, err error) {
	err = c.do(ctx, call{method: "conversations.info"}, func(ctx context.Context) error {
		found, err := c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
		if err == nil {
			topic = html.UnescapeString(found.Topic.Value)
		}
		return err
	})
	return topic, err
}

// SetTopic sets a channel's topic. Where only members may, the bot joins.
func (c *Client) SetTopic(ctx context.Context, channel, topic string) error {
	set := func() error {
		return c.do(ctx, call{method: "conversations.setTopic"}, func(ctx context.Context) error {
			_, err := c.api.SetTopicOfConversationContext(ctx, channel, topic)
			return err
		})
	}
	err := set()
	if CodeOf(err) == notInChannel {
		if err = c.join(ctx, channel); err == nil {
			err = set()
		}
	}
	return err
}

func (c *Client) join(ctx context.Context, channel string) error {
	return c.do(ctx, call{method: "conversations.join"}, func(ctx context.Context) error {
		_, _, _, err := c.api.JoinConversationContext(ctx, channel)
		return err
	})
}

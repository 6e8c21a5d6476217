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

// ChannelID returns the id of a channel that may be given by name, as posting accepts
// names and reading doesn't.
func (c *Client) ChannelID(ctx context.Context, channel string) (string, error) {
	name, isName := strings.CutPrefix(channel, "#")
	if !isName {
		return channel, nil
	}
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
	return "", &Error{Outcome: notify.Rejected, Code: "channel_not_found", cause: fmt.Errorf("no channel is named %s", channel)}
}

// DirectID returns the id of the direct message with a person.
func (c *Client) DirectID(ctx context.Context, with string) (id string, err error) {
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

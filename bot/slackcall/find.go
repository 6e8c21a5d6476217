package slackcall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"
)

const (
	clockSkew = 5 * time.Second // our clock and Slack's may differ
	maxPages  = 10
	perPage   = 100
)

// Find searches a conversation, or a thread in it, for a message posted at since or later with m's delivery id. The
// calls have m's priority.
func (c *Client) Find(ctx context.Context, m Message, since time.Time) (at MessageID, found bool, err error) {
	channel, err := c.Conversation(ctx, m.Channel, m.Priority)
	if err != nil {
		return MessageID{}, false, err
	}
	page := c.history
	if m.Thread != "" {
		page = c.replies
	}
	since = since.Add(-clockSkew)
	oldest := fmt.Sprintf("%d.%06d", since.Unix(), since.Nanosecond()/1000)
	joined := false
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		messages, next, err := page(ctx, MessageID{channel, m.Thread}, oldest, cursor, m.Priority)
		if notMember(err) && !joined {
			// In a public channel a bot that isn't a member may post, but not read.
			joined = true
			if c.join(ctx, channel, m.Priority) == nil {
				continue
			}
		}
		if err != nil {
			return MessageID{}, false, err
		}
		for _, found := range messages {
			if delivers(found, m.Delivery) {
				return MessageID{channel, found.Timestamp}, true, nil
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return MessageID{}, false, nil
}

// delivers reports whether a message has one of our delivery ids.
func delivers(m slack.Message, delivery string) bool {
	return m.Metadata.EventType == metadataType && m.Metadata.EventPayload["delivery_id"] == delivery
}

// Recent returns the latest messages of a conversation.
func (c *Client) Recent(ctx context.Context, channel string) ([]slack.Message, error) {
	messages, _, err := c.history(ctx, MessageID{Channel: channel}, "", "", 0)
	return messages, err
}

// Talk returns what was posted in a thread, or in a channel if there is no TS, oldest first; of very much only a part.
func (c *Client) Talk(ctx context.Context, in MessageID) (all []slack.Message, err error) {
	page := c.history
	if in.TS != "" {
		page = c.replies
	}
	joined := false
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		messages, next, err := page(ctx, in, "", cursor, ForAnswer)
		if notMember(err) && !joined {
			joined = true
			if c.join(ctx, in.Channel, ForAnswer) == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, messages...)
		if cursor = next; cursor == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b slack.Message) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return all, nil
}

// DeleteCopies deletes the copies of a message that earlier attempts left in its conversation.
func (c *Client) DeleteCopies(ctx context.Context, latest MessageID, delivery string) error {
	messages, err := c.Recent(ctx, latest.Channel)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if m.Timestamp == latest.TS || !delivers(m, delivery) {
			continue
		}
		if err := c.Delete(ctx, MessageID{latest.Channel, m.Timestamp}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) history(ctx context.Context, in MessageID, oldest, cursor string, p Priority) (messages []slack.Message, next string, err error) {
	err = c.do(ctx, call{method: methodHistory, priority: p, failFast: true}, func(ctx context.Context) error {
		answer, err := c.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: in.Channel, Oldest: oldest, Inclusive: true, IncludeAllMetadata: true, Limit: perPage, Cursor: cursor,
		})
		if err != nil {
			return err
		}
		messages, next = answer.Messages, answer.ResponseMetaData.NextCursor
		return nil
	})
	return messages, next, err
}

func (c *Client) replies(ctx context.Context, in MessageID, oldest, cursor string, p Priority) (messages []slack.Message, next string, err error) {
	err = c.do(ctx, call{method: "conversations.replies", priority: p, failFast: true}, func(ctx context.Context) (err error) {
		messages, _, next, err = c.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: in.Channel, Timestamp: in.TS, Oldest: oldest, Inclusive: true, IncludeAllMetadata: true, Limit: perPage, Cursor: cursor,
		})
		return err
	})
	return messages, next, err
}

package slackcall

import (
	"context"
	"fmt"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// Slack's codes for actions that only members may take. They differ by method.
const (
	notInChannel    = "not_in_channel"
	channelNotFound = "channel_not_found"
)

// notMember reports whether a call failed because the bot isn't a member, so that joining may help.
func notMember(err error) bool { return CodeOf(err) == notInChannel || CodeOf(err) == channelNotFound }

// Conversation returns the id of a conversation. Posting also accepts a channel's name, or a person for a direct
// message; reading needs the id.
func (c *Client) Conversation(ctx context.Context, to string, p Priority) (id string, err error) {
	switch {
	case strings.HasPrefix(to, "#"):
		return c.channelNamed(ctx, to, p)
	case IsUser(to):
		return c.direct(ctx, to, p)
	}
	return to, nil
}

// IsUser reports whether an id belongs to a person rather than a conversation.
func IsUser(id string) bool { return strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W") }

// listedFor is how long a channel listing is trusted about names that it lacks.
const listedFor = time.Minute

// ids caches the conversation of each name and person, so that Slack is asked for each only once. A renamed channel
// keeps its id.
type ids struct {
	listing sync.Mutex // only one goroutine lists at a time, for all that wait

	mu     sync.Mutex
	of     map[string]string
	listed time.Time
}

// remember adds an id to the cache. Every answer to a post contains one.
func (i *ids) remember(to, id string) {
	if to == id || !strings.HasPrefix(to, "#") && !IsUser(to) {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.of == nil {
		i.of = map[string]string{}
	}
	i.of[to] = id
}

// known returns a cached id, and whether a new listing could find the name.
func (i *ids) known(to string, now time.Time) (id string, stale bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.of[to], now.Sub(i.listed) > listedFor
}

func (i *ids) listedAt(now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.listed = now
}

func (c *Client) channelNamed(ctx context.Context, name string, p Priority) (string, error) {
	if id, _ := c.ids.known(name, realNow()); id != "" {
		return id, nil
	}
	c.ids.listing.Lock()
	defer c.ids.listing.Unlock()
	id, stale := c.ids.known(name, realNow())
	if id == "" && stale {
		if err := c.list(ctx, p); err != nil {
			return "", err
		}
		id, _ = c.ids.known(name, realNow())
	}
	if id == "" {
		return "", &Error{Outcome: notify.Rejected, Code: channelNotFound, cause: fmt.Errorf("no channel is named %s", name)}
	}
	return id, nil
}

// list learns the ids of all channels. It fails at once rather than wait long for its turn.
func (c *Client) list(ctx context.Context, p Priority) error {
	err := c.channels(ctx, p, true, func(found slack.Channel) {
		if !found.IsArchived {
			c.ids.remember("#"+found.Name, found.ID)
		}
	})
	if err == nil {
		c.ids.listedAt(realNow())
	}
	return err
}

// perList is the page size that Slack recommends; Slack refuses a thousand.
const perList = 200

// Channels returns every channel that the bot may see, archived ones included. If the app may not list private
// channels, it returns only the public ones.
func (c *Client) Channels(ctx context.Context) (all []slack.Channel, err error) {
	err = c.channels(ctx, 0, false, func(found slack.Channel) { all = append(all, found) })
	return all, err
}

func (c *Client) channels(ctx context.Context, p Priority, failFast bool, see func(slack.Channel)) error {
	err := c.channelsOf(ctx, []string{"public_channel", "private_channel"}, p, failFast, see)
	if code := CodeOf(err); code == "invalid_types" || code == "missing_scope" {
		return c.channelsOf(ctx, []string{"public_channel"}, p, failFast, see)
	}
	return err
}

func (c *Client) channelsOf(ctx context.Context, types []string, p Priority, failFast bool, see func(slack.Channel)) error {
	for cursor, more := "", true; more; more = cursor != "" {
		var channels []slack.Channel
		var next string
		err := c.do(ctx, call{method: "conversations.list", priority: p, failFast: failFast}, func(ctx context.Context) (err error) {
			channels, next, err = c.api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Cursor: cursor, Limit: perList, Types: types})
			return err
		})
		if err != nil {
			return err
		}
		for _, found := range channels {
			see(found)
		}
		cursor = next
	}
	return nil
}

func (c *Client) direct(ctx context.Context, with string, p Priority) (id string, err error) {
	if id, _ := c.ids.known(with, realNow()); id != "" {
		return id, nil
	}
	err = c.do(ctx, call{method: "conversations.open", priority: p}, func(ctx context.Context) error {
		dm, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{with}})
		switch {
		case err != nil:
			return err
		case dm == nil || dm.ID == "":
			return errNoAnswer
		}
		id = dm.ID
		return nil
	})
	if err == nil {
		c.ids.remember(with, id)
	}
	return id, err
}

// Channel returns a channel by its id.
func (c *Client) Channel(ctx context.Context, id string) (found *slack.Channel, err error) {
	err = c.do(ctx, call{method: "conversations.info", priority: ForAnswer}, func(ctx context.Context) (err error) {
		found, err = c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		if err == nil && (found == nil || found.ID == "") {
			return errNoAnswer
		}
		return err
	})
	return found, err
}

// Topic returns a channel's topic as people see it.
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

// SetTopic sets a channel's topic. If only members may do so, the bot joins.
func (c *Client) SetTopic(ctx context.Context, channel, topic string) error {
	set := func() error {
		return c.do(ctx, call{method: "conversations.setTopic"}, func(ctx context.Context) error {
			_, err := c.api.SetTopicOfConversationContext(ctx, channel, topic)
			return err
		})
	}
	err := set()
	if CodeOf(err) == notInChannel {
		if err = c.join(ctx, channel, 0); err == nil {
			err = set()
		}
	}
	return err
}

func (c *Client) join(ctx context.Context, channel string, p Priority) error {
	return c.do(ctx, call{method: "conversations.join", priority: p}, func(ctx context.Context) error {
		_, _, _, err := c.api.JoinConversationContext(ctx, channel)
		return err
	})
}

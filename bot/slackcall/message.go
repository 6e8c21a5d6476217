package slackcall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/slack-go/slack"
)

// metadataType marks our messages, so that a message whose post was never answered can be found. Every member can
// read metadata, so it holds only ids.
const metadataType = "watchbill_delivery"

// A MessageID identifies a message in Slack.
type MessageID struct{ Channel, TS string }

// A Message is a message to post.
type Message struct {
	Channel   string // a channel's id or name; a user's id sends a direct message
	Thread    string // ts of the parent message, for a reply
	Broadcast bool   // also show the reply in the channel
	Delivery  string // our id of this message, by which Find recognises it; empty: Find is not needed
	Incident  int64  // the incident's number, stored in the message's metadata
	Priority  Priority
	FailFast  bool // fail at once instead of waiting long for a turn; the caller retries later
	Drawing   bool // the message is drawn by the draw loop, which retries it; it is not tried while its channel refuses messages
}

// errNoThread means that Slack showed a reply in the channel, because the message it replies to is gone.
var errNoThread = errors.New("the message to reply to is gone")

// Post posts a message. If the outcome is Unknown, Find tells whether it was posted. The outcome of
// a reply is Gone if the message it replies to no longer exists; Slack would show such a reply in the channel.
func (c *Client) Post(ctx context.Context, m Message, text string, blocks []slack.Block) (at MessageID, err error) {
	if m.Drawing {
		if err := c.backoff.allow(m.Channel, realNow()); err != nil {
			return MessageID{}, err
		}
	}
	options := []slack.MsgOption{
		slack.MsgOptionText(text, false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
	if len(blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(blocks...))
	}
	if m.Delivery != "" {
		options = append(options, slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType: metadataType,
			EventPayload: map[string]any{
				"delivery_id": m.Delivery, "incident": strconv.FormatInt(m.Incident, 10),
			},
		}))
	}
	if m.Thread != "" {
		options = append(options, slack.MsgOptionTS(m.Thread))
	}
	if m.Broadcast {
		options = append(options, slack.MsgOptionBroadcast())
	}
	var posted slack.Message
	k := call{method: methodPost, channel: m.Channel, priority: m.Priority, failFast: m.FailFast || m.Drawing, chosen: m.Drawing}
	err = c.do(ctx, k, func(ctx context.Context) (err error) {
		at.Channel, at.TS, posted, err = c.api.PostMessageWithResponseContext(ctx, m.Channel, options...)
		if err == nil && (at.Channel == "" || at.TS == "") {
			return errNoAnswer
		}
		return err
	})
	c.backoff.record(m.Channel, err, realNow())
	if err != nil {
		return MessageID{}, err
	}
	c.ids.remember(m.Channel, at.Channel)
	if m.Thread != "" && posted.ThreadTimestamp == "" {
		if err := c.Delete(context.WithoutCancel(ctx), at); err != nil {
			return MessageID{}, &Error{Outcome: Gone, cause: fmt.Errorf("%w, and the reply that is in the channel now: %w", errNoThread, err)}
		}
		return MessageID{}, &Error{Outcome: Gone, cause: errNoThread}
	}
	return at, nil
}

// Delete deletes a message.
func (c *Client) Delete(ctx context.Context, at MessageID) error {
	return c.do(ctx, call{method: "chat.delete"}, func(ctx context.Context) error {
		_, _, err := c.api.DeleteMessageContext(ctx, at.Channel, at.TS)
		return err
	})
}

// An Edit holds the options of an edit.
type Edit struct {
	Priority Priority
	// Immediate marks a further message of a drawing that got its turn for another message. The edit takes
	// place at once or fails; it doesn't wait for a turn.
	Immediate bool
}

// Update replaces a message's content. It fails at once rather than wait long for its turn.
func (c *Client) Update(ctx context.Context, at MessageID, text string, blocks []slack.Block, e Edit) error {
	return c.do(ctx, call{method: methodUpdate, priority: e.Priority, failFast: true, chosen: true, immediate: e.Immediate}, func(ctx context.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, at.Channel, at.TS, slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
		return err
	})
}

// Replace replaces the message whose button was pressed, by the press's response_url. Slack doesn't count this as an
// edit. If there is no room for the call, it fails at once.
func (c *Client) Replace(ctx context.Context, at MessageID, responseURL, text string, blocks []slack.Block) error {
	k := call{method: methodAnswer, channel: at.Channel, failFast: true, chosen: true}
	return c.do(ctx, k, func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, "", slack.MsgOptionReplaceOriginal(responseURL),
			slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
		return err
	})
}

// Answer answers a click with a message that only the person who clicked sees. The bot needn't be a member.
func (c *Client) Answer(ctx context.Context, to slack.InteractionCallback, text string) error {
	return c.do(ctx, call{method: methodAnswer, channel: to.Channel.ID}, func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, "",
			slack.MsgOptionResponseURL(to.ResponseURL, slack.ResponseTypeEphemeral), slack.MsgOptionText(text, false))
		return err
	})
}

// Upload uploads a file to a conversation and returns the file's id. Slack may report success without showing the
// file; Recent tells.
func (c *Client) Upload(ctx context.Context, p slack.UploadFileParameters) (id string, err error) {
	content, err := io.ReadAll(p.Reader)
	if err != nil {
		return "", err
	}
	send := func() error {
		return c.do(ctx, call{method: "files.completeUploadExternal", channel: p.Channel}, func(ctx context.Context) error {
			p.Reader = bytes.NewReader(content)
			file, err := c.api.UploadFileContext(ctx, p)
			if err == nil {
				id = file.ID
			}
			return err
		})
	}
	if err = send(); CodeOf(err) == notInChannel { // writing needs no membership, sharing a file does
		if err = c.join(ctx, p.Channel, 0); err == nil {
			err = send()
		}
	}
	return id, err
}

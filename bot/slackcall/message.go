package slackcall

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/slack-go/slack"
)

// metadataType marks our messages, so that one whose post was never answered is found
// again. Every member can read metadata: it holds ids and nothing else.
const metadataType = "watchbill_delivery"

// A Place is where a message is.
type Place struct{ Channel, TS string }

// A Message is one to be posted.
type Message struct {
	Channel   string // its id or name, or a user's id: then it is a direct message
	Thread    string // ts of the message it replies to
	Broadcast bool   // a reply that the channel sees, too
	Delivery  string // our id of this message; empty: it is not looked for later
	Incident  int64  // noted beside it
	Priority  Priority
	Hasty     bool // it fails at once if its turn is far away: the caller comes back later
	Drawing   bool // it was chosen, and is chosen again: while its channel refuses messages it isn't even tried
}

// errNoThread is for a reply that Slack has shown in the channel, as the message it replies to is
// gone.
var errNoThread = errors.New("the message to reply to is gone")

// Post posts a message. If the outcome is Unknown, Find tells whether it was posted. The outcome of
// a reply is Gone if there is nothing to reply to any more: Slack would show it in the channel.
func (c *Client) Post(ctx context.Context, m Message, text string, blocks []slack.Block) (at Place, err error) {
	if m.Drawing {
		if err := c.aside.ask(m.Channel, present()); err != nil {
			return Place{}, err
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
	var said slack.Message
	k := call{method: methodPost, channel: m.Channel, priority: m.Priority, hasty: m.Hasty || m.Drawing, chosen: m.Drawing}
	err = c.do(ctx, k, func(ctx context.Context) (err error) {
		at.Channel, at.TS, said, err = c.api.PostMessageWithResponseContext(ctx, m.Channel, options...)
		if err == nil && (at.Channel == "" || at.TS == "") {
			return errNoAnswer
		}
		return err
	})
	c.aside.note(m.Channel, err, present())
	if err != nil {
		return Place{}, err
	}
	c.ids.learn(m.Channel, at.Channel)
	if m.Thread != "" && said.ThreadTimestamp == "" {
		if err := c.Delete(context.WithoutCancel(ctx), at); err != nil {
			return Place{}, &Error{Outcome: Gone, cause: fmt.Errorf("%w, and the reply that is in the channel now: %w", errNoThread, err)}
		}
		return Place{}, &Error{Outcome: Gone, cause: errNoThread}
	}
	return at, nil
}

// Delete deletes a message.
func (c *Client) Delete(ctx context.Context, at Place) error {
	return c.do(ctx, call{method: "chat.delete"}, func(ctx context.Context) error {
		_, _, err := c.api.DeleteMessageContext(ctx, at.Channel, at.TS)
		return err
	})
}

// An Edit says how a message is edited.
type Edit struct {
	Priority Priority
	// Beside: it is one more message of a drawing that was chosen for another. It is made at once or not now.
	Beside bool
}

// Update replaces what a message says. It is hasty.
func (c *Client) Update(ctx context.Context, at Place, text string, blocks []slack.Block, e Edit) error {
	return c.do(ctx, call{method: methodUpdate, priority: e.Priority, hasty: true, chosen: true, beside: e.Beside}, func(ctx context.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, at.Channel, at.TS, slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
		return err
	})
}

// Replace replaces the message that somebody has pressed, by the press's response_url. That is no
// edit as far as Slack's limits go. If there is no room for it, the error says so at once.
func (c *Client) Replace(ctx context.Context, at Place, responseURL, text string, blocks []slack.Block) error {
	k := call{method: methodAnswer, channel: at.Channel, hasty: true, chosen: true}
	return c.do(ctx, k, func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, "", slack.MsgOptionReplaceOriginal(responseURL),
			slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
		return err
	})
}

// Answer answers a click so that only the person who clicked sees it, also where the bot
// is no member.
func (c *Client) Answer(ctx context.Context, to slack.InteractionCallback, text string) error {
	return c.do(ctx, call{method: methodAnswer, channel: to.Channel.ID}, func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, "",
			slack.MsgOptionResponseURL(to.ResponseURL, slack.ResponseTypeEphemeral), slack.MsgOptionText(text, false))
		return err
	})
}

// Upload puts a file into a conversation and returns its id. Slack may say yes and show
// it nowhere: Recent tells.
func (c *Client) Upload(ctx context.Context, p slack.UploadFileParameters) (id string, err error) {
	err = c.do(ctx, call{method: "files.completeUploadExternal", channel: p.Channel}, func(ctx context.Context) error {
		file, err := c.api.UploadFileContext(ctx, p)
		if err == nil {
			id = file.ID
		}
		return err
	})
	return id, err
}

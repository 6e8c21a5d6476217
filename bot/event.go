package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// event handles an event of Slack's Events API. A redelivered event sets the same state again, but a message is
// answered only once.
func (b *Bot) event(ctx context.Context, e slackevents.EventsAPIEvent) error {
	switch inner := e.InnerEvent.Data.(type) {
	case *slackevents.AppHomeOpenedEvent:
		if inner.Tab == "home" {
			if err := b.admit(ctx, slack.User{ID: inner.User}); err != nil {
				return err
			}
			return b.publishHome(ctx, oncall.UserID(inner.User))
		}
	case *slackevents.TeamJoinEvent:
		if inner.User != nil {
			return b.userChanged(ctx, inner.User)
		}
	case *slackevents.UserChangeEvent:
		u, err := changedUser(e)
		if err != nil {
			return err
		}
		return b.userChanged(ctx, u)
	case *slackevents.AppMentionEvent:
		return b.mentioned(ctx, e, inner)
	case *slackevents.ChannelRenameEvent:
		return b.channelRenamed(ctx, inner.Channel.ID, inner.Channel.Name)
	case *slackevents.GroupRenameEvent:
		return b.channelRenamed(ctx, inner.Channel.ID, inner.Channel.Name)
	case *slackevents.ChannelArchiveEvent:
		return b.channelClosed(ctx, inner.Channel, "is_archived")
	case *slackevents.GroupArchiveEvent:
		return b.channelClosed(ctx, inner.Channel, "is_archived")
	case *slackevents.ChannelDeletedEvent:
		return b.channelClosed(ctx, inner.Channel, "channel_not_found")
	case *slackevents.GroupDeletedEvent:
		return b.channelClosed(ctx, inner.Channel, "channel_not_found")
	case *slackevents.ChannelUnarchiveEvent:
		return b.channelOpened(ctx, inner.Channel)
	case *slackevents.GroupUnarchiveEvent:
		return b.channelOpened(ctx, inner.Channel)
	case *slackevents.ChannelIDChangedEvent:
		return b.channelMoved(ctx, inner.OldChannelID, inner.NewChannelID)
	case *slackevents.MessageEvent:
		return b.directMessage(ctx, e, inner)
	}
	return nil
}

// errNoCallback reports an event without the callback envelope that every event has.
var errNoCallback = errors.New("the event is not an event callback")

// changedUser parses the user of a user_change event itself, because slack-go's type lacks the e-mail address.
func changedUser(e slackevents.EventsAPIEvent) (*slack.User, error) {
	callback, ok := e.Data.(*slackevents.EventsAPICallbackEvent)
	if !ok || callback.InnerEvent == nil {
		return nil, errNoCallback
	}
	var inner struct {
		User slack.User `json:"user"`
	}
	if err := json.Unmarshal(*callback.InnerEvent, &inner); err != nil {
		return nil, fmt.Errorf("read user_change: %w", err)
	}
	return &inner.User, nil
}

// directMessage answers a direct message to the bot. Slack also sends events for edited and deleted messages,
// and for the bot's own.
func (b *Bot) directMessage(ctx context.Context, e slackevents.EventsAPIEvent, m *slackevents.MessageEvent) error {
	if m.ChannelType != slackevents.ChannelTypeIM || m.SubType != "" || m.BotID != "" || m.User == "" {
		return nil
	}
	return b.answerOnce(ctx, e, slackcall.Message{Channel: m.Channel, Thread: m.ThreadTimeStamp, Priority: slackcall.ForRest}, func() view.Drawing {
		return b.answerMessage(ctx, typedMessage{
			user: slack.User{ID: m.User, TeamID: m.SourceTeam}, text: m.Text, by: oncall.ByUser(oncall.UserID(m.User)), can: directCommands,
			at: store.MessageRef{Channel: m.Channel, TS: m.TimeStamp}, replyTo: m.ThreadTimeStamp,
		})
	})
}

// mentioned answers a mention of the app, in a thread to keep the channel quiet.
func (b *Bot) mentioned(ctx context.Context, e slackevents.EventsAPIEvent, m *slackevents.AppMentionEvent) error {
	if m.BotID != "" || m.User == "" {
		return nil
	}
	thread := cmp.Or(m.ThreadTimeStamp, m.TimeStamp)
	return b.answerOnce(ctx, e, slackcall.Message{Channel: m.Channel, Thread: thread, Priority: slackcall.ForRest}, func() view.Drawing {
		_, text, _ := strings.Cut(m.Text, ">") // after the mention
		return b.answerMessage(ctx, typedMessage{
			user: slack.User{ID: m.User, TeamID: m.SourceTeam}, text: text, by: oncall.InChannel(oncall.UserID(m.User)), can: mentionCommands,
			at: store.MessageRef{Channel: m.Channel, TS: m.TimeStamp}, follow: store.MessageRef{Channel: m.Channel, TS: thread},
		})
	})
}

// answerOnce does what an event asks for once, however often Slack delivers the event, and posts the
// answer. An answer that has to wait is posted later, because the same words may mean something else
// by the next delivery. An empty answer is not posted.
func (b *Bot) answerOnce(ctx context.Context, e slackevents.EventsAPIEvent, m slackcall.Message, say func() view.Drawing) error {
	callback, ok := e.Data.(*slackevents.EventsAPICallbackEvent)
	if !ok {
		return errNoCallback
	}
	key := "event/" + callback.EventID
	first, err := b.store.RememberEvent(ctx, key, b.clock())
	if err != nil {
		return fmt.Errorf("check for a repeated delivery: %w", err)
	}
	if !first {
		return nil
	}
	answer := say()
	if answer.Text == "" {
		return nil
	}
	if _, err = b.post(ctx, m, answer); err == nil {
		return nil
	}
	if unposted(err) && b.postLater(ctx, m, answer) {
		return nil
	}
	return fmt.Errorf("answer a message to the bot: %w", err)
}

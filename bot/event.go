package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// event handles what Slack reports by itself. If Slack delivers an event again, state is
// set again, but a message is answered only once.
func (b *Bot) event(ctx context.Context, e slackevents.EventsAPIEvent) error {
	switch inner := e.InnerEvent.Data.(type) {
	case *slackevents.AppHomeOpenedEvent:
		if inner.Tab == "home" {
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
	case *slackevents.MessageEvent:
		return b.directMessage(ctx, e, inner)
	}
	return nil
}

// errNoCallback is for an event without the envelope that every event has.
var errNoCallback = errors.New("the event is not an event callback")

// changedUser reads a user_change from its JSON, because slack-go's type lacks the e-mail
// address.
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

// directMessage answers a person who writes to the bot. Slack also sends an event for
// each message that is changed or deleted, and for the bot's own.
func (b *Bot) directMessage(ctx context.Context, e slackevents.EventsAPIEvent, m *slackevents.MessageEvent) error {
	if m.ChannelType != slackevents.ChannelTypeIM || m.SubType != "" || m.BotID != "" || m.User == "" {
		return nil
	}
	callback, ok := e.Data.(*slackevents.EventsAPICallbackEvent)
	if !ok {
		return errNoCallback
	}
	key := "event/" + callback.EventID
	first, err := b.store.FirstSeen(ctx, key, b.clock())
	if err != nil {
		return fmt.Errorf("check for a repeated delivery: %w", err)
	}
	if !first {
		return nil
	}
	_, err = b.post(ctx, slackcall.Message{Channel: m.Channel, Priority: slackcall.ForRest}, view.Help())
	if err == nil {
		return nil
	}
	if o := slackcall.OutcomeOf(err); o == slackcall.Unsent || o == notify.Throttled {
		// It was not posted: the next delivery may try again.
		if err := b.store.Forget(context.WithoutCancel(ctx), key); err != nil {
			return fmt.Errorf("allow a repeated delivery: %w", err)
		}
	}
	return fmt.Errorf("answer a direct message: %w", err)
}

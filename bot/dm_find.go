package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Settle is how long Slack may take to show a message whose posting got no answer.
func (b *Bot) Settle() time.Duration { return 2 * time.Second }

// Find looks in the conversation with a person for a page that an earlier attempt may have
// posted. Where it can't be read it reports none: a second page is better than none.
func (b *Bot) Find(ctx context.Context, m notify.Message, since time.Time) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	channel, err := b.conversation(ctx, oncall.UserID(m.To))
	if err == nil {
		var at store.Place
		var found bool
		if at, found, err = b.find(ctx, store.Place{Channel: channel}, m.Key, since); err == nil {
			return at.Channel + " " + at.TS, found, nil
		}
	}
	if o := became(err); o == rejected || o == misconfigured {
		b.log.Warn().Err(err).Str("user", m.To).Msg("can't look up whether a page was sent already; it may show up twice")
		return "", false, nil
	}
	return "", false, fmt.Errorf("look for the page of incident %d: %w", m.Incident, err)
}

// conversation returns the id of the direct message with a person.
func (b *Bot) conversation(ctx context.Context, with oncall.UserID) (string, error) {
	var dm *slack.Channel
	err := b.call(ctx, call{method: "conversations.open", priority: forAnswer}, func(ctx context.Context) (err error) {
		dm, _, _, err = b.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{string(with)}})
		return err
	})
	if err != nil {
		return "", err
	}
	return dm.ID, nil
}

package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// Settle is how long Slack may take to show a message whose posting got no answer.
func (b *Bot) Settle() time.Duration { return 2 * time.Second }

// Find looks in the conversation with a person for a page that an earlier attempt may have
// posted. Where it can't be read it reports none: a second page is better than none.
func (b *Bot) Find(ctx context.Context, m notify.Message, since time.Time) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	channel, err := b.slack.DirectID(ctx, m.To)
	if err == nil {
		var at slackcall.Place
		var found bool
		if at, found, err = b.slack.Find(ctx, slackcall.Message{Channel: channel, Delivery: m.Key}, since); err == nil {
			return at.Channel + " " + at.TS, found, nil
		}
	}
	if slackcall.Refused(err) {
		b.log.Warn().Err(err).Str("user", m.To).Msg("can't look up whether a page was sent already; it may show up twice")
		return "", false, nil
	}
	return "", false, fmt.Errorf("look for the page of incident %d: %w", m.Incident, err)
}

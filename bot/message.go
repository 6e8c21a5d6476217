package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/store"
)

// post sends one new message. It doesn't try again, since a message whose answer was lost
// may have been posted. Only if Slack refuses the blocks, the text is sent alone.
func (b *Bot) post(ctx context.Context, m slackcall.Message, d view.Drawing) (store.MessageRef, error) {
	named := m.Channel
	m.Channel = b.channel(ctx, named)
	at, err := b.slack.Post(ctx, m, d.Text, d.Blocks)
	if slackcall.BadBlocks(err) {
		b.log.Error().Err(err).Int64("incident", m.Incident).Msg("Slack refuses the blocks of a message; sending the text alone")
		m.Hasty, m.Drawing = false, false // or the caller would come back with the blocks each time
		at, err = b.slack.Post(ctx, m, d.Text, nil)
	}
	if err == nil && strings.HasPrefix(m.Channel, "#") {
		b.learn(ctx, named, at.Channel)
	}
	return store.MessageRef(at), err
}

// update edits a message. If Slack doesn't let it be edited any more, that is no error: trying again wouldn't
// help.
func (b *Bot) update(ctx context.Context, at store.MessageRef, d view.Drawing, e slackcall.Edit) error {
	err := b.edit(ctx, at, d, e)
	if errors.Is(err, store.ErrFrozen) {
		return nil
	}
	return err
}

// edit edits a message. The error is store.ErrFrozen where Slack doesn't let it be edited, as in an
// archived channel.
func (b *Bot) edit(ctx context.Context, at store.MessageRef, d view.Drawing, e slackcall.Edit) error {
	err := b.slack.Update(ctx, slackcall.MessageID(at), d.Text, d.Blocks, e)
	if slackcall.OutcomeOf(err) == slackcall.Frozen {
		b.log.Info().Err(err).Str("channel", at.Channel).Msg("a message can't be edited any more and stays as it is")
		return fmt.Errorf("%w: %w", store.ErrFrozen, err)
	}
	return asGone(err)
}

// find looks for a message that may have been posted at since or later. Where Slack
// doesn't let us read it reports none: a second message is better than none.
func (b *Bot) find(ctx context.Context, m slackcall.Message, since time.Time) (store.MessageRef, bool, error) {
	m.Channel = b.channel(ctx, m.Channel)
	at, found, err := b.slack.Find(ctx, m, since)
	if slackcall.Refused(err) {
		b.log.Warn().Err(err).Str("channel", m.Channel).
			Msg("can't look up whether a message was posted already; it may show up twice")
		return store.MessageRef{}, false, nil
	}
	return store.MessageRef(at), found, err
}

// asGone adds store.ErrGone if the message no longer exists.
func asGone(err error) error {
	if slackcall.OutcomeOf(err) == slackcall.Gone {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return err
}

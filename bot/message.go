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

// post posts a message. It never retries, because a message whose response was lost may have been
// posted. Only if Slack refuses the blocks does it send the text alone.
func (b *Bot) post(ctx context.Context, m slackcall.Message, d view.Drawing) (store.MessageRef, error) {
	named := m.Channel
	m.Channel = b.channel(ctx, named)
	at, err := b.slack.Post(ctx, m, d.Text, d.Blocks)
	if slackcall.BadBlocks(err) {
		b.log.Error().Err(err).Int64("incident", m.Incident).Msg("Slack refuses the blocks of a message; sending the text alone")
		m.FailFast, m.Drawing = false, false // otherwise the caller would retry with the blocks each time
		at, err = b.slack.Post(ctx, m, d.Text, nil)
	}
	if err == nil && strings.HasPrefix(m.Channel, "#") {
		b.rememberChannel(ctx, named, at.Channel)
	}
	return store.MessageRef(at), err
}

// update edits a message. If the message can no longer be edited, that is ignored, because retrying
// wouldn't help.
func (b *Bot) update(ctx context.Context, at store.MessageRef, d view.Drawing, e slackcall.Edit) error {
	err := b.edit(ctx, at, d, e)
	if errors.Is(err, store.ErrFrozen) {
		return nil
	}
	return err
}

// edit edits a message. The error is store.ErrFrozen if Slack no longer allows editing it, for
// instance in an archived channel.
func (b *Bot) edit(ctx context.Context, at store.MessageRef, d view.Drawing, e slackcall.Edit) error {
	err := b.slack.Update(ctx, slackcall.MessageID(at), d.Text, d.Blocks, e)
	if slackcall.OutcomeOf(err) == slackcall.Frozen {
		b.log.Info().Err(err).Str("channel", at.Channel).Msg("a message can no longer be edited and stays as it is")
		return fmt.Errorf("%w: %w", store.ErrFrozen, err)
	}
	return markGone(err)
}

// find looks for a message that may have been posted at since or later. If Slack doesn't let us read the
// channel, it reports none: a duplicate is better than no message.
func (b *Bot) find(ctx context.Context, m slackcall.Message, since time.Time) (store.MessageRef, bool, error) {
	m.Channel = b.channel(ctx, m.Channel)
	at, found, err := b.slack.Find(ctx, m, since)
	if slackcall.Refused(err) {
		b.log.Warn().Err(err).Str("channel", m.Channel).
			Msg("could not look up whether a message was posted; it may appear twice")
		return store.MessageRef{}, false, nil
	}
	return store.MessageRef(at), found, err
}

// markGone adds store.ErrGone to an error that says the message no longer exists.
func markGone(err error) error {
	if slackcall.OutcomeOf(err) == slackcall.Gone {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return err
}

// permalink returns a message's address, or "" if the message hasn't been posted.
func (b *Bot) permalink(ctx context.Context, at store.MessageRef) string {
	if at == (store.MessageRef{}) {
		return ""
	}
	ours, err := b.ourWorkspace(ctx)
	if err != nil {
		b.log.Warn().Err(err).Msg("could not link to a message")
		return ""
	}
	return ours.URL + "archives/" + at.Channel + "/p" + strings.ReplaceAll(at.TS, ".", "")
}

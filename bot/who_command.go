package bot

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// desk answers the shortcuts: who is on call now.
func (b *Bot) desk(ctx context.Context, c slack.InteractionCallback) error {
	if err := b.refuseOutsiders(ctx, c.User); err != nil {
		return err
	}
	r, err := b.request(ctx, oncall.UserID(c.User.ID), nil)
	if err != nil {
		return err
	}
	text, err := b.who(ctx, r)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		text, err = view.Sentence(refusal.Sentence), nil
	}
	if err != nil {
		return err
	}
	return b.openModal(ctx, c.TriggerID, view.Desk(text))
}

// who answers `/oncall who [team or schedule] [when]`.
func (b *Bot) who(ctx context.Context, r request) (string, error) {
	schedules, when, err := b.whoAndWhen(ctx, &r)
	if err != nil {
		return "", err
	}
	if len(schedules) == 0 {
		return "", oncall.Refuse("There are no schedules yet.")
	}
	return view.OnCall(schedules, r.directory.Override, when, r.now, r.location), nil
}

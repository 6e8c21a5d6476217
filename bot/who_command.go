package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

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

package bot

import (
	"context"
	"slices"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// remind answers `/oncall remind [24h 1h|off|default]`, which sets when a person is reminded of their own
// shifts.
func (b *Bot) remind(ctx context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		before, err := b.store.Reminders(ctx, r.by(), r.user.ID)
		if err != nil {
			return "", err
		}
		return view.Reminders(before) + " `/oncall remind 24h 1h` changes that, `/oncall remind off` ends it.", nil
	}
	if slices.Equal(r.words, []string{"default"}) {
		return view.Reminders(oncall.RemindBefore), b.store.SetReminders(ctx, r.by(), r.user.ID, nil, r.now)
	}
	words := make([]string, len(r.words))
	for i, w := range r.words {
		words[i] = view.Name(unescape(w)) // the refusal quotes it
	}
	before, err := oncall.ParseRemindBefore(words)
	if err != nil {
		return "", err
	}
	return view.Reminders(before), b.store.SetReminders(ctx, r.by(), r.user.ID, before, r.now)
}

package bot

import (
	"context"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// remind answers `/oncall remind [24h 1h|off|default]`: when somebody is reminded of their
// own shifts.
func (b *Bot) remind(ctx context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		before, err := b.store.Reminders(ctx, r.user.ID)
		if err != nil {
			return "", err
		}
		return remindWords(before) + " `/oncall remind 24h 1h` changes that, `/oncall remind off` ends it.", nil
	}
	if slices.Equal(r.words, []string{"default"}) {
		return remindWords(oncall.RemindBefore), b.store.SetReminders(ctx, r.user.ID, nil, r.now)
	}
	before, err := oncall.ParseRemindBefore(r.words)
	if err != nil {
		return "", err
	}
	return remindWords(before), b.store.SetReminders(ctx, r.user.ID, before, r.now)
}

func remindWords(before []time.Duration) string {
	if len(before) == 0 {
		return "You are not reminded of your shifts."
	}
	var times []string
	for _, d := range before {
		switch {
		case d%(24*time.Hour) == 0:
			times = append(times, count(int(d/(24*time.Hour)), "day"))
		case d%time.Hour == 0:
			times = append(times, count(int(d/time.Hour), "hour"))
		default:
			times = append(times, count(int(d/time.Minute), "minute"))
		}
	}
	return "You are reminded " + list(times) + " before a shift of yours."
}

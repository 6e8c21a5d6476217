package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// maxFeeds is how many calendars one person may have.
const maxFeeds = 20

// calendar answers `/oncall calendar [schedule]` with the secret address of a calendar, and
// `/oncall calendar revoke`. An address is shown once: it is not kept.
func (b *Bot) calendar(ctx context.Context, r request) (string, error) {
	feeds, err := b.store.FeedsBy(ctx, r.user.ID)
	if err != nil {
		return "", fmt.Errorf("load calendars: %w", err)
	}
	name := strings.Join(r.words, " ")
	f := store.Feed{UserID: r.user.ID, CreatedBy: r.user.ID}
	what := "Your shifts in all schedules"
	switch {
	case strings.EqualFold(name, "revoke"):
		return b.revokeFeeds(ctx, r, feeds)
	case name == "" && len(feeds) > 0:
		return feedsText(r, feeds), nil
	case name != "" && !strings.EqualFold(name, "new"):
		c, err := r.schedule(name)
		if err != nil {
			return "", err
		}
		f.UserID, f.ScheduleID = "", c.ID()
		what = "The shifts of *" + foreign(c.Name(), maxName) + "*"
	}
	if len(feeds) >= maxFeeds {
		return "", oncall.Refuse("You have %d calendars already. `/oncall calendar revoke` ends them.", len(feeds))
	}
	_, secret, err := b.store.MakeFeed(ctx, f, r.now)
	if err != nil {
		return "", fmt.Errorf("make a calendar: %w", err)
	}
	text := fmt.Sprintf("%s, as a calendar to subscribe to:\n`%s/v1/calendar/%s.ics`\nThis address is shown once. %s", what, b.publicURL, secret, calendarHint)
	if b.localURL {
		text += "\nIt only works on Watchbill's own machine until an admin sets WATCHBILL_PUBLIC_URL."
	}
	return text, nil
}

func (b *Bot) revokeFeeds(ctx context.Context, r request, feeds []store.Feed) (string, error) {
	if len(feeds) == 0 {
		return "", oncall.Refuse("You have no calendar to revoke. `/oncall calendar` makes one.")
	}
	for _, f := range feeds {
		if err := b.store.RevokeFeed(ctx, f.ID, r.now); err != nil && !errors.Is(err, oncall.ErrNotFound) {
			return "", fmt.Errorf("revoke a calendar: %w", err)
		}
	}
	return fmt.Sprintf("%s revoked: the address shows nothing any more.", count(len(feeds), "calendar")), nil
}

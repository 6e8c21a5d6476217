package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// maxFeeds is the maximum number of calendar feeds per person.
const maxFeeds = 20

// calendar answers `/oncall calendar [schedule]` with the secret address of a calendar feed, and `/oncall
// calendar revoke`. Only a hash of the address is stored, so it is shown once.
func (b *Bot) calendar(ctx context.Context, r request) (string, error) {
	feeds, err := b.store.FeedsBy(ctx, r.by(), r.user.ID)
	if err != nil {
		return "", fmt.Errorf("load calendars: %w", err)
	}
	name := strings.Join(r.words, " ")
	f := store.Feed{UserID: r.user.ID, CreatedBy: r.user.ID}
	ofSchedule := ""
	switch {
	case strings.EqualFold(name, "revoke"):
		return b.revokeFeeds(ctx, r, feeds)
	case name == "" && len(feeds) > 0:
		return view.Feeds(r.shownFeeds(feeds), mayInSome(r.directory, r.user.ID, access.Subscribe), r.location), nil
	case name != "" && !strings.EqualFold(name, "new"):
		c, err := r.schedule(name)
		if err != nil {
			return "", err
		}
		f.UserID, f.ScheduleID = "", c.ID()
		ofSchedule = c.Name()
	}
	if len(feeds) >= maxFeeds {
		return "", oncall.Refuse("You have %d calendars already. `/oncall calendar revoke` ends them.", len(feeds))
	}
	_, secret, err := b.store.MakeFeed(ctx, r.by(), f, r.now)
	if err != nil {
		return "", fmt.Errorf("make a calendar: %w", err)
	}
	return view.NewFeed(ofSchedule, b.publicURL+"/v1/calendar/"+secret+".ics", b.localURL), nil
}

func (r request) shownFeeds(feeds []store.Feed) []view.Feed {
	shown := make([]view.Feed, len(feeds))
	for i, f := range feeds {
		shown[i].Since = f.CreatedAt
		if c, known := r.directory.Schedule(f.ScheduleID); known {
			shown[i].Schedule = c.Name()
		}
	}
	return shown
}

func (b *Bot) revokeFeeds(ctx context.Context, r request, feeds []store.Feed) (string, error) {
	if len(feeds) == 0 {
		return "", oncall.Refuse("You have no calendar to revoke. `/oncall calendar` makes one.")
	}
	for _, f := range feeds {
		if err := b.store.RevokeFeed(ctx, r.by(), f.ID, r.now); err != nil && !errors.Is(err, oncall.ErrNotFound) {
			return "", fmt.Errorf("revoke a calendar: %w", err)
		}
	}
	return fmt.Sprintf("%s revoked: the address shows nothing any more.", view.Count(len(feeds), "calendar")), nil
}

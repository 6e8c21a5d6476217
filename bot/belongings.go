package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// endsOthers reports whether the person may revoke what belongs to other people.
func (r request) endsOthers() bool {
	return r.directory.Access().May(r.by(), access.OthersThings, access.Object{}) == nil
}

// belongings loads the things of a person that an admin may revoke: contact methods, calendars and
// browser links.
func (b *Bot) belongings(ctx context.Context, r request, user oncall.UserID, message string) (view.Belongings, error) {
	v := view.Belongings{User: user, Location: r.location, Message: message}
	has, err := b.store.Belongings(ctx, r.by(), user)
	if err != nil {
		return v, fmt.Errorf("load what %s has: %w", user, err)
	}
	reach, err := b.store.ContactSettings(ctx, r.by(), user)
	if err != nil {
		return v, fmt.Errorf("load how %s is reached: %w", user, err)
	}
	v.Reached, v.LinksEndedAt = view.OthersReach(user, reach, b.methods, r.location), has.LinksEndedAt
	for _, c := range has.Contacts {
		belonging := view.Belonging{ID: int64(c.ID), What: c.What}
		if !c.Usable {
			belonging.Note = view.Unused
		}
		v.Contacts = append(v.Contacts, belonging)
	}
	for _, f := range has.Feeds {
		belonging := view.Belonging{ID: int64(f.ID), What: "their own shifts", Note: view.Since(f.CreatedAt, r.location)}
		if c, known := r.directory.Schedule(f.ScheduleID); known {
			belonging.What = c.Name()
		} else if f.ScheduleID != 0 {
			belonging.What = "a schedule"
		}
		v.Feeds = append(v.Feeds, belonging)
	}
	return v, nil
}

// pressEnd revokes what an admin has chosen. The store checks the permission.
func (b *Bot) pressEnd(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	user := oncall.UserID(p.view.PrivateMetadata)
	kind, text, _ := strings.Cut(p.value, " ")
	number, _ := strconv.ParseInt(text, 10, 64)
	message := ""
	switch kind {
	case view.EndContact:
		message = "Ended: no page goes there any more."
		err = b.endContact(ctx, p, user, oncall.ContactID(number), r.now)
	case view.EndFeed:
		message = "Ended: the calendar's address shows nothing any more."
		err = b.store.RevokeFeed(ctx, p.by(), store.FeedID(number), r.now)
	case view.EndLinks:
		message = "Ended: the links and buttons that were sent so far answer nothing any more."
		err = b.store.EndLinks(ctx, p.by(), user, r.now)
	default:
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		message = "It was ended before." // and the person was notified at that time
	case err != nil:
		return "", fmt.Errorf("revoke another person's access: %w", err)
	case user != p.user:
		message += " The person is told."
	}
	v, err := b.belongings(ctx, r, user, message)
	if err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, v.Draw())
}

// endContact removes a contact method, or refuses if it no longer exists.
func (b *Bot) endContact(ctx context.Context, p press, user oncall.UserID, id oncall.ContactID, now time.Time) error {
	has, err := b.store.Belongings(ctx, p.by(), user)
	if err != nil {
		return fmt.Errorf("load what %s has: %w", user, err)
	}
	if !slices.ContainsFunc(has.Contacts, func(c store.OwnedContact) bool { return c.ID == id }) {
		return oncall.ErrNotFound
	}
	return b.store.RemoveContact(ctx, p.by(), user, id, now)
}

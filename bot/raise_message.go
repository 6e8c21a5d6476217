package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// raised draws an incident for the person who raised it. What belongs to a private team is hidden in channels,
// and elsewhere from those who may not see it.
func (b *Bot) raised(ctx context.Context, picture oncall.Picture, c store.RaiserCopy) view.Drawing {
	reply := c.Thread != ""
	hidden := picture.Team.Private
	if hidden && !reply {
		directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
		hidden = err != nil || directory.Access().May(oncall.ByUser(c.User), access.See, access.Object{Team: picture.Team.ID}) != nil
	}
	if hidden {
		return view.RaisedVeiled(picture.Incident, reply)
	}
	return view.Raised(picture, reply)
}

// raiserMessage returns the raiser's message, to post or to find.
func raiserMessage(c store.RaiserCopy, delivery string, p slackcall.Priority) slackcall.Message {
	return slackcall.Message{Channel: c.Channel, Thread: c.Thread, Delivery: delivery, Priority: p, Drawing: true}
}

// PostRaiser posts the message in which the person who raised an incident follows it.
func (b *Bot) PostRaiser(ctx context.Context, w store.WaitingDraw, p oncall.Picture, c store.RaiserCopy, delivery string) (store.MessageRef, error) {
	m := raiserMessage(c, delivery, drawPriority(w))
	m.Incident = int64(p.Incident.ID)
	at, err := b.post(ctx, m, b.raised(ctx, p, c))
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("show %s incident %s: %w", c.User, p.Incident.ID, markGone(err))
	}
	return at, nil
}

// RedrawRaiser edits the raiser's message. The error is store.ErrGone if it no longer exists, and
// store.ErrFrozen if it can't be edited.
func (b *Bot) RedrawRaiser(ctx context.Context, w store.WaitingDraw, p oncall.Picture, c store.RaiserCopy) error {
	if err := b.edit(ctx, c.MessageRef, b.raised(ctx, p, c), editOptions(w)); err != nil {
		return fmt.Errorf("show %s incident %s: %w", c.User, p.Incident.ID, err)
	}
	return nil
}

// FindRaiser looks for a message that an earlier PostRaiser may have posted, at since or later.
func (b *Bot) FindRaiser(ctx context.Context, c store.RaiserCopy, delivery string, since time.Time) (store.MessageRef, bool, error) {
	at, found, err := b.find(ctx, raiserMessage(c, delivery, slackcall.ForRoot), since)
	if err != nil {
		return store.MessageRef{}, false, fmt.Errorf("look for the message %s: %w", delivery, err)
	}
	return at, found, nil
}

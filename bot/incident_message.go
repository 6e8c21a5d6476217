package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// PostRoot posts the incident's message in its team's channel. If an error leaves open whether the
// message was posted, FindRoot finds out.
func (b *Bot) PostRoot(ctx context.Context, w store.WaitingDraw, p oncall.Picture, delivery string) (store.MessageRef, error) {
	at, err := b.post(ctx, slackcall.Message{
		Channel: p.Team.Channel, Delivery: delivery, Incident: int64(p.Incident.ID), Priority: drawPriority(w), Drawing: true,
	}, b.inChannel(ctx, p, p.Team.Channel))
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("post incident %s in %s: %w", p.Incident.ID, p.Team.Channel, err)
	}
	return at, nil
}

// inChannel draws an incident for the readers of a channel.
func (b *Bot) inChannel(ctx context.Context, p oncall.Picture, channel string) view.Drawing {
	if b.veiled(ctx, p, channel) {
		return view.Veiled(p.Incident)
	}
	return view.Incident(p)
}

// veiled reports whether a channel may show only the number and state of a private team's incident.
func (b *Bot) veiled(ctx context.Context, p oncall.Picture, channel string) bool {
	if !p.Team.Private {
		return false
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	return err != nil || directory.Veiled(p.Team.ID, channel)
}

// Redraw redraws an incident's message in a channel or, if to is set, in the direct message to a paged person.
// The error is store.ErrGone if the message no longer exists, and store.ErrFrozen if a message in a channel
// can't be edited.
func (b *Bot) Redraw(ctx context.Context, w store.WaitingDraw, at store.MessageRef, p oncall.Picture, to oncall.UserID, why oncall.Sentence) error {
	d, redraw := view.Page(p, to, why), b.update
	if to == "" {
		d, redraw = b.inChannel(ctx, p, at.Channel), b.edit
	}
	if err := redraw(ctx, at, d, editOptions(w)); err != nil {
		return fmt.Errorf("redraw incident %s: %w", p.Incident.ID, err)
	}
	return nil
}

// PostThread posts one thread reply for several events. If Slack's response is lost, it looks for the
// reply before it reports a failure.
func (b *Bot) PostThread(ctx context.Context, root store.MessageRef, picture oncall.Picture, events []oncall.Event, delivery string) error {
	d, loud := view.Thread(picture, events)
	if d.Text == "" || b.veiled(ctx, picture, root.Channel) {
		return nil
	}
	urgency := slackcall.ForThread
	if loud {
		urgency = slackcall.ForAlarm
	}
	began := b.clock()
	m := slackcall.Message{
		Channel: root.Channel, Thread: root.TS, Broadcast: loud,
		Delivery: delivery, Incident: int64(picture.Incident.ID), Priority: urgency, Drawing: true,
	}
	_, err := b.post(ctx, m, d)
	if err != nil && slackcall.OutcomeOf(err) == notify.Unknown {
		if _, found, lookErr := b.find(ctx, m, began); lookErr == nil && found {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("reply to incident %s: %w", picture.Incident.ID, markGone(err))
	}
	b.attachAlerts(ctx, root, picture, events)
	return nil
}

// PostFlapLine posts the thread reply that counts how often a flapping incident has fired again. A
// veiled incident has no such reply.
func (b *Bot) PostFlapLine(ctx context.Context, root store.MessageRef, picture oncall.Picture, delivery string) (store.MessageRef, error) {
	if b.veiled(ctx, picture, root.Channel) {
		return store.MessageRef{}, nil
	}
	m := slackcall.Message{
		Channel: root.Channel, Thread: root.TS,
		Delivery: delivery, Incident: int64(picture.Incident.ID), Priority: slackcall.ForThread, Drawing: true,
	}
	at, err := b.post(ctx, m, view.Flapping(picture.Incident))
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("reply to incident %s: %w", picture.Incident.ID, markGone(err))
	}
	return at, nil
}

// RedrawFlapLine edits the reply of PostFlapLine. The error is store.ErrGone if it no longer exists, and
// store.ErrFrozen if it can't be edited.
func (b *Bot) RedrawFlapLine(ctx context.Context, w store.WaitingDraw, at store.MessageRef, p oncall.Picture) error {
	if err := b.edit(ctx, at, view.Flapping(p.Incident), editOptions(w)); err != nil {
		return fmt.Errorf("redraw a reply to incident %s: %w", p.Incident.ID, err)
	}
	return nil
}

// FindFlapLine looks for the reply that an earlier PostFlapLine may have posted, at since or later.
func (b *Bot) FindFlapLine(ctx context.Context, root store.MessageRef, delivery string, since time.Time) (store.MessageRef, bool, error) {
	at, found, err := b.find(ctx, slackcall.Message{Channel: root.Channel, Thread: root.TS, Delivery: delivery, Priority: slackcall.ForThread}, since)
	if err != nil {
		return store.MessageRef{}, false, fmt.Errorf("look for the reply %s: %w", delivery, err)
	}
	return at, found, nil
}

// FindRoot looks for the message that an earlier PostRoot may have posted, at since or later.
func (b *Bot) FindRoot(ctx context.Context, p oncall.Picture, delivery string, since time.Time) (store.MessageRef, bool, error) {
	at, found, err := b.find(ctx, slackcall.Message{Channel: p.Team.Channel, Delivery: delivery, Priority: slackcall.ForRoot}, since)
	if err != nil {
		return store.MessageRef{}, false, fmt.Errorf("look for incident %s in %s: %w", p.Incident.ID, p.Team.Channel, err)
	}
	return at, found, nil
}

// FindThread looks for the reply that an earlier PostThread may have posted, at since or later.
func (b *Bot) FindThread(ctx context.Context, root store.MessageRef, delivery string, since time.Time) (bool, error) {
	_, found, err := b.find(ctx, slackcall.Message{Channel: root.Channel, Thread: root.TS, Delivery: delivery, Priority: slackcall.ForThread}, since)
	if err != nil {
		return false, fmt.Errorf("look for the reply %s: %w", delivery, err)
	}
	return found, nil
}

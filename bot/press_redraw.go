package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// placeStoredWithin is how long to wait for a message's address to be stored.
const placeStoredWithin = time.Second

// redrawPressed redraws the message with the pressed button at once, ahead of all waiting drawings,
// because somebody is looking at it. If that fails, the draw job does it.
func (b *Bot) redrawPressed(ctx context.Context, callback slack.InteractionCallback) error {
	at := store.MessageRef{Channel: callback.Channel.ID, TS: callback.Message.Timestamp}
	var id oncall.IncidentID
	for _, a := range callback.ActionCallback.BlockActions {
		_, chosen, menu := strings.Cut(a.SelectedOption.Value, "/")
		switch {
		case presses[view.Action(a.ActionID)] == nil:
			id, _ = readIncidentValue(a.Value)
		case menu:
			id, _ = readIncidentValue(chosen)
		}
	}
	m, err := b.store.Pressed(ctx, at, id, b.clock())
	// The button may be pressed before the message's address is stored.
	for n := 0; err == nil && id != 0 && !m.Found && n < 20 && sleep(ctx, placeStoredWithin/20); n++ {
		m, err = b.store.Pressed(ctx, at, id, b.clock())
	}
	if err != nil || !m.Behind {
		return err
	}
	if m.Notice.ID != 0 {
		d, err := b.drawNotice(ctx, m.Notice)
		if err == nil {
			err = b.replace(ctx, at, callback.ResponseURL, d)
		}
		if err != nil {
			return fmt.Errorf("redraw notice %d: %w", m.Notice.ID, err)
		}
		return b.store.NoticeDrawn(ctx, m.Notice.ID, at, m.Notice.Version)
	}
	d := b.inChannel(ctx, m.Picture, at.Channel)
	if m.User != "" {
		d = view.Page(m.Picture, m.User, m.Why)
	}
	failed := b.replace(ctx, at, callback.ResponseURL, d)
	if err := b.store.PressedDrawn(ctx, m, failed == nil, b.clock()); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("redraw the pressed message of incident %s: %w", m.Picture.Incident.ID, failed)
	}
	return nil
}

// replace redraws a pressed message through its response_url, or by an edit if there is no room for
// that.
func (b *Bot) replace(ctx context.Context, at store.MessageRef, responseURL string, d view.Drawing) error {
	err := b.slack.Replace(ctx, slackcall.MessageID(at), responseURL, d.Text, d.Blocks)
	if slackcall.OutcomeOf(err) == slackcall.Unsent {
		err = b.update(ctx, at, d, slackcall.Edit{Priority: slackcall.ForAnswer})
	}
	return err
}

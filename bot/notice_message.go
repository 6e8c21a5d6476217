package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// PostNotice posts a notice to its person or channel.
func (b *Bot) PostNotice(ctx context.Context, notice oncall.Notice) (store.MessageRef, error) {
	d, err := b.noticeFor(ctx, notice)
	var at store.MessageRef
	first := slackcall.ForAlarm
	if notice.Kind == oncall.NoticeDigest { // many on a Monday morning, none urgent
		first = slackcall.ForRest
	}
	if err == nil {
		at, err = b.post(ctx, slackcall.Message{Channel: notice.To, Delivery: notice.Key, Priority: first, FailFast: true}, d)
	}
	if err != nil {
		return store.MessageRef{}, fmt.Errorf("tell %s of %s: %w", notice.To, notice.Kind, markGone(err))
	}
	return at, nil
}

// forReader makes a notice to one person show times in that person's zone.
func (b *Bot) forReader(ctx context.Context, n oncall.Notice) oncall.Notice {
	if n.Detail.TimeZone != "" || !slackcall.IsUser(n.To) {
		return n
	}
	if directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer()); err == nil {
		n.Detail.TimeZone = directory.Users[oncall.UserID(n.To)].TimeZone
	}
	return n
}

// RedrawNotice redraws a notice's message. The error is store.ErrGone if the message no
// longer exists.
func (b *Bot) RedrawNotice(ctx context.Context, w store.WaitingDraw, at store.MessageRef, n oncall.Notice) error {
	d, err := b.drawNotice(ctx, n)
	if err == nil {
		err = b.update(ctx, at, d, editOptions(w))
	}
	if err != nil {
		return fmt.Errorf("redraw notice %d: %w", n.ID, err)
	}
	return nil
}

// drawNotice draws the current state of a posted notice.
func (b *Bot) drawNotice(ctx context.Context, n oncall.Notice) (view.Drawing, error) {
	if n.Kind == oncall.NoticeBundle {
		return view.Bundle(n, b.bundleLinks(ctx, n)), nil
	}
	return b.noticeFor(ctx, n)
}

// noticeFor draws a notice for its readers. A private team's notice is veiled where others read it or
// could.
func (b *Bot) noticeFor(ctx context.Context, notice oncall.Notice) (view.Drawing, error) {
	if !slackcall.IsUser(notice.To) {
		switch directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer()); {
		case err != nil:
			return view.Drawing{}, fmt.Errorf("load the directory: %w", err)
		case directory.VeiledPlace(notice.To):
			return view.VeiledNotice(), nil
		}
	}
	if notice.Kind == oncall.NoticeLeaver {
		return view.Leaver(b.forReader(ctx, notice), b.linksTo(ctx, view.LeftIncidents(notice.Detail.Departures))), nil
	}
	return view.Notice(b.forReader(ctx, notice)), nil
}

// FindNotice looks for a notice that an earlier attempt may have posted in a channel, at since or later. It
// doesn't search direct messages: a duplicate is better than no notice.
func (b *Bot) FindNotice(ctx context.Context, n oncall.Notice, since time.Time) (store.MessageRef, bool, error) {
	if slackcall.IsUser(n.To) {
		return store.MessageRef{}, false, nil
	}
	at, found, err := b.find(ctx, slackcall.Message{Channel: n.To, Delivery: n.Key, Priority: slackcall.ForThread}, since)
	if err != nil {
		return store.MessageRef{}, false, fmt.Errorf("look for notice %d: %w", n.ID, err)
	}
	return at, found, nil
}

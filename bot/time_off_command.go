package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

const awayUsage = "Say from when to when: `/oncall away 2026-12-24 to 2026-12-27 holidays`. " +
	"With `cover` at the end, somebody is wanted for your shifts at once. `/oncall away` lists your time off."

// away answers `/oncall away [from to [note] [cover]]`. Time off takes nobody off call, but
// shows which shifts fall into it and helps to find somebody for them.
func (b *Bot) away(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 0 {
		return b.ownTimeOff(ctx, r)
	}
	words := r.words
	ask := strings.EqualFold(words[len(words)-1], "cover")
	if ask {
		words = words[:len(words)-1]
	}
	s, note, err := r.readSpan(words)
	if err != nil {
		return view.Drawing{}, oncall.Refuse("%s\n%s", err, awayUsage)
	}
	note = unescape(note)
	off, err := b.store.AddTimeOff(ctx, oncall.TimeOff{UserID: r.user.ID, Start: s.from, End: s.to, Note: note}, r.now)
	if err != nil {
		return view.Drawing{}, err
	}
	hit := cut(r.directory.Roster().Stints(r.user.ID, s.from, s.to), s)
	d := view.TimeOff(off, hit, r.user.TimeZone, !ask)
	if ask && len(hit) > 0 {
		said, err := b.askForCover(ctx, r, hit, note, false)
		if err != nil {
			return view.Drawing{}, err
		}
		d = view.Join(d, view.Text(said))
	}
	return d, nil
}

// maxTimeOff bounds the list of time off: each takes two of a message's fifty blocks.
const maxTimeOff = 20

// ownTimeOff lists a person's time off, and the shifts that fall into it.
func (b *Bot) ownTimeOff(ctx context.Context, r request) (view.Drawing, error) {
	own, err := b.timeOff(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	if len(own) == 0 {
		return view.Drawing{}, oncall.Refuse("You have no time off ahead. %s", awayUsage)
	}
	var all view.Drawing
	for _, off := range own[:min(len(own), maxTimeOff)] {
		s := span{off.Start, off.End}
		if s.from.Before(r.now) {
			s.from = r.now
		}
		hit := cut(r.directory.Roster().Stints(r.user.ID, s.from, s.to), s)
		all = view.Join(all, view.TimeOff(off, hit, r.user.TimeZone, len(hit) > 0))
	}
	return all, nil
}

// timeOff is a person's time off that is not over.
func (b *Bot) timeOff(ctx context.Context, r request) ([]oncall.TimeOff, error) {
	all, err := b.store.TimeOff(ctx, r.now, r.now.AddDate(2, 0, 0))
	if err != nil {
		return nil, fmt.Errorf("load time off: %w", err)
	}
	return slices.DeleteFunc(all, func(t oncall.TimeOff) bool { return t.UserID != r.user.ID }), nil
}

// pressedTimeOff finds the time off of a button, if it is the person's own.
func (b *Bot) pressedTimeOff(ctx context.Context, p press) (request, oncall.TimeOff, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return r, oncall.TimeOff{}, err
	}
	own, err := b.timeOff(ctx, r)
	if err != nil {
		return r, oncall.TimeOff{}, err
	}
	for _, off := range own {
		if strconv.FormatInt(int64(off.ID), 10) == p.value {
			return r, off, nil
		}
	}
	return r, oncall.TimeOff{}, oncall.Refuse("You have no such time off ahead any more.")
}

// awayCover asks for cover for all shifts that fall into a time off.
func (b *Bot) awayCover(ctx context.Context, p press) (string, error) {
	r, off, err := b.pressedTimeOff(ctx, p)
	if err != nil {
		return "", err
	}
	s := span{off.Start, off.End}
	if s.from.Before(r.now) {
		s.from = r.now
	}
	hit := cut(r.directory.Roster().Stints(r.user.ID, s.from, s.to), s)
	if len(hit) == 0 {
		return "", oncall.Refuse("None of your shifts is in that time any more.")
	}
	return b.askForCover(ctx, r, hit, off.Note, false)
}

// awayCancel cancels a time off.
func (b *Bot) awayCancel(ctx context.Context, p press) (string, error) {
	r, off, err := b.pressedTimeOff(ctx, p)
	if err != nil {
		return "", err
	}
	if _, err := b.store.CancelTimeOff(ctx, off.ID, r.now); err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return "", fmt.Errorf("cancel time off: %w", err)
	}
	return fmt.Sprintf("Your time off %s is cancelled. Cover that you have asked for stays asked for.",
		view.Between(off.Start, off.End, r.location)), nil
}

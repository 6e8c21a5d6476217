package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

const awayCalendarSaved = "Your calendar is read now, and every hour from then on. A direct message says what was found."

// awayCalendar answers `/oncall away calendar [ADDRESS [days|all|WORD, WORD…]|stop]`, which sets a
// calendar to be read as time off.
func (b *Bot) awayCalendar(ctx context.Context, r request, words []string) (view.Drawing, error) {
	switch {
	case len(words) == 0:
		return b.ownAwayCalendar(ctx, r)
	case len(words) == 1 && oneOf(words, 0, "stop", "end", "remove", "off", "none", "delete"):
		text, err := b.stopAwayCalendar(ctx, r)
		return view.Text(text), err
	}
	c := oncall.AwayCalendar{User: r.user.ID, URL: unescape(words[0])}
	switch rest := strings.Join(words[1:], " "); {
	case strings.EqualFold(rest, string(oncall.AwayDays)):
		c.Rule = oncall.AwayDays
	case strings.EqualFold(rest, string(oncall.AwayAll)):
		c.Rule = oncall.AwayAll
	default:
		c.Words = strings.Split(unescape(rest), ",")
	}
	if err := b.store.SetAwayCalendar(ctx, r.by(), c, r.now); err != nil {
		return view.Drawing{}, fmt.Errorf("set a calendar: %w", err)
	}
	return view.Text(awayCalendarSaved), nil
}

// ownAwayCalendar shows the state of the person's calendar, or asks for one.
func (b *Bot) ownAwayCalendar(ctx context.Context, r request) (view.Drawing, error) {
	c, err := b.store.AwayCalendar(ctx, r.by(), r.user.ID)
	if errors.Is(err, oncall.ErrNotFound) {
		return view.Drawing{}, b.openModal(ctx, r.trigger, view.AwayCalendarForm("", nil))
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return view.AwayCalendar{
		Host: c.Host, Rule: c.Rule, Words: c.Words, ReadAt: c.ReadAt, Events: c.Events, Trouble: c.Trouble, TroubleAt: c.TroubleAt, Zone: r.location,
	}.Draw(), nil
}

func (b *Bot) stopAwayCalendar(ctx context.Context, r request) (string, error) {
	err := b.store.RemoveAwayCalendar(ctx, r.by(), r.user.ID, r.now)
	if errors.Is(err, oncall.ErrNotFound) {
		return "", oncall.Refuse("No calendar of yours is read.")
	}
	if err != nil {
		return "", err
	}
	return "Your calendar is read no more, and the time off ahead that came from it is cancelled. Cover that you have asked for stays asked for.", nil
}

// pressAwayCalendar opens the calendar form.
func (b *Bot) pressAwayCalendar(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	c, err := b.store.AwayCalendar(ctx, r.by(), r.user.ID)
	if err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return "", err
	}
	form := view.AwayCalendarForm(c.Rule, c.Words)
	if p.inModal() {
		return "", b.pushModal(ctx, p.trigger, form)
	}
	return "", b.openModal(ctx, p.trigger, form)
}

// endAwayCalendar stops reading the person's calendar.
func (b *Bot) endAwayCalendar(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return b.stopAwayCalendar(ctx, r)
}

// submitAwayCalendar saves the calendar from the form.
func (b *Bot) submitAwayCalendar(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	c, err := oncall.AwayCalendar{
		User: r.user.ID, URL: s.form.text(view.BlockAwayURL), Rule: oncall.AwayRule(s.form.choice(view.BlockAwayRule)),
		Words: strings.Split(s.form.text(view.BlockAwayWords), ","),
	}.Clean()
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return correct(fieldErrors{view.BlockAwayURL: view.Sentence(refusal.Sentence)}), nil
	}
	if err := b.store.SetAwayCalendar(ctx, s.by(), c, r.now); err != nil {
		return modalResponse{}, fmt.Errorf("set a calendar: %w", err)
	}
	return replace(view.TextModal(awayCalendarSaved)), nil
}

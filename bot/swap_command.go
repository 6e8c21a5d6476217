package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// swap answers `/oncall swap [my shift] [@user] [their shift]`. It opens a form if something is missing.
func (b *Bot) swap(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 1 && oneOf(r.words, 0, "list", "mine", "pending") {
		return b.pending(ctx, r)
	}
	text, err := b.askSwap(ctx, r)
	return view.Drawing{Text: text}, err
}

func (b *Bot) askSwap(ctx context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		return "", b.openModal(ctx, r.trigger, r.swapModal("", "", ""))
	}
	mine, id, theirs, err := b.readSwap(ctx, r)
	if err != nil {
		return "", err
	}
	other, err := b.user(ctx, id)
	if err != nil {
		return "", err
	}
	give, err := r.stintsAt(r.user.ID, mine)
	if err != nil {
		return "", err
	}
	take, err := r.stintsAt(other.ID, theirs)
	if err != nil {
		return "", err
	}
	if len(give) != 1 || len(take) != 1 {
		var chosen, wanted string
		if len(give) == 1 {
			chosen = view.StintValue(give[0])
		}
		if len(take) == 1 {
			wanted = view.StintValue(take[0])
		}
		return "", b.openModal(ctx, r.trigger, r.swapModal(other.ID, chosen, wanted))
	}
	return b.offerSwap(ctx, r, give[0], take[0], "")
}

// pending answers `/oncall swap list` and `/oncall cover list`.
func (b *Bot) pending(ctx context.Context, r request) (view.Drawing, error) {
	swaps, covers, err := b.store.Pending(ctx, r.by(), r.user.ID, r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load what is pending: %w", err)
	}
	return view.Pending(swaps, covers, r.user.TimeZone), nil
}

// readSwap splits "my shift @user their shift" at the person.
func (b *Bot) readSwap(ctx context.Context, r request) (mine []string, other oncall.UserID, theirs []string, err error) {
	words := r.words
	if strings.EqualFold(words[0], "with") && len(words) > 1 {
		words = words[1:]
	}
	for at := range min(len(words), maxOfferWords) {
		if at == 0 {
			if _, n, problem, _ := r.reader().Span(words); n > 0 || problem != schedule.SpanNothing {
				continue // part of the requester's shift, such as "jan 5"
			}
		}
		id, n, err := b.findPerson(ctx, r, words[at:])
		if err != nil {
			return nil, "", nil, err
		}
		if n == 0 {
			continue
		}
		mine, theirs = words[:at], words[at+n:]
		if last := len(mine) - 1; last >= 0 && (strings.EqualFold(mine[last], "with") || strings.EqualFold(mine[last], "for")) {
			mine = mine[:last]
		}
		if len(theirs) > 0 && (strings.EqualFold(theirs[0], "for") || strings.EqualFold(theirs[0], "'s") || strings.EqualFold(theirs[0], "on")) {
			theirs = theirs[1:]
		}
		return mine, id, theirs, nil
	}
	for _, word := range words[:min(len(words), maxOfferWords)] { // the first word that isn't a time may be a mistyped name
		if _, n, _ := r.reader().Moment([]string{word}); n == 0 && guessPerson(r.directory, unescape(word)) != "" {
			return nil, "", nil, r.nobody(word, "/oncall swap mon @bo wed")
		}
	}
	return nil, "", nil, oncall.Refuse("Say whose shift you want for yours: `/oncall swap mon @bo wed`, or only `/oncall swap` to choose.")
}

// maxOfferWords is the maximum number of words before the name; more were pasted.
const maxOfferWords = 30

// offerSwap offers the swap and confirms it.
func (b *Bot) offerSwap(ctx context.Context, r request, give, take schedule.Stint, note string) (string, error) {
	swap, err := b.store.OfferSwap(ctx, r.by(), give, take, note, r.now)
	if err != nil {
		return "", fmt.Errorf("offer a swap: %w", err)
	}
	return view.SwapOffered(swap, r.location), nil
}

// stintsAt finds the shifts that the words refer to; nil without words.
func (r request) stintsAt(user oncall.UserID, words []string) ([]schedule.Stint, error) {
	if len(words) == 0 {
		return nil, nil
	}
	when, err := r.moment(words)
	if err != nil {
		return nil, err
	}
	return r.stintsIn(user, when)
}

// stintsIn finds a person's shifts that begin on a day, or within a day of an instant, or else those that
// include it.
func (r request) stintsIn(user oncall.UserID, when schedule.Moment) ([]schedule.Stint, error) {
	from, to := when.Start, when.End
	today, _ := r.zone.Local(r.now)
	switch {
	case !when.IsInstant() && !to.After(r.now):
		return nil, oncall.Refuse("%s is in the past.", view.Between(from, to, r.location))
	case when.IsInstant() && from.Before(r.zone.Instant(today, 0)):
		return nil, oncall.Refuse("%s is in the past.", view.Time(from, r.location))
	case from.Before(r.now):
		from = r.now
	}
	if when.IsInstant() {
		to = from.Add(24 * time.Hour)
	}
	var begin, within []schedule.Stint
	for _, s := range r.stints(user) {
		switch {
		case !s.Start.Before(from) && s.Start.Before(to) && s.Start.After(r.now):
			begin = append(begin, s)
		case !s.Start.After(from) && s.End.After(from), !when.IsInstant() && s.Start.Before(to) && s.End.After(from):
			within = append(within, s)
		}
	}
	switch {
	case len(begin) > 0:
		return begin, nil
	case len(within) > 0:
		return within, nil
	case when.IsInstant():
		return nil, oncall.Refuse("%s has no shift at %s.", user, view.Time(from, r.location))
	}
	return nil, oncall.Refuse("%s has no shift in %s.", user, view.Between(from, to, r.location))
}

// stints returns the shifts of a person that can be chosen.
func (r request) stints(user oncall.UserID) []schedule.Stint {
	return r.directory.Roster().Stints(user, r.now, r.now.Add(view.ShiftsAhead))
}

// ownStint finds a person's shift by its value in a form. The shift may have moved since the form was drawn.
func (r request) ownStint(user oncall.UserID, value string) (schedule.Stint, error) {
	for _, s := range r.stints(user) {
		if view.StintValue(s) == value {
			return s, nil
		}
	}
	return schedule.Stint{}, oncall.Refuse("That shift of %s's has changed in the meantime. Please choose again.", user)
}

// swapPress returns the handler of a swap's button.
func swapPress(act oncall.SwapAct) func(*Bot, context.Context, press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		id, err := strconv.ParseInt(p.value, 10, 64)
		if err != nil {
			return "", fmt.Errorf("read the id of a swap: %w", err)
		}
		_, err = b.store.UpdateSwap(ctx, p.by(), oncall.SwapID(id), act, b.clock())
		if errors.Is(err, oncall.ErrNotFound) {
			return "", oncall.Refuse("The swap or one of its schedules no longer exists.")
		}
		return "", err
	}
}

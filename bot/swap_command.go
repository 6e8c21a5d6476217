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
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// swap answers `/oncall swap [my shift] [@user] [their shift]`. It opens a form if something is missing.
func (b *Bot) swap(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 1 && oneOf(r.words, 0, "list", "mine", "pending") {
		return b.pending(ctx, r)
	}
	return b.askSwap(ctx, r)
}

func (b *Bot) askSwap(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 0 {
		return view.Drawing{}, b.openModal(ctx, r.trigger, r.swapModal("", "", ""))
	}
	typed, unequal := r.words, len(r.words) > 1 && oneOf(r.words, 0, "unequal")
	if unequal {
		r.words = r.words[1:]
	}
	mine, id, theirs, err := b.readSwap(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	other, err := b.user(ctx, id)
	if err != nil {
		return view.Drawing{}, err
	}
	give, err := r.stintsAt(r.user.ID, mine)
	if err != nil {
		return view.Drawing{}, err
	}
	take, err := r.stintsAt(other.ID, theirs)
	if err != nil {
		return view.Drawing{}, err
	}
	give, take = oncall.Swappable(give, r.now), oncall.Swappable(take, r.now)
	if len(give) != 1 || len(take) != 1 {
		return b.askWhichSwap(ctx, r, other.ID, give, take)
	}
	if mine, other := give[0].End.Sub(give[0].Start), take[0].End.Sub(take[0].Start); !unequal && max(mine, other) > 2*min(mine, other) {
		return drawQuestion(r, store.MessageRef{}, nil, view.Drawing{}, ask([]choice{
			{label: "Ask all the same", words: append([]string{"swap", "unequal"}, typed...)}, {label: "Choose others…", form: view.ActionHomeSwap},
		}, "%s", view.UnequalSwap(give[0], take[0], id, r.location)))
	}
	text, err := b.offerSwap(ctx, r, give[0], take[0], "")
	return view.Drawing{Text: text}, err
}

// askWhichSwap asks which shifts are to be swapped, if the words name none, or a day that several touch: in a form, or where
// none can be opened, by a button for one.
func (b *Bot) askWhichSwap(ctx context.Context, r request, other oncall.UserID, give, take []schedule.Stint) (view.Drawing, error) {
	which := view.SwapWhich{Other: other, Give: view.StintValues(give), Take: view.StintValues(take)}
	if r.trigger == "" {
		return which.Draw(give, take, r.user.TimeZone), nil
	}
	return view.Drawing{}, b.openModal(ctx, r.trigger, r.swapOf(which).Draw())
}

// pressSwapWhich opens the form for the shifts that a message asked about.
func (b *Bot) pressSwapWhich(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	which, err := view.ReadSwapWhich(p.value)
	if err != nil {
		return "", fmt.Errorf("read the shifts of a swap: %w", err)
	}
	return "", b.openModal(ctx, p.trigger, r.swapOf(which).Draw())
}

// pending answers `/oncall swap list` and `/oncall cover list`.
func (b *Bot) pending(ctx context.Context, r request) (view.Drawing, error) {
	swaps, covers, err := b.store.PendingSwaps(ctx, r.by(), r.user.ID, r.now)
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
		if id == r.user.ID {
			return nil, "", nil, oncall.Refuse("That is you. Say whose shift you want for yours: `/oncall swap mon @bo wed`, or only `/oncall swap` to choose.")
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
	return view.SwapOffered(swap, r.user.TimeZone), nil
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

// stintsIn finds a person's shifts that a time can mean.
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
		to = from
	}
	switch meant := oncall.ShiftsMeant(r.stintParts(user), from, to); {
	case len(meant) > 0:
		return meant, nil
	case when.IsInstant():
		return nil, oncall.Refuse("%s no shift at %s.", r.has(user), view.Time(from, r.location))
	}
	return nil, oncall.Refuse("%s no shift in %s.", r.has(user), view.Between(from, to, r.location))
}

// has begins a sentence about somebody, who may be the one who asks.
func (r request) has(user oncall.UserID) oncall.Sentence {
	if user == r.user.ID {
		return oncall.Say("You have")
	}
	return oncall.Say("%s has", user)
}

// stints returns the shifts of a person that can be chosen.
func (r request) stints(user oncall.UserID) []schedule.Stint {
	return r.directory.Roster().Stints(user, r.now, r.now.Add(view.ShiftsAhead))
}

// stintParts returns the same divided into turns and what was taken over: a time that somebody types means one of them.
func (r request) stintParts(user oncall.UserID) []schedule.Stint {
	return r.directory.Roster().StintParts(user, r.now, r.now.Add(view.ShiftsAhead))
}

// ownStint finds a person's shift, or a part of one, by its value in a form. The shift may have moved since the form was drawn.
func (r request) ownStint(user oncall.UserID, value string) (schedule.Stint, error) {
	for _, s := range slices.Concat(r.stints(user), r.stintParts(user)) {
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

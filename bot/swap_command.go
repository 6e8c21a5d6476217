package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// swap answers `/oncall swap [my shift] [@user] [their shift]`. A form asks for what is
// missing.
func (b *Bot) swap(ctx context.Context, r request) (string, error) {
	at := slices.IndexFunc(r.words, func(w string) bool { _, ok := view.ReadMention(w); return ok })
	if at < 0 {
		if len(r.words) > 0 {
			return "", oncall.Refuse("Say whose shift you want for yours: `/oncall swap mon @bo wed`, or only `/oncall swap` to choose.")
		}
		return "", b.openModal(ctx, r.trigger, r.swapModal("", "", ""))
	}
	id, _ := view.ReadMention(r.words[at])
	other, err := b.user(ctx, id)
	if err != nil {
		return "", err
	}
	mine, theirs := r.words[:at], r.words[at+1:]
	if len(theirs) > 0 && theirs[0] == "for" {
		theirs = theirs[1:]
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

// offerSwap makes the offer and says so.
func (b *Bot) offerSwap(ctx context.Context, r request, give, take schedule.Stint, note string) (string, error) {
	swap, err := b.store.OfferSwap(ctx, give, take, note, r.now)
	if err != nil {
		return "", fmt.Errorf("offer a swap: %w", err)
	}
	return view.SwapOffered(swap, r.location), nil
}

// stintsAt finds the shifts of a person that words mean: those that begin within a day of
// the time, or else the one that it falls into. No words mean no shift.
func (r request) stintsAt(user oncall.UserID, words []string) ([]schedule.Stint, error) {
	if len(words) == 0 {
		return nil, nil
	}
	at, err := parseWhen(words, r.zone, r.now, r.now)
	if err != nil {
		return nil, err
	}
	if at.Before(r.now) {
		at = r.now
	}
	var begin, within []schedule.Stint
	for _, s := range r.stints(user) {
		switch {
		case !s.Start.Before(at) && s.Start.Before(at.Add(24*time.Hour)):
			begin = append(begin, s)
		case s.Start.Before(at) && s.End.After(at):
			within = append(within, s)
		}
	}
	switch {
	case len(begin) > 0:
		return begin, nil
	case len(within) > 0:
		return within, nil
	}
	return nil, oncall.Refuse("%s has no shift at %s.", user, view.Time(at, r.location))
}

// stints are the shifts of a person that can be chosen.
func (r request) stints(user oncall.UserID) []schedule.Stint {
	return r.directory.Roster().Stints(user, r.now, r.now.Add(view.ShiftsAhead))
}

// ownStint finds a person's shift by its value in a form. It may have moved since the form
// was drawn.
func (r request) ownStint(user oncall.UserID, value string) (schedule.Stint, error) {
	for _, s := range r.stints(user) {
		if view.StintValue(s) == value {
			return s, nil
		}
	}
	return schedule.Stint{}, oncall.Refuse("That shift of %s's has changed in the meantime. Please choose again.", user)
}

// swapPress makes the handler of a button of a swap.
func swapPress(act oncall.SwapAct) func(*Bot, context.Context, press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		id, err := strconv.ParseInt(p.value, 10, 64)
		if err != nil {
			return "", fmt.Errorf("read the id of a swap: %w", err)
		}
		_, err = b.store.UpdateSwap(ctx, oncall.SwapID(id), p.user, act, b.clock())
		if errors.Is(err, oncall.ErrNotFound) {
			return "", oncall.Refuse("The swap or one of its schedules no longer exists.")
		}
		return "", err
	}
}

// manages reports whether a person may act for others in a schedule: its team may.
func manages(d *store.Directory, user oncall.UserID, schedule *schedule.Schedule) bool {
	return slices.Contains(d.Members[schedule.TeamID()], user) || slices.Contains(d.Admins(schedule.TeamID()), user)
}

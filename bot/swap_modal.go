package bot

import (
	"cmp"
	"context"
	"slices"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// swapModal returns the form for two shifts, with the given ones preselected, or else the next ones, as in most swaps.
func (r request) swapModal(other oncall.UserID, give, take string) slack.ModalViewRequest {
	f := view.SwapForm{Mine: r.swappable(r.user.ID), Other: other, Give: give, Take: take, Zone: r.location}
	if other != "" && other != r.user.ID {
		f.Theirs = r.swappable(other)
	}
	f.Give, f.Take = cmp.Or(f.Give, next(f.Mine)), cmp.Or(f.Take, next(f.Theirs))
	return f.Draw()
}

// swapOf returns the form that asks which of several shifts is meant. It offers only these, and preselects none of several.
func (r request) swapOf(w view.SwapWhich) view.SwapForm {
	f := view.SwapForm{Mine: r.swappable(r.user.ID), Other: w.Other, Theirs: r.swappable(w.Other), Zone: r.location}
	f.Mine, f.Give = meant(f.Mine, r.stintParts(r.user.ID), w.Give)
	f.Theirs, f.Take = meant(f.Theirs, r.stintParts(w.Other), w.Take)
	f.Several = len(w.Give) > 1 || len(w.Take) > 1
	return f
}

// meant keeps the parts with these values, and chooses the only one, or without values the first of all shifts.
func meant(all, parts []schedule.Stint, values []string) (kept []schedule.Stint, chosen string) {
	if len(values) == 0 {
		return all, next(all)
	}
	kept = slices.DeleteFunc(slices.Clone(parts), func(s schedule.Stint) bool { return !slices.Contains(values, view.StintValue(s)) })
	if len(kept) == 1 {
		chosen = next(kept)
	}
	return kept, chosen
}

// next returns the value of the first of these shifts.
func next(shifts []schedule.Stint) string {
	if len(shifts) == 0 {
		return ""
	}
	return view.StintValue(shifts[0])
}

// swappable returns a person's future shifts.
func (r request) swappable(user oncall.UserID) []schedule.Stint {
	return slices.DeleteFunc(r.stints(user), func(s schedule.Stint) bool { return !s.Start.After(r.now) })
}

// swapOther shows the shifts of the chosen person.
func (b *Bot) swapOther(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	f := formOf(p.view)
	other := f.user(view.BlockWith)
	return "", b.updateModal(ctx, p.view, r.swapModal(other, f.choice(view.BlockGive), ""))
}

// submitSwap offers the swap, and replaces the form by what was offered.
func (b *Bot) submitSwap(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	other, err := b.user(ctx, s.form.user(view.BlockWith))
	if err != nil {
		return modalResponse{}, err
	}
	chosen := s.form.choice(view.TakeBlock(other.ID))
	if chosen == "" {
		return correct(fieldErrors{view.BlockWith: "Choose somebody who has a shift, and one of theirs."}), nil
	}
	give, err := r.ownStint(r.user.ID, s.form.choice(view.BlockGive))
	if err != nil {
		return modalResponse{}, err
	}
	take, err := r.ownStint(other.ID, chosen)
	if err != nil {
		return modalResponse{}, err
	}
	answer, err := b.offerSwap(ctx, r, give, take, s.form.text(view.BlockNote))
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.SwapSent(answer)), nil
}

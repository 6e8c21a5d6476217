package bot

import (
	"context"
	"slices"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// swapModal asks for two shifts, with those chosen that are known already.
func (r request) swapModal(other oncall.UserID, give, take string) slack.ModalViewRequest {
	f := view.SwapForm{Mine: r.toSwap(r.user.ID), Other: other, Give: give, Take: take, Zone: r.location}
	if other != "" && other != r.user.ID {
		f.Theirs = r.toSwap(other)
	}
	return f.Draw()
}

// toSwap are the shifts of a person that have not begun.
func (r request) toSwap(user oncall.UserID) []schedule.Stint {
	return slices.DeleteFunc(r.stints(user), func(s schedule.Stint) bool { return !s.Start.After(r.now) })
}

// swapOther shows the shifts of the person who was chosen.
func (b *Bot) swapOther(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	f := formOf(p.view)
	other := f.user(view.BlockWith)
	return "", b.updateModal(ctx, p.view, r.swapModal(other, f.choice(view.BlockGive), ""))
}

// submitSwap makes the offer.
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
	_, err = b.offerSwap(ctx, r, give, take, s.form.text(view.BlockNote))
	return modalResponse{}, err
}

package bot

import (
	"context"
)

// swapOther shows the shifts of the person who was chosen.
func (b *Bot) swapOther(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	f := formOf(p.view)
	other := f.user(actionSwapOther)
	return "", b.updateModal(ctx, p.view, r.swapModal(other, f.choice(blockGive), ""))
}

// submitSwap makes the offer.
func (b *Bot) submitSwap(ctx context.Context, s submission) (answer, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return answer{}, err
	}
	other, err := b.user(ctx, s.form.user(actionSwapOther))
	if err != nil {
		return answer{}, err
	}
	chosen := s.form.choice(takeBlockID(other.ID))
	if chosen == "" {
		return correct(map[string]string{actionSwapOther: "Choose somebody who has a shift, and one of theirs."}), nil
	}
	give, err := r.ownStint(r.user.ID, s.form.choice(blockGive))
	if err != nil {
		return answer{}, err
	}
	take, err := r.ownStint(other.ID, chosen)
	if err != nil {
		return answer{}, err
	}
	_, err = b.offerSwap(ctx, r, give, take, s.form.text(blockNote))
	return answer{}, err
}

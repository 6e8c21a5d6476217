package bot

import (
	"context"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// submitCover makes the cover request, and replaces the form with the list of people who were asked.
func (b *Bot) submitCover(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	stint, err := r.ownStint(oncall.UserID(s.meta()), s.form.choice(view.BlockShift))
	if err != nil {
		return modalResponse{}, err
	}
	part, wrong := s.form.part(stint)
	if wrong != nil {
		return correct(wrong), nil
	}
	answer, err := b.askForCover(ctx, r, []schedule.Stint{part}, s.form.text(view.BlockNote), s.form.checked(view.BlockWhom, view.AskWholeTeam))
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.CoverWanted(answer)), nil
}

// part cuts a stint to the chosen times, if any, or returns the errors of the inputs.
func (f form) part(stint schedule.Stint) (schedule.Stint, fieldErrors) {
	from, to := f.instant(view.BlockFrom), f.instant(view.BlockTo)
	if from.IsZero() {
		from = stint.Start
	}
	if to.IsZero() {
		to = stint.End
	}
	switch {
	case !from.Before(to):
		return stint, fieldErrors{view.BlockTo: "The end is not after the start."}
	case !from.Before(stint.End):
		return stint, fieldErrors{view.BlockFrom: "The shift is over by then."}
	case !to.After(stint.Start):
		return stint, fieldErrors{view.BlockTo: "The shift has not begun by then."}
	}
	return clip([]schedule.Stint{stint}, span{from: from, to: to})[0], nil
}

// submitPart takes over the chosen part of a shift.
func (b *Bot) submitPart(ctx context.Context, s submission) (modalResponse, error) {
	from, to := s.form.instant(view.BlockFrom), s.form.instant(view.BlockTo)
	if !from.Before(to) {
		return correct(fieldErrors{view.BlockTo: "The end is not after the start."}), nil
	}
	_, err := b.actOnCover(ctx, s.meta(), s.user, oncall.CoverAct{Do: oncall.TakeCover, From: from, To: to})
	return modalResponse{}, err
}

package bot

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

const (
	modalCover     = "cover"
	modalCoverPart = "cover_part"
	blockShift     = "shift"
	blockFrom      = "from"
	blockTo        = "to"
	blockWhom      = "whom"
	everybodyToo   = "everyone"
)

// coverModal asks which shift of a person somebody is wanted for.
func (r request) coverModal(user oncall.UserID) slack.ModalViewRequest {
	var shifts []option
	for _, s := range r.stints(user) {
		shifts = append(shifts, r.stintOption(s))
	}
	if len(shifts) == 0 {
		return readOnly("Find cover", section(fmt.Sprintf("%s has no shift in the next %d weeks.", mention(user), weeksAhead)))
	}
	team := slack.NewCheckboxGroupsBlockElement(blockWhom, optionObject(option{everybodyToo, "Ask the whole team, not only this schedule"}))
	return dialog(modalCover, "Find cover", "Ask", string(user),
		choiceField(blockShift, "Shift", "", "", shifts),
		optional(instantField(blockFrom, "From", "Empty: the whole shift.", time.Time{})),
		optional(instantField(blockTo, "To", "", time.Time{})),
		optional(textField(blockNote, "Note", "", "")),
		optional(field(blockWhom, "Whom to ask", "", team)))
}

// submitCover makes the request.
func (b *Bot) submitCover(ctx context.Context, s submission) (answer, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return answer{}, err
	}
	stint, err := r.ownStint(oncall.UserID(s.meta()), s.form.choice(blockShift))
	if err != nil {
		return answer{}, err
	}
	part, wrong := s.form.part(stint)
	if wrong != nil {
		return correct(wrong), nil
	}
	_, err = b.askForCover(ctx, r, []schedule.Stint{part}, s.form.text(blockNote), s.form.checked(blockWhom, everybodyToo))
	return answer{}, err
}

// part cuts a stint to the times that were chosen, if any; else it says what is wrong.
func (f form) part(s schedule.Stint) (schedule.Stint, map[string]string) {
	from, to := f.instant(blockFrom), f.instant(blockTo)
	if from.IsZero() {
		from = s.Start
	}
	if to.IsZero() {
		to = s.End
	}
	switch {
	case !from.Before(to):
		return s, map[string]string{blockTo: "The end is not after the start."}
	case !from.Before(s.End):
		return s, map[string]string{blockFrom: "The shift is over by then."}
	case !to.After(s.Start):
		return s, map[string]string{blockTo: "The shift has not begun by then."}
	}
	return cut([]schedule.Stint{s}, span{from, to})[0], nil
}

// partModal asks which part of a shift somebody takes.
func partModal(c oncall.Cover, left schedule.Stint) slack.ModalViewRequest {
	return dialog(modalCoverPart, "Take a part", "Take it", strconv.FormatInt(int64(c.ID), 10),
		section(stintWords(c.Stint, "")),
		instantField(blockFrom, "From", "", left.Start), instantField(blockTo, "To", "", left.End))
}

// submitPart takes the part.
func (b *Bot) submitPart(ctx context.Context, s submission) (answer, error) {
	from, to := s.form.instant(blockFrom), s.form.instant(blockTo)
	if !from.Before(to) {
		return correct(map[string]string{blockTo: "The end is not after the start."}), nil
	}
	return answer{}, b.decideCover(ctx, s.meta(), s.user,
		func(c oncall.Cover, by oncall.UserID, r oncall.Roster, now time.Time) (oncall.CoverChange, error) {
			return c.Take(by, from, to, r, now)
		})
}

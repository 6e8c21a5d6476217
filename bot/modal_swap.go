package bot

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

const (
	modalSwap       = "swap"
	actionSwapOther = "swap_other" // somebody was chosen: their shifts are shown
	blockGive       = "give"
	blockTake       = "take"
	blockNote       = "note"
)

// swapModal asks for two shifts; what is known already is chosen in it.
func (r request) swapModal(other oncall.UserID, give, take string) slack.ModalViewRequest {
	var mine []option
	for _, s := range r.stints(r.user.ID) {
		if s.Start.After(r.now) {
			mine = append(mine, r.stintOption(s))
		}
	}
	if len(mine) == 0 {
		return readOnly("Swap shifts", section(fmt.Sprintf("You have no shift that begins in the next %d weeks, so there is nothing to swap.", weeksAhead)))
	}
	person := userField(actionSwapOther, "For a shift of", "", other)
	person.DispatchAction = true
	blocks := []slack.Block{choiceField(blockGive, "Your shift", "", give, mine), person}
	if other != "" {
		blocks = append(blocks, r.takeBlock(other, take))
	}
	blocks = append(blocks, optional(textField(blockNote, "Note", "", "")))
	return dialog(modalSwap, "Swap shifts", "Ask", "", blocks...)
}

const weeksAhead = int(shiftsAhead / (7 * 24 * 3600 * 1e9))

// takeBlock is the choice among the other person's shifts. Its id names them, so that a
// choice is forgotten when somebody else is chosen.
func (r request) takeBlock(other oncall.UserID, chosen string) slack.Block {
	var theirs []option
	for _, s := range r.stints(other) {
		if s.Start.After(r.now) && other != r.user.ID {
			theirs = append(theirs, r.stintOption(s))
		}
	}
	if len(theirs) == 0 {
		return section(fmt.Sprintf("%s has no shift to swap in the next %d weeks.", mention(other), weeksAhead))
	}
	return choiceField(takeBlockID(other), "Their shift", "", chosen, theirs)
}

func takeBlockID(other oncall.UserID) string { return blockTake + "_" + string(other) }

// stintOption is a shift to choose, in the person's own zone.
func (r request) stintOption(s schedule.Stint) option {
	label := between(s.Start, s.End, r.location) + ", " + s.Name
	if s.Role != schedule.RolePrimary {
		label += " (" + s.Role + ")"
	}
	return option{value: stintValue(s), label: label}
}

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

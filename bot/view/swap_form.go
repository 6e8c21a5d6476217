package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A SwapForm is the form of a swap, as far as it is known.
type SwapForm struct {
	Mine   []schedule.Stint // shifts that the requester can give
	Other  oncall.UserID    // empty if nobody is chosen yet
	Theirs []schedule.Stint
	Give   string // values of the chosen shifts
	Take   string
	Zone   *time.Location
}

// Draw draws the form, prefilled.
func (f SwapForm) Draw() slack.ModalViewRequest {
	if len(f.Mine) == 0 {
		return readOnly("Swap shifts", section(fmt.Sprintf("You have no shift that begins in the next %d weeks, so there is nothing to swap.", weeksAhead)))
	}
	person := userField(BlockWith, "For a shift of", "", f.Other)
	person.DispatchAction = true
	blocks := []slack.Block{choiceField(BlockGive, "Your shift", "", f.Give, stintOptions(f.Mine, f.Zone)), person}
	if f.Other != "" {
		blocks = append(blocks, f.takeField())
	}
	blocks = append(blocks, optional(textField(BlockNote, "Note", "", "")))
	return dialog(ModalSwap, "Swap shifts", "Ask", "", blocks...)
}

// takeField draws the choice of one of the other person's shifts. Its id includes the person, so that Slack
// clears the choice when another is chosen.
func (f SwapForm) takeField() slack.Block {
	if len(f.Theirs) == 0 {
		return section(fmt.Sprintf("%s has no shift to swap in the next %d weeks.", mention(f.Other), weeksAhead))
	}
	return choiceField(TakeBlock(f.Other), "Their shift", "", f.Take, stintOptions(f.Theirs, f.Zone))
}

// TakeBlock returns the input of the other person's shift.
func TakeBlock(other oncall.UserID) Block { return blockTake + "_" + Block(other) }

// SwapSent replaces the form and says what was offered.
func SwapSent(text string) slack.ModalViewRequest { return readOnly("Swap shifts", section(text)) }

// SwapOffered says who was asked, and until when.
func SwapOffered(s oncall.Swap, zone *time.Location) string {
	return fmt.Sprintf("%s is asked, by %s at the latest. You can take it back until then, in the message you get.",
		mention(s.Take.User), Time(s.ExpiresAt, zone))
}

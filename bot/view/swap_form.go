package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A SwapForm is what is known of a swap before it is offered.
type SwapForm struct {
	Mine   []schedule.Stint // from which the asker chooses
	Other  oncall.UserID    // "" if nobody is chosen yet
	Theirs []schedule.Stint
	Give   string // the values of the shifts that are chosen
	Take   string
	Zone   *time.Location
}

// Draw asks for two shifts; what is known already is chosen in it.
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

// takeField is the choice of one of the other person's shifts. Its id names the person, so
// that Slack forgets what was chosen when somebody else is.
func (f SwapForm) takeField() slack.Block {
	if len(f.Theirs) == 0 {
		return section(fmt.Sprintf("%s has no shift to swap in the next %d weeks.", mention(f.Other), weeksAhead))
	}
	return choiceField(TakeBlock(f.Other), "Their shift", "", f.Take, stintOptions(f.Theirs, f.Zone))
}

// TakeBlock is the input of a shift of the other person's.
func TakeBlock(other oncall.UserID) Block { return blockTake + "_" + Block(other) }

// SwapOffered says who is asked, and until when.
func SwapOffered(s oncall.Swap, zone *time.Location) string {
	return fmt.Sprintf("%s is asked, by %s at the latest. You can take it back until then, in the message you get.",
		mention(s.Take.User), Time(s.ExpiresAt, zone))
}

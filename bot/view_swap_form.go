package bot

import (
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	modalSwap       = "swap"
	actionSwapOther = "swap_other" // somebody was chosen: their shifts are shown
	blockGive       = "give"
	blockTake       = "take"
	blockNote       = "note"
)

// A swapForm is what is known of a swap before it is offered.
type swapForm struct {
	mine   []schedule.Stint // from which the asker chooses
	other  oncall.UserID    // "" if nobody is chosen yet
	theirs []schedule.Stint
	give   string // the values of the shifts that are chosen
	take   string
	zone   *time.Location
}

// drawSwapForm asks for two shifts; what is known already is chosen in it.
func drawSwapForm(f swapForm) slack.ModalViewRequest {
	if len(f.mine) == 0 {
		return readOnly("Swap shifts", section(fmt.Sprintf("You have no shift that begins in the next %d weeks, so there is nothing to swap.", weeksAhead)))
	}
	person := userField(actionSwapOther, "For a shift of", "", f.other)
	person.DispatchAction = true
	blocks := []slack.Block{choiceField(blockGive, "Your shift", "", f.give, stintOptions(f.mine, f.zone)), person}
	if f.other != "" {
		blocks = append(blocks, f.takeField())
	}
	blocks = append(blocks, optional(textField(blockNote, "Note", "", "")))
	return dialog(modalSwap, "Swap shifts", "Ask", "", blocks...)
}

// shiftsAhead is how far ahead shifts are offered to choose from.
const (
	weeksAhead  = 8
	shiftsAhead = weeksAhead * 7 * 24 * time.Hour
)

// takeField is the choice among the other person's shifts. Its id names them, so that a
// choice is forgotten when somebody else is chosen.
func (f swapForm) takeField() slack.Block {
	if len(f.theirs) == 0 {
		return section(fmt.Sprintf("%s has no shift to swap in the next %d weeks.", mention(f.other), weeksAhead))
	}
	return choiceField(takeBlockID(f.other), "Their shift", "", f.take, stintOptions(f.theirs, f.zone))
}

func takeBlockID(other oncall.UserID) string { return blockTake + "_" + string(other) }

// stintOptions are shifts to choose, in the person's own zone.
func stintOptions(stints []schedule.Stint, zone *time.Location) []option {
	options := make([]option, len(stints))
	for i, s := range stints {
		label := between(s.Start, s.End, zone) + ", " + s.Name
		if s.Role != schedule.RolePrimary {
			label += " (" + s.Role + ")"
		}
		options[i] = option{value: stintValue(s), label: label}
	}
	return options
}

// stintValue tells the stints of one person apart. One that runs begins now, so its
// start would not do.
func stintValue(s schedule.Stint) string {
	return strconv.FormatInt(int64(s.Schedule), 10) + "/" + strconv.FormatInt(s.End.Unix(), 10) + "/" + s.Role
}

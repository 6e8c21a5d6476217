package bot

import (
	"fmt"
	"strconv"

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

// stintValue tells the stints of one person apart. One that runs begins now, so its
// start would not do.
func stintValue(s schedule.Stint) string {
	return strconv.FormatInt(int64(s.Schedule), 10) + "/" + strconv.FormatInt(s.End.Unix(), 10) + "/" + s.Role
}

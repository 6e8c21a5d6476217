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

// partModal asks which part of a shift somebody takes.
func partModal(c oncall.Cover, left schedule.Stint) slack.ModalViewRequest {
	return dialog(modalCoverPart, "Take a part", "Take it", strconv.FormatInt(int64(c.ID), 10),
		section(stintWords(c.Stint, "")),
		instantField(blockFrom, "From", "", left.Start), instantField(blockTo, "To", "", left.End))
}

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

// coverForm asks for which of a person's shifts somebody is wanted.
func coverForm(user oncall.UserID, shifts []schedule.Stint, zone *time.Location) slack.ModalViewRequest {
	if len(shifts) == 0 {
		return readOnly("Find cover", section(fmt.Sprintf("%s has no shift in the next %d weeks.", mention(user), weeksAhead)))
	}
	team := slack.NewCheckboxGroupsBlockElement(blockWhom, optionObject(option{everybodyToo, "Ask the whole team, not only this schedule"}))
	return dialog(modalCover, "Find cover", "Ask", string(user),
		choiceField(blockShift, "Shift", "", "", stintOptions(shifts, zone)),
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

// coverAskedText says who has been asked to take a shift.
func coverAskedText(c oncall.Cover, zone string) string {
	asked := "nobody yet, because it is night where they are, or there is nobody to ask"
	if len(c.Asked) > 0 {
		var users []oncall.UserID
		for _, a := range c.Asked {
			users = append(users, a.User)
		}
		asked = named(users)
	}
	return fmt.Sprintf("Somebody is wanted for %s. Asked: %s. %s stays on call until somebody takes it.",
		stintWords(c.Stint, zone), asked, mention(c.Stint.User))
}

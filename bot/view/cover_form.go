package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// AskWholeTeam is the value of the checkbox to ask the whole team.
const AskWholeTeam = "everyone"

// CoverForm draws the form for the shift that needs cover.
func CoverForm(user oncall.UserID, shifts []schedule.Stint, zone *time.Location) slack.ModalViewRequest {
	if len(shifts) == 0 {
		return readOnly("Find cover", section(fmt.Sprintf("%s has no shift in the next %d weeks.", mention(user), weeksAhead)))
	}
	return dialog(ModalCover, "Find cover", "Ask", string(user),
		choiceField(BlockShift, "Shift", "", "", stintOptions(shifts, zone)),
		optional(instantField(BlockFrom, "From", "Empty: the whole shift.", time.Time{})),
		optional(instantField(BlockTo, "To", "", time.Time{})),
		optional(textField(BlockNote, "Note", "", "")),
		optional(checkField(BlockWhom, "Whom to ask", "", option{AskWholeTeam, "Ask the whole team, not only this schedule"})))
}

// CoverPartForm draws the form for the part of a shift to take.
func CoverPartForm(c oncall.Cover, left schedule.Stint) slack.ModalViewRequest {
	return dialog(ModalCoverPart, "Take a part", "Take it", valueOf(c.ID),
		section(StintWords(c.Stint, "")),
		instantField(BlockFrom, "From", "", left.Start), instantField(BlockTo, "To", "", left.End))
}

// CoverAsked says who was asked to take a shift.
func CoverAsked(c oncall.Cover, zone string) string {
	asked := "nobody yet, because it is night where they are, or there is nobody to ask"
	if len(c.Asked) > 0 {
		var users []oncall.UserID
		for _, a := range c.Asked {
			users = append(users, a.User)
		}
		asked = named(users)
	}
	return fmt.Sprintf("Somebody is wanted for %s. Asked: %s. %s", StintWords(c.Stint, zone), asked, untilTaken(c.Stint))
}

// untilTaken says who is on call until somebody takes a shift.
func untilTaken(s schedule.Stint) string {
	if s.Vacant {
		return "Nobody is on call until somebody takes it."
	}
	return mention(s.User) + " stays on call until somebody takes it."
}

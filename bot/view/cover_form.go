package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// AskWholeTeam is the value of the checkbox to ask the whole team.
const AskWholeTeam = "everyone"

// CoverForm draws the form for the shift that needs cover, with the first chosen, or the one that includes a part, and that
// part. why says why the form is needed.
func CoverForm(user oncall.UserID, shifts []schedule.Stint, part schedule.Stint, zone *time.Location, why string) slack.ModalViewRequest {
	if len(shifts) == 0 {
		return readOnly("Find cover", section(fmt.Sprintf("%s has no shift in the next %d weeks.", mention(user), weeksAhead)))
	}
	i := max(0, slices.IndexFunc(shifts, func(s schedule.Stint) bool {
		return s.Schedule == part.Schedule && s.Role == part.Role && s.Start.Before(part.End) && s.End.After(part.Start)
	}))
	var from, to time.Time
	if part.Start.After(shifts[i].Start) {
		from = part.Start
	}
	if !part.End.IsZero() && part.End.Before(shifts[i].End) {
		to = part.End
	}
	var blocks []slack.Block
	if why != "" {
		blocks = append(blocks, section(why))
	}
	return dialog(ModalCover, "Find cover", "Ask", string(user), append(blocks,
		choiceField(BlockShift, "Shift", "", StintValue(shifts[i]), stintOptions(shifts, zone)),
		optional(instantField(BlockFrom, "From", "Empty: the whole shift.", from)),
		optional(instantField(BlockTo, "To", "", to)),
		optional(textField(BlockNote, "Note", "", "")),
		optional(checkField(BlockWhom, "Whom to ask", "", option{AskWholeTeam, "Ask the whole team, not only this schedule"})))...)
}

// CoverPartForm draws the form for the part of a shift to take.
func CoverPartForm(c oncall.Cover, left schedule.Stint) slack.ModalViewRequest {
	return dialog(ModalCoverPart, "Take a part", "Take it", valueOf(c.ID),
		section(StintWords(c.Stint, "")),
		instantField(BlockFrom, "From", "", left.Start), instantField(BlockTo, "To", "", left.End))
}

// CoverAsked says who was asked to take a shift, or why nobody was.
func CoverAsked(c oncall.Cover, zone string) string {
	asked := unasked(c.Unasked, c.Stint, c.Everyone, zone)
	if len(c.Asked) > 0 {
		var users []oncall.UserID
		for _, a := range c.Asked {
			users = append(users, a.User)
		}
		asked = "Asked: " + named(users) + "."
	}
	return fmt.Sprintf("Somebody is wanted for %s. %s %s", StintWords(c.Stint, zone), asked, untilTaken(c.Stint))
}

// CoverWanted replaces the form and says who was asked.
func CoverWanted(d Drawing) slack.ModalViewRequest { return readOnly("Find cover", d.Blocks...) }

// CoverRequested answers whoever asks for cover, with a button that takes it back.
func CoverRequested(c oncall.Cover, zone string) Drawing {
	text := CoverAsked(c, zone)
	return Drawing{Text: text, Blocks: []slack.Block{section(text), slack.NewActionBlock("", coverTakeBack(c.ID))}}
}

// coverTakeBack is the button that takes a request back where its answer takes the button's place.
func coverTakeBack(id oncall.CoverID) *slack.ButtonBlockElement {
	take := button(ActionCoverWithdraw, valueOf(id), "Take back")
	take.ActionID += "/" + InList
	return take
}

// CoverWithdrawn says that nobody is looked for any more.
func CoverWithdrawn(c oncall.Cover, zone string) string {
	return "Taken back: nobody is looked for any more for " + StintWords(c.Stint, zone) + "."
}

// unready are the reasons why somebody isn't asked, behind their names.
var unready = map[oncall.UnaskedReason]string{
	oncall.UnaskedAway: "away then", oncall.UnaskedOnCall: "on call then", oncall.UnaskedLeft: "no longer in Slack",
}

// unasked says why nobody is asked yet.
func unasked(all []oncall.CoverUnasked, stint schedule.Stint, everyone bool, zone string) string {
	var later, never []string
	for _, u := range all {
		switch why := unready[u.Why]; {
		case u.Why == oncall.UnaskedNight && len(later) < MaxNamed:
			later = append(later, fmt.Sprintf("%s (%s)", mention(u.User), Time(u.At, location(zone))))
		case why != "" && len(never) < MaxNamed:
			never = append(never, fmt.Sprintf("%s (%s)", mention(u.User), why))
		}
	}
	var parts []string
	if len(later) > 0 {
		parts = append(parts, "Nobody is asked yet, as it is night where they are. To be asked: "+List(later)+".")
	} else {
		parts = append(parts, fmt.Sprintf("Nobody is asked, as nobody else in *%s* can take it.", Name(stint.Name)))
	}
	if len(never) > 0 {
		parts = append(parts, "Left out: "+List(never)+".")
	}
	if len(later) == 0 && !everyone {
		parts = append(parts, "`/oncall cover everyone` asks the whole team.")
	}
	return strings.Join(parts, " ")
}

// untilTaken says who is on call until somebody takes a shift.
func untilTaken(s schedule.Stint) string {
	if s.Vacant {
		return "Nobody is on call until somebody takes it."
	}
	return mention(s.User) + " stays on call until somebody takes it."
}

package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Weekdays are the days in the form of an override.
var Weekdays = []schedule.Weekday{
	schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday, schedule.Saturday, schedule.Sunday,
}

func weekdayOptions() []option {
	options := make([]option, len(Weekdays))
	for i, d := range Weekdays {
		options[i] = option{string(d), time.Weekday((i+1)%7).String() + "s"}
	}
	return options
}

// maxMoved is the maximum number of changed shifts in an answer.
const (
	maxMoved   = 12
	maxClashes = 3 // maximum number of conflicting shifts
)

// Override confirms an override and lists what it changes, with a button to undo it.
func Override(draft OverrideDraft, id oncall.OverrideID, replaced []oncall.UserID, moves []schedule.Move, zone *time.Location) Drawing {
	instead := "when nobody else would be"
	switch {
	case draft.Replaces == ReplaceNobody:
		instead = "in addition to whoever is"
	case draft.Replaces == ReplaceOne:
		instead = "instead of " + mention(draft.Leaves)
	case len(replaced) > 0:
		instead = "instead of " + named(replaced)
	}
	when := ""
	if len(draft.Windows) > 0 {
		when = ", only " + strings.ReplaceAll(schedule.WindowsText(draft.Windows), "\n", " and ")
	}
	if draft.Covered {
		when += ", only when somebody would be on call"
	}
	text := fmt.Sprintf("%s is on call in *%s* %s%s, %s.", mention(draft.User), Name(draft.Schedule.Name()),
		Between(draft.From, draft.To, zone), when, instead)
	blocks := []slack.Block{section(text)}
	if draft.Reason != "" {
		blocks = append(blocks, section("> "+Foreign(draft.Reason, maxNote)))
	}
	if draft.Away {
		text += " Note: " + timeOffNote([]oncall.UserID{draft.User})
		blocks[0] = section(text)
	}
	if lines := shiftChanges(moves, zone); lines != "" {
		blocks = append(blocks, slack.NewContextBlock("", words(lines)))
	}
	for i, c := range draft.Clashes {
		if i == maxClashes {
			break
		}
		blocks = append(blocks, section(twiceOnCall(draft.User, withRole(Name(c.Name), c.Role)+", "+Between(c.Start, c.End, zone))))
	}
	undo := []slack.BlockElement{button(ActionOverrideCancel, valueOf(id), "Undo")}
	switch {
	case draft.Covered:
		undo = append(undo, button(ActionOverrideSwitch, valueOf(id), "All of the time"))
	case draft.Gaps && draft.Replaces == ReplaceAll:
		undo = append(undo, button(ActionOverrideSwitch, valueOf(id), "Only when somebody would be on call"))
	}
	return Drawing{Text: text, Blocks: append(blocks, slack.NewActionBlock("", undo...))}
}

// twiceOnCall warns that somebody is on call elsewhere at the same time.
func twiceOnCall(user oncall.UserID, where string) string {
	return ":warning: " + mention(user) + " is on call at the same time in " + where + ": a page that goes on to the next would reach the same person."
}

// shiftChanges lists the changed shifts.
func shiftChanges(moves []schedule.Move, zone *time.Location) string {
	text := ""
	for i, m := range moves {
		if i == maxMoved {
			return text + "\n… and " + Count(len(moves)-i, "change") + " more"
		}
		word := "off call"
		if m.Gained {
			word = "on call"
		}
		if text != "" {
			text += "\n"
		}
		text += fmt.Sprintf("%s %s %s", mention(m.User), word, Between(m.Start, m.End, zone))
	}
	return text
}

// Replaces says who goes off call when an override begins.
type Replaces string

// The people that an override replaces.
const (
	ReplaceAll    Replaces = "all"
	ReplaceOne    Replaces = "one"
	ReplaceNobody Replaces = "add"
)

// An OverrideDraft is a requested override. Zero values are not known yet.
type OverrideDraft struct {
	Schedule *schedule.Schedule
	User     oncall.UserID
	From, To time.Time
	Replaces Replaces
	Leaves   oncall.UserID // for ReplaceOne
	Reason   string
	Windows  []schedule.Window // in the person's zone
	Away     bool              // User has time off at that time
	Gaps     bool              // for part of the time nobody would be on call
	Covered  bool              // only while somebody would be on call
	Clashes  []schedule.Stint  // where User is on call at the same time
	More     bool              // show all inputs
}

// OverrideForm draws the form of an override, prefilled. reason says why the form is needed.
func OverrideForm(schedules []*schedule.Schedule, draft OverrideDraft, reason string) slack.ModalViewRequest {
	if len(schedules) == 0 {
		return readOnly("Override", section("There is no schedule to change yet."))
	}
	chosen := ""
	if draft.Schedule != nil {
		chosen = scheduleOption(draft.Schedule).Value
	}
	var blocks []slack.Block
	if reason != "" {
		blocks = append(blocks, section(reason))
	}
	clock := func(block Block, label string) *slack.InputBlock {
		return optional(field(block, label, "", slack.NewTimePickerBlockElement(string(block))))
	}
	blocks = append(blocks,
		choiceField(BlockSchedule, "Schedule", "", chosen, scheduleOptions(schedules)),
		userField(BlockWho, "Who is on call", "", draft.User),
		instantField(BlockFrom, "From", "", draft.From), instantField(BlockTo, "To", "", draft.To),
		optional(textField(BlockReason, "Reason", "", draft.Reason)))
	if !draft.More && draft.Replaces == ReplaceAll && len(draft.Windows) == 0 { // the usual inputs
		blocks = append(blocks, slack.NewActionBlock("override_more", button(ActionOverrideMore, "", "More: beside others, certain hours…")))
		return dialog(ModalOverride, "Override", "Save", "", blocks...)
	}
	blocks = append(blocks,
		choiceField(BlockInstead, "Instead of", "", string(draft.Replaces), []option{
			{string(ReplaceAll), "Everybody who would be on call"}, {string(ReplaceOne), "One person, whom you choose below"}, {string(ReplaceNobody), "Nobody: in addition"},
		}),
		optional(userField(BlockLeaves, "That one person", "", draft.Leaves)),
		optional(checkField(BlockDays, "Only on these days", "Empty: all the time from the start to the end.", weekdayOptions()...)),
		clock(BlockDayFrom, "On each of them from"), clock(BlockDayTo, "until"))
	return dialog(ModalOverride, "Override", "Save", "", blocks...)
}

// OverrideMade replaces the form and shows what the override has changed.
func OverrideMade(d Drawing) slack.ModalViewRequest { return readOnly("Override", d.Blocks...) }

// InList is the suffix of a button's id in a list, which is redrawn without what the button has ended.
const InList = "list"

// OwnOverride shows an override that the reader can cancel. The schedule is nil if it was removed.
func OwnOverride(override schedule.Override, in *schedule.Schedule, zone *time.Location) Drawing {
	name := "a removed schedule"
	if in != nil {
		name = Name(in.Name())
	}
	users := override.Users
	if override.To != "" {
		users = []oncall.UserID{override.To}
	}
	line := fmt.Sprintf("%s in *%s*, %s", named(users), name, Between(override.Start, override.End, zone))
	cancel := button(ActionOverrideCancel, valueOf(override.ID), "Cancel")
	cancel.ActionID += "/" + InList
	return Drawing{Text: line, Blocks: []slack.Block{slack.NewSectionBlock(words(line), nil, slack.NewAccessory(cancel))}}
}

// OverrideCancelled says who is on call without the override.
func OverrideCancelled(s *schedule.Schedule, users []oncall.UserID, at time.Time, zone *time.Location) string {
	name, when := Name(s.Name()), Time(at, zone)
	if len(users) == 0 {
		return fmt.Sprintf("Cancelled. *Nobody* is on call in *%s* at %s.", name, when)
	}
	return fmt.Sprintf("Cancelled. On call in *%s* at %s: %s.", name, when, named(users))
}

// OverrideSwitched says when an override applies from now on.
func OverrideSwitched(o schedule.Override, zone *time.Location) string {
	when := "all of the time"
	if o.OnlyCovered {
		when = "only when somebody would be on call"
	}
	return fmt.Sprintf("%s is on call %s, %s. `/oncall override cancel` undoes it.", named(o.Users), Between(o.Start, o.End, zone), when)
}

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
	modalOverride        = "override"
	actionOverrideCancel = "override_cancel"
	blockSchedule        = "schedule"
	blockWho             = "who"
	blockInstead         = "instead"
	blockLeaves          = "leaves"
	blockReason          = "reason"
	blockDays            = "days"
	blockDayFrom         = "day_from"
	blockDayTo           = "day_to"
)

var weekdays = []option{
	{"mon", "Mondays"},
	{"tue", "Tuesdays"},
	{"wed", "Wednesdays"},
	{"thu", "Thursdays"},
	{"fri", "Fridays"},
	{"sat", "Saturdays"},
	{"sun", "Sundays"},
}

// maxMoved bounds how many changed shifts an answer lists.
const maxMoved = 12

// drawOverride says what an override changes, with a button to undo it.
func drawOverride(w overrideWish, id oncall.OverrideID, replaced []oncall.UserID, moves []schedule.Move, zone *time.Location) drawing {
	instead := "when nobody else would be"
	switch {
	case w.whom == wishAdd:
		instead = "in addition to whoever is"
	case w.whom == wishOne:
		instead = "instead of " + mention(w.leaves)
	case len(replaced) > 0:
		instead = "instead of " + named(replaced)
	}
	when := ""
	if len(w.windows) > 0 {
		var days []string
		for _, d := range w.windows[0].Days {
			days = append(days, string(d))
		}
		when = fmt.Sprintf(" on %s from %s to %s", list(days), w.windows[0].From, w.windows[0].To)
	}
	text := fmt.Sprintf("%s is on call in *%s* from %s to %s%s, %s.", mention(w.user), foreign(w.schedule.Name(), maxName),
		stamp(w.from, asDay, zone), stamp(w.to, asDay, zone), when, instead)
	blocks := []slack.Block{section(text)}
	if w.reason != "" {
		blocks = append(blocks, section("> "+foreign(w.reason, maxNote)))
	}
	if w.away {
		text += " Note: " + timeOffNote([]oncall.UserID{w.user})
		blocks[0] = section(text)
	}
	if lines := shiftChanges(moves, zone); lines != "" {
		blocks = append(blocks, slack.NewContextBlock("", words(lines)))
	}
	undo := slack.NewButtonBlockElement(actionOverrideCancel, strconv.FormatInt(int64(id), 10), plain("Undo"))
	return drawing{text: text, blocks: append(blocks, slack.NewActionBlock("", undo))}
}

// shiftChanges lists whose shifts change.
func shiftChanges(moves []schedule.Move, zone *time.Location) string {
	text := ""
	for i, m := range moves {
		if i == maxMoved {
			return text + "\n… and " + count(len(moves)-i, "change") + " more"
		}
		word := "off call"
		if m.Gained {
			word = "on call"
		}
		if text != "" {
			text += "\n"
		}
		text += fmt.Sprintf("%s %s %s", mention(m.User), word, between(m.Start, m.End, zone))
	}
	return text
}

// Whom an override replaces.
const (
	wishAll = "all"
	wishOne = "one"
	wishAdd = "add"
)

// An overrideWish is an override as somebody asks for it. Zero values are unknown yet.
type overrideWish struct {
	schedule *schedule.Schedule
	user     oncall.UserID
	from, to time.Time
	whom     string        // wishAll, wishOne or wishAdd
	leaves   oncall.UserID // with wishOne
	reason   string
	windows  []schedule.Window // in the person's zone
	away     bool              // who is to be on call has time off
}

// overrideForm asks for an override in one of the schedules; what is known is filled in.
// Said is why it is asked.
func overrideForm(schedules []*schedule.Schedule, w overrideWish, said string) slack.ModalViewRequest {
	if len(schedules) == 0 {
		return readOnly("Override", section("There is no schedule to change yet."))
	}
	chosen := ""
	if w.schedule != nil {
		chosen = scheduleOption(w.schedule).value
	}
	var blocks []slack.Block
	if said != "" {
		blocks = append(blocks, section(said))
	}
	days := make([]*slack.OptionBlockObject, len(weekdays))
	for i, d := range weekdays {
		days[i] = optionObject(d)
	}
	clock := func(block, label string) *slack.InputBlock {
		return optional(field(block, label, "", slack.NewTimePickerBlockElement(block)))
	}
	blocks = append(blocks,
		choiceField(blockSchedule, "Schedule", "", chosen, scheduleOptions(schedules)),
		userField(blockWho, "Who is on call", "", w.user),
		instantField(blockFrom, "From", "", w.from), instantField(blockTo, "To", "", w.to),
		choiceField(blockInstead, "Instead of", "", w.whom, []option{
			{wishAll, "Everybody who would be on call"}, {wishOne, "One person, whom you choose below"}, {wishAdd, "Nobody: in addition"},
		}),
		optional(userField(blockLeaves, "That one person", "", w.leaves)),
		optional(textField(blockReason, "Reason", "", w.reason)),
		optional(field(blockDays, "Only on these days", "Empty: all the time from the start to the end.",
			slack.NewCheckboxGroupsBlockElement(blockDays, days...))),
		clock(blockDayFrom, "On each of them from"), clock(blockDayTo, "until"))
	return dialog(modalOverride, "Override", "Save", "", blocks...)
}

// overrideMade shows in the place of the form what the override has changed.
func overrideMade(d drawing) slack.ModalViewRequest { return readOnly("Override", d.blocks...) }

// ownOverride is one that its person can cancel; the schedule may have been removed.
func ownOverride(o schedule.Override, in *schedule.Schedule, zone *time.Location) drawing {
	name := "a removed schedule"
	if in != nil {
		name = foreign(in.Name(), maxName)
	}
	users := o.Users
	if o.To != "" {
		users = []oncall.UserID{o.To}
	}
	line := fmt.Sprintf("%s in *%s*, %s", named(users), name, between(o.Start, o.End, zone))
	cancel := slack.NewButtonBlockElement(actionOverrideCancel, strconv.FormatInt(int64(o.ID), 10), plain("Cancel"))
	return drawing{text: line, blocks: []slack.Block{slack.NewSectionBlock(words(line), nil, slack.NewAccessory(cancel))}}
}

// overrideCancelled says who is on call at an instant without the override.
func overrideCancelled(s *schedule.Schedule, users []oncall.UserID, at time.Time, zone *time.Location) string {
	name, when := foreign(s.Name(), maxName), stamp(at, asDay, zone)
	if len(users) == 0 {
		return fmt.Sprintf("Cancelled. *Nobody* is on call in *%s* at %s.", name, when)
	}
	return fmt.Sprintf("Cancelled. On call in *%s* at %s: %s.", name, when, named(users))
}

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
func drawOverride(w wish, id oncall.OverrideID, replaced []oncall.UserID, moves []schedule.Move, zone *time.Location) drawing {
	instead := "when nobody else would be"
	switch {
	case w.whom == wishAdd:
		instead = "in addition to whoever is"
	case w.whom == wishOne:
		instead = "instead of " + mention(w.from)
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
		stamp(w.span.from, asDay, zone), stamp(w.span.to, asDay, zone), when, instead)
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

// overrideModal asks for an override; what is known is filled in. Said is why it is asked.
func (r request) overrideModal(w wish, said string) slack.ModalViewRequest {
	var schedules []option
	for _, s := range r.directory.Schedules {
		schedules = append(schedules, option{strconv.FormatInt(int64(s.ID()), 10), s.Name()})
	}
	if len(schedules) == 0 {
		return readOnly("Override", section("There is no schedule to change yet."))
	}
	chosen := ""
	if w.schedule == nil {
		w.schedule, _ = r.schedule("")
	}
	if w.schedule != nil {
		chosen = strconv.FormatInt(int64(w.schedule.ID()), 10)
	}
	if w.span.from.IsZero() {
		w.span = span{r.now, r.now.Add(time.Hour)}
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
		choiceField(blockSchedule, "Schedule", "", chosen, schedules),
		userField(blockWho, "Who is on call", "", w.user),
		instantField(blockFrom, "From", "", w.span.from), instantField(blockTo, "To", "", w.span.to),
		choiceField(blockInstead, "Instead of", "", w.whom, []option{
			{wishAll, "Everybody who would be on call"}, {wishOne, "One person, whom you choose below"}, {wishAdd, "Nobody: in addition"},
		}),
		optional(userField(blockLeaves, "That one person", "", w.from)),
		optional(textField(blockReason, "Reason", "", w.reason)),
		optional(field(blockDays, "Only on these days", "Empty: all the time from the start to the end.",
			slack.NewCheckboxGroupsBlockElement(blockDays, days...))),
		clock(blockDayFrom, "On each of them from"), clock(blockDayTo, "until"))
	return dialog(modalOverride, "Override", "Save", "", blocks...)
}

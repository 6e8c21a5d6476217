package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// AskForCover is the value of the checkbox to ask for cover at once.
const AskForCover = "cover"

// A TimeOffDraft is requested time off. Zero values are not known yet.
type TimeOffDraft struct {
	From, To time.Time
	Cover    bool
	Zone     *time.Location // the person's time zone
}

// TimeOffForm draws the form of time off, by days and, optionally, times, prefilled. reason says why the form
// is needed.
func TimeOffForm(w TimeOffDraft, reason string) slack.ModalViewRequest {
	day := func(block Block, label, hint string, at time.Time) *slack.InputBlock {
		e := slack.NewDatePickerBlockElement(string(block))
		if !at.IsZero() {
			e.InitialDate = at.In(w.Zone).Format(time.DateOnly)
		}
		return field(block, label, hint, e)
	}
	clock := func(block Block, label string, at time.Time) *slack.InputBlock {
		e := slack.NewTimePickerBlockElement(string(block))
		if text := at.In(w.Zone).Format("15:04"); !at.IsZero() && text != "00:00" {
			e.InitialTime = text
		}
		return optional(field(block, label, "", e))
	}
	last := w.To
	if !last.IsZero() && last.In(w.Zone).Format("15:04") == "00:00" { // end of the previous day
		last = last.Add(-time.Minute)
	}
	blocks := []slack.Block{slack.NewActionBlock("away_more", button(ActionAwayCalendar, "", "Read it from my calendar…"))}
	if reason != "" {
		blocks = append([]slack.Block{section(reason)}, blocks...)
	}
	cover := checkField(BlockWhom, "Your shifts", "", option{AskForCover, "Ask for cover at once"})
	if w.Cover {
		e := cover.Element.(*slack.CheckboxGroupsBlockElement)
		e.InitialOptions = e.Options
	}
	return dialog(ModalAway, "Time off", "Save", "", append(blocks,
		day(BlockFrom, "First day", "", w.From), day(BlockTo, "Last day", "It is part of your time off.", last),
		clock(BlockDayFrom, "On the first day only from", w.From), clock(BlockDayTo, "On the last day only until", w.To),
		optional(textField(BlockNote, "Note", "", "")), optional(cover))...)
}

// WhoIsAway lists who has time off between two instants.
func WhoIsAway(all []oncall.TimeOff, from, until time.Time, zone *time.Location) Drawing {
	if len(all) == 0 {
		return Text("Nobody of your teams has time off " + Between(from, until, zone) + ".")
	}
	lines := []string{"Time off in your teams:"}
	for _, t := range all[:min(len(all), maxMoves)] {
		lines = append(lines, "• "+mention(t.UserID)+": "+Between(t.Start, t.End, zone))
	}
	if more := len(all) - maxMoves; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return Text(strings.Join(lines, "\n"))
}

// TimeOffSaved replaces the form and shows which shifts the time off affects.
func TimeOffSaved(d Drawing) slack.ModalViewRequest { return readOnly("Time off", d.Blocks...) }

// MoreTimeOff offers the form below a list of time off.
func MoreTimeOff() Drawing {
	return Drawing{Blocks: []slack.Block{slack.NewActionBlock("more_time_off", button(ActionHomeAway, "", "Add time off…"), button(ActionAwayCalendar, "", "Read it from my calendar…"))}}
}

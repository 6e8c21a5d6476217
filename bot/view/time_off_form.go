package view

import (
	"time"

	"github.com/slack-go/slack"
)

// AskForCover is the value of the choice to ask for cover at once.
const AskForCover = "cover"

// An AwayWish is time off as somebody asks for it. Zero values are unknown yet.
type AwayWish struct {
	From, To time.Time
	Cover    bool
	Zone     *time.Location // in which the person reads times
}

// AwayForm asks for time off, by days and, where wanted, times. What is known is filled in; said is
// why the rest must be asked for.
func AwayForm(w AwayWish, said string) slack.ModalViewRequest {
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
	if !last.IsZero() && last.In(w.Zone).Format("15:04") == "00:00" { // the end of the day before
		last = last.Add(-time.Minute)
	}
	var blocks []slack.Block
	if said != "" {
		blocks = append(blocks, section(said))
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

// AwayTaken takes the place of the form and shows which shifts the time off hits.
func AwayTaken(d Drawing) slack.ModalViewRequest { return readOnly("Time off", d.Blocks...) }

// MoreTimeOff offers the form below a list of time off.
func MoreTimeOff() Drawing {
	return Drawing{Blocks: []slack.Block{slack.NewActionBlock("more_time_off", button(ActionHomeAway, "", "Add time off…"))}}
}

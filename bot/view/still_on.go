package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// drawStillOn asks a person who has an incident whether they are still on it, until they answer or it no longer
// matters.
func drawStillOn(n oncall.Notice) Drawing {
	facts := n.Detail
	if len(facts.Incidents) != 1 {
		return drawLines(n)
	}
	id := facts.Incidents[0]
	since := fmt.Sprintf("You acknowledged it at %s.", noticeInstant(facts.Start, facts.TimeZone))
	if len(facts.Users) > 1 {
		since = fmt.Sprintf("%s have it since %s; the answer of one is enough.", named(facts.Users), noticeInstant(facts.Start, facts.TimeZone))
	}
	question := fmt.Sprintf("Are you still on incident *%s* %s? %s", id, Foreign(strings.Join(facts.Lines, " "), maxTitle), since)
	if facts.State != "" {
		state := stillOnState(facts)
		return Drawing{Text: question + " " + state, Blocks: []slack.Block{section(question), section(state)}}
	}
	question += fmt.Sprintf(" Without an answer it pages again at %s.", noticeTime(facts.End, facts.TimeZone))
	return Drawing{Text: question, Blocks: []slack.Block{section(question), slack.NewActionBlock("still_on",
		button(ActionStillOn, valueOf(id), "Still on it").WithStyle(slack.StylePrimary),
		button(ActionResolve, valueOf(id), "Resolve"),
		button(ActionReassign, valueOf(id), "Hand over…"),
	)}}
}

// stillOnState says what became of the question.
func stillOnState(f oncall.NoticeDetail) string {
	by := "Watchbill"
	if f.By != "" {
		by = mention(f.By)
	}
	switch when := noticeTime(f.StateAt, f.TimeZone); f.State {
	case oncall.StillOnYes:
		return fmt.Sprintf("%s said so at %s.", by, when)
	case oncall.StillOnTaken:
		return fmt.Sprintf("%s has it since %s.", by, when)
	case oncall.StillOnResolved:
		return fmt.Sprintf("It was resolved at %s.", when)
	case oncall.StillOnSnoozed:
		return fmt.Sprintf("%s snoozed it at %s.", by, when)
	case oncall.StillOnPaging:
		return fmt.Sprintf("It pages again since %s.", when)
	default:
		return "This no longer needs an answer."
	}
}

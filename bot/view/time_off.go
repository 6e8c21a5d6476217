package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxHit is the maximum number of shifts in an answer.
const maxHit = 20

// TimeOff confirms time off and lists the shifts that fall into it, with a button to find cover.
func TimeOff(off oncall.TimeOff, hit []schedule.Stint, zone string, offer bool) Drawing {
	text := "You are away " + Between(off.Start, off.End, location(zone))
	if len(hit) == 0 {
		text += ". None of your shifts falls into it."
		return Drawing{Text: text, Blocks: []slack.Block{section(text), awayButtons(off, false)}}
	}
	if text += ". One of your shifts falls into it, and you stay on call until somebody takes it:"; len(hit) > 1 {
		text = strings.Replace(text, "One of your shifts falls", fmt.Sprintf("%d of your shifts fall", len(hit)), 1)
		text = strings.Replace(text, "takes it:", "takes them:", 1)
	}
	for i, s := range hit {
		if i == maxHit {
			text += fmt.Sprintf("\n… and %d more", len(hit)-i)
			break
		}
		text += "\n• " + StintWords(s, zone)
	}
	return Drawing{Text: text, Blocks: []slack.Block{section(text), awayButtons(off, offer)}}
}

func awayButtons(off oncall.TimeOff, offer bool) slack.Block {
	id := valueOf(off.ID)
	var buttons []slack.BlockElement
	if offer {
		buttons = append(buttons, button(ActionAwayCover, id, "Ask for cover").WithStyle(slack.StylePrimary))
	}
	return slack.NewActionBlock("", append(buttons, button(ActionAwayCancel, id, "Cancel time off"))...)
}

package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxHit is the maximum number of shifts in an answer.
const maxHit = 20

// TimeOff confirms time off and lists the shifts that fall into it, with a button to find cover. rule is what their team has
// happen then.
func TimeOff(off oncall.TimeOff, hit []schedule.Stint, zone string, offer bool, rule oncall.OnTimeOff) Drawing {
	text := "You are away " + Between(off.Start, off.End, location(zone))
	if len(hit) == 0 {
		text += ". None of your shifts falls into it."
		return Drawing{Text: text, Blocks: []slack.Block{section(text), awayButtons(off, false)}}
	}
	fall, them := "One of your shifts falls into it", "it"
	if len(hit) > 1 {
		fall, them = fmt.Sprintf("%d of your shifts fall into it", len(hit)), "them"
	}
	switch rule {
	case oncall.TimeOffSkip:
		text += fmt.Sprintf(". %s, and whoever comes next takes %s:", fall, them)
	case oncall.TimeOffCover:
		text += fmt.Sprintf(". %s. Others are asked for cover, and you stay on call until somebody takes %s:", fall, them)
	default:
		text += fmt.Sprintf(". %s, and you stay on call until somebody takes %s:", fall, them)
	}
	for i, s := range hit {
		if i == maxHit {
			text += fmt.Sprintf("\n… and %d more", len(hit)-i)
			break
		}
		text += "\n• " + StintWords(s, zone)
	}
	return Drawing{Text: text, Blocks: []slack.Block{section(text), awayButtons(off, offer && rule == oncall.TimeOffWarn)}}
}

func awayButtons(off oncall.TimeOff, offer bool) slack.Block {
	id := valueOf(off.ID)
	var buttons []slack.BlockElement
	if offer {
		buttons = append(buttons, button(ActionAwayCover, id, "Ask for cover").WithStyle(slack.StylePrimary))
	}
	return slack.NewActionBlock("", append(buttons, button(ActionAwayCancel, id, "Cancel time off"))...)
}

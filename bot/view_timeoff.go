package bot

import (
	"fmt"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	actionAwayCover  = "away_cover"
	actionAwayCancel = "away_cancel"
)

// maxHit bounds how many shifts an answer lists.
const maxHit = 20

// drawAway says which shifts a time off hits, with a button to find cover for them.
func drawAway(off oncall.TimeOff, hit []schedule.Stint, zone string, offer bool) drawing {
	text := "You are away " + between(off.Start, off.End, location(zone))
	if len(hit) == 0 {
		text += ". None of your shifts is in it."
		return drawing{text: text, blocks: []slack.Block{section(text), awayButtons(off, false)}}
	}
	text += fmt.Sprintf(", and on call in it all the same, for %s:", count(len(hit), "shift"))
	for i, s := range hit {
		if i == maxHit {
			text += fmt.Sprintf("\n… and %d more", len(hit)-i)
			break
		}
		text += "\n• " + stintWords(s, zone)
	}
	return drawing{text: text, blocks: []slack.Block{section(text), awayButtons(off, offer)}}
}

func awayButtons(off oncall.TimeOff, offer bool) slack.Block {
	id := strconv.FormatInt(int64(off.ID), 10)
	var buttons []slack.BlockElement
	if offer {
		buttons = append(buttons, slack.NewButtonBlockElement(actionAwayCover, id, plain("Ask for cover")).WithStyle(slack.StylePrimary))
	}
	return slack.NewActionBlock("", append(buttons, slack.NewButtonBlockElement(actionAwayCancel, id, plain("Cancel time off")))...)
}

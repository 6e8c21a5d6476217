package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A CoverWhose asks what "cover @di" means.
type CoverWhose struct {
	Other oncall.UserID
	Shift schedule.Stint // Other's next; without a user, there is none
	May   bool           // the reader may take it over, and ask others to
	Swaps bool           // the reader and Other both have shifts to swap
}

// Draw asks, with a button for each answer.
func (w CoverWhose) Draw(zone string) Drawing {
	if w.Shift.User == "" {
		return Text(fmt.Sprintf("%s has no shift in the next %d weeks. To find somebody for one of yours: `/oncall cover tomorrow`.", mention(w.Other), weeksAhead))
	}
	text := fmt.Sprintf("This is %s's shift: %s. Do you take it over? Nobody is asked and nothing has changed yet.", mention(w.Other), StintWords(w.Shift, zone))
	value := string(w.Other) + "/" + StintValue(w.Shift)
	var answers []slack.BlockElement
	if w.May {
		answers = append(answers,
			button(ActionCoverMyself, value, "Take it over").WithStyle(slack.StylePrimary), button(ActionCoverOthers, value, "Ask others to take it…"))
	} else {
		text = fmt.Sprintf("This is %s's shift: %s. Only their team can hand it to you. Nothing has changed.", mention(w.Other), StintWords(w.Shift, zone))
	}
	if w.Swaps {
		answers = append(answers, button(ActionSwapWhich, SwapWhich{Other: w.Other}.value(), "Ask them to take one of yours, for one of theirs…"))
	}
	return Drawing{Text: text, Blocks: []slack.Block{section(text), slack.NewActionBlock("", answers...)}}
}

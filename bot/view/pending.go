package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Pending lists a person's open swaps and cover requests.
func Pending(swaps []oncall.Swap, covers []oncall.Cover, zone string) Drawing {
	if len(swaps)+len(covers) == 0 {
		return Text("You have no swap that is offered or still to come, and nobody is asked to cover for you. `/oncall swap` and `/oncall cover` begin one.")
	}
	var lines []string
	var blocks []slack.Block
	for _, s := range swaps {
		state := "agreed"
		if s.State == oncall.SwapOpen {
			state = fmt.Sprintf("waits for %s until %s", mention(s.Take.User), Time(s.ExpiresAt, location(zone)))
		}
		lines = append(lines, fmt.Sprintf("• %s for %s of %s: %s", StintWords(s.Give, zone)+" of "+mention(s.Give.User), StintWords(s.Take, zone), mention(s.Take.User), state))
	}
	if len(swaps) > 0 {
		lines = append(lines, "A swap can be taken back in the message that you got about it.")
		blocks = append(blocks, section(fitLines(lines, maxPreview)))
	}
	for _, c := range covers {
		line := fmt.Sprintf("• Cover is wanted for %s of %s. %s", StintWords(c.Stint, zone), mention(c.Stint.User), askedSoFar(c))
		lines = append(lines, line)
		blocks = append(blocks, slack.NewSectionBlock(words(line), nil, slack.NewAccessory(coverTakeBack(c.ID))))
	}
	return Drawing{Text: fitLines(lines, MaxAnswer), Blocks: blocks}
}

// askedSoFar says who was asked, and who can't.
func askedSoFar(c oncall.Cover) string {
	var asked, cannot []oncall.UserID
	for _, a := range c.Asked {
		if a.Declined {
			cannot = append(cannot, a.User)
		} else {
			asked = append(asked, a.User)
		}
	}
	var parts []string
	if len(asked) > 0 {
		parts = append(parts, "Asked: "+named(asked)+".")
	}
	if len(cannot) > 0 {
		parts = append(parts, "Can't: "+named(cannot)+".")
	}
	if len(parts) == 0 {
		return "Nobody has been asked yet."
	}
	return strings.Join(parts, " ")
}

package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Veiled draws a private team's incident for a channel that others read: its number, and whether somebody has
// it. Its buttons work for people with the permission.
func Veiled(in oncall.Incident) Drawing {
	status := statuses[in.Status]
	text := fmt.Sprintf("%s *%s* of a private team: %s", status.emoji, in.ID, status.word)
	return Drawing{Text: text, Blocks: []slack.Block{
		section(text), slack.NewContextBlock("", words("Others read this channel, so it shows no more. Members of the team see all of it with `/oncall`.")),
		buttons(oncall.Incident{ID: in.ID, Status: in.Status, Severity: oncall.High}, ""),
	}}
}

// VeiledNotice replaces a private team's notice in a channel that others read.
func VeiledNotice() Drawing {
	return Text(":lock: There is news for a private team. Others read this channel, so it is not shown: make the channel private.")
}

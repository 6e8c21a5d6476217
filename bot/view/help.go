package view

import (
	"strings"

	"github.com/slack-go/slack"
)

// Examples are commands to begin with.
const Examples = "`/oncall who`\n`/oncall who payments tomorrow 9:00`\n`/oncall override @ann today 18:00 to 22:00`"

// HelpText is the help: what can be typed.
const HelpText = "*Who is on call*\n" +
	"`/oncall who` — everywhere, now\n" +
	"`/oncall who payments` — in a team or a schedule\n" +
	"`/oncall who payments fri 18:00` — at another time\n" +
	"`/oncall me` — my shifts; `/oncall next` — who comes next, and when\n" +
	"`/oncall schedule payments` — the next two weeks, with a picture; `/oncall schedule payments in 2 weeks`\n" +
	"*Change a schedule*\n" +
	"`/oncall schedule new`, `/oncall schedule edit payments` — people, turns, hours; what changes is shown before it is saved\n" +
	"`/oncall schedule history payments` — who changed what, and back again\n" +
	"`/oncall shift add @ann sat 10:00 to 16:00 payments` — a shift by hand; `/oncall shift delete sat 10:00 to 12:00 payments`\n" +
	"`/oncall calendar` — shifts in your calendar; `/oncall remind 24h 1h` — when you are reminded of yours\n" +
	"*Cover for somebody*\n" +
	"`/oncall override @ann today 18:00 to 22:00` — Ann is on call instead of whoever would be\n" +
	"`/oncall override @ann 2026-12-24 to 2026-12-27 payments` — in a certain schedule\n" +
	"`/oncall override cancel` — what you have put in place\n" +
	"*Swap shifts, find cover, be away*\n" +
	"`/oncall swap` — one of your shifts for somebody else's; they are asked. `/oncall swap @bo` and `/oncall swap mon @bo wed` save you the choosing\n" +
	"`/oncall cover` — somebody is wanted for a shift, or a part of it: `/oncall cover today 18:00 to 22:00`, `/oncall cover everyone fri`\n" +
	"`/oncall away 2026-12-24 to 2026-12-27` — time off: says which shifts it hits. `/oncall away` lists it\n" +
	"*Incidents*\n" +
	"`/oncall incidents` — what is open; `/oncall incident 12` — how it stands; `/oncall plan 12` — whom it pages next, and why\n" +
	"`/oncall ack 12`, `/oncall resolve 12`; and back: `/oncall unack 12`, `/oncall reopen 12`\n" +
	"`/oncall snooze 12 2h` — or `until 9am`, `work` for your next working hour, `handoff`\n" +
	"`/oncall escalate 12`, `/oncall reassign 12 @bo`, `/oncall add 12 @cy` — to help; `/oncall severity 12 high`\n" +
	"`/oncall note 12 restarted it`, `/oncall merge 12 into 9`, `/oncall link 12 with 9`\n" +
	"*How you are reached*\n" +
	"`/oncall contact` — your phone, mail and pushes, and which comes when; `/oncall contact test` — a test page\n" +
	"Times are in your own time zone: `9:00`, `6pm`, `tomorrow 9:00`, `fri 18:00`, `2026-12-24 09:00`, `in 2 hours`."

const (
	directLead = "I don't read messages, but I answer commands in any channel."
	directHelp = directLead + "\n" + HelpText
)

// helpBlocks are the help, with a section for each heading.
func helpBlocks() []slack.Block {
	var blocks []slack.Block
	for i, part := range strings.Split(HelpText, "\n*") {
		if i > 0 {
			part = "*" + part
		}
		blocks = append(blocks, section(part))
	}
	return blocks
}

// Help is the answer to somebody who writes to the bot.
func Help() Drawing {
	return Drawing{Text: directHelp, Blocks: append([]slack.Block{section(directLead)}, helpBlocks()...)}
}

package view

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// examples is how many commands a refusal shows.
const examples = 3

// ExamplesFor are commands that are probably meant, one a line: those of the guess first.
func ExamplesFor(guess string, others []string) string {
	var lines []string
	for _, name := range append([]string{guess}, others...) {
		for _, line := range helpLines(name) {
			at := max(strings.Index(line, "`/oncall "+name+" "), strings.Index(line, "`/oncall "+name+"`"))
			example, _, _ := strings.Cut(line[at+1:], "`")
			if example = "`" + example + "`"; len(lines) < examples && !slices.Contains(lines, example) {
				lines = append(lines, example)
			}
			if name != guess {
				break // one of each
			}
		}
	}
	return strings.Join(lines, "\n")
}

// helpLines are the lines of the help that name a command.
func helpLines(name string) []string {
	var lines []string
	for line := range strings.SplitSeq(HelpText, "\n") {
		if name != "" && (strings.Contains(line, "`/oncall "+name+"`") || strings.Contains(line, "`/oncall "+name+" ")) {
			lines = append(lines, line)
		}
	}
	return lines
}

// HelpFor is the help of one command, with the other words for it.
func HelpFor(name string, also []string) string {
	lines := helpLines(name)
	if name == "help" || len(lines) == 0 {
		return HelpText
	}
	for i, word := range also {
		also[i] = "`" + word + "`"
	}
	if len(also) > 0 {
		lines = append(lines, "Also: "+strings.Join(also, ", ")+".")
	}
	if whenMatters[name] {
		lines = append(lines, helpTimes)
	}
	return strings.Join(lines, "\n")
}

// whenMatters are the commands that take a time.
var whenMatters = map[string]bool{
	"who": true, "schedule": true, "shift": true, "override": true, "swap": true, "cover": true, "away": true, "snooze": true,
}

const helpTimes = "Times are in your own time zone: `9:00`, `6pm`, `tomorrow 9-17`, `fri 18:00`, `24 dec`, `2026-12-24 09:00`, `in 2 hours`, `until friday`, `next week`, `mon-fri 9-17`."

// HelpText is the help: what can be typed.
const HelpText = "*Who is on call*\n" +
	"`/oncall who` — everywhere, now\n" +
	"`/oncall who payments` — in a team or a schedule\n" +
	"`/oncall who payments fri 18:00` — at another time\n" +
	"`/oncall who @ann` — what Ann is on call for; `/oncall teams`, `/oncall users` — everybody\n" +
	"`/oncall me` — my shifts; `/oncall next` — who comes next, and when\n" +
	"`/oncall schedule payments` — the next two weeks, with a picture; `/oncall schedule payments in 2 weeks`\n" +
	"*Change a schedule*\n" +
	"`/oncall schedule new`, `/oncall schedule edit payments` — people, turns, hours; what changes is shown before it is saved\n" +
	"`/oncall schedule history payments` — who changed what, and back again\n" +
	"`/oncall shift add @ann sat 10:00 to 16:00 payments` — a shift by hand; `/oncall shift delete sat 10:00 to 12:00 payments`\n" +
	"`/oncall calendar` — shifts in your calendar; `/oncall remind 24h 1h` — when you are reminded of yours\n" +
	"*Cover for somebody*\n" +
	"`/oncall override @ann today 18:00 to 22:00` — Ann is on call instead of whoever would be\n" +
	"`/oncall override @ann 24 dec to 27 dec payments` — in a certain schedule\n" +
	"`/oncall override cancel` — what you have put in place\n" +
	"*Swap shifts, find cover, be away*\n" +
	"`/oncall swap` — one of your shifts for somebody else's; they are asked. `/oncall swap @bo` and `/oncall swap mon @bo wed` save you the choosing\n" +
	"`/oncall cover` — somebody is wanted for a shift, or a part of it: `/oncall cover today 18:00 to 22:00`, `/oncall cover everyone fri`\n" +
	"`/oncall away 24 dec to 27 dec` — time off, both days included: says which shifts it hits. `/oncall away` lists it, or opens a form\n" +
	"*Incidents*\n" +
	"`/oncall incidents` — what is open, with `mine` your teams'; `/oncall incident 12` — how it stands; `/oncall details 12` — all that its monitor sent; `/oncall plan 12` — whom it pages next, and why; `/oncall why` — why I was paged last\n" +
	"`/oncall ack 12`, `/oncall resolve 12`; and back: `/oncall unack 12`, `/oncall reopen 12`\n" +
	"`/oncall ack`, if one is open; `/oncall ack 2 3 4`, `/oncall ack all`, `/oncall resolve all`: yours and your teams'\n" +
	"`/oncall snooze 12 2h` — or `until 9am`, `work` for your next working hour, `handoff`; `/oncall unsnooze 12`\n" +
	"`/oncall escalate 12`, `/oncall reassign 12 @bo`, `/oncall add 12 @cy`, `/oncall add 12 platform` (whoever is on call there) — to help; `/oncall severity 12 high`\n" +
	"`/oncall note 12 restarted it`, `/oncall merge 12 into 9`, `/oncall link 12 with 9`\n" +
	"*Monitors*\n" +
	"`/oncall integrations` — what may send signals, when the last came, which key; `/oncall key rotate payments-prometheus` — a new key, for its team's managers\n" +
	"`/oncall mute payments-prometheus 2h` — its signals page nobody; `/oncall unmute payments-prometheus`\n" +
	"*Who changed what* (for managers)\n" +
	"`/oncall history` — of teams, schedules, policies, integrations and people; `/oncall history schedule payments`, `/oncall history @ann since 7d`\n" +
	"*How you are reached*\n" +
	"`/oncall contact` — your phone, mail and pushes, and which comes when; `/oncall contact test` — a test page; `/oncall contact @bo` — by what Bo is reached; admins can end it there\n" +
	"`/oncall help swap` — one command. " + helpTimes

// directHelp is what somebody is told who writes something that isn't a command.
const directHelp = "I understand commands, here without `/oncall` and in any channel with it: `who`, `me`, `next`, `incidents`, `why` (why you were paged), `ack 12`, `resolve 12`. " +
	"Write `help` for all of them."

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

// Help is the answer to somebody who writes to the bot what it doesn't understand.
func Help() Drawing { return Text(directHelp) }

// AllHelp is the help as a message.
func AllHelp() Drawing { return Drawing{Text: HelpText, Blocks: helpBlocks()} }

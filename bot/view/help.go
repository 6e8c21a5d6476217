package view

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// examples is the number of commands in a refusal.
const examples = 3

// ExamplesFor returns the commands that were probably meant, one a line; those of the guess come first.
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
				break // one example each
			}
		}
	}
	return strings.Join(lines, "\n")
}

// helpLines returns the lines of the help about a command.
func helpLines(name string) []string {
	var lines []string
	for _, l := range linesOn(name) {
		lines = append(lines, l.text)
	}
	return lines
}

func linesOn(name string) (lines []helpLine) {
	for _, p := range helpParts {
		for _, l := range p.lines {
			if name != "" && (strings.Contains(l.text, "`/oncall "+name+"`") || strings.Contains(l.text, "`/oncall "+name+" ")) {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// HelpFor returns the help on one command for one reader, with the command's aliases.
func HelpFor(name string, also []string, has Ability) string {
	var lines []string
	var lacks Ability
	for _, l := range linesOn(name) {
		if l.takes&has == l.takes {
			lines = append(lines, l.text)
		} else {
			lacks = l.takes
		}
	}
	switch {
	case name == "help", len(lines) == 0 && lacks == 0:
		return HelpTextFor(has)
	case len(lines) == 0:
		return "`/oncall " + name + "` is for " + lacks.holders() + ". `/oncall help` lists what you can type."
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

// whenMatters lists the commands that take a time.
var whenMatters = map[string]bool{
	"who": true, "schedule": true, "shift": true, "override": true, "swap": true, "cover": true, "away": true, "snooze": true, "maintenance": true,
}

const helpTimes = "Times are in your own time zone: `9:00`, `6pm`, `tomorrow 9-17`, `fri 18:00`, `24 dec`, `2026-12-24 09:00`, `in 2 hours`, `until friday`, `next week`, `mon-fri 9-17`."

// An Ability is a right of the help's reader. The help leaves out what the reader may not do.
type Ability uint

// The abilities. What everybody may do, with their own things or where they were paged, needs none.
const (
	SeesTeams           Ability = 1 << iota // sees some team's things
	PutsOnCall                              // may put others on call in some team's schedules
	EditsSchedules                          // some team's
	ManagesIntegrations                     // some team's
	ReadsChanges                            // in the audit log

	EveryAbility = SeesTeams | PutsOnCall | EditsSchedules | ManagesIntegrations | ReadsChanges
)

// holders says who has an ability, for a person who lacks it.
func (a Ability) holders() string {
	if a == SeesTeams {
		return "members of the workspace, and guests whom a team names"
	}
	if a == PutsOnCall {
		return "members of teams"
	}
	return "managers of teams"
}

// A helpPart is a part of the help with its own heading.
type helpPart struct {
	heading string
	lines   []helpLine
}

// A helpLine is a line of the help, and the ability that it needs; 0: none.
type helpLine struct {
	takes Ability
	text  string
}

var helpParts = []helpPart{
	{"*Who is on call*", []helpLine{
		{SeesTeams, "`/oncall who` — everywhere, now"},
		{SeesTeams, "`/oncall who payments` — in a team or a schedule"},
		{SeesTeams, "`/oncall who payments fri 18:00` — at another time"},
		{SeesTeams, "`/oncall who @ann` — what Ann is on call for; `/oncall teams`, `/oncall users` — everybody"},
		{0, "`/oncall me` — my shifts; `/oncall next` — who comes next, and when"},
		{SeesTeams, "`/oncall schedule payments` — the next two weeks, with a picture; `/oncall schedule payments in 2 weeks`"},
	}},
	{"*Change a schedule*", []helpLine{
		{EditsSchedules, "`/oncall schedule new`, `/oncall schedule edit payments` — people, turns, hours; what changes is shown before it is saved"},
		{EditsSchedules, "`/oncall schedule history payments` — who changed what, and back again"},
		{EditsSchedules, "`/oncall leaver @ann` — where your teams count on somebody who leaves; who takes over, with what changes before it is saved"},
		{EditsSchedules, "`/oncall shift add @ann sat 10:00 to 16:00 payments` — a shift by hand; `/oncall shift delete sat 10:00 to 12:00 payments`"},
	}},
	{"*Your calendar*", []helpLine{
		{0, "`/oncall calendar` — shifts in your calendar; `/oncall remind 24h 1h` — when you are reminded of yours"},
	}},
	{"*Cover for somebody*", []helpLine{
		{PutsOnCall, "`/oncall override @ann today 18:00 to 22:00` — Ann is on call instead of whoever would be"},
		{PutsOnCall, "`/oncall override @ann 24 dec to 27 dec payments` — in a certain schedule"},
		{PutsOnCall, "`/oncall override cancel` — what you have put in place"},
	}},
	{"*Swap shifts, find cover, be away*", []helpLine{
		{0, "`/oncall swap` — one of your shifts for somebody else's; they are asked. `/oncall swap @bo` and `/oncall swap mon @bo wed` save you the choosing"},
		{0, "`/oncall cover` — somebody is wanted for a shift, or a part of it: `/oncall cover today 18:00 to 22:00`, `/oncall cover everyone fri`"},
		{0, "`/oncall away 24 dec to 27 dec` — time off, both days included: says which shifts it hits. `/oncall away` lists it, or opens a form"},
	}},
	{"*Page somebody*", []helpLine{
		{0, "`/oncall page payments the checkout is down` — the team's policy runs; `/oncall page payments-primary …`, `/oncall page @ann …` — whoever is on call there, or Ann, at once. `critical` or `sev1` in it says how bad it is"},
		{0, "`/oncall page` — a form; so do Page on the Home tab and the shortcut of a message. You see whom it reached, and whether somebody has it"},
	}},
	{"*Incidents*", []helpLine{
		{0, "`/oncall incidents` — what is open, with `mine` yours, then your teams'; `/oncall incidents closed payments`, `yesterday`, `checkout` — what was; `/oncall incident 12` — how it stands; `/oncall details 12` — all that its monitor sent; `/oncall plan 12` — whom it pages next, and why; `/oncall why` — why I was paged last"},
		{0, "`/oncall ack 12`, `/oncall resolve 12`; and back: `/oncall unack 12`, `/oncall reopen 12`"},
		{0, "`/oncall ack`, if one is open; `/oncall ack 2 3 4`, `/oncall ack all`, `/oncall resolve all`: yours and your teams'"},
		{0, "`/oncall snooze 12 2h` — or `until 9am`, `work` for your next working hour, `handoff`; `/oncall unsnooze 12`"},
		{0, "`/oncall escalate 12`, `/oncall reassign 12 @bo`, `/oncall add 12 @cy`, `/oncall add 12 platform` (whoever is on call there) — to help; `/oncall severity 12 high`"},
		{0, "`/oncall channel 12` — a Slack channel of its own for those who work on it; it is archived a day after the end. In it, nothing needs a number; nor does `@watchbill ack` there or in an incident's thread"},
		{0, "`/oncall update 12 paying by card fails, more at 15:00` — tells people who don't work on it, in the channels that the team chose; `/oncall update 12` — a form"},
		{0, "`/oncall review 12` — drafts its review, in the thread; `/oncall action 12 @bo fix the alert until friday` — what is to be done after it, and Bo is asked until it is; `/oncall actions` — what you are to do"},
		{0, "`/oncall verdict 12 noise` — what it was, real, noise or unsure, for the reports; `/oncall verdict 12 real restarted the pool` — and what helped, for the next time"},
		{0, "`/oncall note 12 restarted it`, `/oncall merge 12 into 9`, `/oncall unmerge 12`, `/oncall link 12 with 9`"},
	}},
	{"*Set up*", []helpLine{
		{EditsSchedules, "`/oncall setup` — teams, schedules, escalation policies, monitors and their keys; `/oncall setup payments` — a team's; `/oncall setup new` — another team, for admins"},
	}},
	{"*Monitors*", []helpLine{
		{SeesTeams, "`/oncall integrations` — what may send signals, when the last came, which key; `/oncall payloads payments-prometheus` — what one has sent, as it came"},
		{SeesTeams, "`/oncall routes payments` — by which rules its alerts go, and what each has done; `/oncall payloads payments-prometheus 12 try` — what they make of one that came"},
		{SeesTeams, "`/oncall heartbeats` — what pings regularly, and whether it is late; `/oncall heartbeats mute backup 2h`, for its team's managers"},
		{0, "`/oncall apikey create deploy read,page` — a key for a program of yours; with `team payments` its team's; `/oncall apikey` — which there are; `rotate` and `revoke` one"},
		{ManagesIntegrations, "`/oncall key rotate payments-prometheus` — a new key, for its team's managers"},
		{ManagesIntegrations, "`/oncall mute payments-prometheus 2h` — its signals page nobody; `/oncall unmute payments-prometheus`"},
		{PutsOnCall, "`/oncall maintenance payments 2h upgrade of the database` — alerts are kept and page nobody until then; `/oncall maintenance payments service=checkout tomorrow 22:00 to 23:30`; `/oncall maintenance` — what is in force; `/oncall maintenance end M3`"},
	}},
	{"*What being on call was like*", []helpLine{
		{0, "`/oncall report me last month` — how often I was disturbed, when, and how long I was on call"},
		{SeesTeams, "`/oncall report payments last week` — incidents, times to acknowledge and to resolve, nights, with a picture and a table; also `november`, `90 days`, `last quarter`, `2026-10-01 to 2026-10-31`; `here` at the end posts it where you are"},
	}},
	{"*In a browser*", []helpLine{
		{0, "`/oncall web` — a link that signs me in to the pages: schedules as one timeline, past incidents, reports"},
	}},
	{"*Who changed what* (for managers)", []helpLine{
		{ReadsChanges, "`/oncall history` — of teams, schedules, policies, integrations and people; `/oncall history schedule payments`, `/oncall history @ann since 7d`"},
	}},
	{"*How you are reached*", []helpLine{
		{0, "`/oncall contact` — your phone, mail and pushes, and which comes when; `/oncall contact test` — a test page; `/oncall contact @bo` — by what Bo is reached; admins can end it there"},
		{0, "`/oncall help swap` — one command. " + helpTimes},
	}},
}

// HelpText is the help for a person who may do everything.
var HelpText = HelpTextFor(EveryAbility)

// HelpTextFor returns the help for one reader.
func HelpTextFor(has Ability) string { return strings.Join(helpFor(has), "\n") }

// helpFor returns the help for one reader, part by part.
func helpFor(has Ability) (parts []string) {
	for _, p := range helpParts {
		lines := []string{p.heading}
		for _, l := range p.lines {
			if l.takes&has == l.takes {
				lines = append(lines, l.text)
			}
		}
		if len(lines) > 1 {
			parts = append(parts, strings.Join(lines, "\n"))
		}
	}
	return parts
}

// directHelp answers a direct message that isn't a command.
const directHelp = "I understand commands, here without `/oncall` and in any channel with it: `who`, `me`, `next`, `incidents`, `why` (why you were paged), `ack 12`, `resolve 12`, `page payments the checkout is down`. " +
	"Write `help` for all of them."

// HolidaysHelp answers a person who asks for holidays: a country's, or their own time off.
const HolidaysHelp = "Public holidays are a rule of a schedule: `/oncall schedule edit payments`, Holidays, such as `de-by weekend`. " +
	"Your own: `/oncall away 24 dec to 27 dec`; `/oncall away` lists them."

// Start answers `/oncall` alone: who is on call in some schedules of all, and what is typed most.
func Start(onCall string, more int, has Ability) string {
	var lines []string
	if onCall != "" {
		lines = append(lines, onCall)
	}
	if more > 0 {
		lines = append(lines, Count(more, "more schedule")+": `/oncall who`")
	}
	line := "Page: `/oncall page payments the checkout is down` · what is open: `/oncall incidents` · my shifts: `/oncall me`"
	if has&PutsOnCall != 0 {
		line += " · `/oncall ack` · `/oncall swap` · `/oncall away 24 dec to 27 dec`"
	}
	return strings.Join(append(lines, line, "`/oncall help` lists everything; `/oncall help swap` is about one command."), "\n")
}

// helpBlocks draws the help, with a section for each heading.
func helpBlocks(has Ability) []slack.Block {
	var blocks []slack.Block
	for _, part := range helpFor(has) {
		blocks = append(blocks, section(part))
	}
	return blocks
}

// Help answers a message that the bot doesn't understand.
func Help() Drawing { return Text(directHelp) }

// ShortHelp answers whoever asks for help in a channel.
func ShortHelp() Drawing {
	return Text(strings.TrimSuffix(directHelp, "Write `help` for all of them.") + "`/oncall help` shows you all of them.")
}

// AllHelp draws the whole help as a message.
func AllHelp(has Ability) Drawing { return Drawing{Text: HelpTextFor(has), Blocks: helpBlocks(has)} }

package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Choice is an option: its value, and what the person reads.
type Choice struct{ Value, Label string }

func optionsOf(all []Choice) []option {
	out := make([]option, len(all))
	for i, c := range all {
		out[i] = option{c.Value, c.Label}
	}
	return out
}

// EveryDay is the hand-off of a daily rotation; the other values are weekdays.
const EveryDay = "day"

// A SetupGuide is the form for everything that a first team needs.
type SetupGuide struct {
	Name   string          // of the team, if it was typed
	People []oncall.UserID // initial members of the rotation
	Zone   string
	Kinds  []Choice // monitors, the usual one first
	First  bool     // there is no team yet
}

// Draw draws the form.
func (g SetupGuide) Draw() slack.ModalViewRequest {
	intro := "All of it can be changed later, by `/oncall setup`."
	if g.First {
		intro = "Five minutes from here to a page on your own phone. " + intro
	}
	var days []option
	for i, d := range []schedule.Weekday{schedule.Monday, schedule.Tuesday, schedule.Wednesday, schedule.Thursday, schedule.Friday, schedule.Saturday, schedule.Sunday} {
		days = append(days, option{string(d), "Every week, on " + time.Weekday((i+1)%7).String()})
	}
	days = append(days, option{EveryDay, "Every day"})
	return dialog(ModalSetupGuide, "Set up a team", "Set up", "",
		section(intro),
		textField(BlockName, "Team", "Such as payments. Its schedule, escalation policy and monitor are called after it.", g.Name),
		channelField(BlockSetupChannel, "Channel", "Where its incidents are shown.", ""),
		peopleField(BlockPeople, "Who takes turns", "In this order; the first begins now. They are the team.", g.People),
		choiceField(BlockSetupHandOff, "Hands over", "", string(schedule.Monday), days),
		field(BlockSetupTime, "At", "", timeElement(BlockSetupTime, "09:00")),
		textField(BlockZone, "Time zone", "Such as Europe/Berlin: the zone in which it hands over.", g.Zone),
		choiceField(BlockSetupWait, "If nobody acknowledges", "First whoever is on call, then whoever is next, then the whole team.", "5m", []option{
			{"2m", "the next after 2 minutes"}, {"5m", "the next after 5 minutes"}, {"10m", "the next after 10 minutes"}, {"15m", "the next after 15 minutes"},
		}),
		choiceField(BlockSetupKind, "Monitor", "What sends the alerts. There may be more of them later.", g.Kinds[0].Value, optionsOf(g.Kinds)),
	)
}

// channelField draws a choice of one channel.
func channelField(block Block, label, hint, initial string) *slack.InputBlock {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, string(block))
	e.Filter = &slack.SelectBlockElementFilter{Include: []string{"public", "private"}}
	e.InitialConversation = initial
	return field(block, label, hint, e)
}

// peopleField draws a choice of several people, prefilled.
func peopleField(block Block, label, hint string, initial []oncall.UserID) *slack.InputBlock {
	e := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, string(block))
	for _, u := range initial[:min(len(initial), maxOptions)] {
		e.InitialUsers = append(e.InitialUsers, string(u))
	}
	return field(block, label, hint, e)
}

func timeElement(block Block, initial string) *slack.TimePickerBlockElement {
	e := slack.NewTimePickerBlockElement(string(block))
	e.InitialTime = initial
	return e
}

// A SetupDone says what was set up, and what to do next.
type SetupDone struct {
	Team        string
	Integration oncall.IntegrationID
	Key         MadeKey
	Test        TestAlert
	Schedule    *schedule.Schedule // nil: not visible yet
	Invite      bool               // the channel is private: the app must be invited
	Reached     string             // summary of the reader's contact methods
	Now         time.Time
	Zone        *time.Location
}

// Draw draws it.
func (d SetupDone) Draw() slack.ModalViewRequest {
	text := "*" + Name(d.Team) + "* is set up."
	if d.Schedule != nil {
		text += " On call: " + strings.TrimPrefix(scheduleLines(noOverride, d.Schedule, d.Now, d.Zone), "*"+Name(d.Schedule.Name())+"*: ") + "."
	}
	blocks := []slack.Block{section(text)}
	if d.Invite {
		blocks = append(blocks, section(":warning: The channel is private: invite the app there, or nothing is shown in it."))
	}
	blocks = append(blocks,
		section("*1. A test alert.* It pages whoever is on call, the way a real one would."),
		slack.NewActionBlock("setup_test", testButton(d.Integration, d.Test).WithStyle(slack.StylePrimary)),
		slack.NewSectionBlock(words("*2. Your phone.* "+d.Reached), nil, slack.NewAccessory(button(ActionContacts, "", "Change…"))),
		section("*3. Your monitor.* "+keyText(d.Key)),
		section(snippetText(d.Key)),
	)
	if d.Key.Local {
		blocks = append(blocks, note(onlyHere))
	}
	if edited(d.Team) {
		blocks = append(blocks, slack.NewActionBlock("setup_done", button(ActionSetupTeam, d.Team, "See all of it")))
	}
	return readOnly("Set up", blocks...)
}

// noOverride looks up overrides of a new schedule, which has none.
func noOverride(oncall.OverrideID) (schedule.Override, bool) { return schedule.Override{}, false }

// onlyHere warns that an address only works on this machine.
const onlyHere = "The address only works on Watchbill's own machine until an admin sets WATCHBILL_PUBLIC_URL."

func keyText(k MadeKey) string {
	return fmt.Sprintf("The key of *%s*. It is shown this once; close this only when you have it:\n```%s```", Name(k.Name), Name(k.Key))
}

func snippetText(k MadeKey) string {
	return fmt.Sprintf("%s\n```%s```", Foreign(k.Where, maxTitle), foreignLines(k.Snippet, maxSnippet, maxSnippetLines))
}

// A TestAlert says whom a test alert would page.
type TestAlert struct {
	Users []oncall.UserID // none: it isn't known
	Names []string        // theirs
	Self  bool            // only the reader
}

// TestForm asks before a test alert pages people.
func TestForm(id oncall.IntegrationID, name string, t TestAlert) slack.ModalViewRequest {
	return dialog(ModalTest, "Send a test alert", "Page", valueOf(id),
		section(fmt.Sprintf("A test alert of *%s*. It pages %s now, the way a real alert would.", Name(name), paged(t.Users))))
}

// testButton sends a test alert. It asks first if that pages others than the reader.
func testButton(id oncall.IntegrationID, t TestAlert) *slack.ButtonBlockElement {
	b := button(ActionSetupTest, valueOf(id), "Send a test alert")
	if t.Self {
		return b
	}
	whom := "whoever its escalation policy names"
	if len(t.Names) > 0 {
		names := make([]string, len(t.Names))
		for i, name := range t.Names {
			names[i] = Name(name)
		}
		whom = List(names)
	}
	sure := CutPlain("It pages "+whom+" now, the way a real alert would.", 300)
	return b.WithConfirm(slack.NewConfirmationBlockObject(plain("Page now?"), plain(sure), plain("Page"), plain("Cancel")))
}

// paged names whom a test alert pages.
func paged(users []oncall.UserID) string {
	if len(users) == 0 {
		return "whoever its escalation policy names"
	}
	return named(users)
}

// NewIntegrationKey shows the key of a new integration, once.
func NewIntegrationKey(id oncall.IntegrationID, k MadeKey, t TestAlert) slack.ModalViewRequest {
	blocks := []slack.Block{
		section(keyText(k)), section(snippetText(k)),
		slack.NewActionBlock("setup_test", testButton(id, t)),
	}
	if k.Local {
		blocks = append(blocks, note(onlyHere))
	}
	return readOnly("The new key", blocks...)
}

// WithMessage returns a view as submitted, with the result of the last action on top.
func WithMessage(v slack.View, text string) slack.ModalViewRequest {
	m := WithWarning(v, text)
	m.Blocks.BlockSet[0] = slack.NewSectionBlock(words(text), nil, nil, slack.SectionBlockOptionBlockID(blockMessage))
	return m
}

// TryAlertSent says whom a test alert pages.
func TryAlertSent(name string, users []oncall.UserID) string {
	return fmt.Sprintf("A test alert was sent to *%s*: it pages %s now. Acknowledge and resolve it like any other.", Name(name), paged(users))
}

// ownedBy says where a team is edited, and who may change it.
func ownedBy(t SetupTeam) []string {
	lines := []string{"Kept in Slack: `watchbill apply` leaves its schedules as they are here."}
	if t.ByFile {
		lines[0] = UndoneByFile(t.Team.Name, true)
	}
	if len(t.Managers) == 0 {
		return append(lines, "It has no managers, so that only admins may change it.")
	}
	return append(lines, "Its managers may change it: "+named(t.Managers)+".")
}

package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// An AwayCalendar is a calendar that is read as its reader's time off.
type AwayCalendar struct {
	Host      string
	Rule      oncall.AwayRule
	Words     []string
	ReadAt    *time.Time
	Events    int
	Trouble   string
	TroubleAt *time.Time
	Zone      *time.Location
}

// drawAwayCalendar tells somebody what became of reading their calendar.
func drawAwayCalendar(n oncall.Notice) Drawing {
	facts := n.Detail
	trouble := Foreign(strings.TrimSuffix(facts.Note, "."), maxNote)
	switch {
	case facts.Note != "" && facts.State == oncall.AwayCalendarUnread:
		return Text(fmt.Sprintf(":warning: Nothing was read of your calendar at %s: %s. No time off comes from it. Copy its address anew, the secret one in iCal format, and give it by `/oncall away calendar`, or end it there. It is tried again every hour.",
			Name(facts.Address), trouble))
	case facts.Note != "":
		text := fmt.Sprintf("Your calendar at %s can't be read: %s. What was read of it before counts. `/oncall away calendar` gives it another address, or ends it.",
			Name(facts.Address), trouble)
		return Text(":warning: " + text)
	}
	return Text(fmt.Sprintf("Your calendar at %s is read every hour: %s as time off. If a shift falls into one, you are told.", Name(facts.Address), eventsThatCount(facts.Count)))
}

func eventsThatCount(n int) string {
	if n == 1 {
		return "1 event of it counts"
	}
	return Count(n, "event") + " of it count"
}

// ruleWords says which events count.
func (c AwayCalendar) ruleWords() string {
	switch {
	case c.Rule == oncall.AwayAll:
		return "all events"
	case c.Rule == oncall.AwayDays:
		return "events of whole days that aren't marked as free"
	case len(c.Words) == 0:
		return "events called vacation, out of office and the like"
	}
	var words []string
	for _, w := range c.Words {
		words = append(words, Name(w))
	}
	return "events with " + List(words) + " in their titles"
}

// Draw says how it stands with the calendar.
func (c AwayCalendar) Draw() Drawing {
	text := fmt.Sprintf("Your calendar at %s is read every hour: %s are your time off, and whatever is marked as out of office.", Name(c.Host), c.ruleWords())
	if c.ReadAt != nil {
		text += fmt.Sprintf(" Last read %s: %s.", Time(*c.ReadAt, c.Zone), eventsThatCount(c.Events))
	}
	trouble := Foreign(strings.TrimSuffix(c.Trouble, "."), maxNote)
	switch {
	case c.Trouble != "" && c.ReadAt == nil:
		text = fmt.Sprintf(":warning: Your calendar at %s is tried every hour. Nothing has been read of it, since %s: %s. No time off comes from it. Give it another address, or end it.",
			Name(c.Host), Time(*c.TroubleAt, c.Zone), trouble)
	case c.Trouble != "":
		text += fmt.Sprintf("\n:warning: It can't be read since %s: %s.", Time(*c.TroubleAt, c.Zone), trouble)
	}
	return Drawing{Text: text, Blocks: []slack.Block{
		section(text),
		slack.NewActionBlock("", button(ActionAwayCalendar, "", "Change…"), button(ActionAwayUnread, "", "Stop reading it")),
	}}
}

// AwayCalendarForm asks for the address of a calendar.
func AwayCalendarForm(rule oncall.AwayRule, words []string) slack.ModalViewRequest {
	rules := []option{
		{string(oncall.AwayByWords), "Vacation, out of office and the like, or the words below"},
		{string(oncall.AwayDays), "Whole days that aren't marked as free"},
		{string(oncall.AwayAll), "All events"},
	}
	if rule == "" {
		rule = oncall.AwayByWords
	}
	return dialog(ModalAwayFrom, "Time off by calendar", "Read it", "",
		textField(BlockAwayURL, "Address of the calendar", "In Google Calendar: Settings, your calendar, Secret address in iCal format. In Outlook: Shared calendars, Publish, ICS. It is kept encrypted.", ""),
		choiceField(BlockAwayRule, "What counts as time off", "", string(rule), rules),
		optional(textField(BlockAwayWords, "Words in the title", "Divided by commas. Left empty: vacation, holiday, time off, PTO, OOO, out of office, leave, sick and the like.", strings.Join(words, ", "))))
}

package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A SwapForm is the form of a swap, as far as it is known.
type SwapForm struct {
	Mine   []schedule.Stint // shifts that the requester can give
	Other  oncall.UserID    // empty if nobody is chosen yet
	Theirs []schedule.Stint
	Give   string // values of the chosen shifts
	Take   string
	Zone   *time.Location

	Several bool // several shifts touch the day that was typed
}

// Draw draws the form, prefilled.
func (f SwapForm) Draw() slack.ModalViewRequest {
	if len(f.Mine) == 0 {
		return readOnly("Swap shifts", section(fmt.Sprintf("You have no shift that begins in the next %d weeks, so there is nothing to swap.", weeksAhead)))
	}
	person := userField(BlockWith, "For a shift of", "", f.Other)
	person.DispatchAction = true
	var blocks []slack.Block
	if f.Several {
		blocks = append(blocks, section("More than one shift touches the day that you wrote. Choose which:"))
	}
	blocks = append(blocks, choiceField(BlockGive, "Your shift", "", f.Give, stintOptions(f.Mine, f.Zone)), person)
	if f.Other != "" {
		blocks = append(blocks, f.takeField())
	}
	blocks = append(blocks, optional(textField(BlockNote, "Note", "", "")))
	return dialog(ModalSwap, "Swap shifts", "Ask", "", blocks...)
}

// takeField draws the choice of one of the other person's shifts. Its id includes the person, so that Slack
// clears the choice when another is chosen.
func (f SwapForm) takeField() slack.Block {
	if len(f.Theirs) == 0 {
		return section(fmt.Sprintf("%s has no shift to swap in the next %d weeks.", mention(f.Other), weeksAhead))
	}
	return choiceField(TakeBlock(f.Other), "Their shift", "", f.Take, stintOptions(f.Theirs, f.Zone))
}

// TakeBlock returns the input of the other person's shift.
func TakeBlock(other oncall.UserID) Block { return blockTake + "_" + Block(other) }

// SwapSent replaces the form and says what was offered.
func SwapSent(text string) slack.ModalViewRequest { return readOnly("Swap shifts", section(text)) }

// SwapOffered says who was asked, until when, and about which shifts: a typed day doesn't name them.
func SwapOffered(s oncall.Swap, zone string) string {
	return fmt.Sprintf("%s is asked, by %s at the latest: your %s for their %s. You can take it back until then, in the message you get.",
		mention(s.Take.User), Time(s.ExpiresAt, location(zone)), StintWords(s.Give, zone), StintWords(s.Take, zone))
}

// A SwapWhich holds the shifts that a person may have meant, by value: none is any of theirs.
type SwapWhich struct {
	Other oncall.UserID `json:"other"`
	Give  []string      `json:"give,omitempty"`
	Take  []string      `json:"take,omitempty"`
}

// StintValues returns the values of some shifts. More than ten were not named by a day.
func StintValues(of []schedule.Stint) []string {
	values := make([]string, min(len(of), 10))
	for i := range values {
		values[i] = StintValue(of[i])
	}
	return values
}

// ReadSwapWhich reads the value of the button.
func ReadSwapWhich(value string) (w SwapWhich, err error) {
	err = json.Unmarshal([]byte(value), &w)
	return w, err
}

// Draw asks in a message, with a button for the form.
func (w SwapWhich) Draw(give, take []schedule.Stint, zone string) Drawing {
	lines := []string{"Which shifts do you mean?"}
	list := func(whose string, of []schedule.Stint) {
		if len(of) == 0 {
			return
		}
		lines = append(lines, whose)
		for _, s := range of[:min(len(of), 10)] {
			lines = append(lines, "• "+StintWords(s, zone))
		}
	}
	list("Yours:", give)
	list("Those of "+mention(w.Other)+":", take)
	d := Text(strings.Join(lines, "\n"))
	d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionSwapWhich, w.value(), "Choose").WithStyle(slack.StylePrimary)))
	return d
}

// value returns the value of the button.
func (w SwapWhich) value() string {
	value, _ := json.Marshal(w) // strings always marshal
	return string(value)
}

// OpensForm offers the form that a message can't open, as it takes a press.
func OpensForm(does Action) Drawing {
	d := Text("That takes a form. Or write it in one line: `swap mon @bo fri`, `cover tomorrow`, `override @bo today 18:00 to 22:00`, `away 24 dec to 27 dec`.")
	d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(does, "", "Open the form").WithStyle(slack.StylePrimary)))
	return d
}

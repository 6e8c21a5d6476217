package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// MaxRules is the maximum number of rules.
const MaxRules = 6

// Afters are the delays that can be chosen.
var Afters = []oncall.Seconds{0, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600}

// RulesMeta is the metadata of the rules form.
type RulesMeta struct {
	Low   bool          `json:"low,omitempty"`
	Lines []oncall.Rule `json:"lines"` // as drawn; later choices are in the form's state
	// Moved lines get new block ids, because Slack keeps the choice of a block with the same id.
	Drawn int `json:"drawn"`
}

// Block returns the block id of a line.
func (m RulesMeta) Block(i int) Block { return Block(fmt.Sprintf("rule_%d_%d", m.Drawn, i)) }

// RulesForm is the form of the notification rules.
type RulesForm struct {
	Contacts
	Meta  RulesMeta
	Lines []oncall.Rule
}

// Draw draws the rules of one urgency, each with its warnings.
func (f RulesForm) Draw() slack.ModalViewRequest {
	title, intro := "Rules, high severity", "Critical, high and medium severity. Lines go on until you or enough others have acknowledged, also after the policy's next step."
	if f.Meta.Low {
		title, intro = "Rules, low severity", "Low severity, within your hours for it. Lines go on until you or enough others have acknowledged."
	}
	warnings := f.Reach.Warnings(f.Lines, f.Meta.Low, f.Context)
	blocks := []slack.Block{section(intro)}
	if len(f.Lines) == 0 {
		blocks = append(blocks, section("Without a line you get the defaults."))
		warnings = nil
	}
	for i, rule := range f.Lines {
		blocks = append(blocks, f.line(i, rule))
		blocks = append(blocks, warningNotes(warnings, i+1)...)
	}
	var buttons []slack.BlockElement
	if len(f.Lines) < MaxRules {
		buttons = append(buttons, button(ActionRulesAdd, "", "Add a line"))
	}
	buttons = append(buttons, button(ActionRulesDefaults, "", "Use the defaults"))
	blocks = append(blocks, slack.NewActionBlock("rules_actions", buttons...))
	blocks = append(blocks, warningNotes(warnings, 0)...)
	f.Meta.Lines = f.Lines
	meta, _ := json.Marshal(f.Meta) // numbers and a bool; can't fail
	return dialog(ModalRules, title, "Save", string(meta), blocks...)
}

// warningNotes returns the warnings of one line; with 0, those that concern all.
func warningNotes(warnings []oncall.Warning, line int) []slack.Block {
	var lines []string
	for _, w := range warnings {
		if w.Line == line {
			lines = append(lines, ":warning: "+Foreign(w.Text, maxBody))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return []slack.Block{note(CutPlain(strings.Join(lines, "\n"), maxField))}
}

// line draws one rule: by what, when, and a button that removes it.
func (f RulesForm) line(i int, rule oncall.Rule) slack.Block {
	contacts := []option{{"0", "Slack"}}
	known := rule.Contact == 0
	for _, c := range f.Reach.Contacts[:min(len(f.Reach.Contacts), maxOptions-2)] {
		contacts = append(contacts, option{valueOf(c.ID), c.Method.Info().Title + " " + c.Address})
		known = known || c.ID == rule.Contact
	}
	if !known {
		contacts = append(contacts, option{valueOf(rule.Contact), "Removed"})
	}
	var times []option
	for _, s := range withAfter(rule.After) {
		times = append(times, option{valueOf(s), whenText(s)})
	}
	remove := button(ActionRuleRemove, strconv.Itoa(i), "Remove")
	return slack.NewActionBlock(string(f.Meta.Block(i)),
		selected(ActionRuleContact, valueOf(rule.Contact), contacts),
		selected(ActionRuleAfter, valueOf(rule.After), times), remove)
}

// withAfter returns the delays to choose from, including one that only the set-up file can have set.
func withAfter(s oncall.Seconds) []oncall.Seconds {
	if slices.Contains(Afters, s) {
		return Afters
	}
	all := append(slices.Clone(Afters), s)
	slices.Sort(all)
	return all
}

// HoursForm draws the form of the hours for low-severity pages.
func (cs Contacts) HoursForm() slack.ModalViewRequest {
	hint := fmt.Sprintf("One line each, in your time zone (%s): mon-fri 09:00-17:00, or sat sun 10:00-16:00. daily 00:00-00:00 is always. Left empty: the default, %s.",
		CutPlain(cs.TimeZone, MaxName), strings.ReplaceAll(schedule.WindowsText(oncall.WorkingHours), "\n", ", "))
	windows := cs.Reach.Hours
	if windows == nil {
		windows = oncall.WorkingHours
	}
	return dialog(ModalHours, "Hours, low severity", "Save", "",
		section("Low severity waits for these hours and then comes as one message. Critical, high and medium severity never wait."),
		optional(areaField(BlockWindows, "Hours", hint, schedule.WindowsText(windows))))
}

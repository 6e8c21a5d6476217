package bot

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

const (
	actionRuleContact   = "rule_contact"
	actionRuleAfter     = "rule_after"
	actionRuleRemove    = "rule_remove"
	actionRulesAdd      = "rules_add"
	actionRulesDefaults = "rules_defaults"
)

// maxRules is how many lines there may be.
const maxRules = 6

// afters are the minutes that can be chosen.
var afters = []oncall.Seconds{0, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600}

// rulesMeta is what the view of the rules carries.
type rulesMeta struct {
	Low   bool          `json:"low,omitempty"`
	Lines []oncall.Rule `json:"lines"` // as they were drawn; what was chosen since is in the form
	// Lines that have moved get new block ids, as Slack keeps what was chosen in a block
	// of the same id.
	Drawn int `json:"drawn"`
}

func (m rulesMeta) block(i int) string { return fmt.Sprintf("rule_%d_%d", m.Drawn, i) }

// rulesForm is everything that the form of the rules shows.
type rulesForm struct {
	reachView
	meta  rulesMeta
	lines []oncall.Rule
}

// drawRules draws the rules of one urgency, each line with what is wrong with it.
func drawRules(f rulesForm) slack.ModalViewRequest {
	title, intro := "Rules, high severity", "Critical, high and medium severity. Lines go on until you or enough others have acknowledged, also after the policy's next step."
	if f.meta.Low {
		title, intro = "Rules, low severity", "Low severity, within your hours for it. Lines go on until you or enough others have acknowledged."
	}
	warnings := f.reach.Warnings(f.lines, f.meta.Low, f.facts)
	blocks := []slack.Block{section(intro)}
	if len(f.lines) == 0 {
		blocks = append(blocks, section("Without a line you get the defaults."))
		warnings = nil
	}
	for i, rule := range f.lines {
		blocks = append(blocks, f.line(i, rule))
		blocks = append(blocks, warningNotes(warnings, i+1)...)
	}
	var buttons []slack.BlockElement
	if len(f.lines) < maxRules {
		buttons = append(buttons, slack.NewButtonBlockElement(actionRulesAdd, "", plain("Add a line")))
	}
	buttons = append(buttons, slack.NewButtonBlockElement(actionRulesDefaults, "", plain("Use the defaults")))
	blocks = append(blocks, slack.NewActionBlock("rules_actions", buttons...))
	blocks = append(blocks, warningNotes(warnings, 0)...)
	f.meta.Lines = f.lines
	meta, _ := json.Marshal(f.meta) // numbers and a truth value: it always can
	return dialog(modalRules, title, "Save", string(meta), blocks...)
}

// warningNotes are the warnings of one line, or with 0 of all of them.
func warningNotes(warnings []oncall.Warning, line int) []slack.Block {
	var lines []string
	for _, w := range warnings {
		if w.Line == line {
			lines = append(lines, ":warning: "+foreign(w.Text, maxBody))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return []slack.Block{note(cutPlain(strings.Join(lines, "\n"), maxField))}
}

// line is one rule: by what, when, and a button that removes it.
func (f rulesForm) line(i int, rule oncall.Rule) slack.Block {
	contacts := []option{{"0", "Slack"}}
	known := rule.Contact == 0
	for _, c := range f.reach.Contacts[:min(len(f.reach.Contacts), maxOptions-2)] {
		contacts = append(contacts, option{strconv.FormatInt(int64(c.ID), 10), methodTitle(c.Method) + " " + c.Address})
		known = known || c.ID == rule.Contact
	}
	if !known {
		contacts = append(contacts, option{strconv.FormatInt(int64(rule.Contact), 10), "Removed"})
	}
	var times []option
	for _, s := range withAfter(rule.After) {
		times = append(times, option{strconv.FormatInt(int64(s), 10), after(s)})
	}
	remove := slack.NewButtonBlockElement(actionRuleRemove, strconv.Itoa(i), plain("Remove"))
	return slack.NewActionBlock(f.meta.block(i),
		selected(actionRuleContact, strconv.FormatInt(int64(rule.Contact), 10), contacts),
		selected(actionRuleAfter, strconv.FormatInt(int64(rule.After), 10), times), remove)
}

// withAfter are the choices of when, with one that only a file can have set.
func withAfter(s oncall.Seconds) []oncall.Seconds {
	if slices.Contains(afters, s) {
		return afters
	}
	all := append(slices.Clone(afters), s)
	slices.Sort(all)
	return all
}

// drawHours asks when a low severity may disturb.
func drawHours(v reachView) slack.ModalViewRequest {
	hint := fmt.Sprintf("One line each, in your time zone (%s): mon-fri 09:00-17:00, or sat sun 10:00-16:00. daily 00:00-00:00 is always. Left empty: the default, %s.",
		cutPlain(v.timeZone, maxName), strings.ReplaceAll(schedule.WindowsText(oncall.WorkingHours), "\n", ", "))
	windows := v.reach.Hours
	if windows == nil {
		windows = oncall.WorkingHours
	}
	return dialog(modalHours, "Hours, low severity", "Save", "",
		section("Low severity waits for these hours and then comes as one message. Critical, high and medium severity never wait."),
		optional(areaField(blockWindows, "Hours", hint, schedule.WindowsText(windows))))
}

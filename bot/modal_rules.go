package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
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

// selected is a choice outside of an input.
func selected(action, initial string, options []option) *slack.SelectBlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, action)
	for _, o := range options {
		object := optionObject(o)
		e.Options = append(e.Options, object)
		if o.value == initial {
			e.InitialOption = object
		}
	}
	return e
}

// readRules loads the form of the rules as it is filled in.
func (b *Bot) readRules(ctx context.Context, user oncall.UserID, v slack.View) (rulesForm, error) {
	var f rulesForm
	err := f.read(v)
	if err == nil {
		f.reachView, err = b.reachView(ctx, user)
	}
	return f, err
}

// read takes the lines from the form.
func (f *rulesForm) read(v slack.View) error {
	if err := json.Unmarshal([]byte(v.PrivateMetadata), &f.meta); err != nil {
		return oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	held := formOf(v)
	for i, line := range f.meta.Lines {
		chosen := held[f.meta.block(i)]
		if id, err := strconv.ParseInt(chosen[actionRuleContact].SelectedOption.Value, 10, 64); err == nil {
			line.Contact = oncall.ContactID(id)
		}
		if s, err := strconv.ParseInt(chosen[actionRuleAfter].SelectedOption.Value, 10, 64); err == nil {
			line.After = oncall.Seconds(s)
		}
		f.lines = append(f.lines, line)
	}
	return nil
}

// rulesEdit opens the form of the rules of one urgency.
func (b *Bot) rulesEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	f := rulesForm{reachView: v, meta: rulesMeta{Low: p.value == "low"}}
	f.lines = v.reach.Rules(f.meta.Low)
	return "", b.pushModal(ctx, p.trigger, drawRules(f))
}

// rulePress changes the lines of the form, which is then drawn anew.
func rulePress(change func(f *rulesForm, value string)) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		f, err := b.readRules(ctx, p.user, p.view)
		if err != nil {
			return "", err
		}
		if change != nil {
			change(&f, p.value)
			f.meta.Drawn++
		}
		err = b.updateModal(ctx, p.view, drawRules(f))
		if _, late := errors.AsType[oncall.Refusal](err); late && change == nil {
			return "", nil // something else was chosen since, which draws it as well
		}
		return "", err
	}
}

// addLine adds what the rules do not use yet.
func addLine(f *rulesForm, _ string) {
	if len(f.lines) >= maxRules {
		return
	}
	next := oncall.Rule{}
	if n := len(f.lines); n > 0 {
		next.After = f.lines[n-1].After
	}
	for _, c := range f.reach.Contacts {
		uses := func(r oncall.Rule) bool { return r.Contact == c.ID }
		if c.Usable() && slices.Contains(f.facts.Methods, c.Method) && !slices.ContainsFunc(f.lines, uses) {
			next.Contact = c.ID
			break
		}
	}
	if slices.Contains(f.lines, next) { // the same again, but later
		for _, s := range afters {
			if s > next.After {
				next.After = s
				break
			}
		}
	}
	f.lines = append(f.lines, next)
}

func removeLine(f *rulesForm, value string) {
	if i, err := strconv.Atoi(value); err == nil && i >= 0 && i < len(f.lines) {
		f.lines = slices.Delete(f.lines, i, i+1)
	}
}

func defaultLines(f *rulesForm, _ string) { f.lines = f.defaults() }

// defaults are the lines of somebody who has chosen none.
func (f rulesForm) defaults() []oncall.Rule {
	return oncall.Reach{Contacts: f.reach.Contacts}.Rules(f.meta.Low)
}

// submitRules saves the lines. The defaults are not saved, so that they follow when a
// contact method is added.
func (b *Bot) submitRules(ctx context.Context, s submission) (answer, error) {
	f, err := b.readRules(ctx, s.user, s.view)
	if err != nil {
		return answer{}, err
	}
	slices.SortStableFunc(f.lines, func(x, y oncall.Rule) int { return cmp.Compare(x.After, y.After) })
	lines := f.lines
	if len(lines) == 0 || slices.Equal(lines, f.defaults()) {
		lines = nil
	}
	preferences := f.reach.Preferences
	if f.meta.Low {
		preferences.Low = lines
	} else {
		preferences.High = lines
	}
	return b.savePreferences(ctx, s, preferences)
}

// savePreferences saves how somebody is reached, and shows it below.
func (b *Bot) savePreferences(ctx context.Context, s submission, p oncall.Preferences) (answer, error) {
	if err := b.store.SetPreferences(ctx, s.user, p, b.clock()); err != nil {
		return answer{}, fmt.Errorf("save the rules of %s: %w", s.user, err)
	}
	b.redrawReach(ctx, s.user, s.view, "Saved.")
	return answer{}, nil
}

// hoursEdit opens the form of the hours for low severity.
func (b *Bot) hoursEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	return "", b.pushModal(ctx, p.trigger, drawHours(v))
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

// submitHours saves them.
func (b *Bot) submitHours(ctx context.Context, s submission) (answer, error) {
	windows, err := schedule.ParseWindows(s.form.text(blockWindows))
	if err != nil {
		return correct(map[string]string{blockWindows: sentence(err)}), nil
	}
	v, err := b.reachView(ctx, s.user)
	if err != nil {
		return answer{}, err
	}
	preferences := v.reach.Preferences
	preferences.Hours = windows
	if schedule.WindowsText(windows) == schedule.WindowsText(oncall.WorkingHours) {
		preferences.Hours = nil
	}
	return b.savePreferences(ctx, s, preferences)
}

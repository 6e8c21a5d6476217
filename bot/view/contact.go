package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// The menu next to a contact method. The id follows in its values.
const (
	MenuTest   = "test "
	MenuResend = "resend "
	MenuRemove = "remove "
)

// maxContactsShown keeps the form small enough for an acknowledgement.
const maxContactsShown = 20

// Contacts is the form of a person's contact settings.
type Contacts struct {
	Reach    oncall.ContactSettings
	Context  oncall.RuleContext
	Add      []oncall.Method // methods that the person may add
	Card     bool            // there is a contact card
	TimeZone string
	Location *time.Location
	Message  string // result of the last action
}

// Draw draws the form: the contact methods, the rules, the hours.
func (cs Contacts) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if cs.Message != "" {
		blocks = append(blocks, section(cs.Message))
	}
	if !ReachesPeople(cs.Context.Methods) {
		blocks = append(blocks, section(onlySlack()))
	}
	blocks = append(blocks, section("*Slack* — a direct message; everybody has it."))
	for _, c := range cs.Reach.Contacts[:min(len(cs.Reach.Contacts), maxContactsShown)] {
		blocks = append(blocks, cs.contact(c))
	}
	blocks = append(blocks, slack.NewActionBlock("contact_actions", cs.buttons()...), slack.NewDividerBlock())
	blocks = append(blocks, cs.rules("Critical, high and medium severity", false)...)
	blocks = append(blocks, cs.rules("Low severity", true)...)
	edit := button(ActionHoursEdit, "", "Edit hours…")
	blocks = append(blocks, slack.NewSectionBlock(words(cs.hours()), nil, slack.NewAccessory(edit)))
	return buttonModal(modalContacts, "How you are reached", "", blocks...)
}

// ReachesPeople reports whether any of the methods reaches a person rather than a program.
func ReachesPeople(methods []oncall.Method) bool {
	return slices.ContainsFunc(methods, func(m oncall.Method) bool { return !m.Info().Programs })
}

// onlySlack says that the installation has no other methods, and which there are.
func onlySlack() string {
	var kinds []string
	settings := map[string][]string{}
	for _, info := range oncall.ContactMethods() {
		if info.Kind == "" {
			continue
		}
		if !slices.Contains(kinds, info.Kind) {
			kinds = append(kinds, info.Kind)
		}
		if setting := "`" + info.Setting + "`"; !slices.Contains(settings[info.Kind], setting) {
			settings[info.Kind] = append(settings[info.Kind], setting)
		}
	}
	for i, kind := range kinds {
		kinds[i] += " (" + strings.Join(settings[kind], ", ") + ")"
	}
	return ":warning: This installation reaches people in Slack only, which wakes nobody. An admin can add " + List(kinds) + " to Watchbill's settings."
}

func (cs Contacts) buttons() []slack.BlockElement {
	var buttons []slack.BlockElement
	if len(cs.Add) > 0 {
		buttons = append(buttons, button(ActionContactAdd, "", "Add…").WithStyle(slack.StylePrimary))
	}
	buttons = append(buttons, button(ActionContactTest, "", "Send me a test page"))
	if cs.Card {
		buttons = append(buttons, button(ActionContactCard, "", "Contact card for your phone"))
	}
	return buttons
}

// contact draws a contact method with its buttons.
func (cs Contacts) contact(c oncall.Contact) slack.Block {
	id := valueOf(c.ID)
	text := fmt.Sprintf("*%s* %s\n%s", c.Method.Info().Title, Name(c.Address), cs.state(c))
	var beside slack.BlockElement
	switch {
	case c.DisabledAt == nil && c.VerifiedAt == nil:
		beside = button(ActionContactCode, id, "Enter the code…")
	case c.DisabledAt != nil:
		beside = slack.NewOverflowBlockElement(string(ActionContactMenu),
			optionObject(option{MenuResend + id, "Switch it on again by a code"}), optionObject(option{MenuRemove + id, "Remove"}))
	default:
		beside = slack.NewOverflowBlockElement(string(ActionContactMenu),
			optionObject(option{MenuTest + id, "Send a test page"}), optionObject(option{MenuRemove + id, "Remove"}))
	}
	return slack.NewSectionBlock(words(text), nil, slack.NewAccessory(beside), slack.SectionBlockOptionBlockID("contact_"+id))
}

// state says whether a contact method receives pages.
func (cs Contacts) state(c oncall.Contact) string {
	switch {
	case !slices.Contains(cs.Context.Methods, c.Method):
		return fmt.Sprintf(":no_entry: Not used: this installation can't send by %s any more.", c.Method.Name())
	case c.DisabledAt != nil:
		return ":no_entry: Switched off because " + Foreign(c.DisabledWhy, maxBody) + "."
	case c.VerifiedAt == nil:
		return ":hourglass_flowing_sand: Waits for its code; no page goes there before."
	case c.ConfirmedAt != nil:
		return ":white_check_mark: Verified; last confirmed " + stamp(*c.ConfirmedAt, asAgo, cs.Location) + "."
	}
	return ":white_check_mark: Verified."
}

// rules draws the rules of one urgency, with their warnings.
func (cs Contacts) rules(title string, low bool) []slack.Block {
	own, urgency := cs.Reach.High, "high"
	if low {
		own, urgency = cs.Reach.Low, "low"
	}
	rules := cs.Reach.Rules(low)
	lines := []string{"*" + title + "*"}
	if own == nil {
		lines[0] += " (the defaults)"
	}
	for _, rule := range rules {
		lines = append(lines, "• "+whenText(rule.After)+": "+cs.ruleContact(rule.Contact))
	}
	edit := button(ActionRulesEdit, urgency, "Edit rules…")
	blocks := []slack.Block{slack.NewSectionBlock(words(cutSection(strings.Join(lines, "\n"))), nil, slack.NewAccessory(edit))}
	var warnings []string
	for _, w := range cs.Reach.Warnings(rules, low, cs.Context) {
		text := Foreign(w.Text, maxBody)
		if w.Line > 0 {
			text = fmt.Sprintf("Line %d: %s", w.Line, text)
		}
		warnings = append(warnings, ":warning: "+text)
	}
	if len(warnings) > 0 {
		blocks = append(blocks, note(CutPlain(strings.Join(warnings, "\n"), maxField)))
	}
	return blocks
}

// ruleContact names the contact method of a rule.
func (cs Contacts) ruleContact(id oncall.ContactID) string {
	if id == 0 {
		return "Slack"
	}
	c, known := cs.Reach.Contact(id)
	if !known {
		return "something that you have removed"
	}
	return c.Method.Name() + " " + Name(c.Address)
}

// whenText says when a rule pages.
func whenText(s oncall.Seconds) string {
	switch {
	case s == 0:
		return "at once"
	case s%60 == 0:
		return fmt.Sprintf("after %d min", s/60)
	}
	return fmt.Sprintf("after %d s", s)
}

// hours says when low-severity pages may be sent.
func (cs Contacts) hours() string {
	windows, whose := cs.Reach.Hours, ""
	if windows == nil {
		windows, whose = oncall.WorkingHours, ", the default"
	}
	text := strings.ReplaceAll(schedule.WindowsText(windows), "\n", ", ")
	return fmt.Sprintf("*Hours for low severity*\n%s (%s%s). At other times it waits, and comes as one message when they begin. Nothing else ever waits.",
		Foreign(text, maxBody), Name(cs.TimeZone), whose)
}

// ContactForm draws the form of a new contact method. The id of the address's input includes the method, so
// that Slack clears the input when another method is chosen.
func ContactForm(methods []oncall.Method, method oncall.Method, mail string) slack.ModalViewRequest {
	var options []option
	for _, info := range oncall.ContactMethods() {
		if slices.Contains(methods, info.Method) {
			options = append(options, option{string(info.Method), info.Title})
		}
	}
	if !slices.Contains(methods, method) && len(options) > 0 {
		method = oncall.Method(options[0].Value)
	}
	choice := choiceField(BlockMethod, "By what?", "", string(method), options)
	choice.DispatchAction = true
	initial := ""
	if method == oncall.MethodEmail {
		initial = mail
	}
	info := method.Info()
	address := section("You get a direct message here in Slack with a code. Write it to the bot in " + info.Title + ", so that it knows you.")
	if info.Label != "" {
		address = textField(AddressBlock(method), info.Label, info.Hint, initial)
	}
	return dialog(ModalContactAdd, "Add a contact method", "Send the code", "", choice, address)
}

// AddressBlock returns the input of a method's address.
func AddressBlock(method oncall.Method) Block { return blockAddress + "_" + Block(method) }

// CodeForm draws the form for the code that was sent.
func CodeForm(c oncall.Contact, message string) slack.ModalViewRequest {
	id := valueOf(c.ID)
	buttons := slack.NewActionBlock("code_actions",
		button(ActionContactResend, id, "Send the code again"),
		button(ActionContactMenu, MenuRemove+id, "Remove"))
	if c.Address == "" { // unknown until the code arrives
		return buttonModal(ModalCode, "Verify", id, section(message), buttons)
	}
	return dialog(ModalCode, "Enter the code", "Verify", id, section(message),
		textField(BlockCode, "Code", "Six digits. You can close this and come back.", ""), buttons)
}

// CodeSent says where a code was sent, and what to do with it.
func CodeSent(contact oncall.Contact) string {
	switch info := contact.Method.Info(); {
	case contact.Address == "":
		return fmt.Sprintf("We have sent you a direct message here in Slack with a code. Write it to the bot in %s; it answers when you are verified.", info.Title)
	case info.Spoken:
		return "You are called at " + Name(contact.Address) + " and told a code. Type it here."
	case contact.OneWay():
		return "We have sent a code by " + ContactLabel(contact) + ". Type it here. :warning: Answers from that number don't reach us: when you are paged there, acknowledge in Slack, and better add a call or a push."
	case info.Replied:
		return "We have sent a code by " + ContactLabel(contact) + ". Reply to it with the code, or type it here."
	}
	return "We have sent a code by " + ContactLabel(contact) + ". Type it here."
}

// ContactLabel labels a contact method: "SMS to +12025550100".
func ContactLabel(c oncall.Contact) string {
	if c.Address == "" {
		return c.Method.Name()
	}
	return c.Method.Name() + " to " + Name(c.Address)
}

// OthersReach summarises a person's contact methods for others: kinds, never addresses.
func OthersReach(user oncall.UserID, r oncall.ContactSettings, methods []oncall.Method, zone *time.Location) string {
	return reachedBy(mention(user)+" is", r, methods, zone)
}

// OwnReach summarises the reader's own contact methods.
func OwnReach(r oncall.ContactSettings, methods []oncall.Method) string {
	return reachedBy("You are", r, methods, time.UTC)
}

func reachedBy(who string, r oncall.ContactSettings, methods []oncall.Method, zone *time.Location) string {
	kinds := []string{"Slack"}
	var confirmed time.Time
	for _, c := range r.Contacts {
		if name := c.Method.Name(); c.Usable() && slices.Contains(methods, c.Method) {
			if !slices.Contains(kinds, name) {
				kinds = append(kinds, name)
			}
			if c.ConfirmedAt != nil && c.ConfirmedAt.After(confirmed) {
				confirmed = *c.ConfirmedAt
			}
		}
	}
	text := who + " reached by " + List(kinds)
	if !confirmed.IsZero() {
		text += "; last confirmed " + stamp(confirmed, asAgo, zone)
	}
	return text + "."
}

// AddMore is advice for people who can only be reached in Slack. There is at least one method to add.
func AddMore(methods []oncall.Method) string {
	what := "more"
	if slices.ContainsFunc(methods, func(m oncall.Method) bool { return m.Info().IsPhone }) {
		what = "your phone"
	}
	return "You can only be reached in Slack, which wakes nobody: `/oncall contact` adds " + what + "."
}

// ContactRemoved replaces the form of a removed contact method.
func ContactRemoved(message string) slack.ModalViewRequest {
	return readOnly("Removed", section(message))
}

// TestSent says by which methods test pages are on their way.
func TestSent(contacts []oncall.Contact, skipped int) string {
	by := []string{"Slack"}
	for _, c := range contacts {
		by = append(by, ContactLabel(c))
	}
	text := "A test page is on its way by " + List(by) + "."
	if len(by) > 1 {
		text += " Answer it as you would answer a page."
	}
	if skipped > 0 {
		text += fmt.Sprintf(" %s not used: `/oncall contact` says why.", countAre(skipped, "contact method"))
	}
	return text
}

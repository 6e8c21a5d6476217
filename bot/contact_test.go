package bot

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// reachedByTwo returns a person with five contact methods, of which two are used.
func reachedByTwo() view.Contacts {
	return view.Contacts{
		Reach: oncall.ContactSettings{Contacts: []oncall.Contact{
			{ID: 1, Method: oncall.MethodVoice, Address: "+12025550100", VerifiedAt: &noon},
			{ID: 2, Method: oncall.MethodSMS, Address: "+12025550101"},
			{ID: 3, Method: oncall.MethodSMS, Address: "+12025550102", VerifiedAt: &noon, DisabledAt: &noon},
			{ID: 4, Method: oncall.MethodEmail, Address: "ann@example.com", VerifiedAt: &noon},
			{ID: 5, Method: oncall.MethodTelegram},
		}},
		Context: oncall.RuleContext{Methods: []oncall.Method{oncall.MethodEmail, oncall.MethodSMS, oncall.MethodTelegram, oncall.MethodVoice}},
	}
}

// Choices in the form count, and untouched inputs keep their initial values.
func TestReadRulesTakesChosenOverInitialValues(t *testing.T) {
	t.Parallel()
	f := view.RulesForm{Contacts: reachedByTwo(), Meta: view.RulesMeta{Drawn: 2}, Lines: []oncall.Rule{{}, {Contact: 1, After: 60}}}
	v := slack.View{PrivateMetadata: f.Draw().PrivateMetadata, State: &slack.ViewState{Values: map[string]map[string]slack.BlockAction{
		"rule_2_1": {string(view.ActionRuleAfter): {SelectedOption: slack.OptionBlockObject{Value: "300"}}},
		"rule_1_0": {string(view.ActionRuleContact): {SelectedOption: slack.OptionBlockObject{Value: "4"}}}, // of an earlier drawing
	}}}
	read, err := readLines(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Lines) != 2 || read.Lines[0] != (oncall.Rule{}) || read.Lines[1] != (oncall.Rule{Contact: 1, After: 300}) {
		t.Errorf("the form reads as %v, want Slack at once and contact 1 after 300 s", read.Lines)
	}
}

func TestAddLineSuggestsTheNextRule(t *testing.T) {
	t.Parallel()
	f := view.RulesForm{Contacts: reachedByTwo(), Lines: []oncall.Rule{{}, {Contact: 1, After: 60}}}
	for _, want := range []oncall.Rule{{Contact: 4, After: 60}, {After: 60}, {After: 120}, {After: 180}} {
		addLine(&f, "")
		if got := f.Lines[len(f.Lines)-1]; got != want {
			t.Errorf("added %v, want %v", got, want)
		}
	}
	if addLine(&f, ""); len(f.Lines) != view.MaxRules {
		t.Errorf("%d lines, want %d at most", len(f.Lines), view.MaxRules)
	}
}

func TestContactCardIsAVCard(t *testing.T) {
	t.Parallel()
	card := contactCard([]string{"+12025550199"})
	if !strings.HasPrefix(card, "BEGIN:VCARD\r\nVERSION:3.0\r\n") || !strings.Contains(card, "\r\nTEL;TYPE=WORK,VOICE:+12025550199\r\n") ||
		!strings.HasSuffix(card, "\r\nEND:VCARD\r\n") {
		t.Errorf("the card is %q, want a vCard 3.0 with the number", card)
	}
}

// view presses or chooses something in a person's open form.
func (w *world) view(user oncall.UserID, action view.Action, value any) {
	w.t.Helper()
	before := w.sim.ViewText(string(user))
	r, err := w.sim.ChooseView(w.ctx, string(user), string(action), value)
	if err != nil || !r.Acked {
		w.t.Fatalf("pressing %s: %v, acknowledged %t, %s; want it acknowledged", action, err, r.Acked, r.Error)
	}
	w.until("the form changes after "+string(action), func() bool { return w.sim.ViewText(string(user)) != before })
}

// submit submits a person's open form and returns the errors of its inputs.
func (w *world) submit(user oncall.UserID, values map[view.Block]any) map[string]string {
	w.t.Helper()
	typed := map[string]any{}
	for block, v := range values {
		typed[string(block)] = v
	}
	r, err := w.sim.Submit(w.ctx, string(user), typed)
	if err != nil || r.Error != "" {
		w.t.Fatalf("the form is answered %v, %s; want it taken", err, r.Error)
	}
	return r.Errors
}

func (w *world) shows(user oncall.UserID, want ...string) {
	w.t.Helper()
	text := w.sim.ViewText(string(user))
	for _, line := range want {
		if !strings.Contains(text, line) {
			w.t.Errorf("the form doesn't show %q:\n%s", line, text)
		}
	}
}

// Ann adds her phone, verifies it, sets rules and hours, and removes it.
func TestContactsAreAddedVerifiedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.bot.methods = []oncall.Method{oncall.MethodEmail, oncall.MethodSMS, oncall.MethodVoice}
	w.listen(2)
	if _, err := w.sim.Slash(w.ctx, string(ann), "C0PAY", "/oncall contact"); err != nil {
		t.Fatal(err)
	}
	w.shows(ann, "Slack", "(the defaults)", "wakes nobody", "mon-fri 09:00-17:00 (Europe/Berlin, the default)")

	w.view(ann, view.ActionContactAdd, nil)
	w.view(ann, view.ActionContactMethod, string(oncall.MethodSMS))
	block := view.AddressBlock(oncall.MethodSMS)
	if wrong := w.submit(ann, map[view.Block]any{block: "202 555 0100"}); !strings.Contains(wrong[string(block)], "country code") {
		t.Errorf("a number without a country code: errors %v, want one about the country code", wrong)
	}
	w.submit(ann, map[view.Block]any{block: "+1 (202) 555-0100"})
	w.shows(ann, "We have sent a code by SMS to +12025550100. Reply to it with the code, or type it here.")
	reach, err := w.store.ContactSettings(w.ctx, oncall.ByTimer(), ann)
	if err != nil || len(reach.Contacts) != 1 {
		t.Fatalf("Ann's contact settings are %v, %v; want one contact method", reach, err)
	}
	id := reach.Contacts[0].ID
	proof, err := w.store.BeginProof(w.ctx, id, [16]byte{7: 42}, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	if wrong := w.submit(ann, map[view.Block]any{view.BlockCode: "999999"}); !strings.Contains(wrong[string(view.BlockCode)], "not right") {
		t.Errorf("a wrong code: errors %v, want one at the code", wrong)
	}
	w.submit(ann, map[view.Block]any{view.BlockCode: " " + proof.Code})
	w.shows(ann, "Verified: SMS to +12025550100.", "after 3 min: SMS +12025550100")

	w.view(ann, view.ActionRulesEdit+"=high", nil)
	w.view(ann, "rule_0_1/"+view.ActionRuleAfter, "1200")
	w.shows(ann, "The first that can wake you comes after 20 min, but the policy Payments goes on after 5 min.")
	w.view(ann, view.ActionRulesAdd, nil)
	w.view(ann, view.ActionRuleRemove+"=0", nil)
	w.shows(ann, "Nothing here pages you at once")
	w.view(ann, "rule_2_0/"+view.ActionRuleAfter, "60")
	w.submit(ann, nil)
	w.shows(ann, "Saved.", "after 1 min: SMS +12025550100")

	w.view(ann, view.ActionHoursEdit, nil)
	if wrong := w.submit(ann, map[view.Block]any{view.BlockWindows: "weekends"}); !strings.Contains(wrong[string(view.BlockWindows)], "is not a window") {
		t.Errorf("invalid hours: errors %v, want one at the hours", wrong)
	}
	w.submit(ann, map[view.Block]any{view.BlockWindows: "daily 08:00-20:00"})
	w.shows(ann, "daily 08:00-20:00 (Europe/Berlin)")

	reach, err = w.store.ContactSettings(w.ctx, oncall.ByTimer(), ann)
	if err != nil || len(reach.High) != 2 || len(reach.Hours) != 1 {
		t.Fatalf("got the preferences %+v, %v, want two rules, one window and no error", reach.Preferences, err)
	}
	if want := (oncall.Rule{Contact: id, After: 60}); reach.High[0] != want {
		t.Errorf("got the first rule %+v, want the SMS, %+v", reach.High[0], want)
	}
	if reach.Low != nil {
		t.Errorf("got the rules for low severity %+v, want the default, none", reach.Low)
	}
	if got := w.command(bo, "/oncall contact <@U0ANN>"); !strings.Contains(got, "Slack and SMS") || strings.Contains(got, "555") {
		t.Errorf("Bo sees %q of Ann's contact methods, want Slack and SMS without the number", got)
	}
	if got := w.command(ann, "/oncall contact test"); !strings.Contains(got, "by Slack and SMS to +12025550100") {
		t.Errorf("the test is answered %q, want that it goes by Slack and SMS", got)
	}

	overflow := view.Action("contact_"+strconv.FormatInt(int64(id), 10)) + "/" + view.ActionContactMenu
	w.view(ann, overflow, view.MenuTest+strconv.FormatInt(int64(id), 10))
	w.shows(ann, "A test page is on its way by SMS to +12025550100.")
	w.view(ann, overflow, view.MenuRemove+strconv.FormatInt(int64(id), 10))
	w.shows(ann, "Removed: SMS to +12025550100.")
	reach, err = w.store.ContactSettings(w.ctx, oncall.ByTimer(), ann)
	if err != nil || len(reach.Contacts) != 0 || slices.ContainsFunc(reach.High, func(r oncall.Rule) bool { return r.Contact == id }) {
		t.Errorf("after the removal the settings are %+v, %v; want no contact method, and no rule with it", reach, err)
	}
	if got := w.command(ann, "/oncall me"); !strings.Contains(got, "You can only be reached in Slack") {
		t.Errorf("`/oncall me` answers %q, want that Ann can only be reached in Slack", got)
	}
}

// A form that names somebody else's contact method is refused.
func TestContactsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.bot.methods = []oncall.Method{oncall.MethodSMS}
	c, err := w.store.AddContact(w.ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", w.clock())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{view.MenuTest, view.MenuResend, view.MenuRemove} {
		_, err := w.bot.contactMenu(w.ctx, press{user: bo, value: verb + strconv.FormatInt(int64(c.ID), 10)})
		if _, refused := errors.AsType[oncall.Refusal](err); !refused {
			t.Errorf("%sof somebody else's contact method: %v, want a Refusal", verb, err)
		}
	}
}

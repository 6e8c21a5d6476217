package bot

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// nasty is text by somebody who wants to page, fool or confuse others.
const nasty = "<!channel> <!subteam^S0ALL> <@U0EVE> <https://evil.example|ok> & *bold* _it_ `code` ~gone~ \u202edrow\u2066 \x07\x1b[31m\u200f"

// active lists the parts of nasty that must be escaped everywhere.
var active = []string{"<!channel", "<!subteam", "<@U0EVE", "<https://evil", "\u202e", "\u2066", "\x07", "\x1b", "& *"}

// Hostile text is put wherever other people can write, and must be escaped wherever it is shown.
func TestForeignTextIsEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddUser(slacksim.User{ID: string(ann), Name: "ann", RealName: "Ann " + nasty, TZ: "Europe/Berlin"})
	w.listen(1)
	_, err := w.store.Apply(w.ctx, setup.Setup{
		Users: []setup.User{
			{Name: "Ann " + nasty, Slack: ann, TimeZone: "Europe/Berlin"}, {Name: "Bo", Slack: bo, TimeZone: "Europe/Berlin"},
		},
		Teams:        []setup.Team{{Name: "team " + nasty, Channel: "C0PAY", Members: []string{"Bo"}}},
		Schedules:    []setup.Schedule{{Name: "schedule " + nasty, Team: "team " + nasty, TimeZone: "Europe/Berlin", Rotations: []setup.Rotation{{Name: "rotation " + nasty, Start: "2026-03-02 09:00", Every: "week", Turns: []setup.Turn{{"Bo"}}}}}},
		Policies:     []setup.Policy{{Name: "policy " + nasty, Team: "team " + nasty, Steps: []setup.Step{{Page: []string{"user Bo"}}}}},
		Integrations: []setup.Integration{{Name: "integration " + nasty, Team: "team " + nasty, Format: "generic", Policy: "policy " + nasty}},
	}, store.ApplyOptions{Write: true}, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	directory, err := w.store.Directory(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range directory.Integrations {
		if strings.HasPrefix(in.Name, "integration") {
			w.id = in.ID
		}
	}
	err = w.store.Accept(w.ctx, w.id, []oncall.Signal{{
		Action: oncall.Trigger, DedupKey: nasty, GroupKey: nasty, Title: nasty, Body: nasty + "\n" + nasty, Severity: oncall.Critical,
		Link: "https://example.com/?a=<!channel>|x&b", Labels: map[string]string{nasty: nasty, "service": nasty},
		Hints: []oncall.Hint{{Text: "status is " + nasty}}, Links: []oncall.Link{{Text: nasty, URL: "https://example.com/?a=<@U0EVE>"}},
		Details: map[string]string{nasty: nasty},
	}}, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	p, at := w.posted()
	id := p.Incident.ID
	for _, do := range []oncall.Act{{Do: oncall.ActNote, Text: nasty}, {Do: oncall.ActAsk, User: ann, Text: nasty}} {
		if _, err := w.store.Act(w.ctx, id, oncall.ByUser(bo), do, w.clock()); err != nil {
			t.Error(do.Do, err)
		}
	}
	p = w.picture(id)
	if err := w.bot.Redraw(w.ctx, store.WaitingDraw{}, at, p, "", nil); err != nil {
		t.Error(err)
	}
	if err := w.bot.PostThread(w.ctx, at, p, p.Events, "thread"); err != nil {
		t.Error(err)
	}
	if text := w.sim.Messages("C0PAY")[0].Text; !strings.Contains(text, "&lt;!channel&gt;") {
		t.Errorf("the message is %q, want the escaped text in it", text)
	}
	if err := w.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	w.until("the home is drawn", func() bool { return w.sim.HomeText("ann") != "" })
	for _, line := range []string{
		"who", "teams", "users", "me", "next", "schedule", "shift", "incidents", "incident 1", "plan 1", "why 1", "why", "calendar", "remind", "contact", "override", "away", "swap", "cover",
		"who " + nasty, "schedule " + nasty, "note 1 " + nasty, "severity 1 " + nasty, "snooze 1 " + nasty, "reassign 1 " + nasty, "add 1 " + nasty, "merge 1 " + nasty, "link 1 " + nasty,
		"override @bo " + nasty, "away tomorrow " + nasty, "swap " + nasty, "cover " + nasty, "ack " + nasty, "teams " + nasty, "calendar " + nasty, "remind " + nasty, nasty, "help " + nasty,
		"contact " + nasty, "contact add " + nasty, "unack 1 " + nasty, "reopen 1 " + nasty, "escalate 1 " + nasty, "unsnooze 1 " + nasty, "ack 1 " + nasty, "incident " + nasty,
		"plan " + nasty, "why " + nasty, "next " + nasty, "shift " + nasty, "me " + nasty, "users " + nasty, "incidents " + nasty, "who tomorrow " + nasty,
		"override @bo tomorrow 9:00 to 18:00 schedule " + nasty, "override @ann now 2h " + nasty, "away tomorrow to friday " + nasty, "away", "override", "cover tomorrow 9:00 to 18:00 " + nasty,
		"schedule", "next", "who", "away cancel", "override cancel", "resolve 1 " + nasty, "incidents", "verdict 1 noise " + nasty, "incidents closed", "incidents closed " + nasty, "setup", "setup " + nasty, "setup team " + nasty, "setup new",
	} {
		if len(w.sim.Views(string(bo))) > 0 {
			if _, err := w.sim.CloseView(w.ctx, string(bo), true); err != nil {
				t.Error(err)
			}
		}
		w.command(bo, "/oncall "+line)
		w.look("/oncall " + line)
	}
}

// Every hostile text is typed after commands and into forms, and sent by a monitor.
func TestHostileTextsInSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p, at := w.posted()
	id := p.Incident.ID
	for _, h := range hostile.Texts {
		text := strings.ToValidUTF8(h.Text, "\ufffd") // as JSON has it
		signal := oncall.Signal{Action: oncall.Trigger, DedupKey: h.Name, Title: "x", Severity: oncall.Low, Labels: map[string]string{"a": "b"}}
		if len(text) < 1_000 && !strings.Contains(text, "\x00") { // intake cuts and cleans
			signal.Title += text
			if err := w.store.Accept(w.ctx, w.id, []oncall.Signal{signal}, w.clock()); err != nil {
				t.Errorf("%s: %v", h.Name, err)
			}
		}
		if _, err := w.store.Act(w.ctx, id, oncall.ByUser(bo), oncall.Act{Do: oncall.ActNote, Text: text}, w.clock()); err != nil {
			if _, refused := errors.AsType[oncall.Refusal](err); !refused {
				t.Errorf("%s as a note: %v, want a refusal", h.Name, err)
			}
		}
		for modal, block := range map[view.Modal]view.Block{view.ModalNote: view.BlockText, view.ModalVerdict: view.BlockText, view.ModalSetupGuide: view.BlockName, view.ModalAsk: view.BlockText, view.ModalScheduleNew: view.BlockName, view.ModalAway: view.BlockNote, view.ModalOverride: view.BlockReason} {
			values := map[string]map[string]slack.BlockAction{
				string(block): {"x": {Value: text}}, string(view.BlockPerson): {"x": {SelectedUsers: []string{string(ann)}}},
				string(view.BlockZone): {"x": {Value: "UTC"}}, string(view.BlockTeam): {"x": {SelectedOption: slack.OptionBlockObject{Value: "1"}}},
				string(view.BlockFrom): {"x": {SelectedDateTime: noon.Unix() + 3600}}, string(view.BlockTo): {"x": {SelectedDateTime: noon.Unix() + 7200}},
			}
			sent := slack.InteractionCallback{User: slack.User{ID: string(bo), TeamID: "T0SIM"}, View: slack.View{CallbackID: string(modal), PrivateMetadata: "1", State: &slack.ViewState{Values: values}}}
			a, err := w.bot.submitted(w.ctx, sent)
			if _, refused := errors.AsType[oncall.Refusal](err); err != nil && !refused {
				t.Errorf("%s in the form %s: %v, want no error but a refusal", h.Name, modal, err)
			}
			if fault := hostile.Active(markup(a.payload())); fault != "" {
				t.Errorf("%s: the form %s: %s, want %s", h.Name, modal, fault, "")
			}
		}
		if len(text) < 3_000 {
			for _, line := range []string{"", "who ", "note 1 ", "contact add "} {
				w.command(bo, "/oncall "+line+text)
				if len(w.sim.Views(string(bo))) > 0 {
					if _, err := w.sim.CloseView(w.ctx, string(bo), true); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	if err := w.bot.PostThread(w.ctx, at, w.picture(id), w.picture(id).Events, "thread"); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"incidents", "incident 1", "teams", "next"} {
		w.command(bo, "/oncall "+line)
		if len(w.sim.Views(string(bo))) > 0 {
			if _, err := w.sim.CloseView(w.ctx, string(bo), true); err != nil {
				t.Error(err)
			}
		}
	}
	w.look("all of it")
}

// look fails the test for every active part that people are shown.
func (w *world) look(after string) {
	w.t.Helper()
	check := func(where, text string) {
		if fault := hostile.Active(text); fault != "" {
			w.t.Errorf("%s: %s: %s in %q", after, where, fault, text)
		}
		for _, part := range active {
			if strings.Contains(text, part) {
				w.t.Errorf("%s: %s shows %q in %q", after, where, part, text)
				return
			}
		}
	}
	var walk func(where string, v any)
	walk = func(where string, v any) {
		switch v := v.(type) {
		case []any:
			for _, inner := range v {
				walk(where, inner)
			}
		case map[string]any:
			if v["type"] == "mrkdwn" {
				text, _ := v["text"].(string)
				check(where, text)
			}
			for _, inner := range v {
				walk(where, inner)
			}
		}
	}
	for _, c := range w.sim.Calls() {
		text, _ := c.Args["text"].(string)
		check(c.Method, text)
		walk(c.Method, c.Args["blocks"])
		walk(c.Method, c.Args["view"])
	}
	for _, e := range w.sim.Envelopes() {
		var ack map[string]any
		if json.Unmarshal(e.Ack, &ack) == nil {
			text, _ := ack["text"].(string)
			check("an answer", text)
			walk("an answer", ack["blocks"])
			walk("an answer", ack["view"])
		}
	}
}

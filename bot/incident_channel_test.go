package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// channelOrder returns the order for the channel of a new incident.
func channelOrder(w *world) store.ChannelOrder {
	in := oncall.Incident{ID: 7, Title: "disk <full>", Severity: oncall.Critical, Status: oncall.Triggered, Channel: &oncall.IncidentChannel{}}
	plan, _ := oncall.ChannelFacts{
		Incident: in, Paged: []oncall.UserID{ann, "U0GONE"}, Alerts: []oncall.Alert{{Links: []oncall.Link{{Text: "Runbook", URL: "https://wiki.example.com"}}}},
		Now: w.clock(),
	}.Plan()
	return store.ChannelOrder{ChannelPlan: plan, Picture: oncall.Picture{Incident: in}, Root: store.MessageRef{Channel: "C0PAY", TS: "1.2"}}
}

// Whichever response is lost, there is one channel, it is greeted once, and it has each bookmark once.
func TestChannelAfterLostAnswers(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"conversations.create", "chat.postMessage", "conversations.setTopic", "bookmarks.add", "conversations.invite"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, slacksim.Options{})
			order := channelOrder(w)
			w.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultLost})
			became, err := w.bot.KeepChannel(w.ctx, order)
			if err == nil {
				t.Fatal("the lost answer was no error")
			}
			order.Channel = became
			if became, err = w.bot.KeepChannel(w.ctx, order); err != nil {
				t.Fatal(err)
			}
			c, found := w.sim.FindChannel("#inc-7-disk-full")
			if !found || c.ID != became.ID {
				t.Fatalf("the channel is %+v (found: %t), want the id %q", c, found, became.ID)
			}
			if text := w.sim.Text(c.ID); strings.Count(text, "This channel is for those who work on it") != 1 {
				t.Errorf("want one greeting in the channel, got\n%s", text)
			}
			if n := len(w.sim.Bookmarks(c.ID)); n != 2 {
				t.Errorf("%d bookmarks, want the message and the runbook", n)
			}
			if len(c.Members) != 2 || !strings.HasPrefix(c.Topic, "#7 critical") || len(became.Invited) != 2 {
				t.Errorf("it is %+v, want Ann in it, the topic set, and nobody to invite left", c)
			}
		})
	}
}

// A channel with the same name that isn't ours is left alone.
func TestChannelOfAnotherName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddChannel(slacksim.Channel{Name: "inc-7-disk-full", Members: []string{string(bo)}, Creator: string(bo)})
	became, err := w.bot.KeepChannel(w.ctx, channelOrder(w))
	if err != nil || became.Name != "inc-7-disk-full-2" {
		t.Errorf("%+v, %v; want one of another name", became, err)
	}
}

// Without the scope, the refusal says which scope is missing.
func TestChannelWithoutScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.SetScopes([]string{"chat:write"})
	if _, err := w.bot.KeepChannel(w.ctx, channelOrder(w)); !refused(err) || !strings.Contains(err.Error(), "channels:manage") {
		t.Errorf("%v, want a Refusal that names the scope", err)
	}
}

// If Slack accepts no part of the title as a name, only the number is left.
func TestChannelWhoseNameSlackRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.Fail(slacksim.Fault{Method: "conversations.create", Kind: slacksim.FaultError, Code: "invalid_name_specials"})
	became, err := w.bot.KeepChannel(w.ctx, channelOrder(w))
	if err != nil || became.Name != "inc-7" {
		t.Errorf("%+v, %v; want it named by the incident's number", became, err)
	}
}

// While Slack refuses the token, nothing counts as done.
func TestChannelWithoutToken(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"chat.postMessage", "conversations.setTopic", "conversations.invite"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, slacksim.Options{})
			order := channelOrder(w)
			w.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultError, Code: "token_revoked"})
			became, err := w.bot.KeepChannel(w.ctx, order)
			if err == nil {
				t.Fatal("the refused token was no error")
			}
			order.Channel = became
			if _, err = w.bot.KeepChannel(w.ctx, order); err != nil {
				t.Fatal(err)
			}
			c, _ := w.sim.FindChannel("#inc-7-disk-full")
			if !strings.Contains(w.sim.Text(c.ID), "This channel is for those who work on it") || len(c.Members) != 2 || c.Topic == "" {
				t.Errorf("with a new token it is %+v, want it greeted, its topic set and Ann in it", c)
			}
		})
	}
}

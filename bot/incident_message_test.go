package bot

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

func TestRedrawEditsTheMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	p, at := w.posted()
	if at.Channel != "C0PAY" || at.TS == "" {
		t.Fatalf("the message is at %+v, want a timestamp in C0PAY", at)
	}
	m := w.sim.Messages("C0PAY")[0]
	for _, want := range []string{`"event_type":"watchbill_delivery"`, `"delivery_id":"delivery-1"`, `"incident":"` + strings.TrimPrefix(p.Incident.ID.String(), "#") + `"`} {
		if !strings.Contains(string(m.Metadata), want) {
			t.Errorf("the metadata %s lacks %s", m.Metadata, want)
		}
	}
	for _, c := range w.sim.Calls() {
		if c.Method == "chat.postMessage" && (c.Args["unfurl_links"] != "false" || c.Args["unfurl_media"] != "false") {
			t.Errorf("a post has the arguments %v, want unfurling off", c.Args)
		}
	}
	p.Incident.Status = oncall.Resolved
	p.Incident.ResolvedBy = oncall.ByUser(ann)
	if err := w.bot.Redraw(w.ctx, store.WaitingDraw{}, at, p, "", nil); err != nil {
		t.Fatal(err)
	}
	after := w.sim.Messages("C0PAY")
	if len(after) != 1 || !strings.Contains(string(after[0].Blocks), "Resolved") || string(after[0].Metadata) != string(m.Metadata) {
		t.Errorf("after the redraw the channel has %+v, want one message that says Resolved, with the same metadata", after)
	}
	if err := w.bot.Redraw(w.ctx, store.WaitingDraw{}, store.MessageRef{Channel: "C0PAY", TS: "1.000001"}, p, "", nil); !errors.Is(err, store.ErrGone) {
		t.Errorf("redrawing a message that doesn't exist: %v, want store.ErrGone", err)
	}
}

func TestThreadReportsSeveralEventsInOneReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	p, at := w.posted()
	events := []oncall.Event{
		{Kind: oncall.EventAcknowledged, Actor: oncall.ByUser(ann)}, {Kind: oncall.EventPageDelivered}, {Kind: oncall.EventResolved, Actor: oncall.ByUser(bo)},
	}
	if err := w.bot.PostThread(w.ctx, at, p, events, "thread-1"); err != nil {
		t.Fatal(err)
	}
	if err := w.bot.PostThread(w.ctx, at, p, events[1:2], "thread-2"); err != nil {
		t.Fatal(err)
	}
	if err := w.bot.PostThread(w.ctx, at, p, []oncall.Event{{Kind: oncall.EventExhausted}}, "thread-3"); err != nil {
		t.Fatal(err)
	}
	replies := w.sim.Messages("C0PAY")[1:]
	if len(replies) != 2 || replies[0].ThreadTS != at.TS {
		t.Fatalf("the replies are %+v, want two in the thread", replies)
	}
	if replies[0].Broadcast || !replies[1].Broadcast {
		t.Errorf("the replies are %+v, want only the second broadcast", replies)
	}
	if want := "<@U0ANN> acknowledged it.\n<@U0BO> resolved it."; replies[0].Text != want {
		t.Errorf("the reply says %q; want %q", replies[0].Text, want)
	}
}

func TestLostAnswerCausesNoDuplicate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   slacksim.FaultKind
		posted bool
	}{
		{slacksim.FaultAfter, true}, {slacksim.FaultLost, true}, {slacksim.FaultBefore, false}, {slacksim.FaultReset, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, slacksim.Options{Now: time.Now})
			p := w.incident()
			began := time.Now()
			w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: c.kind})
			if _, err := w.bot.PostRoot(w.ctx, store.WaitingDraw{}, p, "delivery-7"); err == nil || slackcall.OutcomeOf(err) != notify.Unknown {
				t.Fatalf("the outcome of the post is %q (%v), want %q", slackcall.OutcomeOf(err), err, notify.Unknown)
			}
			// The simulator may record the call after it has cut the connection.
			w.until("the call is on record", func() bool { return w.calls("chat.postMessage") > 0 })
			if posts := w.calls("chat.postMessage"); posts != 1 {
				t.Errorf("chat.postMessage was called %d times, want 1", posts)
			}
			at, found, err := w.bot.FindRoot(w.ctx, p, "delivery-7", began)
			if err != nil || found != c.posted {
				t.Fatalf("found %t, %v; want %t", found, err, c.posted)
			}
			if found && at.TS != w.sim.Messages("C0PAY")[0].TS {
				t.Errorf("found a message at %+v, want the posted one", at)
			}
			if _, found, err := w.bot.FindRoot(w.ctx, p, "delivery-8", began); err != nil || found {
				t.Errorf("another delivery: found %t, %v; want nothing found", found, err)
			}

			// A reply is looked up at once.
			root, err := w.bot.PostRoot(w.ctx, store.WaitingDraw{}, p, "delivery-9")
			if err != nil {
				t.Fatal(err)
			}
			w.bot.clock = time.Now
			before := len(w.sim.Messages("C0PAY"))
			w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: c.kind})
			err = w.bot.PostThread(w.ctx, root, p, []oncall.Event{{Kind: oncall.EventExhausted}}, "thread-1")
			if (err == nil) != c.posted {
				t.Errorf("posting the reply: %v, want success: %t", err, c.posted)
			}
			if got := len(w.sim.Messages("C0PAY")) - before; (got == 1) != c.posted {
				t.Errorf("%d replies were posted, want one: %t", got, c.posted)
			}
		})
	}
}

func (w *world) calls(method string) int {
	n := 0
	for _, c := range w.sim.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

func TestFindRootJoinsTheChannelAndResolvesNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{Now: time.Now})
	p := w.incident()
	p.Team.Channel = "#ops" // by name, and the bot is no member
	began := time.Now()
	w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost})
	if _, err := w.bot.PostRoot(w.ctx, store.WaitingDraw{}, p, "delivery-1"); err == nil {
		t.Fatal("the post succeeded, want its answer lost")
	}
	at, found, err := w.bot.FindRoot(w.ctx, p, "delivery-1", began)
	if err != nil || !found || at.Channel != "C0OPS" {
		t.Errorf("found %t at %+v, %v; want the message in C0OPS", found, at, err)
	}
	p.Team.Channel = "#nowhere"
	if _, found, err := w.bot.FindRoot(w.ctx, p, "delivery-1", began); err != nil || found {
		t.Errorf("in a channel that doesn't exist: found %t, %v; want nothing and no error", found, err)
	}
	w.sim.SetScopes([]string{"chat:write", "chat:write.public"})
	p.Team.Channel = "C0OPS"
	if _, found, err := w.bot.FindRoot(w.ctx, p, "delivery-1", began); err != nil || found {
		t.Errorf("without the scopes: found %t, %v; want nothing and no error", found, err)
	}
}

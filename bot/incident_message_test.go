package bot

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

func TestBoardDrawsInPlace(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	p, at := f.posted()
	if at.Channel != "C0PAY" || at.TS == "" {
		t.Fatalf("posted at %+v", at)
	}
	m := f.sim.Messages("C0PAY")[0]
	for _, want := range []string{`"event_type":"watchbill_delivery"`, `"delivery_id":"delivery-1"`, `"incident":"` + strings.TrimPrefix(p.Incident.ID.String(), "#") + `"`} {
		if !strings.Contains(string(m.Metadata), want) {
			t.Errorf("the metadata %s lacks %s", m.Metadata, want)
		}
	}
	for _, c := range f.sim.Calls() {
		if c.Method == "chat.postMessage" && (c.Args["unfurl_links"] != "false" || c.Args["unfurl_media"] != "false") {
			t.Errorf("unfurling is on: %v", c.Args)
		}
	}
	p.Incident.Status = oncall.Resolved
	p.Incident.ResolvedBy = oncall.ByUser(ann)
	if err := f.bot.Redraw(f.ctx, at, p, "", ""); err != nil {
		t.Fatal(err)
	}
	after := f.sim.Messages("C0PAY")
	if len(after) != 1 || !strings.Contains(string(after[0].Blocks), "Resolved") || string(after[0].Metadata) != string(m.Metadata) {
		t.Errorf("after the redraw: %+v", after)
	}
	if err := f.bot.Redraw(f.ctx, store.Place{Channel: "C0PAY", TS: "1.000001"}, p, "", ""); !errors.Is(err, store.ErrGone) {
		t.Errorf("redrawing a message that never was: %v", err)
	}
}

func TestThreadSaysSeveralThingsInOneReply(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	p, at := f.posted()
	events := []oncall.Event{
		{Kind: oncall.EventAcknowledged, Actor: oncall.ByUser(ann)}, {Kind: oncall.EventPageDelivered}, {Kind: oncall.EventResolved, Actor: oncall.ByUser(bo)},
	}
	if err := f.bot.PostThread(f.ctx, at, p, events, "thread-1"); err != nil {
		t.Fatal(err)
	}
	if err := f.bot.PostThread(f.ctx, at, p, events[1:2], "thread-2"); err != nil {
		t.Fatal(err)
	}
	if err := f.bot.PostThread(f.ctx, at, p, []oncall.Event{{Kind: oncall.EventExhausted}}, "thread-3"); err != nil {
		t.Fatal(err)
	}
	replies := f.sim.Messages("C0PAY")[1:]
	if len(replies) != 2 || replies[0].ThreadTS != at.TS || replies[0].Broadcast || !replies[1].Broadcast {
		t.Fatalf("the replies are %+v", replies)
	}
	if want := "<@U0ANN> acknowledged it.\n<@U0BO> resolved it."; replies[0].Text != want {
		t.Errorf("the reply says %q; want %q", replies[0].Text, want)
	}
}

func TestLostAnswersDontPostTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   slacksim.FaultKind
		posted bool
	}{
		{slacksim.FaultAfter, true}, {slacksim.FaultLost, true}, {slacksim.FaultBefore, false}, {slacksim.FaultReset, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			f := newOffice(t, slacksim.Options{Now: time.Now})
			p := f.incident()
			began := time.Now()
			f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: c.kind})
			if _, err := f.bot.PostRoot(f.ctx, p, "delivery-7"); err == nil || slackcall.OutcomeOf(err) != notify.Unknown {
				t.Fatalf("the post became %q: %v", slackcall.OutcomeOf(err), err)
			}
			// The simulator may write the call down after it has cut the connection.
			f.eventually("the call is on record", func() bool { return f.calls("chat.postMessage") > 0 })
			if posts := f.calls("chat.postMessage"); posts != 1 {
				t.Errorf("chat.postMessage was called %d times", posts)
			}
			at, found, err := f.bot.FindRoot(f.ctx, p, "delivery-7", began)
			if err != nil || found != c.posted {
				t.Fatalf("found %t, %v; want %t", found, err, c.posted)
			}
			if found && at.TS != f.sim.Messages("C0PAY")[0].TS {
				t.Errorf("found %+v", at)
			}
			if _, found, err := f.bot.FindRoot(f.ctx, p, "delivery-8", began); err != nil || found {
				t.Errorf("found another delivery: %t, %v", found, err)
			}

			// A reply is looked up at once.
			root, err := f.bot.PostRoot(f.ctx, p, "delivery-9")
			if err != nil {
				t.Fatal(err)
			}
			f.bot.clock = time.Now
			before := len(f.sim.Messages("C0PAY"))
			f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: c.kind})
			err = f.bot.PostThread(f.ctx, root, p, []oncall.Event{{Kind: oncall.EventExhausted}}, "thread-1")
			if (err == nil) != c.posted {
				t.Errorf("the reply: %v", err)
			}
			if got := len(f.sim.Messages("C0PAY")) - before; (got == 1) != c.posted {
				t.Errorf("%d replies were posted", got)
			}
		})
	}
}

func (f *office) calls(method string) int {
	n := 0
	for _, c := range f.sim.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

func TestFindRootJoinsTheChannelAndKnowsNames(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{Now: time.Now})
	p := f.incident()
	p.Team.Channel = "#ops" // by name, and the bot is no member
	began := time.Now()
	f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost})
	if _, err := f.bot.PostRoot(f.ctx, p, "delivery-1"); err == nil {
		t.Fatal("the post succeeded")
	}
	at, found, err := f.bot.FindRoot(f.ctx, p, "delivery-1", began)
	if err != nil || !found || at.Channel != "C0OPS" {
		t.Errorf("found %t at %+v, %v", found, at, err)
	}
	p.Team.Channel = "#nowhere"
	if _, found, err := f.bot.FindRoot(f.ctx, p, "delivery-1", began); err != nil || found {
		t.Errorf("in a channel that doesn't exist: found %t, %v", found, err)
	}
	f.sim.SetScopes([]string{"chat:write", "chat:write.public"})
	p.Team.Channel = "C0OPS"
	if _, found, err := f.bot.FindRoot(f.ctx, p, "delivery-1", began); err != nil || found {
		t.Errorf("without the scopes: found %t, %v", found, err)
	}
}

func TestRefusedBlocksStillSendTheText(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	p := f.incident()
	f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultError, Code: "invalid_blocks"})
	r := f.bot.Send(f.ctx, notify.Message{Key: "k", To: string(ann), Incident: int64(p.Incident.ID), Why: "you are on call"})
	if r.Outcome != notify.Accepted {
		t.Fatalf("%+v", r)
	}
	m := f.sim.Messages("@ann")
	if len(m) != 1 || !strings.Contains(m[0].Text, "Checkout fails") || !strings.Contains(m[0].Text, "you are on call") {
		t.Errorf("Ann got %+v", m)
	}
}

func TestSendPagesAndClassifies(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	p := f.incident()
	message := notify.Message{Key: "k/1", To: string(ann), Incident: int64(p.Incident.ID), Why: "you are on call in payments"}
	r := f.bot.Send(f.ctx, message)
	m := f.sim.Messages("@ann")
	if r.Outcome != notify.Accepted || len(m) != 1 || r.Reference != m[0].Channel+" "+m[0].TS || r.Drawn != p.Incident.Version {
		t.Fatalf("%+v; Ann got %+v", r, m)
	}
	if !strings.Contains(m[0].Text, "You are paged because you are on call in payments.") || !strings.Contains(string(m[0].Metadata), `"k/1"`) {
		t.Errorf("Ann got %q with %s", m[0].Text, m[0].Metadata)
	}
	if res, err := f.sim.Click(f.ctx, "ann", "@ann", "", string(view.ActionAck)); err != nil || !res.Acked {
		t.Errorf("a click in the direct message: %+v, %v", res, err)
	}
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("it is %s", in.Status)
	}
	for _, c := range []struct {
		fault slacksim.Fault
		want  notify.Outcome
	}{
		{slacksim.Fault{Kind: slacksim.FaultBefore}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultLost}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "internal_error"}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "fatal_error"}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "channel_not_found"}, notify.Rejected},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "messages_tab_disabled"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "never_heard_of"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "token_revoked"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "missing_scope"}, notify.Misconfigured},
	} {
		c.fault.Method = "chat.postMessage"
		f.sim.Fail(c.fault)
		message.To = string(cy)
		if r := f.bot.Send(f.ctx, message); r.Outcome != c.want || r.Err == nil {
			t.Errorf("%s %s: %s, %v; want %s", c.fault.Kind, c.fault.Code, r.Outcome, r.Err, c.want)
		}
	}
	f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLimit, RetryAfter: 40 * time.Second})
	message.To = string(bo)
	if r := f.bot.Send(f.ctx, message); r.Outcome != notify.Throttled || r.RetryAfter != 40*time.Second {
		t.Errorf("429: %+v", r)
	}
	// Nothing leaves while the conversation is frozen: a deadline in between is no doubt.
	ctx, cancel := context.WithTimeout(f.ctx, 50*time.Millisecond)
	defer cancel()
	calls := f.calls("chat.postMessage")
	if r := f.bot.Send(ctx, message); r.Outcome != notify.Throttled {
		t.Errorf("while frozen: %+v", r)
	}
	if f.calls("chat.postMessage") != calls {
		t.Error("a call was made while frozen")
	}
	message.Incident = 4711
	if r := f.bot.Send(f.ctx, message); r.Outcome == notify.Accepted || r.Err == nil {
		t.Errorf("an incident that isn't there: %+v", r)
	}
	if err := f.sim.Close(); err != nil {
		t.Fatal(err)
	}
	message.Incident, message.To = int64(p.Incident.ID), string(ann)
	if r := f.bot.Send(f.ctx, message); r.Outcome != notify.Throttled {
		t.Errorf("nobody listens at Slack's: %+v", r)
	}
}

func TestSecondAttemptLeavesOnePage(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	p := f.incident()
	other := notify.Message{Key: "another", To: string(ann), Incident: int64(p.Incident.ID), Attempt: 1}
	if r := f.bot.Send(f.ctx, other); r.Outcome != notify.Accepted {
		t.Fatalf("%+v", r)
	}
	message := notify.Message{Key: "k/1", To: string(ann), Incident: int64(p.Incident.ID), Attempt: 1}
	f.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost})
	if r := f.bot.Send(f.ctx, message); r.Outcome != notify.Unknown {
		t.Fatalf("%+v", r)
	}
	message.Attempt = 2
	r := f.bot.Send(f.ctx, message)
	if m := f.sim.Messages("@ann"); r.Outcome != notify.Accepted || len(m) != 2 || r.Reference != m[1].Channel+" "+m[1].TS {
		t.Errorf("%+v; Ann has %+v", r, m)
	}
	f.sim.Fail(slacksim.Fault{Method: "conversations.history", Kind: slacksim.FaultError, Code: "missing_scope"})
	if r := f.bot.Send(f.ctx, message); r.Outcome != notify.Accepted {
		t.Errorf("without the right to look: %+v", r)
	}
}

// In a storm, what nobody has answered doesn't stand behind what has been settled.
func TestWhatNobodyHasTakenIsDrawnFirst(t *testing.T) {
	t.Parallel()
	b := &Bot{clock: func() time.Time { return noon.Add(20 * time.Minute) }}
	at := func(status oncall.Status, minute time.Duration, kind oncall.EventKind) oncall.Picture {
		return oncall.Picture{
			Incident: oncall.Incident{Status: status}, Events: []oncall.Event{{At: noon.Add(minute * time.Minute), Kind: kind}},
		}
	}
	for name, c := range map[string]struct {
		picture oncall.Picture
		want    slackcall.Priority
	}{
		"exhausted":            {at(oncall.Triggered, 19, oncall.EventExhausted), slackcall.ForAlarm},
		"could not be reached": {at(oncall.Triggered, 16, oncall.EventPageFailed), slackcall.ForAlarm},
		"counting":             {at(oncall.Triggered, 19, oncall.EventAlertJoined), slackcall.ForUpdate},
		"exhausted long ago":   {at(oncall.Triggered, 10, oncall.EventExhausted), slackcall.ForUpdate},
		"acknowledged":         {at(oncall.Acknowledged, 19, oncall.EventAcknowledged), slackcall.ForUpdate},
		"resolved":             {at(oncall.Resolved, 19, oncall.EventResolved), slackcall.ForUpdate},
	} {
		if got := b.updatePriority(c.picture); got != c.want {
			t.Errorf("%s: priority %d, want %d", name, got, c.want)
		}
	}
	if slackcall.ForRoot >= slackcall.ForAlarm || slackcall.ForAlarm >= slackcall.ForUpdate || slackcall.ForUpdate >= slackcall.ForThread {
		t.Error("news of what nobody has taken must go before the rest, and after what has just come")
	}
}

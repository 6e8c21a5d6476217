package bot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestSendPagesAndClassifies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p := w.incident()
	message := notify.Message{Key: "k/1", To: string(ann), Incident: int64(p.Incident.ID), Reason: []string{"you are on call in payments"}}
	r := w.bot.Send(w.ctx, message)
	m := w.sim.Messages("@ann")
	if r.Outcome != notify.Accepted || len(m) != 1 {
		t.Fatalf("the receipt is %+v, Ann's messages are %+v; want one message, accepted", r, m)
	}
	if r.Place != (notify.SlackMessage{Channel: m[0].Channel, TS: m[0].TS}) || r.Drawn != p.Incident.Version {
		t.Errorf("the receipt is %+v for %+v; want its place, at version %d", r, m[0], p.Incident.Version)
	}
	if !strings.Contains(m[0].Text, "You are paged because you are on call in payments.") || !strings.Contains(string(m[0].Metadata), `"k/1"`) {
		t.Errorf("the page is %q with metadata %s, want the reason and the delivery id", m[0].Text, m[0].Metadata)
	}
	if res, err := w.sim.Click(w.ctx, "ann", "@ann", "", string(view.ActionAck)); err != nil || !res.Acked {
		t.Errorf("a click in the direct message: %+v, %v; want it acknowledged", res, err)
	}
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("it is %s, want %s", in.Status, oncall.Acknowledged)
	}
	for _, c := range []struct {
		fault slacksim.Fault
		want  notify.Outcome
	}{
		{slacksim.Fault{Kind: slacksim.FaultBefore}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultLost}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "internal_error"}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "fatal_error"}, notify.Unknown},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "channel_not_found"}, notify.Throttled}, // Cy is there
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "messages_tab_disabled"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "never_heard_of"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "token_revoked"}, notify.Misconfigured},
		{slacksim.Fault{Kind: slacksim.FaultError, Code: "missing_scope"}, notify.Misconfigured},
	} {
		c.fault.Method = "chat.postMessage"
		w.sim.Fail(c.fault)
		message.To = string(cy)
		if r := w.bot.Send(w.ctx, message); r.Outcome != c.want || r.Err == nil {
			t.Errorf("%s %s: %s, %v; want %s", c.fault.Kind, c.fault.Code, r.Outcome, r.Err, c.want)
		}
	}
	message.To = "U0NOBODY"
	if r := w.bot.Send(w.ctx, message); r.Outcome != notify.Rejected {
		t.Errorf("somebody who isn't there: %s, want %s", r.Outcome, notify.Rejected)
	}
	w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLimit, RetryAfter: 40 * time.Second})
	message.To = string(bo)
	if r := w.bot.Send(w.ctx, message); r.Outcome != notify.Throttled || r.RetryAfter != 40*time.Second {
		t.Errorf("after a 429 the receipt is %+v, want throttled for 40 s", r)
	}
	// Nothing is sent while the conversation is frozen, so a deadline in between leaves no doubt.
	ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
	defer cancel()
	calls := w.calls("chat.postMessage")
	if r := w.bot.Send(ctx, message); r.Outcome != notify.Throttled {
		t.Errorf("while the conversation is frozen the receipt is %+v, want throttled", r)
	}
	if w.calls("chat.postMessage") != calls {
		t.Error("a call was made while the conversation was frozen, want none")
	}
	message.Incident = 4711
	if r := w.bot.Send(w.ctx, message); r.Outcome == notify.Accepted || r.Err == nil {
		t.Errorf("the page of an unknown incident: %+v, want a failure", r)
	}
	if err := w.sim.Close(); err != nil {
		t.Fatal(err)
	}
	message.Incident, message.To = int64(p.Incident.ID), string(ann)
	if r := w.bot.Send(w.ctx, message); r.Outcome != notify.Throttled {
		t.Errorf("while Slack is down the receipt is %+v, want throttled", r)
	}
}

func TestRefusedBlocksFallBackToText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	p := w.incident()
	w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultError, Code: "invalid_blocks"})
	r := w.bot.Send(w.ctx, notify.Message{Key: "k", To: string(ann), Incident: int64(p.Incident.ID), Reason: []string{"you are on call"}})
	if r.Outcome != notify.Accepted {
		t.Fatalf("sent: %+v, want accepted", r)
	}
	m := w.sim.Messages("@ann")
	if len(m) != 1 || !strings.Contains(m[0].Text, "Checkout fails") || !strings.Contains(m[0].Text, "you are on call") {
		t.Errorf("Ann's messages are %+v, want one with the text", m)
	}
}

func TestSecondAttemptLeavesOnePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	p := w.incident()
	other := notify.Message{Key: "another", To: string(ann), Incident: int64(p.Incident.ID), Attempt: 1}
	if r := w.bot.Send(w.ctx, other); r.Outcome != notify.Accepted {
		t.Fatalf("another message: %+v, want accepted", r)
	}
	message := notify.Message{Key: "k/1", To: string(ann), Incident: int64(p.Incident.ID), Attempt: 1}
	w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost})
	if r := w.bot.Send(w.ctx, message); r.Outcome != notify.Unknown {
		t.Fatalf("lost by Slack: %+v, want unknown", r)
	}
	message.Attempt = 2
	r := w.bot.Send(w.ctx, message)
	if m := w.sim.Messages("@ann"); r.Outcome != notify.Accepted || len(m) != 2 || r.Place != (notify.SlackMessage{Channel: m[1].Channel, TS: m[1].TS}) {
		t.Errorf("the receipt is %+v, Ann's messages are %+v; want the second copy only", r, m)
	}
	w.sim.Fail(slacksim.Fault{Method: "conversations.history", Kind: slacksim.FaultError, Code: "missing_scope"})
	if r := w.bot.Send(w.ctx, message); r.Outcome != notify.Accepted {
		t.Errorf("without the scope to read the conversation the receipt is %+v, want accepted", r)
	}
}

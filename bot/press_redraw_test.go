package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// known posts an incident and stores its message's address.
func (w *world) known() (id int64, at store.MessageRef) {
	w.t.Helper()
	p, at := w.posted()
	job := int64(4711)
	if _, err := w.store.BeginDraw(w.ctx, p.Incident.ID, job, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.RootPosted(w.ctx, p.Incident.ID, at, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Drawn(w.ctx, p.Incident.ID, at, p.Incident.Version); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.PutDrawBack(w.ctx, store.WaitingDraw{Job: job, Incident: p.Incident.ID}, w.clock(), false, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	return int64(p.Incident.ID), at
}

// edits reports whether a message is out of date.
func (w *world) edits() bool {
	w.t.Helper()
	waiting, err := w.store.WaitingDraws(w.ctx, w.clock())
	if err != nil || len(waiting) != 1 {
		w.t.Fatalf("the waiting drawings are %+v, %v; want one", waiting, err)
	}
	return waiting[0].Edits
}

// The pressed message shows the result at once, without an edit that counts towards Slack's limits, and isn't
// drawn again.
func TestPressedMessageIsRedrawnByResponseURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{Limits: true})
	w.listen(1)
	_, at := w.known()
	w.click(ann, view.ActionAck)
	shows := func(action view.Action) bool {
		return strings.Contains(string(w.sim.Messages(at.Channel)[0].Blocks), `"action_id":"`+string(action)+`"`)
	}
	w.until("the message shows that Ann has it", func() bool { return !shows(view.ActionAck) && shows(view.ActionResolve) })
	w.until("that is noted", func() bool { return !w.edits() })
	w.click(bo, view.ActionResolve)
	w.until("the message shows that it is over", func() bool { return !shows(view.ActionResolve) && !w.edits() })
	if n := w.calls("chat.update"); n != 0 {
		t.Errorf("%d edits, want 0", n)
	}
}

// If the response_url can't redraw the message, an edit does. If that fails as well, it is left to the
// draw job.
func TestPressedMessageIsEditedIfResponseURLFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	_, at := w.known()
	for range 3 { // as much as goes into a conversation at once
		if _, err := w.bot.post(w.ctx, slackcall.Message{Channel: at.Channel, Priority: slackcall.ForPage}, view.Help()); err != nil {
			t.Fatal(err)
		}
	}
	w.sim.Fail(slacksim.Fault{Method: "response_url", Kind: slacksim.FaultBefore, Times: -1})
	w.sim.Fail(slacksim.Fault{Method: "chat.update", Kind: slacksim.FaultBefore, Times: -1})
	if r, err := w.sim.Click(w.ctx, string(ann), at.Channel, at.TS, string(view.ActionAck)); err != nil || !r.Acked {
		t.Fatalf("the click: %+v, %v; want it acknowledged", r, err)
	}
	w.until("it was tried", func() bool { return w.calls("response_url")+w.calls("chat.update") > 0 })
	w.until("nobody keeps the draw job from it", func() bool {
		var n int
		err := w.store.Pool().QueryRow(w.ctx, `SELECT count(*) FROM drawings WHERE lease_job IS NULL`).Scan(&n)
		return err == nil && n == 1
	})
	if !w.edits() {
		t.Error("the message counts as drawn after both ways failed, want it left to the draw job")
	}
}

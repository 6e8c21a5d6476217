package bot

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

func TestClickAcknowledgesAndResolves(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	p, _ := f.posted()
	began := time.Now()
	f.click(ann, view.ActionAck)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the click took %s", took)
	}
	in := f.picture(p.Incident.ID).Incident
	if in.Status != oncall.Acknowledged || in.AckedBy.User != ann || in.AckedBy.Via != "slack" {
		t.Errorf("after Ann's click the incident is %s by %+v", in.Status, in.AckedBy)
	}
	f.click(bo, view.ActionResolve)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Resolved || in.ResolvedBy.User != bo {
		t.Errorf("after Bo's click the incident is %s by %+v", in.Status, in.ResolvedBy)
	}
	if seen := f.sim.EphemeralText("ann") + f.sim.EphemeralText("bo"); seen != "" {
		t.Errorf("a click that worked was commented: %q", seen)
	}
}

func TestRefusedClickExplainsItselfAndDrawsAgain(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	p, _ := f.posted()
	f.click(ann, view.ActionAck)
	f.click(bo, view.ActionAck)
	f.eventually("Bo is told", func() bool { return f.sim.EphemeralText("bo") != "" })
	want := "Incident " + p.Incident.ID.String() + " is already acknowledged by @ann."
	if got := f.sim.EphemeralText("bo"); !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
		t.Errorf("Bo was told %q; want %q", got, want)
	}
	if f.sim.EphemeralText("ann") != "" {
		t.Error("Ann was told as well")
	}
	if n := f.draws(); n != 1 {
		t.Errorf("%d drawings wait after the refusal; want 1", n)
	}
	if f.count(p.Incident.ID, oncall.EventAcknowledged) != 1 {
		t.Error("the refusal left a line in the timeline")
	}
}

func (w *world) draws() int {
	w.t.Helper()
	depths, err := w.store.QueueDepths(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return depths[store.QueueDraw]
}

func TestButtonsOfAnotherVersionAreRefused(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	p := oncall.Picture{Incident: oncall.Incident{ID: 4711, Status: oncall.Triggered}, Team: oncall.Team{Channel: "C0PAY"}}
	if _, err := f.bot.PostRoot(f.ctx, store.WaitingDraw{}, p, "stale"); err != nil {
		t.Fatal(err)
	}
	f.click(ann, view.ActionAck)
	f.eventually("Ann is told", func() bool {
		return strings.Contains(f.sim.EphemeralText("ann"), "There is no incident #4711.")
	})
}

func TestRedeliveredClickActsOnce(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(2)
	p, _ := f.posted()
	f.click(ann, view.ActionAck)
	for _, newID := range []bool{false, true} {
		for _, e := range f.sim.Envelopes() {
			if e.Type != "interactive" {
				continue
			}
			if acked, err := f.sim.Redeliver(f.ctx, e.ID, newID); err != nil || !acked {
				t.Errorf("redelivered with a new id %t: acknowledged %t, %v", newID, acked, err)
			}
			break
		}
	}
	if n := f.count(p.Incident.ID, oncall.EventAcknowledged); n != 1 {
		t.Errorf("acknowledged %d times, want 1", n)
	}
	if told := f.sim.EphemeralText("ann"); told != "" {
		t.Errorf("Ann was told %q for Slack's repetition", told)
	}
}

func TestRedeliveredCommandActsOnce(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(2)
	f.command(ann, "/oncall override @bo today 18:00 to 22:00 payments days")
	envelopes := f.sim.Envelopes()
	last := envelopes[len(envelopes)-1]
	if acked, err := f.sim.Redeliver(f.ctx, last.ID, true); err != nil || !acked {
		t.Fatalf("acknowledged %t, %v", acked, err)
	}
	// A second override would be refused, as Bo is on call alone by then.
	for _, e := range f.sim.Envelopes() {
		if strings.Contains(string(e.Ack), "already") {
			t.Errorf("the repetition ran: %s", e.Ack)
		}
	}
}

func TestConcurrentClicksHaveOneWinner(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{Random: true})
	f.listen(2)
	p, at := f.posted()
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			user := []oncall.UserID{ann, bo}[i%2]
			if r, err := f.sim.Click(f.ctx, string(user), at.Channel, at.TS, string(view.ActionAck)); err != nil || !r.Acked {
				t.Errorf("click %d: %+v, %v", i, r, err)
			}
		})
	}
	all.Wait()
	if n := f.count(p.Incident.ID, oncall.EventAcknowledged); n != 1 {
		t.Errorf("acknowledged %d times, want 1", n)
	}
}

func TestPanicIsAnAnswerAndNotTheEnd(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	healthy := f.bot.store
	f.bot.store = nil // every use of it panics
	f.listen(1)
	if got := f.command(ann, "/oncall who"); got != sorryFailed {
		t.Errorf("Ann was told %q", got)
	}
	if !f.log.has("panic: runtime error") || !f.log.has("goroutine ") {
		t.Error("the log has no stack")
	}
	f.bot.store = healthy
	if got := f.command(ann, "/oncall who"); !strings.Contains(got, "payments days") {
		t.Errorf("after the panic Ann was told %q", got)
	}
}

func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{RetryDelays: []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, time.Second}, AckTimeout: 2 * time.Second})
	f.listen(1)
	p, _ := f.posted()
	f.gate.set(true)
	if got := f.command(ann, "/oncall who"); got != sorryDatabase {
		t.Errorf("Ann was told %q", got)
	}
	f.click(ann, view.ActionAck)
	f.eventually("Ann is told", func() bool { return strings.Contains(f.sim.EphemeralText("ann"), sorryDatabase) })

	// An event is not acknowledged, comes again, and is handled then.
	if err := f.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	f.eventually("the event has failed", func() bool { return f.log.has(`"kind":"event"`) })
	f.gate.set(false)
	f.eventually("the home is there", func() bool { return f.sim.HomeText("ann") != "" })
	f.click(ann, view.ActionAck)
	f.eventually("Ann's second click counts", func() bool {
		return f.picture(p.Incident.ID).Incident.Status == oncall.Acknowledged
	})
}

func TestStopLetsAClickFinish(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	stop := f.listen(1)
	p, at := f.posted()
	other, err := f.store.Pool().Begin(f.ctx) // somebody else holds the incident
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback(f.ctx)
	if _, err := other.Exec(f.ctx, `SELECT FROM incidents WHERE id = $1 FOR UPDATE`, p.Incident.ID); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if r, err := f.sim.Click(f.ctx, string(ann), at.Channel, at.TS, string(view.ActionAck)); err != nil || !r.Acked {
			t.Errorf("the click got lost in the stop: %+v, %v", r, err)
		}
	})
	f.eventually("the click is inside", func() bool {
		f.bot.admission.mu.Lock()
		defer f.bot.admission.mu.Unlock()
		return f.bot.admission.taken == 1
	})
	all.Go(stop)
	f.eventually("nothing is admitted", func() bool {
		f.bot.admission.mu.Lock()
		defer f.bot.admission.mu.Unlock()
		return f.bot.admission.closed
	})
	if got := f.command(bo, "/oncall who"); got != sorryBusy {
		t.Errorf("during the stop Bo was told %q", got)
	}
	if err := other.Rollback(f.ctx); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("the incident is %s", in.Status)
	}
}

func TestNewRefusesWrongTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{BotToken: "xapp-1", AppToken: "xapp-1", Clock: time.Now},
		{BotToken: "xoxb-1", AppToken: "xoxb-1", Clock: time.Now},
		{BotToken: "xoxb-1", AppToken: "xapp-1"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	metrics := prometheus.NewRegistry()
	c := Config{BotToken: "xoxb-1", AppToken: "xapp-1", Clock: time.Now, Log: zerolog.Nop(), Metrics: metrics}
	if _, err := New(c); err != nil {
		t.Fatal(err)
	}
	if _, err := New(c); err == nil {
		t.Error("the same metrics were registered twice")
	}
}

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
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p, _ := w.posted()
	w.click(ann, view.ActionAck)
	in := w.picture(p.Incident.ID).Incident
	if in.Status != oncall.Acknowledged || in.AckedBy.User != ann || in.AckedBy.Via != "slack" {
		t.Errorf("after Ann's click the incident is %s by %+v, want acknowledged by Ann via Slack", in.Status, in.AckedBy)
	}
	w.click(bo, view.ActionResolve)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Resolved || in.ResolvedBy.User != bo {
		t.Errorf("after Bo's click the incident is %s by %+v, want resolved by Bo", in.Status, in.ResolvedBy)
	}
	if seen := w.sim.EphemeralText("ann") + w.sim.EphemeralText("bo"); seen != "" {
		t.Errorf("a click that worked was commented: %q, want nothing", seen)
	}
}

func TestRefusedClickExplainsItselfAndDrawsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p, _ := w.posted()
	w.click(ann, view.ActionAck)
	w.click(bo, view.ActionAck)
	w.until("Bo is told", func() bool { return w.sim.EphemeralText("bo") != "" })
	want := "Incident " + p.Incident.ID.String() + " is already acknowledged by @ann."
	if got := w.sim.EphemeralText("bo"); !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
		t.Errorf("Bo's click is answered %q, want %q", got, want)
	}
	if w.sim.EphemeralText("ann") != "" {
		t.Error("Ann got an answer to Bo's click, want none")
	}
	if n := w.draws(); n != 1 {
		t.Errorf("%d drawings wait after the refusal, want 1", n)
	}
	if w.count(p.Incident.ID, oncall.EventAcknowledged) != 1 {
		t.Error("the timeline has another acknowledgement after the refusal, want one")
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

func TestButtonOfUnknownIncidentIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p := oncall.Picture{Incident: oncall.Incident{ID: 4711, Status: oncall.Triggered}, Team: oncall.Team{Channel: "C0PAY"}}
	if _, err := w.bot.PostRoot(w.ctx, store.WaitingDraw{}, p, "stale"); err != nil {
		t.Fatal(err)
	}
	w.click(ann, view.ActionAck)
	w.until("Ann is told", func() bool {
		return strings.Contains(w.sim.EphemeralText("ann"), "There is no incident #4711.")
	})
}

func TestRedeliveredClickActsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(2)
	p, _ := w.posted()
	w.click(ann, view.ActionAck)
	for _, newID := range []bool{false, true} {
		for _, e := range w.sim.Envelopes() {
			if e.Type != "interactive" {
				continue
			}
			if acked, err := w.sim.Redeliver(w.ctx, e.ID, newID); err != nil || !acked {
				t.Errorf("redelivered with a new id (%t): acknowledged %t with error %v, want true without", newID, acked, err)
			}
			break
		}
	}
	if n := w.count(p.Incident.ID, oncall.EventAcknowledged); n != 1 {
		t.Errorf("acknowledged %d times, want 1", n)
	}
	if got := w.sim.EphemeralText("ann"); got != "" {
		t.Errorf("the redelivered click is answered %q, want no answer", got)
	}
}

func TestRedeliveredCommandActsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(2)
	w.command(ann, "/oncall override @bo today 18:00 to 22:00 payments days")
	envelopes := w.sim.Envelopes()
	last := envelopes[len(envelopes)-1]
	if acked, err := w.sim.Redeliver(w.ctx, last.ID, true); err != nil || !acked {
		t.Fatalf("the redelivered command was acknowledged %t with error %v, want true without", acked, err)
	}
	// A second run would be refused, as Bo is on call alone by then.
	for _, e := range w.sim.Envelopes() {
		if strings.Contains(string(e.Ack), "already") {
			t.Errorf("the redelivered command was answered %s, want it ignored", e.Ack)
		}
	}
	made, err := w.store.OverridesBy(w.ctx, oncall.ByUser(ann), ann, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 1 {
		t.Errorf("there are the overrides %+v, want one", made)
	}
}

func TestConcurrentClicksHaveOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{Random: true})
	w.listen(2)
	p, at := w.posted()
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			user := []oncall.UserID{ann, bo}[i%2]
			if r, err := w.sim.Click(w.ctx, string(user), at.Channel, at.TS, string(view.ActionAck)); err != nil || !r.Acked {
				t.Errorf("click %d: %+v, %v; want it acknowledged", i, r, err)
			}
		})
	}
	all.Wait()
	if n := w.count(p.Incident.ID, oncall.EventAcknowledged); n != 1 {
		t.Errorf("acknowledged %d times, want 1", n)
	}
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	healthy := w.bot.store
	w.bot.store = nil // every use of it panics
	w.listen(1)
	if got := w.command(ann, "/oncall who"); got != sorryFailed {
		t.Errorf("Ann's command is answered %q, want an apology", got)
	}
	if !w.log.has("panic: runtime error") || !w.log.has("goroutine ") {
		t.Error("the log lacks the stack of the panic")
	}
	w.bot.store = healthy
	if got := w.command(ann, "/oncall who"); !strings.Contains(got, "payments days") {
		t.Errorf("after the panic Ann's command is answered %q, want the schedule", got)
	}
}

func TestDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{RetryDelays: []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, time.Second}, AckTimeout: 2 * time.Second})
	w.listen(1)
	p, _ := w.posted()
	w.database.set(true)
	if got := w.command(ann, "/oncall who"); got != sorryDatabase {
		t.Errorf("Ann's command is answered %q, want an apology", got)
	}
	w.click(ann, view.ActionAck)
	w.until("Ann is told", func() bool { return strings.Contains(w.sim.EphemeralText("ann"), sorryDatabase) })

	// An event isn't acknowledged, is redelivered, and is handled then.
	if err := w.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	w.until("the event has failed", func() bool { return w.log.has(`"kind":"event"`) })
	w.database.set(false)
	w.until("the home is there", func() bool { return w.sim.HomeText("ann") != "" })
	w.click(ann, view.ActionAck)
	w.until("Ann's second click counts", func() bool {
		return w.picture(p.Incident.ID).Incident.Status == oncall.Acknowledged
	})
}

func TestShutdownLetsAClickFinish(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	stop := w.listen(1)
	p, at := w.posted()
	other, err := w.store.Pool().Begin(w.ctx) // somebody else holds the incident
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback(w.ctx)
	if _, err := other.Exec(w.ctx, `SELECT FROM incidents WHERE id = $1 FOR UPDATE`, p.Incident.ID); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if r, err := w.sim.Click(w.ctx, string(ann), at.Channel, at.TS, string(view.ActionAck)); err != nil || !r.Acked {
			t.Errorf("the click during the shutdown: %+v, %v; want it acknowledged", r, err)
		}
	})
	w.until("the click is inside", func() bool {
		w.bot.inFlight.mu.Lock()
		defer w.bot.inFlight.mu.Unlock()
		return w.bot.inFlight.count == 1
	})
	all.Go(stop)
	w.until("nothing is admitted", func() bool {
		w.bot.inFlight.mu.Lock()
		defer w.bot.inFlight.mu.Unlock()
		return w.bot.inFlight.closed
	})
	if got := w.command(bo, "/oncall who"); got != sorryBusy {
		t.Errorf("during the shutdown Bo's command is answered %q, want %q", got, sorryBusy)
	}
	if err := other.Rollback(w.ctx); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("the incident is %s, want %s", in.Status, oncall.Acknowledged)
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
			t.Errorf("New accepted %+v, want an error", c)
		}
	}
	metrics := prometheus.NewRegistry()
	c := Config{BotToken: "xoxb-1", AppToken: "xapp-1", Clock: time.Now, Log: zerolog.Nop(), Metrics: metrics}
	if _, err := New(c); err != nil {
		t.Fatal(err)
	}
	if _, err := New(c); err == nil {
		t.Error("New registered its metrics twice, want an error")
	}
}

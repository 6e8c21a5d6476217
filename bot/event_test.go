package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestEventsUpdateTheHomeAndThePeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.incident()

	if err := w.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	w.until("the home is drawn", func() bool { return w.sim.HomeText("ann") != "" })
	home := w.sim.HomeText("ann")
	for _, want := range []string{"On call in your teams", "payments days", "Your open incidents", "critical: Checkout fails (triggered)", "/oncall who"} {
		if !strings.Contains(home, want) {
			t.Errorf("the home lacks %q:\n%s", want, home)
		}
	}

	w.sim.AddUser(slacksim.User{ID: "U0DI", Name: "di", RealName: "Di", Email: "di@example.com", TZ: "Asia/Kathmandu"})
	w.sim.AddUser(slacksim.User{ID: string(ann), Name: "ann", RealName: "Ann B", Email: "ann.b@example.com", TZ: "Europe/London"})
	w.until("the people are known", func() bool {
		directory, err := w.store.Directory(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		di, ann := directory.Users["U0DI"], directory.Users[ann]
		return di.TimeZone == "Asia/Kathmandu" && di.Email == "di@example.com" &&
			ann.Name == "Ann B" && ann.Email == "ann.b@example.com" && ann.TimeZone == "Europe/London"
	})

	if _, err := w.sim.Say(string(ann), "@oncall", "", "who is on call?"); err != nil {
		t.Fatal(err)
	}
	w.until("the bot answers", func() bool { return len(w.sim.Messages("@ann")) == 2 })
	for _, e := range w.sim.Envelopes() {
		if e.Name == "message.im" {
			if acked, err := w.sim.Redeliver(w.ctx, e.ID, true); err != nil || !acked {
				t.Errorf("the redelivered event: acknowledged %t, %v; want it acknowledged", acked, err)
			}
		}
	}
	if m := w.sim.Messages("@ann"); len(m) != 2 || !strings.HasPrefix(m[1].Text, "*ops*: *nobody*") {
		t.Errorf("the conversation is %+v, want the question and one answer", m)
	}
	// All other events are acknowledged as well, or Slack would disable the subscription.
	w.until("everything is acknowledged", func() bool {
		for _, e := range w.sim.Envelopes() {
			if e.Socket != 0 && !e.Acked { // before the bot listened there was no socket
				t.Logf("%s is not acknowledged yet", e.Name)
				return false
			}
		}
		return true
	})
}

// Slack redelivers an event until it is acknowledged, and a refused one would be refused again.
func TestRefusedEventsAreAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", RealName: "Eve", TZ: "Europe/Paris", Team: "T0ELSE"})
	w.listen(1)
	if err := w.sim.OpenHome("U0EVE"); err != nil {
		t.Fatal(err)
	}
	w.until("the opening is acknowledged", func() bool {
		for _, e := range w.sim.Envelopes() {
			if e.Name == "app_home_opened" && e.Acked {
				return true
			}
		}
		return false
	})
	if home := w.sim.HomeText("eve"); home != "" {
		t.Errorf("Eve's home is %s, want it empty", home)
	}
}

// A message's request is carried out once, even if the answer is late and Slack delivers the message
// again. By then, "ack everything" would cover incidents that the person has never seen.
func TestLateAnswersRepeatNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{RetryDelays: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}})
	w.listen(1)
	id := w.incident().Incident.ID
	w.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLimit, RetryAfter: 4 * time.Second})
	if _, err := w.sim.Say(string(ann), "@oncall", "", "ack everything"); err != nil {
		t.Fatal(err)
	}
	w.until("it is acknowledged", func() bool { return w.picture(id).Incident.Status == oncall.Acknowledged })
	if _, err := w.store.Act(w.ctx, id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActUnack}, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.until("the answer is posted", func() bool { return len(w.sim.Messages("@ann")) == 2 })
	for _, e := range w.sim.Envelopes() {
		if e.Name == "message.im" {
			if acked, err := w.sim.Redeliver(w.ctx, e.ID, true); err != nil || !acked {
				t.Errorf("the redelivered event: acknowledged %t, %v; want it acknowledged", acked, err)
			}
		}
	}
	if got := w.picture(id).Incident.Status; got != oncall.Triggered {
		t.Errorf("after the late answer the incident is %v, want %v", got, oncall.Triggered)
	}
	if m := w.sim.Messages("@ann"); len(m) != 2 || !strings.Contains(m[1].Text, "Acknowledged") {
		t.Errorf("the conversation is %+v, want the question and one answer", m)
	}
}

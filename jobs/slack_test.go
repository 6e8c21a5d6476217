package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/bot"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// These tests cover the whole path: the bot talks to a Slack on this machine.

// newSlackWorld returns a world whose only instance pages and draws in Slack.
func newSlackWorld(t *testing.T, wait string) (*world, *slacksim.Sim) {
	t.Helper()
	return newSlackWorldWith(t, wait, slacksim.Options{})
}

func newSlackWorldWith(t *testing.T, wait string, o slacksim.Options) (*world, *slacksim.Sim) {
	t.Helper()
	o.Manifest = slacksim.MustManifest(watchbill.Manifest)
	sim := slacksim.New(o)
	for id, name := range map[oncall.UserID]string{ann: "ann", bo: "bo"} {
		sim.AddUser(slacksim.User{ID: string(id), Name: name, TZ: "Europe/Berlin"})
	}
	sim.AddChannel(slacksim.Channel{
		ID: "C0PAY", Name: "payments", Members: []string{string(ann), string(bo), slacksim.BotUserID},
	})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, what := range sim.Violations() {
			t.Error(what)
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, wait, time.Now)
	b, err := bot.New(bot.Config{
		BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: sim.APIURL(), Store: w.open().Store,
		Clock: w.clock, Log: testLog(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the bot's run: %v", err)
		}
	})
	w.until("the bot is connected", func() bool { return b.Connected() > 0 })
	w.slack, w.workspace = b, b
	w.start(b)
	return w, sim
}

// channelMessages returns the roots in a channel and the text of all replies.
func channelMessages(sim *slacksim.Sim, channel string) (roots []slacksim.Message, replies string) {
	for _, m := range sim.Messages(channel) {
		switch m.ThreadTS {
		case "":
			roots = append(roots, m)
		default:
			replies += m.Text + "\n"
		}
	}
	return roots, replies
}

func buttons(m slacksim.Message) string {
	var blocks []struct {
		Elements []struct {
			ActionID string `json:"action_id"`
		} `json:"elements"`
	}
	_ = json.Unmarshal(m.Blocks, &blocks)
	var ids []string
	for _, b := range blocks {
		for _, e := range b.Elements {
			if e.ActionID != "" {
				ids = append(ids, e.ActionID)
			}
		}
	}
	return strings.Join(ids, " ")
}

func TestSignalIsDrawnPagedAndAcknowledgedInSlack(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "2s")
	id := d.signal("db-1")[0]
	d.until("Ann has a message", func() bool { return len(sim.Messages("@ann")) == 1 })
	if n := len(sim.Messages("@bo")); n != 0 {
		t.Fatalf("Bo has %d messages before his turn, want 0", n)
	}
	d.until("Bo has a message", func() bool { return len(sim.Messages("@bo")) == 1 })
	page := sim.Messages("@bo")[0]
	if r, err := sim.Click(t.Context(), string(bo), page.Channel, page.TS, "ack"); err != nil || !r.Acked {
		t.Fatalf("click: %+v, %v, want it acknowledged without an error", r, err)
	}
	d.until("all messages show it", func() bool {
		roots, replies := channelMessages(sim, "C0PAY")
		if len(roots) != 1 || !strings.Contains(replies, "acknowledged") {
			return false
		}
		for _, m := range []slacksim.Message{roots[0], sim.Messages("@ann")[0], sim.Messages("@bo")[0]} {
			if strings.Contains(buttons(m), "ack") {
				return false
			}
		}
		return d.queueEmpty("draw") && d.queueEmpty("page")
	})
	if a, b := len(sim.Messages("@ann")), len(sim.Messages("@bo")); a != 1 || b != 1 {
		t.Errorf("Ann has %d messages and Bo %d, want one each", a, b)
	}
	if n := len(d.events(id, oncall.EventPageDelivered)); n != 2 {
		t.Errorf("%d deliveries in the timeline, want 2", n)
	}
	_, replies := channelMessages(sim, "C0PAY")
	if n := strings.Count(replies, "Paged "); n != 1 { // the message itself shows the first
		t.Errorf("the thread tells of %d pagings, want 1:\n%s", n, replies)
	}
}

// If Slack posts but its answer is lost, the incident still appears only once in the channel.
func TestLostSlackResponsesDuplicateNothing(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "1h")
	// One hits the page and one the root, in either order.
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost, Times: 2})
	id := d.signal("db-1")[0]
	d.until("the page is recorded and all is drawn", func() bool {
		roots, _ := channelMessages(sim, "C0PAY")
		return len(roots) > 0 && d.queueEmpty("draw") && d.queueEmpty("page") &&
			len(d.events(id, oncall.EventPageDelivered)) == 1
	})
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultLost})
	d.ack(id, ann)
	d.until("the acknowledgement is drawn", func() bool {
		_, replies := channelMessages(sim, "C0PAY")
		return strings.Contains(replies, "acknowledged") && d.queueEmpty("draw")
	})
	roots, replies := channelMessages(sim, "C0PAY")
	if len(roots) != 1 {
		t.Errorf("%d messages in the channel, want 1", len(roots))
	}
	if n := strings.Count(replies, "acknowledged"); n != 1 {
		t.Errorf("the thread tells of the acknowledgement %d times, want once", n)
	}
}

// Slack is down while an incident opens and is resolved; it catches up with both.
func TestDrawCatchesUpAfterSlackWasDown(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "1h")
	sim.Fail(slacksim.Fault{Method: "*", Kind: slacksim.FaultBefore, Times: -1})
	id := d.signal("db-1")[0]
	failed := func(methods ...string) (n int) {
		for _, c := range sim.Calls() {
			if slices.Contains(methods, c.Method) && c.Status == 500 {
				n++
			}
		}
		return n
	}
	d.until("posting, and looking for what was posted, have failed some times", func() bool {
		return failed("chat.postMessage") >= 2 && failed("conversations.open", "conversations.history") >= 2
	})
	d.ack(id, ann)
	sim.ClearFaults()
	// A job that has failed for a while waits half a minute for its next try.
	storetest.Until(t, 2*waitLimit, "the channel shows that Ann has it", func() bool {
		roots, replies := channelMessages(sim, "C0PAY")
		return len(roots) == 1 && !strings.Contains(buttons(roots[0]), "ack") && strings.Contains(replies, "acknowledged")
	})
}

// A channel that accepts no messages is set aside by itself: it uses hardly any of Slack's budget,
// other teams are unaffected, its admins are told once, and everything is posted once it works
// again.
func TestArchivedChannelIsSetAside(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorldWith(t, "1h", slacksim.Options{Limits: true})
	if _, err := d.store.Pool().Exec(t.Context(), `UPDATE teams SET channel = '#payments'`); err != nil {
		t.Fatal(err)
	}
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: []string{string(bo)}})
	quiet := d.addTeam()
	channel := func(archived bool) {
		sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{string(ann), slacksim.BotUserID}, Archived: archived})
	}
	channel(true)
	var keys []string
	for n := range 15 {
		keys = append(keys, fmt.Sprint("db-", n))
	}
	d.signal(keys...)
	refused := func() map[string]int {
		n := map[string]int{}
		for _, c := range sim.Calls() {
			if (c.Args["channel"] == "#payments" || c.Args["channel"] == "C0PAY") && !c.OK || c.Method == "conversations.list" {
				n[c.Method]++
			}
		}
		return n
	}
	d.until("the channel has refused", func() bool { return refused()["chat.postMessage"] > 0 })
	for n := range 5 {
		began := time.Now()
		d.accept(quiet, oncall.Signal{Action: oncall.Trigger, DedupKey: fmt.Sprint("probe-", n), Title: "the probe is silent", Severity: oncall.High})
		storetest.Until(t, waitLimit, "the other team's incident is in its channel", func() bool {
			roots, _ := channelMessages(sim, "C0OPS")
			return len(roots) == n+1
		})
		t.Logf("the other team's incident is in its channel after %s", time.Since(began))
	}
	noticesTo := func(who string) (n int) {
		for _, m := range sim.Messages(who) {
			if strings.Contains(m.Text, "channel is archived") {
				n++
			}
		}
		return n
	}
	d.until("Ann and Bo are told", func() bool { return noticesTo("@ann") == 1 && noticesTo("@bo") == 1 })
	if n := refused(); n["chat.postMessage"] > 10 || n["conversations.list"] > 10 {
		t.Errorf("got calls %v for the archived channel, want at most 10 of each", n)
	}
	channel(false)
	storetest.Until(t, 2*time.Minute, "everything is posted, once", func() bool {
		roots, _ := channelMessages(sim, "C0PAY")
		return len(roots) == len(keys)
	})
	if noticesTo("@ann") != 1 {
		t.Errorf("Ann is told %d times, want 1", noticesTo("@ann"))
	}
}

// Messages in an archived channel can't be edited. The team's admins are told before the first
// incident is missing there, and all changes are shown after it is unarchived.
func TestArchivedChannelCatchesUp(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "1h")
	id := d.signal("db-1")[0]
	d.until("the incident is in its channel", func() bool {
		roots, _ := channelMessages(sim, "C0PAY")
		return len(roots) == 1 && strings.Contains(buttons(roots[0]), "ack") && d.queueEmpty("draw")
	})
	archived := func(state bool) {
		if err := sim.ArchiveChannel("C0PAY", state); err != nil {
			t.Fatal(err)
		}
	}
	archived(true)
	d.until("Ann is told", func() bool {
		return slices.ContainsFunc(sim.Messages("@ann"), func(m slacksim.Message) bool { return strings.Contains(m.Text, "channel is archived") })
	})
	d.ack(id, ann)
	d.until("Slack has refused to edit the message", func() bool {
		return slices.ContainsFunc(sim.Calls(), func(c slacksim.Call) bool { return c.Method == "chat.update" && c.Error == "is_inactive" })
	})
	archived(false)
	d.until("the message shows the acknowledgement, and so does its thread", func() bool {
		roots, replies := channelMessages(sim, "C0PAY")
		return len(roots) == 1 && !strings.Contains(buttons(roots[0]), "ack") && strings.Contains(replies, "acknowledged")
	})
}

// Sometimes Slack claims that a person's conversation doesn't exist, and then it does again.
func TestTemporarilyMissingPersonIsPaged(t *testing.T) {
	t.Parallel()
	d, sim := newSlackWorld(t, "1h")
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", Kind: slacksim.FaultError, Code: "channel_not_found", Times: -1})
	id := d.signal("db-1")[0]
	d.until("Ann's page is refused", func() bool {
		return slices.ContainsFunc(sim.Calls(), func(c slacksim.Call) bool { return c.Args["channel"] == string(ann) && !c.OK })
	})
	sim.ClearFaults()
	d.until("Ann is paged", func() bool { return len(d.events(id, oncall.EventPageDelivered)) == 1 })
	if n := len(d.events(id, oncall.EventPageFailed)); n != 0 {
		t.Errorf("%d pages failed, want 0", n)
	}
}

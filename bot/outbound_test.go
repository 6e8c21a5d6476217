package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
		if c.Method == methodPost && (c.Args["unfurl_links"] != "false" || c.Args["unfurl_media"] != "false") {
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
			f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: c.kind})
			if _, err := f.bot.PostRoot(f.ctx, p, "delivery-7"); err == nil || became(err) != ambiguous {
				t.Fatalf("the post became %q: %v", became(err), err)
			}
			// The simulator may write the call down after it has cut the connection.
			f.eventually("the call is on record", func() bool { return f.calls(methodPost) > 0 })
			if posts := f.calls(methodPost); posts != 1 {
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
			f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: c.kind})
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
	f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLost})
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
	f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultError, Code: "invalid_blocks"})
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
	if res, err := f.sim.Click(f.ctx, "ann", "@ann", "", actionAck); err != nil || !res.Acked {
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
		c.fault.Method = methodPost
		f.sim.Fail(c.fault)
		message.To = string(cy)
		if r := f.bot.Send(f.ctx, message); r.Outcome != c.want || r.Err == nil {
			t.Errorf("%s %s: %s, %v; want %s", c.fault.Kind, c.fault.Code, r.Outcome, r.Err, c.want)
		}
	}
	f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLimit, RetryAfter: 40 * time.Second})
	message.To = string(bo)
	if r := f.bot.Send(f.ctx, message); r.Outcome != notify.Throttled || r.RetryAfter != 40*time.Second {
		t.Errorf("429: %+v", r)
	}
	// Nothing leaves while the conversation is frozen: a deadline in between is no doubt.
	ctx, cancel := context.WithTimeout(f.ctx, 50*time.Millisecond)
	defer cancel()
	calls := f.calls(methodPost)
	if r := f.bot.Send(ctx, message); r.Outcome != notify.Throttled {
		t.Errorf("while frozen: %+v", r)
	}
	if f.calls(methodPost) != calls {
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
	f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLost})
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

func TestPacingKeepsEveryMessageVisible(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{Limits: true})
	p := f.incident()
	began := time.Now()
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if err := comeBack(func() error { _, err := f.bot.PostRoot(f.ctx, p, fmt.Sprint("burst-", i)); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 2900*time.Millisecond || took > patience {
		t.Errorf("six messages took %s; three at once and then one a second are 3 s", took)
	}
	for _, m := range f.sim.Messages("C0PAY") {
		if m.Hidden {
			t.Error("a message was posted too fast to be shown")
		}
	}
	for _, c := range f.sim.Calls() {
		if c.Status == 429 {
			t.Errorf("%s was limited", c.Method)
		}
	}
}

func Test429FreezesOneConversation(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	p := f.incident()
	const long = 5 * time.Second
	for _, hint := range []time.Duration{long, 0} {
		f.sim.Fail(slacksim.Fault{Method: methodPost, Kind: slacksim.FaultLimit, RetryAfter: hint})
		q := p
		q.Team.Channel = map[time.Duration]string{long: "C0PAY", 0: "C0OPS"}[hint]
		began := time.Now()
		_, err := f.bot.PostRoot(f.ctx, q, "d")
		if became(err) != throttled {
			t.Fatalf("429 became %q: %v", became(err), err)
		}
		wait := hint
		if hint == 0 {
			wait = unclear429
		}
		if retryAfter(err) != wait {
			t.Errorf("retry after %s; want %s", retryAfter(err), wait)
		}
		if hint == 0 {
			continue
		}
		if r := f.bot.Send(f.ctx, notify.Message{Key: "k", To: string(ann), Incident: int64(p.Incident.ID)}); r.Outcome != notify.Accepted {
			t.Errorf("another conversation: %+v", r)
		}
		if took := time.Since(began); took >= hint {
			t.Errorf("another conversation had to wait: %s", took)
		}
		if err := comeBack(func() error { _, err := f.bot.PostRoot(f.ctx, q, "d"); return err }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < hint {
			t.Errorf("the next post came after %s", took)
		}
	}
	f.sim.Fail(slacksim.Fault{Method: "chat.update", Kind: slacksim.FaultLimit, RetryAfter: time.Second})
	at := store.Place{Channel: "C0PAY", TS: f.sim.Messages("C0PAY")[0].TS}
	began := time.Now()
	if err := f.bot.Redraw(f.ctx, at, p, "", ""); became(err) != throttled {
		t.Fatalf("429 became %q: %v", became(err), err)
	}
	if err := comeBack(func() error { return f.bot.Redraw(f.ctx, at, p, "", "") }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("the next update came after %s", took)
	}
}

func TestQueueServesTheUrgentFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, queueServesTheUrgentFirst)
}

func queueServesTheUrgentFirst(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := call{method: methodPost, channel: "C1"}
	for range 3 { // the burst
		if err := q.wait(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	order := make(chan priority, 10)
	var all sync.WaitGroup
	enter := func(p priority) {
		all.Go(func() {
			c := c
			c.priority = p
			if err := q.wait(ctx, c); err == nil {
				order <- p
			}
		})
		synctest.Wait() // until it stands in line
	}
	for _, p := range []priority{forThread, forRoot, forPage} {
		enter(p)
	}
	// Another conversation doesn't stand behind them.
	began := time.Now()
	if err := q.wait(ctx, call{method: methodPost, channel: "C2", priority: forRest}); err != nil || time.Since(began) > 0 {
		t.Errorf("another conversation waited %s, %v", time.Since(began), err)
	}
	// Who gives up doesn't hold up the others.
	gone, giveUp := context.WithCancel(ctx)
	giveUp()
	if err := q.wait(gone, call{method: methodPost, channel: "C1", priority: forPage}); !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
	all.Wait()
	close(order)
	var got []priority
	for p := range order {
		got = append(got, p)
	}
	if fmt.Sprint(got) != fmt.Sprint([]priority{forPage, forRoot, forThread}) {
		t.Errorf("served in the order %v", got)
	}
	if len(q.waiting) != 0 {
		t.Errorf("%d still wait", len(q.waiting))
	}
}

// The tiers are repeated in our table; the simulator has them from Slack's reference.
func TestMethodBucketsStayBelowTheTiers(t *testing.T) {
	t.Parallel()
	for method, n := range perMinute {
		l := methodBucket(method)
		if most := float64(l.Burst()) + float64(l.Limit())*60; most > 0.8*n+0.01 || most < 0.5*n {
			t.Errorf("%s: at most %.1f a minute of %.0f", method, most, n)
		}
	}
}

func TestEveryDrawingIsAcceptedBySlack(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	for i, p := range []oncall.Picture{
		triggered(), acknowledged(), resolved(), exhausted(), lastStep(), several(), hostile(),
		snoozed(), counted(), stillAsked(), helped(), merged(), unassigned(), heldBack(), waiting(), channelOnly(),
	} {
		p.Team.Channel = "C0PAY"
		if _, err := f.bot.post(f.ctx, posting{channel: "C0PAY", delivery: fmt.Sprint(i)}, drawRoot(p)); err != nil {
			t.Error(err)
		}
		d := drawDirect(p, ann, "you are on call")
		if _, err := f.bot.post(f.ctx, posting{channel: string(ann), delivery: fmt.Sprint("d", i)}, d); err != nil {
			t.Error(err)
		}
	}
	for _, m := range append(f.sim.Messages("C0PAY"), f.sim.Messages("@ann")...) {
		var blocks []any
		if err := json.Unmarshal(m.Blocks, &blocks); err != nil || len(blocks) == 0 {
			t.Errorf("%q was posted without blocks", m.Text)
		}
	}
}

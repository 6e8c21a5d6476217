package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// storm opens incidents that all page Ann in Slack.
func (w *world) storm(names ...string) {
	w.t.Helper()
	stop := w.run(w.System)
	defer stop()
	for _, name := range names {
		w.accept(trigger(name))
	}
	w.fold()
}

// begin has a page's own job begin an attempt.
func (w *world) begin(page oncall.PageID, at time.Time) oncall.PageOrder {
	w.t.Helper()
	return must[oncall.PageOrder](w.t)(w.BeginPage(w.t.Context(), oncall.SendPage{Page: page}, int64(page), at))
}

// People are told about all incidents of a bundle, whatever happens to its lead.
func TestBundleKeepsEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b", "c")
	if order := w.begin(1, start); !order.Send || len(order.Incidents) != 3 {
		t.Fatalf("the first: %+v; want it sent, with 3 incidents", order)
	}
	if order := w.begin(2, start); order.Send || !order.CheckAt.IsZero() {
		t.Errorf("a page that another tells of: %+v; want it not sent and never looked at again", order)
	}
	// The process dies, and nobody knows whether it sent the message. Another process continues with the
	// same bundle.
	order := w.begin(1, start.Add(time.Second))
	if order.Doubt == nil || len(order.Incidents) != 3 {
		t.Errorf("after a crash: %+v; want it in doubt, with 3 incidents", order)
	}
	// Incidents acknowledged meanwhile are left out. If the lead's incident is one of them, the others are
	// sent separately.
	must[oncall.Incident](t)(w.Act(t.Context(), 2, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	if order := w.begin(1, start.Add(2*time.Second)); len(order.Incidents) != 2 {
		t.Errorf("after an acknowledgement: %+v, want 2 entries", order.Incidents)
	}
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	if order := w.begin(1, start.Add(3*time.Second)); order.Send {
		t.Errorf("nobody needs the first any more: %+v, want it not sent", order)
	}
	if n, err := w.RequeuePages(t.Context(), start); n != 0 || err != nil {
		t.Errorf("%d pages were lost, %v, want 0", n, err)
	}
	if order := w.begin(3, start.Add(31*time.Second)); !order.Send || len(order.Incidents) != 1 {
		t.Errorf("the last: %+v; want it sent, with one incident", order)
	}
	place := oncall.PageAccepted{Copy: &oncall.DrawnCopy{Channel: "D1", TS: "1.0", Version: 2}}
	w.check(w.RecordPage(t.Context(), 3, place, start))
	if got := w.strings(`SELECT state FROM pages ORDER BY id`); !cmp.Equal(got, []string{"skipped", "skipped", "delivered"}) {
		t.Errorf("states: %q, want %q", got, []string{"skipped", "skipped", "delivered"})
	}
}

// A page whose bundle has no lead is found and sent separately.
func TestBundlePageWithoutLeaderIsRequeued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b", "c")
	w.begin(1, start)
	w.exec(`UPDATE pages SET bundle = 2 WHERE id = 3`) // and 2 is in the bundle of 1
	w.forgetJobs()
	if n, err := w.RequeuePages(t.Context(), start); n != 2 || err != nil {
		t.Errorf("%d pages were queued again, %v; want 1 and 3", n, err)
	}
	if got := w.strings(`SELECT args ->> 'page' FROM river_job WHERE kind = 'page' ORDER BY 1`); !cmp.Equal(got, []string{"1", "3"}) {
		t.Errorf("queued: %q, want %q", got, []string{"1", "3"})
	}
}

// If a message fails, all of its pages fail, and the next message doesn't wait for a cooldown after a
// message that told nobody anything.
func TestBundleFailsAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b")
	w.begin(1, start)
	w.storm("c")
	if order := w.begin(3, start); order.Send || !order.CheckAt.Equal(start.Add(30*time.Second)) {
		t.Errorf("inside the hold: %+v; want it not sent, and looked at again at %v", order, start.Add(30*time.Second))
	}
	before := w.lastJob()
	w.check(w.RecordPage(t.Context(), 1, oncall.PageRefused{Why: "no such user"}, start))
	for id := range oncall.IncidentID(2) {
		if in := w.incident(id + 1); !in.NextAt.Equal(start) {
			t.Errorf("incident %s goes on at %s only, want %s", id+1, in.NextAt, start)
		}
	}
	if got := w.strings(`SELECT args ->> 'page' FROM river_job WHERE kind = 'page' AND id > $1`, before); !cmp.Equal(got, []string{"3"}) {
		t.Errorf("pages to be looked at: %q, want %q", got, []string{"3"})
	}
	if order := w.begin(3, start); !order.Send {
		t.Errorf("it still waits: %+v, want it sent", order)
	}
}

// throttled has the provider throttle page 1, which leads a bundle of two. Then page 3 arrives.
func (w *world) throttled() {
	w.t.Helper()
	w.storm("a", "b")
	w.begin(1, start)
	w.check(w.RecordPage(w.t.Context(), 1, oncall.PageThrottled{Why: "slow down"}, start))
	w.storm("c")
}

// A throttled page told nobody anything, so it doesn't start a cooldown for itself.
func TestThrottledBundleGoesAgainAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throttled()
	if order := w.begin(3, start.Add(time.Second)); order.Send {
		t.Errorf("inside the hold: %+v, want it not sent", order)
	}
	if order := w.begin(1, start.Add(time.Second)); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("the first again: %+v; want it sent, with 3 incidents", order)
	}
}

// A bundle that was not sent may become part of another, and none of its pages is lost.
func TestThrottledBundleIsTakenAlongWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throttled()
	if order := w.begin(3, start.Add(31*time.Second)); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("the bundle of all: %+v; want it sent, with 3 incidents", order)
	}
	w.check(w.RecordPage(t.Context(), 3, oncall.PageAccepted{}, start.Add(31*time.Second)))
	if got := w.strings(`SELECT state FROM pages ORDER BY id`); !cmp.Equal(got, []string{"delivered", "delivered", "delivered"}) {
		t.Errorf("states: %q, want %q", got, []string{"delivered", "delivered", "delivered"})
	}
}

// A bundle's direct message is redrawn when nothing in it is waiting any more.
func TestBundleIsAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b", "c")
	order := w.begin(1, start)
	n := must[oncall.Notice](t)(w.Bundle(t.Context(), order.Page.Key))
	if n.About != 1 || len(n.Detail.Incidents) != 3 || n.Detail.Lines[0] != "#1 high: a is full" {
		t.Errorf(`bundle: %+v; want it about incident 1 and two others, and to begin with "#1 high: a is full"`, n)
	}
	w.check(w.RecordPage(t.Context(), 1, oncall.PageAccepted{Copy: &oncall.DrawnCopy{Channel: "D1", TS: "1.0"}}, start))
	if got := w.strings(`SELECT state FROM pages`); !cmp.Equal(got, []string{"delivered", "delivered", "delivered"}) {
		t.Errorf("states: %q, want %q", got, []string{"delivered", "delivered", "delivered"})
	}
	if n := w.count(`SELECT count(*) FROM incident_events WHERE kind = 'page_delivered'`); n != 3 {
		t.Errorf("%d timelines tell of it, want 3", n)
	}
	out := must[oncall.AnswerOutcome](t)(w.ActOnMessage(t.Context(), oncall.ByUser(ann), 1, oncall.ActAck, start))
	if said := oncall.SayActed(out.Acted).String(); said != "Acknowledged #1, #2, #3." {
		t.Errorf("said %q, want %q", said, "Acknowledged #1, #2, #3.")
	}
	if got := w.strings(`SELECT ts || ' ' || version || ' ' || (facts ->> 'state') FROM notices`); !cmp.Equal(got, []string{"1.0 2 acknowledged"}) {
		t.Errorf("the message: %q, want %q", got, []string{"1.0 2 acknowledged"})
	}
}

// A bundle's message follows its incidents no matter who acknowledges them or how. One redraw covers
// everything that has happened since the last check.
func TestBundleFollowsItsIncidents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a", "b", "c", "d")
	w.begin(1, start)
	w.check(w.RecordPage(t.Context(), 1, oncall.PageAccepted{Copy: &oncall.DrawnCopy{Channel: "D1", TS: "1.0"}}, start))
	act := func(do oncall.ActKind, ids ...oncall.IncidentID) {
		t.Helper()
		for _, id := range ids {
			must[oncall.Incident](t)(w.Act(t.Context(), id, oncall.Actor{User: bo, Via: string(oncall.MethodSMS)}, oncall.Act{Do: do}, start))
		}
	}
	for _, c := range []struct {
		name, want string // version, settled, over, state
		tells      int
		at         time.Time
		before     func()
	}{
		{"nothing has happened", "1   -", 0, start, func() {}},
		{"two are taken", "2 2 0 -", 1, start, func() { act(oncall.ActAck, 2, 3) }},
		{"nothing more", "2 2 0 -", 1, start, func() {}},
		{"one is over", "3 2 1 -", 2, start, func() { act(oncall.ActResolve, 2) }},
		{"the others, too", "4 4 1 acknowledged-", 3, start, func() { act(oncall.ActAck, 1, 4) }},
		{"one is given back", "5 3 1 -", 4, start, func() { act(oncall.ActUnack, 3) }},
		{"all are over, a day later", "5 3 1 -", 4, start.Add(25 * time.Hour), func() { act(oncall.ActResolve, 1, 3, 4) }},
		{"all are over", "6 4 4 acknowledged-", 5, start, func() {}},
		{"one comes back", "6 4 4 acknowledged-", 5, start, func() { act(oncall.ActReopen, 4) }},
	} {
		c.before()
		w.check(w.FollowBundles(t.Context(), c.at))
		got := w.strings(`SELECT concat(version, ' ', facts ->> 'settled', ' ', facts ->> 'over', ' ', facts ->> 'state', '-') FROM notices WHERE kind = 'bundle'`)
		if !cmp.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'tell' AND args ->> 'notice' = (SELECT id::text FROM notices WHERE kind = 'bundle')`); n != min(c.tells, 1) {
			t.Errorf("%s: %d jobs wait to redraw it, want one for all", c.name, n)
		}
	}
}

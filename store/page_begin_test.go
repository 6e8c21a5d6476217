package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// drawJobs returns the versions whose drawing was queued after the given one.
func (w *world) drawJobs(after int) []string {
	return w.strings(`SELECT args ->> 'version' FROM river_job WHERE kind = 'draw' AND id > $1 ORDER BY id`, after)
}

func (w *world) lastJob() int { return w.count(`SELECT coalesce(max(id), 0) FROM river_job`) }

func TestPageIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	order := w.begin(1, start)
	if !order.Send || order.Attempt != 1 {
		t.Errorf("send %t, attempt %d, want true, 1", order.Send, order.Attempt)
	}
	if p := order.Page; p.Key != "1/1/U0ANN/slack" || p.UserID != ann {
		t.Errorf("the page has the key %s and is of %s, want 1/1/U0ANN/slack and %s", p.Key, p.UserID, ann)
	}
	if len(order.Page.Why) == 0 {
		t.Error("the page says no reason, want why Ann is paged")
	}
	if order.Incident.ID != 1 {
		t.Errorf("the incident is %d, want 1", order.Incident.ID)
	}
	before := w.lastJob()
	result := oncall.PageAccepted{Ref: "D1 1.0", Copy: &oncall.DrawnCopy{Channel: "D1", TS: "1.0", Version: 2}}
	for range 2 { // recorded, died, recorded again
		if err := w.RecordPage(t.Context(), 1, result, start); err != nil {
			t.Fatal(err)
		}
	}
	if order = w.begin(1, start); order.Send {
		t.Errorf("a delivered page is sent again: %+v, want it not sent", order)
	}
	events := must[[]oncall.Event](t)(w.Events(t.Context(), oncall.ByTimer(), 1))
	want := oncall.Event{
		ID: 3, IncidentID: 1, At: start, Kind: oncall.EventPageDelivered, Actor: oncall.ByTimer(),
		Detail: oncall.Detail{Users: []oncall.UserID{ann}, Method: "slack"},
	}
	if d := cmp.Diff([]oncall.Event{want}, events[2:]); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if n := w.lastJob(); n != before {
		t.Errorf("a message that shows the newest version is drawn again: got %v, want %v", n, before)
	}
}

// A process that died may have sent its page. The next one looks for that message before it sends
// another.
func TestDoubtfulPageIsLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	w.begin(1, start)
	order := w.begin(1, start.Add(time.Second))
	if !order.Send || order.Attempt != 1 {
		t.Errorf("after a crash: %+v; want it sent as attempt 1", order)
	}
	if order.Doubt == nil || !order.Doubt.Equal(start) {
		t.Errorf("after a crash it is in doubt since %v, want %v", order.Doubt, start)
	}
	order = must[oncall.PageOrder](t)(w.ResumePage(t.Context(), order, false, start.Add(time.Second)))
	if order.Attempt != 2 || !order.DoubtSince.Equal(start) {
		t.Errorf("second attempt: %+v; want attempt 2, in doubt since %v", order, start)
	}
	for _, r := range []oncall.PageResult{oncall.PageThrottled{Why: "slow down"}, oncall.PageAccepted{Ref: "D1 1.0"}} {
		if err := w.RecordPage(t.Context(), 1, r, start); err != nil {
			t.Fatal(err)
		}
	}
	if order = w.begin(1, start); order.Send {
		t.Errorf("a delivered page is sent again: %+v, want it not sent", order)
	}
}

func TestUnknownPagesAreNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	if _, err := w.BeginPage(t.Context(), oncall.SendPage{Page: 99}, 7, start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("a page that is not there: %v, want the error %v", err, oncall.ErrNotFound)
	}
	if err := w.RecordPage(t.Context(), 1, nil, start); err == nil {
		t.Error("recording no result: got no error, want one")
	}
}

func TestPageOfChangedIncidentIsSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	if order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 7, start)); order.Send {
		t.Errorf("order: %+v, want it not sent", order)
	}
	if got := w.strings(`SELECT state FROM pages`); !cmp.Equal(got, []string{"skipped"}) {
		t.Errorf("state: %q, want %q", got, []string{"skipped"})
	}
}

// The incident changed while its direct message was being sent, so the message is outdated.
func TestOutdatedDirectMessageIsRedrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 7, start))
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, start))
	w.forgetJobs("draw") // the acknowledgement was drawn
	before := w.lastJob()
	err := w.RecordPage(t.Context(), 1, oncall.PageAccepted{Copy: &oncall.DrawnCopy{Channel: "D1", TS: "1.0", Version: 2}}, start)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.drawJobs(before); !cmp.Equal(got, []string{"3"}) {
		t.Errorf("drawings queued: %q, want %q", got, []string{"3"})
	}
	d := must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, 7, start))
	want := []store.Copy{{MessageRef: store.MessageRef{Channel: "D1", TS: "1.0"}, Drawn: 2, User: ann, Why: oncall.Say("you are on call in primary")}}
	if diff := cmp.Diff(want, d.Copies); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
}

// A failure is shown in the thread, so it makes a new version.
func TestFailedPageIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 7, start))
	w.forgetJobs("draw") // everything was drawn
	before := w.lastJob()
	for range 2 {
		if err := w.RecordPage(t.Context(), 1, oncall.PageRefused{Why: "no such user"}, start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	// Ann was the only one in the step, so the next step runs at once.
	if in := w.incident(1); in.Version != 3 || !in.NextAt.Equal(start.Add(time.Second)) {
		t.Errorf("version %d, next step at %s; want 3 and %s", in.Version, in.NextAt, start.Add(time.Second))
	}
	if got := w.drawJobs(before); !cmp.Equal(got, []string{"3"}) {
		t.Errorf("drawings queued: %q, want %q", got, []string{"3"})
	}
	events := must[[]oncall.Event](t)(w.Events(t.Context(), oncall.ByTimer(), 1))
	if len(events) != 4 {
		t.Fatalf("got the events %+v, want four", events)
	}
	if failed := events[2]; failed.Kind != oncall.EventPageFailed || failed.Detail.Text != "no such user" {
		t.Errorf("the third event is %s %q, want %s %q", failed.Kind, failed.Detail.Text, oncall.EventPageFailed, "no such user")
	}
	if events[3].Kind != oncall.EventUnreached {
		t.Errorf("the last event is %s, want %s", events[3].Kind, oncall.EventUnreached)
	}
	if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'escalate' AND id > $1 AND state = 'available'`, before); n != 1 {
		t.Errorf("%d timers are due, want 1", n)
	}
}

// If all pages of a step are blocked, the next step runs at once, because nobody was reached.
func TestBlockedStepIsSkippedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 7, start))
	if err := w.RecordPage(t.Context(), 1, oncall.PageBlocked{Why: "token_revoked"}, start.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if in := w.incident(1); !in.NextAt.Equal(start.Add(time.Second)) {
		t.Errorf("next step at %s, want at once", in.NextAt)
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE id = 1 AND state = 'waiting'`); n != 1 {
		t.Errorf("the blocked page was given up: got %v, want 1", n)
	}
}

// While all pages are blocked, nobody counts as notified; once one has been sent, somebody does.
func TestExhaustedIncidentReportsWhoWasReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	for !in.Exhausted {
		if due := must[bool](t)(w.RunIncidentTimer(t.Context(), 1, in.Seq, start)); !due {
			t.Fatal("the timer that the incident waits for is stale")
		}
		in = w.incident(1)
	}
	last := w.count(`SELECT max(id) FROM pages`)
	first := w.count(`SELECT min(id) FROM pages WHERE incident_id = 1 AND call_seq = $1`, in.Seq)
	untold := func() bool {
		return must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 1, start)).NobodyNotified
	}
	loud := func() int { return w.count(`SELECT count(*) FROM incident_events WHERE kind = 'untold'`) }
	record := func(page int, r oncall.PageResult) {
		t.Helper()
		if err := w.RecordPage(t.Context(), oncall.PageID(page), r, start); err != nil {
			t.Fatal(err)
		}
	}
	if untold() {
		t.Error("while all pages are on their way it counts as told to nobody, want that it doesn't yet")
	}
	record(first, oncall.PageRefused{Why: "token_revoked"})
	for page := first + 1; page <= last; page++ {
		if untold() || loud() != 0 {
			t.Errorf("while page %d is on its way it counts as told to nobody: %t, said %d times; want false and never", page, untold(), loud())
		}
		record(page, oncall.PageBlocked{Why: "token_revoked"})
	}
	if !untold() || loud() != 1 {
		t.Errorf("after all pages failed or were blocked it counts as told to nobody: %t, said %d times; want true and once", untold(), loud())
	}
	if order := must[oncall.PageOrder](t)(w.BeginPage(t.Context(), oncall.SendPage{Page: oncall.PageID(last)}, 7, start)); !order.Send || !order.Blocked {
		t.Errorf("a blocked page: %+v; want it sent and marked as blocked", order)
	}
	version := w.incident(1).Version
	record(last, oncall.PageAccepted{})
	if untold() || w.incident(1).Version == version {
		t.Error("a page has gone out, and the message does not show it")
	}
}

// A page covered by another page's message doesn't wait for the job that sends it.
func TestFinishedPageDoesNotWaitForRecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	begin := func() oncall.PageOrder {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return must[oncall.PageOrder](t)(w.BeginPage(ctx, oncall.SendPage{Page: 1}, 1, w.clock()))
	}
	if order := begin(); !order.Send {
		t.Fatalf("it is not sent: %+v, want it sent", order)
	}
	conn := must[*pgx.Conn](t)(pgx.Connect(t.Context(), w.url))
	defer conn.Close(t.Context())
	tx := must[pgx.Tx](t)(conn.Begin(t.Context()))
	defer tx.Rollback(t.Context())
	_, err := tx.Exec(t.Context(), `SELECT FROM reaches FOR UPDATE`)
	w.check(err)
	for _, over := range []string{`UPDATE pages SET bundle = 99`, `UPDATE pages SET bundle = 0, state = 'delivered'`} {
		w.exec(over)
		if order := begin(); order.Send || !order.CheckAt.IsZero() {
			t.Errorf("%s: %+v; want it not sent and never looked at again", over, order)
		}
	}
}

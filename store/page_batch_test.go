package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// flood opens several incidents at once that all page Ann in Slack.
func (w *world) flood(severity oncall.Severity, names ...string) {
	w.t.Helper()
	var signals []oncall.Signal
	for _, name := range names {
		s := trigger(name)
		s.Severity = severity
		signals = append(signals, s)
	}
	stop := w.run(w.System)
	defer stop()
	w.accept(signals...)
	w.fold()
}

// pageJobs returns the jobs of waiting pages: the page, and whether the job handles a batch.
func (w *world) pageJobs() []string {
	w.t.Helper()
	return w.strings(`
		SELECT (args ->> 'page') || CASE WHEN args ? 'convoy' THEN ' leads' ELSE '' END
		FROM river_job
		WHERE kind = 'page' AND state IN ('available', 'scheduled')
		ORDER BY (args ->> 'page')::bigint, id`)
}

// work does what a page's job does first, and ends the job unless it is to run again.
func (w *world) work(page oncall.PageID, at time.Time) oncall.PageOrder {
	w.t.Helper()
	var args oncall.SendPage
	var job int64
	var text string
	err := w.Pool().QueryRow(context.Background(), `
		SELECT id, args::text FROM river_job WHERE kind = 'page' AND state IN ('available', 'scheduled') AND (args ->> 'page')::bigint = $1
		ORDER BY id LIMIT 1`, page).Scan(&job, &text)
	if err != nil {
		w.t.Fatalf("page %d has no job: %v", page, err)
	}
	w.check(json.Unmarshal([]byte(text), &args))
	order := must[oncall.PageOrder](w.t)(w.BeginPage(w.t.Context(), args, job, at))
	if order.CheckAt.IsZero() || order.OtherJob {
		w.exec(`UPDATE river_job SET state = 'completed', finalized_at = $2 WHERE id = $1`, job, at)
	}
	return order
}

func (w *world) lost() int {
	w.t.Helper()
	return must[int](w.t)(w.RequeuePages(w.t.Context(), start))
}

func hosts(name string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%03d", name, i)
	}
	return out
}

// Pages created by one decision wait behind one job, the job of the worst page.
func TestOneJobForABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	defer stop()
	signals := []oncall.Signal{trigger("a"), trigger("b"), trigger("c")}
	signals[1].Severity = oncall.Critical
	w.accept(signals...)
	w.fold()
	if d := cmp.Diff([]string{"2 leads"}, w.pageJobs()); d != "" {
		t.Fatalf("w.pageJobs() (-want +got):\n%s", d)
	}
	if n := w.lost(); n != 0 {
		t.Errorf("%d pages count as lost, want 0", n)
	}
	if order := w.work(2, start); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("the first: %+v; want it sent, with 3 incidents", order)
	}
	if jobs := w.pageJobs(); len(jobs) != 0 {
		t.Errorf("all are told, and %q wait, want none", jobs)
	}
}

// While the first page is deferred, so are the others, so that nobody's next contact method treats
// them as lost. Then one message covers them all.
func TestBatchIsDeferred(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a")
	w.work(1, start)
	w.check(w.RecordPage(t.Context(), 1, oncall.PageAccepted{Ref: "1"}, start))
	w.flood(oncall.High, "b", "c", "d")
	if order := w.work(2, start.Add(time.Second)); order.Send || !order.CheckAt.Equal(start.Add(30*time.Second)) {
		t.Fatalf("the first of the others: %+v; want it not sent, and looked at again at %v", order, start.Add(30*time.Second))
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE held_until = $1`, start.Add(30*time.Second)); n != 3 {
		t.Errorf("%d are held, want 3", n)
	}
	if order := w.work(2, start.Add(31*time.Second)); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("when the hold is over: %+v; want it sent, with 3 incidents", order)
	}
}

// Pages that arrive one by one during a recipient's cooldown also wait behind one job.
func TestDeferredPageJoinsBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a")
	w.work(1, start)
	w.check(w.RecordPage(t.Context(), 1, oncall.PageAccepted{Ref: "1"}, start))
	for i, name := range []string{"b", "c", "d", "e"} {
		w.storm(name)
		if order := w.work(oncall.PageID(i+2), start.Add(time.Second)); order.Send || !order.OtherJob {
			t.Errorf("%s: %+v; want it not sent and left to another job", name, order)
		}
	}
	w.flood(oncall.High, "f", "g")
	if order := w.work(6, start.Add(time.Second)); order.Send || !order.OtherJob {
		t.Errorf("a batch joins another: %+v; want it not sent and left to another job", order)
	}
	if d := cmp.Diff([]string{"2 leads"}, w.pageJobs()); d != "" {
		t.Fatalf("w.pageJobs() (-want +got):\n%s", d)
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE held_until = $1`, start.Add(30*time.Second)); n != 6 {
		t.Errorf("%d are held, want 6", n)
	}
	if n := w.lost(); n != 0 {
		t.Errorf("%d count as lost, want 0", n)
	}
	// The first page has ended, but those behind it have not, and new pages don't wait behind a finished
	// job.
	must[oncall.Incident](t)(w.Act(t.Context(), 2, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	if order := w.work(2, start.Add(30*time.Second)); order.Send {
		t.Errorf("an acknowledged incident is told: %+v, want it not sent", order)
	}
	w.storm("h")
	if order := w.work(8, start.Add(29*time.Second)); order.Send || !order.OtherJob { // another instance's clock
		t.Errorf("the order is %+v, want it left to the other job", order)
	}
	if d := cmp.Diff([]string{"3", "4", "5", "6", "7", "8 leads"}, w.pageJobs()); d != "" {
		t.Errorf("w.pageJobs() (-want +got):\n%s", d)
	}
	if order := w.work(8, start.Add(30*time.Second)); !order.Send || len(order.Incidents) != 6 {
		t.Errorf("after the hold: %+v; want it sent, with 6 incidents", order)
	}
}

// If it turns out that the recipient was told nothing, the deferred pages go now, with one job for
// all.
func TestBatchIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storm("a")
	w.work(1, start)
	w.flood(oncall.High, "b", "c", "d")
	w.work(2, start.Add(time.Second))
	w.check(w.RecordPage(t.Context(), 1, oncall.PageRefused{Why: "no"}, start.Add(2*time.Second)))
	if d := cmp.Diff([]string{"2 leads", "2", "3 leads"}, w.pageJobs()); d != "" {
		t.Errorf("w.pageJobs() (-want +got):\n%s", d)
	}
	if order := w.work(3, start.Add(2*time.Second)); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("once released: %+v; want it sent, with 3 incidents", order)
	}
}

// The first page is no longer needed, but those behind it may be, so each gets a job.
func TestBatchWithoutItsFirstPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flood(oncall.High, "a", "b", "c", "d")
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAck}, start))
	if order := w.work(1, start); order.Send {
		t.Errorf("an acknowledged incident is told: %+v, want it not sent", order)
	}
	if d := cmp.Diff([]string{"2", "3", "4"}, w.pageJobs()); d != "" {
		t.Errorf("w.pageJobs() (-want +got):\n%s", d)
	}
	if order := w.work(2, start); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("the second: %+v; want it sent, with 3 incidents", order)
	}
}

// A job that died is replaced by one, and so is one that an older release finished without handling
// the rest of its batch.
func TestBatchWithoutJobIsQueuedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flood(oncall.High, "a", "b", "c", "d")
	w.forgetJobs("page")
	w.exec(`UPDATE pages SET state = 'skipped', ended_at = $1 WHERE id = 1`, start)
	if n := w.lost(); n != 1 {
		t.Fatalf("%d were queued again, want one for all", n)
	}
	if d := cmp.Diff([]string{"2 leads"}, w.pageJobs()); d != "" {
		t.Errorf("w.pageJobs() (-want +got):\n%s", d)
	}
	if n := w.lost(); n != 0 {
		t.Errorf("%d were queued again although they wait behind another, want 0", n)
	}
	if order := w.work(2, start); !order.Send || len(order.Incidents) != 3 {
		t.Errorf("the first: %+v; want it sent, with 3 incidents", order)
	}
	if n := w.lost(); n != 1 { // its job was ended here without a record
		t.Errorf("%d were queued again, want the one that was sent", n)
	}
}

// More than a message can tell of go with the next, and the worst of them have not waited behind others.
func TestLongBatchGoesOnInTheNextMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flood(oncall.High, hosts("db", oncall.BundleLimit+200)...)
	told, at := 0, start
	for range 20 {
		jobs := w.pageJobs()
		if len(jobs) == 0 {
			break
		}
		if len(jobs) > 5 {
			t.Fatalf("%d jobs wait behind one person, want at most 5", len(jobs))
		}
		for _, j := range jobs {
			var page oncall.PageID
			if _, err := fmt.Sscan(strings.Fields(j)[0], &page); err != nil {
				t.Fatal(err)
			}
			if order := w.work(page, at); order.Send {
				told += len(order.Incidents)
				w.check(w.RecordPage(t.Context(), page, oncall.PageAccepted{Ref: "1"}, at))
			}
		}
		at = at.Add(31 * time.Second)
	}
	if told != oncall.BundleLimit+200 {
		t.Errorf("%d are told, want %d", told, oncall.BundleLimit+200)
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE state <> 'delivered'`); n != 0 {
		t.Errorf("%d are not delivered, want 0", n)
	}
}

package jobs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
)

func TestPageGoesOutAndIsRecorded(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "1h", clock.Now)
	metrics := prometheus.NewRegistry()
	j := w.instance(w.open(), w.sender, metrics)
	t.Cleanup(func() { stop(t, j) })
	id := w.signal("db-1")[0]
	w.until("the page is recorded", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
	sent := w.sender.sentTo(ann)
	if len(sent) != 1 {
		t.Fatalf("%d messages to Ann, want 1", len(sent))
	}
	want := notify.Message{
		Purpose: notify.ForPage, Key: sent[0].Key, To: string(ann), Incident: int64(id), Title: "disk full on db-1",
		Severity: "critical", Team: "Payments", Attempt: 1,
		Why: "the escalation policy names you", Reason: []string{"the escalation policy names you"},
		Opened: clock.Now(), Expires: clock.Now().Add(time.Hour), Since: "Mon 2 Mar 10:00 CET", Until: "Mon 2 Mar 11:00 CET",
	}
	if diff := cmp.Diff(want, sent[0]); diff != "" || sent[0].Key == "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	w.until("no job is left", func() bool { return w.queueEmpty("page") && w.queueEmpty("draw") })
	if n := len(w.sender.sentTo(ann)); n != 1 {
		t.Errorf("%d messages to Ann, want 1", n)
	}
	for _, name := range []string{"watchbill_pages_total", "watchbill_page_delivery_seconds"} {
		if n, err := testutil.GatherAndCount(metrics, name); err != nil || n != 1 {
			t.Errorf("metric %s: %d series, %v, want no error and 1", name, n, err)
		}
	}
}

// An acknowledgement while a page is on its way ends the attempts.
func TestAckEndsAttempts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer notify.Receipt
	}{
		{"unknown", notify.Receipt{Outcome: notify.Unknown, Err: errors.New("timeout")}},
		{"throttled", notify.Receipt{Outcome: notify.Throttled, RetryAfter: time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "1h", time.Now)
			sending, release := make(chan struct{}), make(chan struct{})
			w.sender.answer = func(_ context.Context, _ notify.Message, n int) notify.Receipt {
				if n == 1 {
					close(sending)
					<-release
				}
				return test.answer
			}
			w.start(w.sender)
			id := w.signal("db-1")[0]
			await(t, "the page is being sent", sending)
			w.ack(id, bo)
			close(release)
			w.until("no page is waiting", func() bool { return w.queueEmpty("page") })
			if n := len(w.sender.sentTo(ann)); n != 1 {
				t.Errorf("%d messages to Ann, want the one that was on its way", n)
			}
			if n := len(w.events(id, oncall.EventPageDelivered)); n != 0 {
				t.Errorf("%d pages recorded as delivered, want none", n)
			}
		})
	}
}

func TestPageWithUnknownOutcomeIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.sender.answer = func(ctx context.Context, m notify.Message, n int) notify.Receipt {
		switch n {
		case 1:
			return notify.Receipt{Outcome: notify.Unknown, Err: errors.New("timeout")}
		case 2:
			panic("a sender must not bring the instance down")
		case 3, 4:
			return notify.Receipt{Outcome: notify.Unknown, Err: errors.New("bad gateway")}
		case 5:
			return notify.Receipt{Outcome: notify.Throttled, RetryAfter: time.Millisecond}
		default:
			return acceptMessage(ctx, m, n)
		}
	}
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("the page is delivered", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
	w.until("no page is waiting", func() bool { return w.queueEmpty("page") })
	sent := w.sender.sentTo(ann)
	if len(sent) != 6 {
		t.Fatalf("%d messages, want 6", len(sent))
	}
	for i, m := range sent {
		if m.Attempt != min(i+1, 5) || m.Key != sent[0].Key { // the fifth was never sent
			t.Errorf("message %d: attempt %d, key %q; want one key and the attempts that may have been sent counted", i+1, m.Attempt, m.Key)
		}
	}
}

// The timeline records a page that can't be delivered, and the next person is paged, long before their time.
func TestFailedPageIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.sender.answer = func(ctx context.Context, m notify.Message, n int) notify.Receipt {
		if m.To == string(ann) {
			return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
		}
		return acceptMessage(ctx, m, n)
	}
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("Bo is paged", func() bool { return len(w.sender.sentTo(bo)) == 1 })
	if n := len(w.sender.sentTo(ann)); n != 1 {
		t.Errorf("%d messages to Ann, want 1", n)
	}
	var failed []oncall.Event
	w.until("it is recorded", func() bool {
		failed = w.events(id, oncall.EventPageFailed)
		return len(failed) > 0
	})
	w.until("the thread tells of it", func() bool { return w.messenger.timesReported(failed[0].ID) == 1 })
	if n := len(w.events(id, oncall.EventPageFailed)); n != 1 {
		t.Errorf("%d failures in the timeline, want 1", n)
	}
}

// If a step can reach nobody, the next one runs immediately. If nobody is left, the incident states
// that publicly.
func TestUnreachablePeopleAreSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.sender.answer = func(context.Context, notify.Message, int) notify.Receipt {
		return notify.Receipt{Outcome: notify.Rejected, Err: errors.New("user_not_found")}
	}
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("nobody is left", func() bool { return len(w.events(id, oncall.EventNobodyNotified)) == 1 })
	if n := len(w.events(id, oncall.EventUnreached)); n != 2 {
		t.Errorf("%d steps reached nobody, want 2", n)
	}
	if a, b := len(w.sender.sentTo(ann)), len(w.sender.sentTo(bo)); a != 2 || b != 2 {
		t.Errorf("%d messages to Ann and %d to Bo, want 2 each: a step and the end", a, b)
	}
	untold := w.events(id, oncall.EventNobodyNotified)[0]
	w.until("the thread tells of it", func() bool { return w.messenger.timesReported(untold.ID) == 1 })
	w.until("the message shows it", func() bool {
		roots := w.messenger.rootsOf(id)
		return len(roots) == 1 && roots[0].NobodyNotified && roots[0].Incident.Exhausted
	})
}

// A page survives a revoked token. The timeline says once what holds it up.
func TestPageWaitsForTheAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.sender.answer = func(ctx context.Context, m notify.Message, n int) notify.Receipt {
		if n <= 3 {
			return notify.Receipt{Outcome: notify.Misconfigured, Err: errors.New("token_revoked")}
		}
		return acceptMessage(ctx, m, n)
	}
	w.start(w.sender)
	id := w.signal("db-1")[0]
	const first oncall.PageID = 1 // others are paged too, because Ann can't be reached
	w.until("the trouble is recorded", func() bool { return len(w.events(id, oncall.EventPageBlocked)) > 0 })
	storetest.Until(t, 3*waitLimit, "the page is delivered", func() bool { return len(w.events(id, oncall.EventPageDelivered)) > 0 })
	total := 0
	for _, e := range w.events(id, oncall.EventPageBlocked) {
		if e.Detail.Page == first {
			total++
		}
	}
	if total != 1 {
		t.Errorf("the timeline tells of the trouble %d times, want once", total)
	}
	if n := len(w.events(id, oncall.EventPageFailed)); n != 0 {
		t.Errorf("%d failures in the timeline, want none", n)
	}
}

// Without a sender the page waits for one.
func TestPageWithoutSenderIsBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	j := w.instance(w.open(), nil, nil)
	t.Cleanup(func() { stop(t, j) })
	id := w.signal("db-1")[0]
	w.until("it is recorded", func() bool { return len(w.events(id, oncall.EventPageBlocked)) == 1 })
}

// A watchedContext signals when somebody begins to wait for it.
type watchedContext struct {
	context.Context //nolint:containedctx // it is one
	once            sync.Once
	asked           chan struct{}
}

func (c *watchedContext) Done() <-chan struct{} {
	c.once.Do(func() { close(c.asked) })
	return c.Context.Done()
}

// Stop waits until a page on its way is recorded.
func TestStopFinishesRunningJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	sending, release := make(chan struct{}), make(chan struct{})
	w.sender.answer = func(ctx context.Context, m notify.Message, n int) notify.Receipt {
		close(sending)
		<-release
		return acceptMessage(ctx, m, n)
	}
	j := w.instance(w.open(), w.sender, nil)
	id := w.signal("db-1")[0]
	await(t, "the page is being sent", sending)
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	stopping, stopped := watchedContext{Context: ctx, asked: make(chan struct{})}, make(chan struct{})
	go func() {
		defer close(stopped)
		if err := j.Stop(&stopping); err != nil {
			t.Errorf("stop: %v", err)
		}
	}()
	await(t, "the stop has begun to wait", stopping.asked)
	close(release)
	await(t, "the instance stops", stopped)
	if n := len(w.events(id, oncall.EventPageDelivered)); n != 1 {
		t.Errorf("%d deliveries recorded after the stop, want 1", n)
	}
}

// A stop that runs out of time cancels running jobs, and another instance does them.
func TestHardStopGivesJobsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	sending := make(chan struct{}, 1)
	var free atomic.Bool
	w.sender.answer = func(ctx context.Context, m notify.Message, n int) notify.Receipt {
		if free.Load() {
			return acceptMessage(ctx, m, n)
		}
		sending <- struct{}{}
		<-ctx.Done()
		free.Store(true)
		return notify.Receipt{Outcome: notify.Unknown, Err: ctx.Err()}
	}
	j := w.instance(w.open(), w.sender, nil)
	id := w.signal("db-1")[0]
	await(t, "the page is being sent", sending)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Stop(over); err != nil {
		t.Fatalf("stop: %v", err)
	}
	w.start(w.sender)
	w.until("the other instance pages", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
}

package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// inBothModes runs a test with instances that have their connections for themselves, and with such that share a budget.
func inBothModes(t *testing.T, test func(*testing.T, *store.Budget)) {
	t.Parallel()
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		test(t, nil)
	})
	t.Run("frugal", func(t *testing.T) {
		t.Parallel()
		test(t, store.NewBudget(60))
	})
}

func keys(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("db-%d", i))
	}
	return all
}

// requireTwoSteps requires that each incident has had exactly two steps, and checks them.
func (w *world) requireTwoSteps(ids []oncall.IncidentID, check func(first, second oncall.Event)) {
	w.t.Helper()
	for _, id := range ids {
		steps := w.events(id, oncall.EventPaging)
		if len(steps) != 2 {
			w.t.Errorf("incident %s: %d steps ran, want 2", id, len(steps))
			continue
		}
		check(steps[0], steps[1])
	}
}

func TestTimersFireOnTime(t *testing.T) { inBothModes(t, timersFireOnTime) }

func timersFireOnTime(t *testing.T, budget *store.Budget) {
	const wait = 2 * time.Second
	w := newWorldWith(t, wait.String(), time.Now, budget)
	w.start(w.sender)
	ids := w.signal(keys(5)...)
	w.until("Bo's turn has come for all", func() bool { return w.pagesTo(bo) == len(ids) })
	w.requireTwoSteps(ids, func(first, second oncall.Event) {
		late := second.At.Sub(first.At.Add(wait))
		// 120 ms when the machine is idle; River's own scheduler would take 5 s.
		if late < 0 || late > 4*time.Second {
			t.Errorf("incident %s: the timer fired %s late, want 0 to 4 s", first.IncidentID, late)
		}
	})
}

func TestEachTimerFiresOnceOverTwoInstances(t *testing.T) {
	inBothModes(t, eachTimerFiresOnceOverTwoInstances)
}

func eachTimerFiresOnceOverTwoInstances(t *testing.T, budget *store.Budget) {
	w := newWorldWith(t, "2s", time.Now, budget)
	other := newFakeSender()
	w.start(w.sender)
	w.start(other)
	ids := w.signal(keys(60)...)
	storetest.Until(t, 90*time.Second, "no page is waiting", func() bool { return w.pagesTo(bo) == len(ids) && w.queueEmpty("page") })
	latest := time.Duration(0)
	w.requireTwoSteps(ids, func(first, second oncall.Event) {
		latest = max(latest, second.At.Sub(first.At.Add(2*time.Second)))
	})
	t.Logf("the latest of %d timers fired %s late", len(ids), latest)
	if latest > 15*time.Second { // many at once, on a busy machine
		t.Errorf("a timer fired %s late, want at most %s", latest, 15*time.Second)
	}
	seen, total := map[string]int{}, 0
	for _, p := range []*fakeSender{w.sender, other} {
		for _, m := range append(p.sentTo(ann), p.sentTo(bo)...) {
			seen[m.Key]++
			total += max(m.Count, 1)
		}
	}
	if total != 2*len(ids) {
		t.Errorf("people were told of %d incidents, want %d", total, 2*len(ids))
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("page %s went out %d times, want 1", key, n)
		}
	}
	var workers int
	if err := w.store.Pool().QueryRow(t.Context(), `SELECT count(DISTINCT attempted_by[1]) FROM river_job
		WHERE kind = 'escalate'`).Scan(&workers); err != nil || workers != 2 {
		t.Errorf("%d instances escalated (%v), want 2", workers, err)
	}
}

// pagesTo counts the pages to a person.
func (w *world) pagesTo(user oncall.UserID) (n int) {
	w.t.Helper()
	if err := w.store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM pages WHERE user_id = $1`, user).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestAckStopsTheTimer(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "5m", clock.Now)
	w.start(w.sender)
	id := w.signal("db-1")[0]
	w.until("Ann is paged", func() bool { return len(w.sender.sentTo(ann)) == 1 })
	w.ack(id, ann)
	clock.Advance(6 * time.Minute)
	w.until("the timer has fired", func() bool { return w.queueEmpty("escalate") })
	if n := len(w.sender.sentTo(bo)); n != 0 {
		t.Errorf("%d messages to Bo, want none", n)
	}
}

// River uses our clock: a timer of an hour fires when that clock says so.
func TestTimersGoByTheClock(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "1h", clock.Now)
	w.start(w.sender)
	w.signal("db-1")
	w.until("Ann is paged", func() bool { return len(w.sender.sentTo(ann)) == 1 })
	clock.Advance(time.Hour)
	w.until("Bo is paged", func() bool { return len(w.sender.sentTo(bo)) == 1 })
}

func TestRequeuesLostTimers(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "5m", clock.Now)
	ids := w.signal(keys(3)...)
	w.ack(ids[2], ann)
	if _, err := w.store.Pool().Exec(t.Context(), `DELETE FROM river_job WHERE kind = 'escalate'`); err != nil {
		t.Fatal(err)
	}
	clock.Advance(5*time.Minute + 20*time.Second)
	if n, err := w.store.RequeueOverdue(t.Context(), clock.Now()); n != 0 || err != nil {
		t.Fatalf("requeued %d, %v; 20 seconds are not overdue, want 0", n, err)
	}
	clock.Advance(20 * time.Second)
	if n, err := w.store.RequeueOverdue(t.Context(), clock.Now()); n != 2 || err != nil {
		t.Fatalf("requeued %d, %v; want 2", n, err)
	}
	if n, err := w.store.RequeueOverdue(t.Context(), clock.Now()); n != 0 || err != nil {
		t.Fatalf("requeued %d more, %v; they are in the queue, want 0", n, err)
	}
	if _, err := w.store.Pool().Exec(t.Context(), `DELETE FROM river_job WHERE kind = 'escalate'`); err != nil {
		t.Fatal(err)
	}
	w.start(w.sender) // also does its upkeep at once
	w.until("Bo is paged for both", func() bool { return w.pagesTo(bo) == 2 })
	w.requireTwoSteps(ids[:2], func(oncall.Event, oncall.Event) {})
}

// A job whose end could not be saved runs again.
func TestReleasesStuckJobs(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := newWorld(t, "5m", clock.Now)
	w.signal("db-1")
	_, err := w.store.Pool().Exec(t.Context(),
		`UPDATE river_job SET state = 'running', attempted_at = $1 WHERE kind = 'page'`, clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(80 * time.Second)
	if n, err := w.store.ReleaseStuck(t.Context(), clock.Now()); n != 0 || err != nil {
		t.Errorf("released %d, %v; 80 seconds are not too long, want 0", n, err)
	}
	clock.Advance(20 * time.Second)
	if n, err := w.store.ReleaseStuck(t.Context(), clock.Now()); n != 1 || err != nil {
		t.Errorf("released %d, %v; want 1", n, err)
	}
	w.start(w.sender)
	w.until("Ann is paged", func() bool { return len(w.sender.sentTo(ann)) == 1 })
}

// An instance whose session dies counts as dead. Another one does its running job.
func TestAnotherInstanceTakesOverTimers(t *testing.T) { inBothModes(t, anotherInstanceTakesOverTimers) }

func anotherInstanceTakesOverTimers(t *testing.T, budget *store.Budget) {
	w := newWorldWith(t, "1h", time.Now, budget)
	sending := make(chan struct{}, 1)
	stuck := newFakeSender()
	var calls atomic.Int32
	var gaveUp atomic.Bool
	stuck.answer = func(ctx context.Context, m notify.Message, _ int) notify.Receipt {
		if calls.Add(1) > 1 { // it works under its next name
			return w.sender.Send(ctx, m)
		}
		sending <- struct{}{}
		<-ctx.Done()
		gaveUp.Store(errors.Is(ctx.Err(), context.DeadlineExceeded))
		return notify.Receipt{Outcome: notify.Unknown, Err: ctx.Err()}
	}
	dying := w.instance(w.open(), stuck, nil)
	t.Cleanup(func() { hardStop(t, dying) })
	id := w.signal("db-1")[0]
	await(t, "the page is being sent", sending)
	w.start(w.sender)
	w.endClaim(dying)
	w.until("the other instance pages", func() bool { return len(w.sender.sentTo(ann)) == 1 })
	if gaveUp.Load() {
		t.Error("Ann was paged only after the dead instance's sender gave up, want it taken over before")
	}
	w.until("it is recorded", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 1 })
}

// An instance whose session dies continues under another name in the same process.
func TestInstanceReplacesALostName(t *testing.T) { inBothModes(t, instanceReplacesALostName) }

func instanceReplacesALostName(t *testing.T, budget *store.Budget) {
	w := newWorldWith(t, "2s", time.Now, budget)
	j := w.instance(w.open(), w.sender, nil)
	t.Cleanup(func() { stop(t, j) })
	first := w.signal("db-1")[0]
	w.endClaim(j)
	w.until("Bo is paged when his turn comes", func() bool { return len(w.sender.sentTo(bo)) == 1 })
	w.names[j] += "-2"
	w.endClaim(j)
	second := w.signal("db-2")[0]
	for _, id := range []oncall.IncidentID{first, second} {
		// The second waits until both have been quiet for half a minute.
		storetest.Until(t, 45*time.Second, "both are paged", func() bool { return len(w.events(id, oncall.EventPageDelivered)) == 2 })
	}
	w.until("both are shown", func() bool {
		return w.messenger.showsOnly(first, w.version(first)) && w.messenger.showsOnly(second, w.version(second))
	})
}

// Nor does it stop when all sessions end at once, as in a restart of the database.
func TestInstanceSurvivesADatabaseRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2s", time.Now)
	j := w.instance(w.open(), w.sender, nil)
	t.Cleanup(func() { stop(t, j) })
	w.signal("db-1")
	// From outside, because the pool's own sessions end too.
	w.endSessions()
	w.until("Bo is paged", func() bool { return len(w.sender.sentTo(bo)) > 0 })
}

// The same for an instance that dies while drawing: its lease is no obstacle.
func TestAnotherInstanceContinuesDrawing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	posting := make(chan struct{}, 1)
	var calls atomic.Int32
	w.messenger.fail(func(ctx context.Context, _ string, _ bool) error {
		if calls.Add(1) != 2 {
			return nil
		}
		posting <- struct{}{} // the dying instance has posted and gets no answer
		<-ctx.Done()
		return errors.New("too late")
	})
	dying := w.instance(w.open(), w.sender, nil)
	t.Cleanup(func() { hardStop(t, dying) })
	id := w.signal("db-1")[0]
	await(t, "the message is being posted", posting)
	w.start(w.sender)
	w.endClaim(dying)
	w.until("the message is posted once and shows all", func() bool {
		return w.messenger.showsOnly(id, w.version(id))
	})
}

// endClaim ends the session that shows that the instance is alive.
func (w *world) endClaim(j *jobs.Jobs) {
	w.t.Helper()
	w.until(w.names[j]+" is killed", func() bool { // it may only be about to claim the name
		var killed int
		err := w.store.Pool().QueryRow(w.t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_locks
			WHERE locktype = 'advisory' AND objid::bigint = hashtext($1)::bigint & 4294967295
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
			w.names[j]).Scan(&killed)
		if err != nil {
			w.t.Fatalf("kill %s: %v", w.names[j], err)
		}
		return killed > 0
	})
}

// endSessions ends all sessions on the database except its own.
func (w *world) endSessions() {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(w.t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		w.t.Fatal(err)
	}
}

func hardStop(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := j.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// newClock returns a clock that shows a Monday morning.
func newClock() *storetest.Clock {
	return storetest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
}

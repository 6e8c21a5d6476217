package store_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A timer that is nearly due goes to the workers at once, whatever River's scheduler does.
func TestTimerQueueingDependsOnDueTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	before := w.lastJob()
	w.check2(w.Decide(t.Context(), 1, func(in oncall.Incident) (oncall.Change, error) {
		c, err := in.Do(oncall.Act{Do: oncall.ActAck}, oncall.ByUser(ann), oncall.Facts{}, start)
		c.Tasks = nil
		for i, in := range []time.Duration{-time.Minute, 0, 15 * time.Second, 15*time.Second + time.Millisecond, time.Hour} {
			c.Tasks = append(c.Tasks, oncall.Task{Args: oncall.IncidentTimer{Incident: 1, Seq: int64(i)}, At: start.Add(in)})
		}
		return c, err
	}))
	got := w.strings(`
		SELECT state || ' ' || extract(epoch FROM scheduled_at - $2)::float8
		FROM river_job
		WHERE id > $1
		ORDER BY id`, before, start)
	want := []string{"available -60", "available 0", "available 15", "scheduled 15.001", "scheduled 3600"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("timers (-want +got):\n%s", d)
	}
}

func (w *world) check2(_ oncall.Incident, err error) {
	w.t.Helper()
	w.check(err)
}

func TestTimersArePromoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(state, queue string, n int, in time.Duration) {
		w.exec(`
			INSERT INTO river_job (state, kind, queue, args, max_attempts, created_at, scheduled_at)
			SELECT $1, 'x', $2, '{}', 5, $4, $5 FROM generate_series(1, $3)`, state, queue, n, start, start.Add(in))
	}
	add("scheduled", store.QueueEscalate, 1500, 10*time.Second)
	add("scheduled", store.QueueEscalate, 1, 11*time.Second)
	add("retryable", store.QueuePage, 1, -time.Second)
	add("retryable", store.QueueDraw, 1, 0)
	add("scheduled", "somebody_elses", 1, 0)
	for round, want := range []int{store.PromoteLimit, 1502 - store.PromoteLimit, 0} {
		if n := must[int](t)(w.PromoteTimers(t.Context(), start)); n != want {
			t.Errorf("promoted %d in round %d, want %d", n, round, want)
		}
	}
	got := must[map[string]int](t)(w.QueueDepths(t.Context()))
	if n, ok := got[store.QueueHousekeeping]; n != 0 || !ok {
		t.Errorf("an empty queue: %d, %v; want 0, listed all the same", n, ok)
	}
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	if d := cmp.Diff(map[string]int{"escalate": 1500, "page": 1, "draw": 1}, got); d != "" {
		t.Errorf("depths (-want +got):\n%s", d)
	}
}

func TestJobsOfAnInstanceThatIsGoneAreRescued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	alive := must[*store.Instance](t)(w.ClaimInstance(ctx, "alive"))
	dying := must[*store.Instance](t)(w.ClaimInstance(ctx, "dying"))
	defer alive.Release()
	defer dying.Release()
	if _, err := w.ClaimInstance(ctx, "alive"); !errors.Is(err, store.ErrNameTaken) {
		t.Errorf("a name was taken twice: %v, want the error %v", err, store.ErrNameTaken)
	}
	add := func(attempt int, by ...string) {
		w.exec(`
			INSERT INTO river_job (state, kind, queue, args, max_attempts, attempt, attempted_by, created_at, scheduled_at)
			VALUES ('running', 'x', 'page', '{}', 3, $1, $2, $3, $3)`, attempt, by, start)
	}
	add(1, "alive")
	add(2, "gone", "alive")
	add(2, "alive", "dying")
	add(3, "dying")
	add(1, "gone")
	if n := must[int](t)(w.RescueJobs(ctx, start)); n != 1 {
		t.Errorf("rescued %d jobs, want that of the instance that never was", n)
	}
	if n := w.count(`
		SELECT count(pg_terminate_backend(pid))
		FROM (SELECT DISTINCT pid FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()
		      WHERE locktype = 'advisory' AND objsubid = 2 AND objid::bigint = hashtext('dying')::bigint & 4294967295) AS holders`); n != 1 {
		t.Fatalf("ended %d sessions, want 1", n)
	}
	select {
	case <-dying.Lost():
	case <-time.After(20 * time.Second):
		t.Fatal("the instance has not noticed that it lost its name")
	}
	rescued := 0 // the session releases its lock a moment after it has said goodbye
	w.until("its jobs are rescued", func() bool {
		rescued += must[int](t)(w.RescueJobs(ctx, start))
		return rescued == 2
	})
	got := w.strings(`SELECT state || ' ' || coalesce(errors[1] ->> 'error', '') FROM river_job ORDER BY id`)
	want := []string{
		"running ", "running ", "available the instance that ran it is gone",
		"available the instance that ran it is gone", "available the instance that ran it is gone",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("jobs (-want +got):\n%s", d)
	}
	if n := w.count(`SELECT sum(attempt) FROM river_job`); n != 1+2+1+2+0 {
		t.Errorf("the jobs are at %d attempts together: an interruption has used one up, want %d", n, 1+2+1+2+0)
	}
	select {
	case <-alive.Lost():
		t.Error("the living instance has lost its name")
	default:
	}
	alive.Release()
	must[*store.Instance](t)(w.ClaimInstance(ctx, "alive")).Release()
}

// A job goes back to the queue however often its instance dies, and remembers the latest few times.
func TestInterruptionsUseUpNoAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	for range 30 {
		w.exec(`UPDATE river_job SET state = 'running', attempt = attempt + 1, attempted_by = '{gone}' WHERE kind = 'page'`)
		if n := must[int](t)(w.RescueJobs(t.Context(), start)); n != 1 {
			t.Fatalf("rescued %d jobs, want 1", n)
		}
	}
	got := w.strings(`SELECT state || ' ' || attempt || ' ' || cardinality(errors) FROM river_job WHERE kind = 'page'`)
	if d := cmp.Diff([]string{"available 0 10"}, got); d != "" {
		t.Errorf("job (-want +got):\n%s", d)
	}
}

// A waiting page that is missing from the queue is queued again, by one instance.
func TestLostPageIsQueuedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	if n := must[int](t)(w.RequeuePages(t.Context(), start)); n != 0 {
		t.Errorf("queued %d pages that are there, want 0", n)
	}
	w.exec(`UPDATE river_job SET state = 'discarded', finalized_at = $1 WHERE kind = 'page'`, start)
	var queued atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			n, err := w.RequeuePages(t.Context(), start)
			if err != nil {
				t.Error(err)
			}
			queued.Add(int64(n))
		})
	}
	all.Wait()
	if n := queued.Load(); n != 1 {
		t.Errorf("queued %d pages, want 1", n)
	}
	if got := w.strings(`SELECT args::text FROM river_job WHERE kind = 'page' AND state = 'available'`); !cmp.Equal(got, []string{`{"line": "slack", "page": 1}`}) {
		t.Errorf("pages: %q, want %q", got, []string{`{"line": "slack", "page": 1}`})
	}
	w.forgetJobs("page")
	w.exec(`UPDATE pages SET state = 'delivered'`)
	if n := must[int](t)(w.RequeuePages(t.Context(), start)); n != 0 {
		t.Errorf("queued %d pages that were delivered, want 0", n)
	}
}

// A timer that is long overdue and missing from the queue is queued again. One that is waiting is not.
func TestLostTimerIsQueuedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	due := start.Add(5 * time.Minute)
	must[int](t)(w.PromoteTimers(t.Context(), due))
	if n := must[int](t)(w.RequeueOverdue(t.Context(), due.Add(time.Minute))); n != 0 {
		t.Errorf("queued %d timers that are there, want 0", n)
	}
	w.forgetJobs("escalate")
	if n := must[int](t)(w.RequeueOverdue(t.Context(), due)); n != 0 {
		t.Errorf("queued %d timers that are hardly late, want 0", n)
	}
	for _, want := range []int{1, 0} {
		if n := must[int](t)(w.RequeueOverdue(t.Context(), due.Add(time.Minute))); n != want {
			t.Errorf("queued %d timers, want %d", n, want)
		}
	}
	if got := w.strings(`SELECT state || ' ' || args::text FROM river_job WHERE kind = 'escalate'`); !cmp.Equal(got, []string{`available {"seq": 1, "incident": 1}`}) {
		t.Errorf("timers: %q, want %q", got, []string{`available {"seq": 1, "incident": 1}`})
	}
}

func TestStuckJobIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	job := w.job()
	for queue, limit := range map[string]time.Duration{
		store.QueueEscalate: 30 * time.Second, store.QueuePage: 90 * time.Second,
		store.QueueDraw: 3 * time.Minute, store.QueueNotice: 3 * time.Minute,
	} {
		w.exec(`UPDATE river_job SET attempted_at = $2, queue = $3, state = 'running' WHERE id = $1`, job, start, queue)
		for _, test := range []struct {
			after time.Duration
			want  int
		}{{limit, 0}, {limit + time.Second, 1}, {time.Hour, 0}} {
			if n := must[int](t)(w.ReleaseStuck(t.Context(), start.Add(test.after))); n != test.want {
				t.Errorf("%s after %v: released %d, want %d", queue, test.after, n, test.want)
			}
		}
	}
}

func TestDatabaseTimeIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := time.Now().Add(-time.Second)
	if at := must[time.Time](t)(w.Clock(t.Context())); at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("the database's clock is %s, want it between %s and now", at, before)
	}
}

func TestUselessRowsAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	w.accept(resolve("old tombstone"), trigger("disk"), resolve("disk"))
	w.fold()
	must[bool](t)(w.RememberEvent(t.Context(), "old", start))
	w.advance(time.Hour)
	w.accept(resolve("tombstone"))
	w.fold()
	stop()
	must[bool](t)(w.RememberEvent(t.Context(), "new", w.clock()))
	w.check(w.Housekeeping(t.Context(), start.Add(24*time.Hour+time.Minute)))
	if got := w.strings(`SELECT dedup_key FROM alerts ORDER BY 1`); !cmp.Equal(got, []string{"disk", "tombstone"}) {
		t.Errorf("alerts: %q, want %q", got, []string{"disk", "tombstone"})
	}
	if got := w.strings(`SELECT key FROM slack_seen`); !cmp.Equal(got, []string{"new"}) {
		t.Errorf("keys: %q, want %q", got, []string{"new"})
	}
}

func TestSlacksRepetitionsAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := func(key string) bool { return must[bool](t)(w.RememberEvent(t.Context(), key, start)) }
	if !first("a") || first("a") || !first("b") {
		t.Error("the first delivery of an event counts as a repetition, or the second doesn't")
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry := prometheus.NewPedanticRegistry()
	var log strings.Builder
	s, err := store.Open(t.Context(), w.url, store.Options{MaxConns: 4, Log: zerolog.New(&log), Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop := w.run(s)
	w.accept(trigger("disk"), trigger("disk"), trigger("cpu"), resolve("cpu"), resolve("cpu"))
	w.fold()
	w.until("it is counted", func() bool {
		n, err := testutil.GatherAndCount(registry, "watchbill_incidents_total")
		return err == nil && n == 2
	})
	stop()
	w.accept(trigger("waiting"))
	expect := map[string]float64{
		"watchbill_signals_total grafana trigger": 3,
		"watchbill_signals_total grafana resolve": 2,

		"watchbill_signal_fates_total grafana opened":    2,
		"watchbill_signal_fates_total grafana repeated":  1,
		"watchbill_signal_fates_total grafana cleared":   1,
		"watchbill_signal_fates_total grafana unmatched": 1,

		"watchbill_incidents_total opened":   2,
		"watchbill_incidents_total resolved": 1,
		"watchbill_inbox_depth":              1,
		"watchbill_queue_depth draw":         2, // one an incident
		"watchbill_queue_depth page":         1, // both go to one person

		"watchbill_oldest_timestamp_seconds": float64(start.Unix()),
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			byName := map[string]string{}
			for _, l := range m.GetLabel() {
				byName[l.GetName()] = l.GetValue()
			}
			for _, l := range []string{"integration", "action", "fate", "event", "queue"} {
				if v := byName[l]; v != "" {
					name += " " + v
				}
			}
			if v := m.GetCounter().GetValue() + m.GetGauge().GetValue(); v != 0 {
				got[name] = v
			}
		}
	}
	if d := cmp.Diff(expect, got); d != "" {
		t.Errorf("metrics (-want +got):\n%s", d)
	}
	if _, err := store.Open(context.Background(), w.url, store.Options{Metrics: registry}); err == nil {
		t.Error("two stores in one process share their metrics, want a registry for each")
	}
	for _, want := range []string{
		`"fate":"repeated","incident":1,"action":"trigger","dedup_key":"disk"`,
		`"fate":"unmatched","incident":2,"action":"resolve","dedup_key":"cpu"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

// Reading a contact method's answers holds a task, and doesn't count as another instance.
func TestTurnsAreNoInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b", store.AnswersClaim(oncall.MethodSMS), store.AnswersClaim(oncall.MethodTelegram)} {
		in := must[*store.Instance](t)(w.ClaimInstance(t.Context(), name))
		defer in.Release()
	}
	if n := must[int](t)(w.Instances(t.Context())); n != 2 {
		t.Errorf("%d instances, want 2", n)
	}
	if room := must[store.ConnectionUse](t)(w.ConnectionUse(t.Context())); room.Instances != 2 {
		t.Errorf("%d instances for the doctor, want 2", room.Instances)
	}
}

// No queue is left out: a job that waits for its time, or whose instance died, always goes on.
func TestJobsOfEveryQueueGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := []string{
		store.QueueEscalate, store.QueuePage, store.QueueDraw, store.QueueNotice, store.QueueHousekeeping, store.QueueSilence, store.QueueHook,
	}
	for _, state := range []string{"running", "retryable", "scheduled"} {
		w.exec(`
			INSERT INTO river_job (state, kind, queue, args, max_attempts, attempted_by, created_at, scheduled_at)
			SELECT $1, 'x', queue, '{}', 3, '{gone}', $3, $3 FROM unnest($2::text[]) AS queue`, state, all, start)
	}
	if n := must[int](t)(w.RescueJobs(t.Context(), start)); n != len(all) {
		t.Errorf("rescued %d jobs, want one of each of the %d queues", n, len(all))
	}
	if n := must[int](t)(w.PromoteTimers(t.Context(), start)); n != 2*len(all) {
		t.Errorf("promoted %d jobs, want two of each of the %d queues", n, len(all))
	}
}

// Done jobs are removed after an hour, given up ones after a week, whether or not River has a leader.
func TestEndedJobsAreRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(state string, ended time.Duration) {
		w.exec(`
			INSERT INTO river_job (state, kind, queue, args, max_attempts, created_at, scheduled_at, finalized_at)
			VALUES ($1, 'x', 'page', '{}', 3, $2, $2, $2)`, state, start.Add(-ended))
	}
	for _, state := range []string{"completed", "cancelled", "discarded"} {
		add(state, 59*time.Minute)
		add(state, 61*time.Minute)
		add(state, 8*24*time.Hour)
	}
	if err := w.Housekeeping(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	got := w.strings(`SELECT state || ' ' || (extract(epoch FROM $1::timestamptz - finalized_at) / 60)::int FROM river_job ORDER BY id`, start)
	if d := cmp.Diff([]string{"completed 59", "cancelled 59", "discarded 59", "discarded 61"}, got); d != "" {
		t.Errorf("what is left, with minutes since its end (-want +got):\n%s", d)
	}
}

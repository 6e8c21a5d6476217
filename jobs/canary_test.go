package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// The canary goes all the way: its signal is folded, it pages immediately and by a timer, and it
// ends. Nothing of it remains, nobody was paged, and it used up no incident number.
func TestCanaryComesThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.canary = 5 * time.Minute
	began := w.count("audit_log")
	registry := prometheus.NewRegistry()
	j := w.instance(w.open(), w.sender, registry)
	w.stopAtEnd(j)
	w.until("the canary is through", func() bool { return w.canarySucceeded(1) })
	c, err := w.store.Canary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Seconds < 1 || c.Seconds > 20 || c.LateSince != nil {
		t.Errorf("it took %.1f s, late since %v; want at least 1, at most 20 and nil", c.Seconds, c.LateSince)
	}
	for _, table := range []string{"incidents", "alerts", "pages", "incident_events", "inbox", "inbox_rejected", "drawings", "notices", "reaches"} {
		if n := w.count(table); n > 0 {
			t.Errorf("%d rows are left in %s, want 0", n, table)
		}
	}
	if n := w.count("audit_log"); n != began {
		t.Errorf("the audit log has %d entries more, want 0", n-began)
	}
	if n := w.count(`river_job WHERE kind IN ('draw', 'tell')`); n > 0 {
		t.Errorf("%d jobs would show it to people, want 0", n)
	}
	if ids := w.signal("db-1"); ids[0] != 1 {
		t.Errorf("the first incident is %s, want #1", ids[0])
	}
	w.until("the metrics say so", func() bool { return gaugeValue(t, registry, "watchbill_canary_last_success_timestamp_seconds") > 0 })
	if line := j.SelfMonitoring(time.Now())[0]; !strings.HasPrefix(line, "canary: came through ") {
		t.Errorf("the line is %q, want that the canary came through", line)
	}
	if n := testutil.CollectAndCount(registry, "watchbill_pages_total"); n > 1 { // Ann's
		t.Errorf("%d methods are counted, want at most 1", n)
	}
}

// If nobody works on pages, the alarm is raised after a minute. The admins are told once, and once
// when it is over.
func TestLateCanaryRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	clock := &offsetClock{}
	w := newWorld(t, "1h", clock.Now)
	w.exec(`UPDATE users SET owner = true WHERE id = $1`, ann)
	w.canary = 5 * time.Minute
	w.pausePages()
	registry := prometheus.NewRegistry()
	j := w.instance(w.open(), w.sender, registry)
	other := w.instance(w.open(), w.sender, prometheus.NewRegistry())
	w.stopAtEnd(j, other)
	w.until("it has opened an incident", func() bool { return w.count(`incidents WHERE id = -1`) == 1 })
	if line := j.SelfMonitoring(clock.Now())[0]; line != "canary: none has come through yet" {
		t.Errorf("got %q, want %q", line, "canary: none has come through yet")
	}
	if n := w.canaryNotices("late"); n > 0 {
		t.Errorf("%d were told at once, want 0", n)
	}
	clock.Advance(2 * time.Minute)
	w.until("Ann is told", func() bool { return w.canaryNotices("late") == 1 })
	w.until("every instance says so", func() bool {
		return gaugeValue(t, registry, "watchbill_canary_late") == 1 &&
			strings.Contains(j.SelfMonitoring(clock.Now())[0], "it has opened an incident, and no page was sent")
	})
	// The next canary is started all the same, and hangs too.
	clock.Advance(4 * time.Minute)
	w.until("the next one hangs", func() bool { return w.count(`incidents WHERE id = -2`) == 1 })
	clock.Advance(2 * time.Minute)

	w.resumePages()
	w.until("the canary is through", func() bool { return w.canarySucceeded(2) })
	w.until("Ann is told that it is over", func() bool { return w.canaryNotices("through") == 1 })
	w.until("the alarm is over", func() bool { return gaugeValue(t, registry, "watchbill_canary_late") == 0 })
	if n := w.canaryNotices("late"); n != 1 {
		t.Errorf("Ann was told %d times, want 1", n)
	}
	clock.Advance(2 * time.Hour)
	w.until("the first one leaves", func() bool {
		if err := w.store.Housekeeping(t.Context(), clock.Now()); err != nil {
			t.Fatal(err)
		}
		return w.count(`incidents WHERE id IN (-1, -2)`) == 0
	})
}

// While an earlier release is running, which would show a canary to people, there is none, and no
// alarm. If such a release finds a canary's signal, its integration is muted.
func TestCanaryIsNotPlantedBesideEarlierRelease(t *testing.T) {
	t.Parallel()
	clock := &offsetClock{}
	w := newWorld(t, "1h", clock.Now)
	w.canary = time.Minute
	conn, err := w.store.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	older := conn.Hijack()
	t.Cleanup(func() { _ = older.Close(context.Background()) })
	if _, err := older.Exec(t.Context(), `SELECT pg_advisory_lock($1, hashtext('older'))`, 0x77620001); err != nil {
		t.Fatal(err)
	}
	var beats atomic.Int64
	w.pulse = func(context.Context) error { beats.Add(1); return nil }
	j := w.start(w.sender)
	w.until("it waits", func() bool {
		return j.SelfMonitoring(clock.Now())[0] == "canary: waits until no earlier release runs beside this one"
	})
	clock.Advance(10 * time.Minute)
	before := beats.Load()
	w.until("pulses are sent all the same", func() bool { return beats.Load() > before })
	if n := w.count(`river_job WHERE kind = 'pulse'`); n > 0 {
		t.Errorf("the earlier release could get %d pulses, want 0", n)
	}
	c, err := w.store.Canary(t.Context())
	if err != nil || c.Number != 0 || w.canaryNotices("late") > 0 {
		t.Errorf("got canary %+v, %v, want none and no notice", c, err)
	}
	if n := w.count(`integrations WHERE id = -1 AND muted_at IS NOT NULL AND muted_until IS NULL AND removed_at IS NOT NULL`); n != 1 {
		t.Errorf("the canary's integration is not muted: got %v, want 1", n)
	}
	if err := older.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.until("there is one", func() bool { return w.canarySucceeded(1) })
}

// The canary's page has the priority of high severity, so that it takes as long as those.
func TestCanaryHasHighPriorityOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	w.canary = 5 * time.Minute
	w.pausePages()
	w.start(w.sender)
	w.accept(w.id, oncall.Signal{Action: oncall.Trigger, DedupKey: "db-1", Title: "disk full", Severity: oncall.High})
	const same = `
		SELECT count(DISTINCT j.priority) = 1 AND count(*) = 2
		FROM river_job j JOIN pages p ON p.id = (j.args ->> 'page')::bigint
		WHERE j.kind = 'page'`
	w.until("both wait alike", func() (ok bool) {
		if err := w.store.Pool().QueryRow(t.Context(), same).Scan(&ok); err != nil {
			t.Fatal(err)
		}
		return ok
	})
}

// An offsetClock clock runs with the machine's, some time ahead.
type offsetClock struct{ ahead atomic.Int64 }

func (c *offsetClock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *offsetClock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// pausePages stops instances started from now on from working on pages.
func (w *world) pausePages() {
	w.t.Helper()
	w.exec(`INSERT INTO river_queue (name, metadata, paused_at, created_at, updated_at) VALUES ($1, '{}', $2, $2, $2)`, store.QueuePage, w.clock())
}

// haltPages stops all work on pages.
func (w *world) haltPages() {
	w.t.Helper()
	client, err := river.NewClient(riverpgxv5.New(w.store.Pool()), &river.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := client.QueuePause(w.t.Context(), store.QueuePage, nil); err != nil {
		w.t.Fatal(err)
	}
}

// stopAtEnd stops instances when the test ends.
func (w *world) stopAtEnd(all ...*jobs.Jobs) {
	w.t.Cleanup(func() {
		for _, j := range all {
			stop(w.t, j)
		}
	})
}

func (w *world) resumePages() {
	w.t.Helper()
	client, err := river.NewClient(riverpgxv5.New(w.store.Pool()), &river.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := client.QueueResume(w.t.Context(), store.QueuePage, nil); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.store.Pool().Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// count counts rows, of a table or of some of it.
func (w *world) count(rows string) (n int) {
	w.t.Helper()
	if err := w.store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM `+rows).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) canaryNotices(state string) int {
	return w.count(fmt.Sprintf(`notices WHERE kind = 'canary' AND recipient = '%s' AND key LIKE 'canary/%%/%s/%%'`, ann, state))
}

// gaugeValue reads a metric without labels.
func gaugeValue(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// canarySucceeded reports whether the canary with a number, or a later one, has come through.
func (w *world) canarySucceeded(number int64) bool {
	w.t.Helper()
	c, err := w.store.Canary(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Number >= number && !c.InFlight && c.SucceededAt != nil
}

package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// foldLock is the advisory lock of the folding instance. Operators look for it in pg_locks.
const foldLock = 0x776201

func TestRepeatedSignalsAreOneIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	for range 3 {
		w.accept(trigger("disk"), trigger("disk"))
		w.fold()
		w.advance(time.Second)
	}
	in := w.incident(1)
	if in.SignalCount != 6 || in.Flaps != 0 {
		t.Errorf("incident: signal count %v, want 6; flaps %v, want 0", in.SignalCount, in.Flaps)
	}
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != 1 {
		t.Errorf("%d pages, want 1", n)
	}
	if n := w.count(`SELECT count FROM alerts`); n != 6 {
		t.Errorf("the alert counts %d signals, want 6", n)
	}
}

func TestSignalsAreFoldedInTheOrderOfTheirArrival(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// All signals wait in the inbox before anything is folded, so that one batch holds several episodes.
	const alerts = 40
	for i := range alerts {
		k := fmt.Sprint("alert ", i)
		w.accept(trigger(k))
		w.accept(resolve(k), trigger(k))
		if i%2 == 0 {
			w.accept(resolve(k))
		}
	}
	w.run(w.System)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'resolved'`); n != alerts/2 {
		t.Errorf("%d resolved, want %d", n, alerts/2)
	}
	if n := w.count(`SELECT count(*) FROM incidents WHERE flaps = 1`); n != alerts {
		t.Errorf("%d flapped, want %d", n, alerts)
	}
	open := must[[]oncall.Incident](t)(w.OpenIncidents(t.Context(), oncall.ByTimer(), 5))
	if len(open) != 5 || open[0].ID != 2 {
		t.Errorf("open incidents: %v; want 5, the first with the id 2", open)
	}
}

func TestLateTriggerOfEndedEpisodeIsStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	s := trigger("disk")
	s.StartsAt = start.Add(-time.Minute)
	end := resolve("disk")
	end.StartsAt = s.StartsAt
	w.accept(end)
	w.fold()
	w.accept(s)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents, want 0", n)
	}
	if n := w.count(`SELECT count(*) FROM alerts WHERE incident_id IS NULL AND starts_at = $1`, s.StartsAt); n != 1 {
		t.Errorf("%d tombstones, want 1", n)
	}
	w.accept(s) // it really has ended
	w.fold()
	if in := w.incident(1); in.Status != oncall.Triggered {
		t.Errorf("listed once more: status %v, want %v", in.Status, oncall.Triggered)
	}
	end.StartsAt, s.StartsAt = s.StartsAt, start
	w.accept(end)
	w.fold()
	w.accept(s)
	w.fold()
	if in := w.incident(1); in.Status != oncall.Triggered {
		t.Errorf("a new episode: status %v, want %v", in.Status, oncall.Triggered)
	}
}

func TestAlertsOfAGroupJoinOneIncidentAndReconcile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	inGroup := func(dedup string) oncall.Signal {
		s := trigger(dedup)
		s.GroupKey = "group"
		return s
	}
	w.accept(inGroup("a"), inGroup("b"))
	w.fold()
	w.accept(inGroup("c"))
	w.accept(trigger("alone"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM alerts WHERE incident_id = 1`); n != 3 {
		t.Errorf("%d alerts in the incident, want 3", n)
	}
	w.accept(oncall.Signal{Action: oncall.Reconcile, GroupKey: "group", Present: []string{"b"}})
	w.fold()
	if got := w.strings(`SELECT dedup_key FROM alerts WHERE firing ORDER BY 1`); !cmp.Equal(got, []string{"alone", "b"}) {
		t.Errorf("firing: %q, want %q", got, []string{"alone", "b"})
	}
	if in := w.incident(1); in.Status != oncall.Triggered {
		t.Errorf("the incident has ended with an alert firing: status %v, want %v", in.Status, oncall.Triggered)
	}
	w.accept(resolve("b"))
	w.fold()
	if in := w.incident(1); in.Status != oncall.Resolved || in.ResolvedBy != oncall.ByIntegration("grafana") {
		t.Errorf("the incident has not ended with its last alert: status %v, want %v; resolved by %v, want %v",
			in.Status, oncall.Resolved, in.ResolvedBy, oncall.ByIntegration("grafana"))
	}
	if in := w.incident(2); in.Status != oncall.Triggered {
		t.Errorf("another incident has ended too: status %v, want %v", in.Status, oncall.Triggered)
	}
}

// The same group key in two integrations means two different groups.
func TestIntegrationsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	two := payments()
	two.Integrations = append(two.Integrations, setup.Integration{
		Name: "other", Team: "payments", Format: "generic", Policy: "default", Key: strings.Repeat("f", 32),
	})
	must[any](t)(w.Apply(t.Context(), two, store.ApplyOptions{Write: true}, start))
	other := must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), strings.Repeat("f", 32), start))
	w.run(w.System)
	w.accept(trigger("disk"))
	if err := w.Accept(t.Context(), other.ID, []oncall.Signal{trigger("disk")}, start); err != nil {
		t.Fatal(err)
	}
	w.fold()
	w.accept(resolve("disk"))
	w.fold()
	if a, b := w.incident(1), w.incident(2); a.Status != oncall.Resolved || b.Status != oncall.Triggered || b.IntegrationID != other.ID {
		t.Errorf("incidents: %+v, %+v; want Status %v, Status %v and IntegrationID %v", a, b, oncall.Resolved, oncall.Triggered, other.ID)
	}
}

// A person's decision between two batches affects the second.
func TestFolderAndPeopleActConcurrently(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(trigger("disk"))
	w.fold()
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, w.clock()))
	worse := trigger("disk")
	worse.Severity = oncall.Critical
	w.accept(worse)
	w.fold()
	in := w.incident(1)
	if in.Status != oncall.Acknowledged || in.Severity != oncall.Critical || in.SignalCount != 2 {
		t.Errorf("incident: status %v, want %v; severity %v, want %v; signal count %v, want 2",
			in.Status, oncall.Acknowledged, in.Severity, oncall.Critical, in.SignalCount)
	}
	if got := w.strings(`SELECT user_id FROM pages ORDER BY id`); !cmp.Equal(got, []string{"U0ANN", "U0ANN"}) {
		t.Errorf("paged: %q, want %q", got, []string{"U0ANN", "U0ANN"})
	}
}

// A signal that can't be folded is set aside with the reason; those before and after it are folded.
func TestPanickingSignalDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	poison := func(text string, integration oncall.IntegrationID) {
		w.exec(`INSERT INTO inbox (integration_id, received_at, signal) VALUES ($1, $2, $3::text::json)`, integration, start, text)
	}
	for i := range 30 {
		w.accept(trigger(fmt.Sprint("alert ", i)))
		switch i {
		case 7:
			poison(`{"action": "trigger", "title": 5}`, w.integration)
		case 11:
			poison(`{"action": "trigger", "dedup_key": "x"}`, 4711)
		case 17: // too long for the index on keys, however well it compresses
			w.accept(trigger(noise(200_000)))
		case 23: // PostgreSQL has no such character
			w.accept(trigger("nul\x00nul"))
		}
	}
	w.run(w.System)
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 31 {
		t.Errorf("%d incidents, want 31", n)
	}
	if n := w.count(`SELECT count(*) FROM incidents WHERE group_key = 'nulnul'`); n != 1 {
		t.Errorf("the signal with a NUL: %d incidents, want 1", n)
	}
	got := w.strings(`SELECT error FROM inbox_rejected ORDER BY id`)
	want := []string{"cannot unmarshal number", "there is no integration 4711", "index row"}
	if len(got) != len(want) {
		t.Fatalf("rejected: %q, want %v entries", got, len(want))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("rejected because of %q, want %q", got[i], want[i])
		}
	}
	if n := w.count(`SELECT max(id) - count(*) FROM incidents`); n != 0 {
		t.Errorf("the numbers of the incidents have %d holes, want 0", n)
	}
}

// noise returns a text that can't be compressed.
func noise(n int) string {
	out := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = 'a' + byte(x>>20)%26
	}
	return string(out)
}

// One of two instances folds. When the database ends its connection, the other takes over.
func TestAnotherInstanceTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	w.run(w.System)
	w.until("the first folds", w.Folding)
	w.run(other)
	// The instance that lost the lock tries again at once and may well get it first; then its session is
	// ended again.
	pass := func(from *store.System) {
		w.until("the other folds", func() bool {
			w.count(`
				SELECT count(pg_terminate_backend(pid))
				FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()
				WHERE locktype = 'advisory' AND objid = $1`, foldLock)
			for range 100 {
				if !from.Folding() && (w.Folding() || other.Folding()) {
					return true
				}
				time.Sleep(time.Millisecond)
			}
			return false
		})
	}
	sent := 0
	for round := range 4 {
		for range 50 {
			sent++
			w.accept(trigger(fmt.Sprint("alert ", sent)), trigger("common"))
		}
		if w.Folding() && other.Folding() {
			t.Fatal("two instances fold at once, want one")
		}
		if round%2 == 0 {
			pass(w.System)
		} else {
			pass(other)
		}
	}
	w.fold()
	if n := w.count(`SELECT count(*) FROM incidents`); n != sent+1 {
		t.Errorf("%d incidents, want %d", n, sent+1)
	}
	if n := w.count(`SELECT count FROM alerts WHERE dedup_key = 'common'`); n != sent {
		t.Errorf("the common alert counts %d signals, want %d", n, sent)
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != sent+1 {
		t.Errorf("%d pages, want %d", n, sent+1)
	}
	if n := w.count(`SELECT count(*) FROM inbox_rejected`); n != 0 {
		t.Errorf("%d signals were put aside, want 0", n)
	}
}

// While another session holds the lock, nobody folds. Waiting signals are folded once it is released.
func TestFoldingRequiresTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, foldLock); err != nil {
		t.Fatal(err)
	}
	w.run(w.System)
	w.until("Run listens", func() bool {
		return w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_try_advisory_lock|pg_locks' AND pid <> pg_backend_pid()`) > 0
	})
	w.accept(trigger("disk"))
	if n := w.count(`SELECT count(*) FROM inbox`); n != 1 || w.Folding() {
		t.Errorf("%d signals in the inbox, folding %v; want 1, with nothing folding", n, w.Folding())
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fold()
	if in := w.incident(1); in.Title != "disk is full" {
		t.Errorf("incident: title %v, want disk is full", in.Title)
	}
}

// An incident that somebody has locked holds up its own signals, in order, and no others.
func TestLockedIncidentDelaysNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(trigger("disk"))
	w.fold()
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM incidents WHERE id = 1 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	for range 600 { // more than a batch
		w.accept(trigger("disk"))
	}
	w.accept(resolve("disk"), trigger("cpu"))
	w.until("the other incident is opened", func() bool { return w.count(`SELECT count(*) FROM incidents`) == 2 })
	w.until("only the signals of the locked one wait", func() bool { return w.count(`SELECT count(*) FROM inbox`) == 601 })
	if n := w.count(`SELECT count FROM alerts WHERE dedup_key = 'disk'`); n != 1 {
		t.Errorf("the locked alert counts %d signals, want 1", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fold()
	if in := w.incident(1); in.Status != oncall.Resolved || in.SignalCount != 601 {
		t.Errorf("incident: status %v, want %v; signal count %v, want 601", in.Status, oncall.Resolved, in.SignalCount)
	}
	if n := w.count(`SELECT count FROM alerts WHERE dedup_key = 'disk'`); n != 602 {
		t.Errorf("the alert counts %d signals, want 602", n)
	}
}

// An instance that holds the fold lock but has been paused is deposed. While it is working, it is not.
func TestStalledFolderLosesLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	ask := func() error {
		_, err := conn.Exec(t.Context(), `SELECT pg_try_advisory_lock($1)`, foldLock)
		return err
	}
	w.check(ask())
	w.run(w.System)
	w.accept(trigger("disk"))
	for range 3 { // it sends a statement each time, just before its time is up
		w.advance(4 * time.Second)
		w.check(ask())
		w.looked()
	}
	if w.Folding() {
		t.Fatal("an instance that is at work was deposed")
	}
	w.until("the paused instance is deposed and another folds", func() bool {
		w.advance(time.Second) // an instance that has just checked may notice only now
		return w.count(`SELECT count(*) FROM inbox`) == 0
	})
	if in := w.incident(1); in.Title != "disk is full" {
		t.Errorf("incident: title %v, want disk is full", in.Title)
	}
	if err := ask(); err == nil {
		t.Error("the paused instance still has its session")
	}
}

// looked waits until the instance that isn't folding has checked the folding one again.
func (w *world) looked() {
	w.t.Helper()
	const last = `SELECT coalesce(max(extract(epoch FROM query_start) * 1000), 0)::bigint FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE '%a.wait_event_type%' AND pid <> pg_backend_pid()`
	before := w.count(last)
	w.until("a look", func() bool { return w.count(last) > before })
}

// The holder of an incident is paged about a service that is new to it, but not about one whose alerts have cleared.
func TestServiceWhoseAlertsHaveClearedIsNotNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	of := func(service, key string) oncall.Signal {
		s := trigger(key)
		s.GroupKey, s.Labels = "eu", map[string]string{"service": service}
		return s
	}
	w.accept(of("web", "a"), of("db", "b"), trigger("other"))
	w.fold()
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, w.clock()))
	w.accept(resolve("b"))
	w.fold()
	before := w.count(`SELECT count(*) FROM pages WHERE incident_id = 1`)
	w.accept(of("db", "c"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM pages WHERE incident_id = 1`); n != before {
		t.Errorf("%d pages about a service that it was about already, want 0", n-before)
	}
	w.accept(of("mail", "d"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM pages WHERE incident_id = 1`); n == before {
		t.Errorf("no page about another service: got %v, want other than %v", n, before)
	}
}

// A flapping incident is closed by its timer after ten quiet minutes or, if the timer is lost, by the
// upkeep that runs every minute. One that fires again meanwhile stays open.
func TestFlappingIncidentClosesWhenQuiet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(trigger("disk"), resolve("disk"), trigger("disk"), resolve("disk"), trigger("disk"), resolve("disk"), trigger("disk"), resolve("disk"))
	w.fold()
	in := w.incident(1)
	if !in.Flapping() || in.ClosesAt() != w.clock().Add(10*time.Minute) {
		t.Fatalf("it doesn't flap: %+v; want it to flap, and to close at %s", in, w.clock().Add(10*time.Minute))
	}
	if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'escalate' AND args ->> 'close' = 'true'`); n != 1 {
		t.Errorf("%d timers to close it, want 1", n)
	}
	w.advance(9 * time.Minute)
	w.accept(trigger("disk"))
	w.fold()
	w.accept(resolve("disk"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM alerts`); n != 4 {
		t.Errorf("%d alerts, want none more for what comes back", n)
	}
	w.advance(2 * time.Minute)
	if late := must[[]oncall.IncidentID](t)(w.OverdueFlaps(t.Context(), w.clock())); len(late) != 1 {
		t.Errorf("late: %v, want 1 entry", late)
	}
	for _, c := range []struct {
		after time.Duration
		did   bool
		want  oncall.Status
	}{{0, true, oncall.Triggered}, {0, false, oncall.Triggered}, {8 * time.Minute, true, oncall.Resolved}, {0, false, oncall.Resolved}} {
		w.advance(c.after)
		did := must[bool](t)(w.CloseFlap(t.Context(), 1, w.clock()))
		if in := w.incident(1); did != c.did || in.Status != c.want {
			t.Errorf("after %s: it did something: %v, and is %s; want did %v and %s", c.after, did, in.Status, c.did, c.want)
		}
	}
	if late := must[[]oncall.IncidentID](t)(w.OverdueFlaps(t.Context(), w.clock().Add(time.Hour))); len(late) != 0 {
		t.Errorf("late when it is closed: %v, want none", late)
	}
}
